"""The diff of baselines at two revisions: what is worse, what is weakened, and what can't be told."""

import json
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.baselines import diff
from pytest_model_check.baselines.diff import Snapshot, compare
from pytest_model_check.baselines.migrations import ratio_of_splitter
from pytest_model_check.cli import main
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.verdicts import Acceptance
from pytest_model_check.settings import Rules
from support.lives import Life, accepted, baseline, metric, protocol

fast = settings(deadline=None, derandomize=True, max_examples=100)
OTHER_DATA = (("data/churn.csv", "f" * 32),)


@pytest.fixture
def life(tmp_path, monkeypatch) -> Life:
    life = Life(tmp_path / "repository")
    monkeypatch.chdir(life.path)
    return life


def between(old, new, retired=()) -> diff.Diff:
    """Compare two sets of baselines."""
    before = Snapshot("A", "0" * 40, {one.name: one for one in old}, {})
    return compare(before, Snapshot("B", None, {one.name: one for one in new}, {one.name: one for one in retired}))


def verdict(old, new) -> str:
    (row,) = between([old], [new]).rows
    return row.verdict


def shifted(score: float, spread: float = 0.0, generation: int = 2, **changes):
    """Return a recording whose folds moved with its score, and each by something of its own."""
    base = [0.9 + x for x in (-0.02, -0.01, 0.0, 0.01, 0.02)]
    own = [spread * x for x in (1, -1, 1, -1, 0)]
    folds = tuple(fold + score - 0.9 + x for fold, x in zip(base, own, strict=True))
    return baseline(generation=generation, metrics={"roc_auc": metric(score, folds)}, **changes)


# --- verdicts


def test_the_same_recording_is_identical():
    assert verdict(baseline(), baseline()) == "identical"


def test_another_recording_of_the_same_scores_is_identical():
    assert verdict(baseline(), baseline(generation=2)) == "identical"


@pytest.mark.parametrize(
    ("score", "spread", "expected"),
    [
        (0.92, 0.001, "better"),
        (0.899, 0.001, "held"),
        (0.895, 0.0003, "held"),
        (0.89, 0.02, "inconclusive"),
        (0.879, 0.05, "worse"),  # more than the margin, however wide the interval
        (0.885, 0.004, "inconclusive"),
    ],
)
def test_a_difference_is_judged_by_the_folds(score, spread, expected):
    assert verdict(baseline(), shifted(score, spread)) == expected


def test_a_loss_that_is_sure_but_may_exceed_the_margin_is_worse():
    # twenty folds: surer than five
    folds = tuple(0.9 + 0.001 * (i % 3) for i in range(20))
    lost = tuple(fold - 0.018 + 0.01 * (i % 2) - 0.005 for i, fold in enumerate(folds))
    old = baseline(metrics={"roc_auc": metric(sum(folds) / 20, folds)})
    new = baseline(generation=2, metrics={"roc_auc": metric(sum(lost) / 20, lost)})
    (row,) = between([old], [new]).rows
    assert row.low <= -row.margin < row.delta
    assert row.high < 0
    assert row.verdict == "worse"


@given(st.floats(0.6, 0.99), st.floats(0, 0.1))
@fast
def test_a_verdict_follows_from_its_numbers(score, spread):
    (row,) = between([baseline()], [shifted(score, spread)]).rows
    if row.verdict == "better":
        assert row.low > 0
    if row.verdict == "held":
        assert row.low > -row.margin
    if row.delta <= -row.margin:
        assert row.verdict == "worse"
    assert row.low <= row.delta <= row.high


@given(st.floats(0.6, 0.99), st.floats(0, 0.1))
@fast
def test_no_two_recordings_are_both_better_than_the_other(score, spread):
    old, new = baseline(), shifted(score, spread)
    assert {verdict(old, new), verdict(new, old)} != {"better"}


def test_folds_that_all_moved_by_the_same_are_no_certainty():
    (row,) = between([baseline()], [shifted(0.91, 0.0)]).rows
    assert row.verdict == "held"
    assert row.low < 0 < row.high


def test_other_data_is_shown_and_not_judged():
    found = between([baseline()], [baseline(0.7, 2, data=OTHER_DATA)])
    (row,) = found.rows
    assert (row.verdict, row.before, row.after, row.delta) == ("other data", 0.9, 0.7, None)
    assert row.reason == "data/churn.csv: 00000000 -> ffffffff"
    assert not found.worse


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": {"roc_auc": metric(0.7, definition="another")}},
        {"metrics": {"roc_auc": metric(0.7, (0.7, 0.7))}},
        {"protocol": protocol(cv="KFold(2)")},
        {"protocol": protocol(sample_weight="exposure")},
    ],
)
def test_another_definition_or_other_folds_are_not_judged(change):
    assert verdict(baseline(), baseline(generation=2, **change)) == "incomparable"


def test_other_rows_of_the_same_files_are_other_data():
    assert verdict(baseline(), baseline(0.7, 2, target_digest="def")) == "other data"


