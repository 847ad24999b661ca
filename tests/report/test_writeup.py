"""The write-up: an account of a model that says what is known, how surely, and what is not."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cmarkgfm import github_flavored_markdown_to_html as as_github
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.baselines import history
from pytest_model_check.baselines.history import History, Recording
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.checks import make_check
from pytest_model_check.cli import main
from pytest_model_check.errors import PromiseError
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.verdicts import Weakening
from pytest_model_check.report import document
from pytest_model_check.report.writeup import write_up
from support.lives import Life, accepted, anchor, baseline, metric, protocol

fast = settings(deadline=None, derandomize=True, max_examples=60)


@pytest.fixture
def life(tmp_path, monkeypatch) -> Life:
    life = Life(tmp_path / "repository")
    monkeypatch.chdir(life.path)
    return life


def told(*recordings: Baseline, remarks=(), **options) -> str:
    """Return the write-up of baselines that are not committed, as Markdown."""
    found = History(recordings[-1].name, tuple(Recording(None, one) for one in recordings), tuple(remarks))
    return document.markdown(write_up(found, "baselines", **options))


def part(text: str, title: str) -> str:
    """Return one section."""
    return text.split(f"## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def described(description="", caveats=(), **judged) -> Baseline:
    return baseline(description=description, caveats=caveats, protocol=protocol(**judged))


# --- what it says


def test_it_has_a_section_for_everything_that_a_reader_needs():
    assert re.findall("<h[12]>(.*)</h[12]>", as_github(told(baseline()))) == [
        "churn: an account of the model",
        "The problem",
        "The data",
        "How its skill was measured",
        "The skill",
        "As a yardstick",
        "Through its history",
        "What was accepted",
        "Caveats",
        "How to reproduce it",
    ]


def test_the_problem_is_in_the_authors_own_words():
    text = told(described(description="Who leaves?\nAsked monthly.\n\nBy sales."))
    assert part(text, "The problem").strip().startswith("Who leaves? Asked monthly.\n\nBy sales.")


def test_a_long_description_is_told_to_its_end():
    text = told(described(description="Who leaves, and why. " * 200 + "That is all."))
    assert "That is all." in part(text, "The problem")


def test_without_a_description_it_says_how_to_give_one():
    assert "description=" in part(told(baseline()), "The problem")


def test_the_data_has_its_files_rows_and_since_when():
    moved = baseline(generation=2, data=(("data/churn.csv", "f" * 32),))
    text = part(told(baseline(), moved, baseline(0.91, 3, data=moved.data)), "The data")
    assert "500 rows" in text
    assert "since recording 2" in text
    assert "f" * 32 in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protocol": protocol(groups="patient")}, "Rows of the same patient"),
        ({"protocol": protocol(time="departure")}, "on earlier rows than it predicts, by departure"),
        ({"protocol": protocol(sample_weight="exposure")}, "Rows count as much as their exposure says"),
        ({"protocol": protocol(features=("age",))}, "may look at age."),
        ({"learner": "deterministic", "seeds": 1}, "no random numbers"),
        ({"learner": "random"}, "averaged over 10 seeds"),
        ({"learner": "nondeterministic"}, "Even with the same seed"),
        ({}, "The data is split 5 times"),
    ],
)
def test_the_protocol_is_told_in_plain_words(change, words):
    assert words in part(told(baseline(**change)), "How its skill was measured")


def test_what_weighted_rows_are_worth_is_told():
    assert "500 rows (worth 366 by their weights)." in part(told(baseline(effective_rows=366.4)), "The data")


def test_the_skill_comes_with_its_interval_the_dummy_and_the_margin():
    text = part(told(baseline(0.9)), "The skill")
    assert "0.880 to 0.920 at 95% confidence" in text
    assert "A dummy that looks at no feature scores 0.500" in text
    assert "95% sure to lose less than 0.020" in text


def test_what_was_accepted_is_told_with_its_reason():
    one = baseline(0.88, 3, history=(accepted(2, "the old law", closed=3), accepted(3, "the new law")))
    text = part(told(baseline(), one), "What was accepted")
    assert "Recording 2: the old law (roc_auc is worse by 0.050 (0.030 to 0.060), margin 0.020). " in text
    assert "Won back by recording 3." in text
    assert "the new law" in text
    assert "It still stands." in text
    assert part(told(baseline()), "What was accepted").strip().startswith("Nothing")


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (described(caveats=("Labels before 2020 are guesses.",)), "Labels before 2020 are guesses."),
        (baseline(metrics={"roc": metric(0.9, margin=0.001)}), "roc is underpowered: its margin of 0.0010 is below"),
        (
            baseline(metrics={"roc": metric(0.9, margin_kind="noise_floor")}),
            "A loss of roc below",
        ),
        (
            baseline(metrics={"roc": metric(0.9, noise_reference=NoiseReference(0.5, 0, 9, 1, 0))}),
            "was not measured (one seed)",
        ),
        (baseline(metrics={"roc": metric(0.51)}), "reaches down to what the dummy scores"),
        (
            baseline(metrics={"roc": metric(0.9, anchor=anchor(0.91))}),
            "has lost 0.010 in small steps",
        ),
        (baseline(metrics={"roc": metric(0.9, margin=None, margin_kind="single_row")}), "no release is held to it"),
        (baseline(reused=4), "replaced 4 times on this version of the data"),
        (baseline(), "rows to be independent"),
        (baseline(), "fewer than 50 rows"),
        (described(slices=()), "No slices are watched"),
    ],
)
def test_what_is_not_known_is_a_caveat(one, words):
    assert words in part(told(one), "Caveats")


@pytest.mark.parametrize("words", ["underpowered", "one seed", "small steps", "replaced", "dummy", "noise floor"])
def test_what_is_not_so_is_no_caveat(words):
    assert words not in part(told(baseline()), "Caveats")


def test_grouped_rows_are_not_called_independent():
    assert "independent" not in part(told(described(groups="patient")), "Caveats")


def test_it_tells_how_to_reproduce_it(life, capsys):
    sha = life.record(baseline())
    assert main(["write-up", "churn", "--author", "Grace"]) == 0
    out = capsys.readouterr().out
    assert "By Grace. As of recording 1, approved by Ada on 2026-03-01" in out
    commands = re.search("```\n(.*?)\n```", part(out, "How to reproduce it"), re.DOTALL)[1].splitlines()
    assert commands == [
        f"git checkout {sha}",
        "dvc pull data/churn.csv baselines/churn.parquet",
        "pip install scikit-learn==1.9.1",
        "pytest --model-check test_models.py::test_churn",
    ]
    assert "Python 3.11.7 on Linux x86_64" in out


def test_what_is_not_committed_is_said():
    text = told(baseline())
    assert "not committed, so not approved yet" in text
    assert "git checkout" not in text


def test_the_history_is_a_table_with_every_recording(life, capsys):
    life.record(baseline(0.9), day=1)
    life.record(baseline(0.92, 2), day=2, author="Grace")
    main(["write-up", "churn"])
    rows = [line for line in part(capsys.readouterr().out, "Through its history").splitlines() if "2026" in line]
    assert len(rows) == 2
    assert "Grace" in rows[1]
    assert "0.920 (0.900 to 0.940)" in rows[1]


# --- as files


class Parsed(HTMLParser):
    """What a browser would make of a page: elements, and whether they nest."""

    VOID = ("meta", "link", "path", "use", "br", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.open, self.attributes, self.text = [], [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_whole_needs_nothing_else_and_has_the_plot(life):
    life.record(baseline(0.9))
    assert main(["write-up", "churn", "--out", "churn.html"]) == 0
    page = Path("churn.html").read_text(encoding="utf-8")
    parsed = Parsed(page)
    assert parsed.open == []
    assert "svg" in parsed.tags
    assert not {"script", "link", "img", "iframe", "object"} & set(parsed.tags)
    assert not [value for key, value in parsed.attributes if key in ("src", "href") and "://" in (value or "")]
    assert "metadata" not in parsed.tags
    assert "prefers-color-scheme: dark" in page
    assert ("lang", "en") in parsed.attributes
    assert len(page) < 200_000


def test_markdown_goes_into_a_file_too(life, capsys):
    life.record(baseline(0.9))
    assert main(["write-up", "churn", "--out", "churn.md"]) == 0
    assert capsys.readouterr().out == "written: churn.md\n"
    assert Path("churn.md").read_text(encoding="utf-8").startswith("# churn: an account")
    assert sorted(path.name for path in life.path.iterdir()) == [".git", "baselines", "churn.md"]


@pytest.mark.parametrize("name", ["churn.pdf", "churn", "absent/churn.md"])
def test_a_file_that_cannot_be_written_is_refused_in_words(life, capsys, name):
    life.record(baseline(0.9))
    assert main(["write-up", "churn", "--out", name]) == 2
    assert name in capsys.readouterr().err


def test_an_unknown_name_is_refused(life, capsys):
    life.record(baseline(0.9))
    assert main(["write-up", "chrun"]) == 2
    assert "did you mean churn?" in capsys.readouterr().err


def test_where_no_recording_can_be_read_nothing_is_claimed(life, capsys):
    (life.folder / "churn.json").write_text("{}", encoding="utf-8")
    life.commit()
    (life.folder / "churn.json").unlink()
    assert main(["write-up", "churn"]) == 2
    assert "schema" in capsys.readouterr().err


HOSTILE = "<script>alert(1)</script>|`@all`\n# Passed\n[x](http://e.org)\u202e\x1b[31m ``` --> $x$ <!--"


def hostile() -> Baseline:
    return baseline(
        nodeid=HOSTILE,
        candidate=HOSTILE,
        data=((HOSTILE, HOSTILE),),
        classes=(HOSTILE, "b"),
        environment={HOSTILE: HOSTILE},
        metrics={HOSTILE: metric(0.9)},
        history=(
            accepted(1, HOSTILE, said=HOSTILE, weakened=(Weakening("cv", after=HOSTILE), Weakening("said", HOSTILE))),
        ),
        protocol=Protocol(HOSTILE, HOSTILE, (HOSTILE,), HOSTILE, HOSTILE, (HOSTILE,)),
        description=HOSTILE,
        caveats=(HOSTILE,),
    )


def test_whatever_a_branch_writes_stays_text():
    markdown = told(hostile(), author=HOSTILE, remarks=[HOSTILE])
    assert "\u202e" not in markdown
    assert "\x1b" not in markdown
    rendered = Parsed(as_github(markdown))
    page = document.html(write_up(History("x", (Recording(None, hostile()),), (HOSTILE,)), "b", author=HOSTILE))
    assert "\u202e" not in page
    for parsed in (rendered, Parsed(page)):
        assert not {"script", "a", "img"} & set(parsed.tags)
        assert parsed.tags.count("h1") == 1
        assert parsed.tags.count("h2") == 9
        assert "alert(1)" in parsed.text


@given(st.text(max_size=40))
@fast
def test_no_text_breaks_the_structure(text):
    one = described(description=text, caveats=(text,), target=text)
    found = History("x", (Recording(None, one),), ())
    account = write_up(found, "b", author=text)
    for rendered in (Parsed(document.html(account)), Parsed(as_github(document.markdown(account)))):
        assert rendered.open == []
        assert rendered.tags.count("h2") == 9
        assert not {"script", "a", "img", "hr"} & set(rendered.tags)


def test_a_number_below_zero_has_its_minus():
    written = told(baseline(metrics={"neg_log_loss": metric(-0.547)}))
    assert "| -0.547 |" in re.sub(" +", " ", written)


# --- the author's words


def test_description_and_caveats_are_recorded_with_the_baseline(project, capsys):
    words = 'description="""Is it\n    malignant?""", caveats="Few rows."'
    project.check("DecisionTreeClassifier(max_depth=2, random_state=0)", f'metrics="roc_auc", seeds=2, cv=5, {words}')
    assert project.run("--update-baselines").ret == 0
    assert project.baseline()["description"] == "Is it\nmalignant?"
    assert project.baseline()["caveats"] == ["Few rows."]
    capsys.readouterr()
    assert main(["write-up", "tumours"]) == 0
    out = capsys.readouterr().out
    assert "Is it malignant?" in out
    assert "- Few rows." in out
    assert len(history.recordings(project.path / "baselines", "tumours")) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"description": 3}, "description=3 is no text"),
        ({"caveats": 3}, "caveats=3"),
        ({"caveats": [3]}, "no list of sentences"),
        ({"caveats": " "}, "no list of sentences"),
    ],
)
def test_words_that_are_none_are_refused(words, message):
    from sklearn.linear_model import Ridge

    with pytest.raises(PromiseError, match=re.escape(message)):
        make_check.make_check(Ridge(), data="a.csv", target="y", name="a", **words)