def test_a_metric_that_is_only_reported_is_not_judged():
    reported = metric(0.9, margin=None)
    worse = metric(0.5, margin=None)
    assert verdict(baseline(metrics={"m": reported}), baseline(generation=2, metrics={"m": worse})) == "reported"


def test_one_fold_alone_says_only_what_the_record_says():
    old = baseline(metrics={"roc_auc": metric(0.9, (0.9,))})
    assert verdict(old, baseline(generation=2, metrics={"roc_auc": metric(0.89, (0.89,))})) == "inconclusive"
    assert verdict(old, baseline(generation=2, metrics={"roc_auc": metric(0.88, (0.88,))})) == "worse"


@pytest.mark.parametrize(
    ("cv", "folds", "ratio"),
    [
        ("StratifiedKFold(n_splits=10, random_state=0, shuffle=True)", 10, 1 / 9),
        ("RepeatedKFold(n_repeats=3, n_splits=10, random_state=0)", 30, 1 / 9),
        ("LeaveOneGroupOut()", 5, 1 / 4),
        ("TimeSeriesSplit(gap=0, n_splits=4)", 4, (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4),
        ("ShuffleSplit(n_splits=10, random_state=0, test_size=0.25, train_size=None)", 10, 1 / 3),
        ("GroupShuffleSplit(n_splits=5, test_size=None)", 5, 0.25),
    ],
)
def test_of_an_earlier_baseline_the_ratio_of_tested_to_trained_rows_is_the_splitters(cv, folds, ratio):
    assert ratio_of_splitter(cv, folds) == pytest.approx(ratio)


# --- promises


def test_a_new_check_and_a_new_metric_are_new():
    both = baseline(metrics={"roc_auc": metric(0.9), "accuracy": metric(0.8)})
    found = between([baseline()], [both, baseline(name="other")])
    assert sorted((row.check, row.metric, row.verdict) for row in found.rows if row.verdict == "new") == [
        ("churn", "accuracy", "new"),
        ("other", "roc_auc", "new"),
    ]
    assert not found.worse


def test_a_baseline_that_is_gone_is_worse():
    found = between([baseline(), baseline(name="other")], [baseline()])
    assert found.rows[0].verdict == "gone"
    assert found.worse
    assert [weaker.term for _, weaker in found.weakened] == ["gone"]


def test_a_retired_check_is_not():
    given_up = baseline(history=(Acceptance(1, "the shop closed", "retired"),))
    found = between([baseline(), baseline(name="other")], [baseline(name="other")], retired=[given_up])
    assert [row.verdict for row in found.rows] == ["identical", "retired"]
    assert found.accepted[0][1].reason == "the shop closed"
    assert not found.worse


def test_a_baseline_put_aside_without_a_reason_is_gone():
    assert between([baseline()], [], retired=[baseline()]).worse


def test_a_renamed_baseline_is_followed():
    found = between([baseline(name="attrition")], [baseline(formerly=("attrition",))])
    (row,) = found.rows
    assert (row.check, row.verdict) == ("churn (was attrition)", "identical")
    assert not found.worse


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metrics": {"roc_auc": metric(0.9, margin=0.03)}}, "the margin of roc_auc is 0.03, was 0.02"),
        ({"metrics": {"roc_auc": metric(0.9, margin=None)}}, "roc_auc is reported only"),
        ({"metrics": {"accuracy": metric(0.8)}}, "the metric roc_auc was dropped"),
        ({"protocol": protocol(time="day")}, "time= is day, was not named"),
        ({"protocol": protocol(seeds=1)}, "seeds= is 1, was 10"),
        ({"protocol": protocol(rules=Rules(inconclusive_passes=True))}, "model_check_inconclusive is pass, was fail"),
        (
            {"protocol": protocol(rules=Rules(folds_suffice=True))},
            "model_check_without_predictions is folds, was fail",
        ),
        ({"protocol": protocol(slices=())}, "the slice region was dropped"),
        ({"protocol": protocol(cv="KFold(2)")}, "cv= is KFold(2), was KFold(5)"),
    ],
)
def test_a_weaker_promise_is_worse_in_words(change, words):
    found = between([baseline()], [baseline(**change)])
    assert found.worse
    assert any(words in explain.weakening(weaker) for _, weaker in found.weakened)


def test_default_margins_measured_anew_and_narrower_ones_are_no_weaker_promise():
    old = baseline(metrics={"roc_auc": metric(0.9, margin_kind="skill_share")})
    new = baseline(metrics={"roc_auc": metric(0.9, margin=0.021, margin_kind="skill_share")})
    assert between([old], [new]).weakened == ()
    assert between([baseline()], [baseline(metrics={"roc_auc": metric(0.9, margin=0.01)})]).weakened == ()


def test_what_was_accepted_between_them_is_listed_and_only_that():
    first = accepted(2, "the old law")
    old = baseline(generation=2, history=(first,))
    new = shifted(0.85, 0.01, generation=3, history=(replace(first, closed=3), accepted(3, "the new law")))
    assert [one.reason for _, one in between([old], [new]).accepted] == ["the new law"]


# --- the command


def test_a_diff_from_head_to_the_working_tree_by_default(life, capsys):
    life.record(baseline())
    assert main(["diff"]) == 0
    assert "identical" in capsys.readouterr().out
    life.write(shifted(0.85, 0.01))
    assert main(["diff"]) == 1
    out = capsys.readouterr().out
    assert "B is worse than A: 1 worse in 1 check" in out
    assert "B: the working tree" in out
    assert "Nothing was fitted" in out


def test_a_diff_of_two_revisions(life, capsys):
    life.record(baseline())
    life.git("tag", "v1")
    life.record(shifted(0.92, 0.001))
    life.write(baseline(0.5, 9))
    assert main(["diff", "v1", "HEAD"]) == 0
    assert "better" in capsys.readouterr().out
    assert main(["diff", "HEAD", "v1"]) == 1


def test_the_json_holds_it_all(life, capsys):
    sha = life.record(baseline())
    life.write(shifted(0.85, 0.01, history=(accepted(2, "the new law"),)))
    assert main(["diff", "--format", "json"]) == 1
    plain = json.loads(capsys.readouterr().out)
    assert plain["schema"] == 1
    assert plain["worse"] is True
    assert plain["a"] == {"revision": "HEAD", "commit": sha}
    assert plain["b"] == {"revision": "the working tree", "commit": None}
    (row,) = plain["rows"]
    assert (row["check"], row["metric"], row["verdict"], row["margin"]) == ("churn", "roc_auc", "worse", 0.02)
    assert row["delta"] == pytest.approx(-0.05)
    assert plain["accepted"][0]["reason"] == "the new law"
    assert plain["weakened"] == []


def test_the_markdown_is_escaped(life, capsys):
    name = "<img src=x>|@all`#1"
    life.record(baseline(metrics={name: metric(0.9)}))
    life.write(baseline(generation=2, metrics={name: metric(0.9)}, history=(accepted(2, "[a](http://b)\n# c"),)))
    assert main(["diff", "--format", "markdown"]) == 0
    out = capsys.readouterr().out
    assert "<img" not in out
    assert "@all" not in out
    assert "[a](http://" not in out
    assert "\n# c" not in out
    table = [line for line in out.splitlines() if line.startswith("|")]
    assert len(table) == 3


def test_what_could_hide_a_loss_is_counted_in_the_headline(life, capsys):
    life.record(baseline())
    life.write(baseline(0.5, 2, data=OTHER_DATA))
    assert main(["diff"]) == 0
    assert "B is not known to be worse than A in 1 check (1 other data)" in capsys.readouterr().out


def test_a_row_that_fails_comes_first(life, capsys):
    life.write(baseline(name="a"))
    life.record(baseline(name="b"))
    life.write(shifted(0.8, 0.01, name="b"))
    main(["diff"])
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "roc_auc" in line]
    assert rows == ["b", "a"]


def test_an_unknown_revision_is_refused_with_near_misses(life, capsys):
    life.record(baseline())
    life.git("branch", "release")
    assert main(["diff", "relaese"]) == 2
    assert "did you mean release?" in capsys.readouterr().err
    assert main(["diff", "--", "--output=x"]) == 2
    assert not (life.path / "x").exists()


def test_a_shallow_clone_names_the_command_that_fetches(life, tmp_path, monkeypatch, capsys):
    first = life.record(baseline())
    life.record(shifted(0.92))
    subprocess.run(["git", "clone", "-q", "--depth=1", life.path.as_uri(), tmp_path / "shallow"], check=True)
    monkeypatch.chdir(tmp_path / "shallow")
    assert main(["diff", first]) == 2
    assert "git fetch --unshallow" in capsys.readouterr().err


def test_no_commits_and_no_repository_are_said(life, tmp_path, monkeypatch, capsys):
    life.write(baseline())
    assert main(["diff"]) == 2
    assert "no commits yet" in capsys.readouterr().err
    (tmp_path / "nowhere").mkdir()
    monkeypatch.chdir(tmp_path / "nowhere")
    assert main(["diff"]) == 2
    assert "no git repository" in capsys.readouterr().err


def test_no_baseline_on_either_side_is_no_success(life, capsys):
    life.commit()
    assert main(["diff"]) == 2
    assert "no baseline in baselines/" in capsys.readouterr().err


def test_a_torn_baseline_is_named_with_its_revision(life, capsys):
    (life.folder / "churn.json").write_text("{", encoding="utf-8")
    life.commit()
    life.write(baseline())
    assert main(["diff"]) == 2
    assert "churn.json at HEAD is torn" in capsys.readouterr().err


def test_from_a_folder_below_the_top_and_with_another_name(life, monkeypatch, capsys):
    life.record(baseline())
    (life.path / "below").mkdir()
    monkeypatch.chdir(life.path / "below")
    assert main(["diff", "--baselines", "../baselines"]) == 0
    assert "identical" in capsys.readouterr().out
