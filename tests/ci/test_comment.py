"""The comment on a pull request: found by GitHub's word alone, one, and harmless whatever the artifact holds."""

from __future__ import annotations

import html
import json
import re
import string
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import comment
import pytest
from api import Api
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pytest_model_check.judgement.verdicts import MetricVerdict, Run, Verdict
from pytest_model_check.report import markdown
from sanitise import CUT, sanitise
from support.fake_github import FORK, OWN, REPOSITORY, TOKEN, FakeGitHub, archive, pull_request

SHA = "1234567890abcdef1234567890abcdef12345678"
NEWER = "f" * 40
REPORT = "<!-- model-check -->\n## Model checks failed: 1 of 1\n\n| check | verdict |\n|---|---|\n| churn | worse |\n"


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """Return a fake GitHub with a pull request from a fork, and the report of its run."""
    fake = FakeGitHub()
    fake.pulls = [pull_request(7, SHA, repository=FORK)]
    fake.upload(99, archive(report__md=REPORT))
    with fake.serve():
        monkeypatch.setenv("GITHUB_API_URL", fake.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield fake
    assert fake.leaked == [], "the token was sent to the artifact's store"


def ended(**changes: Any) -> dict[str, Any]:
    """Return the event: the run of a pull request from a fork has failed."""
    run = {
        "id": 99,
        "path": ".github/workflows/model-check.yml",
        "event": "pull_request",
        "conclusion": "failure",
        "head_sha": SHA,
        "head_branch": "better",
        "head_repository": {"id": FORK, "owner": {"login": "visitor"}},
        "run_started_at": "2026-01-01T00:00:00Z",
        "html_url": "https://github.com/owner/project/actions/runs/99",
        "pull_requests": [],
    }
    return {"action": "completed", "workflow_run": run | changes}


def post(event: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the script for an event."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event), encoding="utf-8")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(path))
    return comment.main([])


@pytest.fixture
def comments(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that handles an event, and gives what was changed on GitHub."""

    def handle(**changes: Any) -> list[tuple[str, str, Any]]:
        github.changes.clear()
        assert post(ended(**changes), tmp_path, monkeypatch) == 0
        return list(github.changes)

    return handle


def test_a_pull_request_from_a_fork_gets_its_report(comments: Any) -> None:
    ((method, path, body),) = comments()
    assert (method, path) == ("POST", "/issues/7/comments")
    text = body["body"]
    assert text.startswith(
        "<!-- model-check -->\n**Model checks: failed** ([this run](https://github.com/owner/project"
    )
    assert "| churn | worse |" in text
    assert text.count("<!--") == 1


def test_there_is_one_comment_and_nobody_elses_is_touched(github: FakeGitHub, comments: Any) -> None:
    marked = "<!-- model-check -->\nold"
    others = [{"id": n, "user": {"login": "visitor"}, "body": marked} for n in range(150)]
    bot = {"login": "github-actions[bot]"}
    github.comments[7] = [
        *others,
        {"id": 200, "user": bot, "body": "something else"},
        {"id": 201, "user": bot, "body": marked},
        {"id": 202, "user": None, "body": None},
    ]
    ((method, path, _),) = comments()
    assert (method, path) == ("PATCH", "/issues/comments/201")


@pytest.mark.parametrize(
    ("pulls", "words"),
    [
        ([], "no open pull request"),
        ([pull_request(7, SHA, repository=FORK, state="closed")], "no open pull request"),
        ([pull_request(7, NEWER, repository=FORK)], "is not the head any more"),
        ([pull_request(7, SHA, repository=OWN)], "no open pull request"),
        ([pull_request(7, SHA, repository=None)], "no open pull request"),
        ([pull_request(7, SHA, repository=FORK), pull_request(8, SHA, repository=FORK)], "#7, #8 have the same head"),
    ],
    ids=["none", "closed", "newer push", "another repository", "fork deleted", "several"],
)
def test_no_comment_goes_to_a_pull_request_that_the_run_may_not_be_of(
    github: FakeGitHub, comments: Any, capsys: pytest.CaptureFixture[str], pulls: list[Any], words: str
) -> None:
    github.pulls = pulls
    assert comments() == []
    assert words in capsys.readouterr().out


def test_a_fork_with_the_same_owner_and_branch_name_is_told_from_this_repository(
    github: FakeGitHub, comments: Any
) -> None:
    github.pulls = [pull_request(7, SHA, repository=OWN), pull_request(8, SHA, repository=FORK)]
    github.pulls[1]["head"]["label"] = "owner:better"
    ((_, path, _),) = comments(head_repository={"id": FORK, "owner": {"login": "owner"}})
    assert path == "/issues/8/comments"


def test_of_several_pull_requests_the_one_that_the_event_names_is_meant(github: FakeGitHub, comments: Any) -> None:
    github.pulls = [pull_request(7, SHA), pull_request(8, SHA)]
    ((_, path, _),) = comments(
        head_repository={"id": OWN, "owner": {"login": "owner"}}, pull_requests=[{"number": 8}, {"number": 9}]
    )
    assert path == "/issues/8/comments"


def test_a_run_that_somebody_started_by_hand_says_so(comments: Any) -> None:
    ((_, _, body),) = comments(event="workflow_dispatch", conclusion="success")
    assert "**Model checks: passed**" in body["body"]
    assert "of 123456789, started by hand)" in body["body"]


def test_a_fork_that_was_deleted_meanwhile_is_no_failure(comments: Any) -> None:
    assert comments(head_repository=None) == []


@pytest.mark.parametrize("conclusion", ["skipped", "action_required", "neutral", "stale"])
def test_a_run_that_did_nothing_is_not_spoken_of(comments: Any, conclusion: str) -> None:
    assert comments(conclusion=conclusion) == []


@pytest.mark.parametrize(
    "content",
    [
        b"no zip",
        archive(other__md="x"),
        archive(**{"../report__md": "x", "/report__md": "x", "report__md/x": "x"}),
        archive(report__md="x" * 100)[:-30],
        archive(report__md="x").replace(struct.pack("<H", 8), struct.pack("<H", 77)),
        b"\0" * (17 * 1024 * 1024),
    ],
    ids=["no zip", "other files", "traversal", "torn", "unknown compression", "too large"],
)
def test_an_artifact_that_can_not_be_read_leaves_a_comment_that_says_so(
    github: FakeGitHub, comments: Any, content: bytes
) -> None:
    github.artifacts.clear()
    github.upload(99, content)
    ((_, _, body),) = comments(conclusion="success")
    assert "There is no report" in body["body"]


def test_an_earlier_attempts_report_is_not_taken_for_this_ones(github: FakeGitHub, comments: Any) -> None:
    ((_, _, body),) = comments(run_started_at="2026-01-01T02:00:00Z")
    assert "There is no report" in body["body"]
    github.upload(99, archive(report__md="the second attempt"), at="2026-01-01T03:00:00Z")
    ((_, _, body),) = comments(run_started_at="2026-01-01T02:00:00Z")
    assert "the second attempt" in body["body"]


def test_a_bomb_is_neither_unpacked_nor_posted_whole(github: FakeGitHub, comments: Any) -> None:
    github.artifacts.clear()
    packed = archive(report__md=b"a line of the report\n" * 2_000_000)
    assert len(packed) < 200_000
    github.upload(99, packed)
    ((_, _, body),) = comments()
    assert len(body["body"]) < 65_536
    assert CUT.strip() in body["body"]


def test_an_error_of_githubs_fails_the_run_in_one_line(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    github.broken = True
    assert post(ended(), tmp_path, monkeypatch) == 1
    assert capsys.readouterr().out.startswith("::error title=model-check::GET /pulls: GitHub answered 500")


def test_a_token_goes_to_no_other_scheme(github: FakeGitHub) -> None:
    api = Api(github.url, REPOSITORY, "wrong")
    with pytest.raises(Exception, match="401"):
        api.get("/pulls", head="visitor:better")


# -- the text ----------------------------------------------------------------------------------------------------------

HOSTILE = [
    "@someone", "\\@someone", "&commat;someone", "&#64;someone", "&#x40;someone", "#12", "&num;12", "&#35;12", "GH-12",
    "owner/project#12", "owner/project@1234567", "https://evil.example", "www.evil.example", "a@evil.example",
    "[a](https://evil.example)", "![a](//evil.example/a.png)", "[a]: //evil.example\n\n[a]",
    "[a][b]\n\n[b]:\n//evil.example",
    "<a href=x>", "<img src=x>", "<script>x</script>", "<b onclick=x>", "<details open ontoggle=x>", "<!-- x", "<?x?>",
    "<https://evil.example>", "<![CDATA[x]]>", "</details", "<style>x", "/approve", "  /merge", "- /lgtm", "!command",
    "```mermaid\ngraph\n```", "$\\href{x}{y}$", "\\\\$x$", "\u202eabc", "\x1b[31m", "a\u2028/merge", "\ud800",
    "<\u200bb>", "<<b>script>", "@\u00ad someone", "[^1]: x", "&lt;b&gt; &amp; &#124; &nbsp;",
    "\\&#91;", "`&#91;`", "&#12", "GH&#45;12", "#&#49;2", "https&#58;//evil.example", "&#91;a&#93;(//evil.example)",
    "<details open>", "<wbr onclick=x>", "<span style=x>",
    "> [!WARNING]\n> All is lost", "> [!note]", "> &#91;!TIP]", "> [&#33;TIP]", "> \\[!TIP]",
    "- [ ] merge", "- [x] merge", "1. [X] x", "* &lbrack; ] x", "+ [&#32;] x", "- [\t] x",
]  # fmt: skip
PIECES = st.one_of(st.sampled_from(HOSTILE), st.text(st.sampled_from(string.printable + "\u202e\u200b"), max_size=12))


def rendered(text: str) -> str:
    import cmarkgfm
    from cmarkgfm.cmark import Options

    return cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_does_anything_on_github(text: str) -> None:
    require_harmless(text, 60_000)
    require_harmless(f"| a |\n|---|\n| {text} |\n", 60_000)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from([1000, 60_000]))
@example("_www.evil.example", 1000)
def test_no_text_does_anything_on_github(text: str, limit: int) -> None:
    require_harmless(text, limit)


def require_harmless(text: str, limit: int) -> None:
    clean = sanitise(text, limit)
    assert len(clean) <= limit
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\ud800-\udfff]", clean)
    assert not re.search(r"^[ \t>*+-]*[/!]", clean, re.MULTILINE)
    page = rendered(clean)
    tags = re.findall(r"<[a-zA-Z/!?][^>]*>", page)  # no other sign begins a tag, an invisible space does not
    shown = html.unescape(re.sub(r"<[a-zA-Z/!?][^>]*>", "", page))
    assert not [tag for tag in tags if re.match(r"</?(?:a|img|script|style|iframe|input|section)\b", tag)]
    assert not [tag for tag in tags if "=" in tag and not re.fullmatch(r'<(?:t[dh] align|ol start)="\w+">', tag)]
    assert not re.search(r"@[A-Za-z0-9]|#\d|\bGH-\d|://|\bwww\.", shown, re.IGNORECASE)
    assert not re.search(r"\[(?:!\w|[\sx]\])", shown, re.IGNORECASE)  # alert boxes, tasks


def test_an_honest_report_stays_as_it_was_written() -> None:
    text = (
        "## Model checks passed: 2 of 2\n\n| check | delta | verdict |\n|:--|--:|:--|\n"
        "| a\\|b | -0.1 &lt; 0 | held |\n\n"
        "<details><summary>Data and fits</summary>\n\n- `Pipeline(steps=[1, 2])`, at 12:30, C:/x\n\n</details>"
    )
    assert sanitise(text, 60_000) == text


SAID = "churn [region=north|west]: @anna *wants* 5 $ for #12 & GH-12, www.a.b :tada: https://a.b -> a_b <i>"


def test_the_report_of_a_run_reads_the_same_in_the_comment() -> None:
    """What the report escapes, for a summary that is not sanitised, must not be broken where it is."""
    metric = MetricVerdict("roc_auc_of_a_long_name", "worse", None, 0.9, 0.8, -0.1, -0.12, -0.08, 0.01)
    lines = [SAID, "- 1", "1. x", "# x", "+ x", "> x"]
    for text in lines:
        check = Verdict(text, "t.py::t", "worse", False, f"{text}: worse", text, metrics=(metric,))
        report = markdown.render(Run((check,), False, problems=(text,)))
        clean = sanitise(report, 60_000)
        require_harmless(report, 60_000)
        assert visible_text(clean) == visible_text(report)
        assert visible_text(report).count(text) >= 3
        assert rendered(clean).count("<details") == rendered(clean).count("</details>") == clean.count("</details>")


def visible_text(markdown: str) -> str:
    """Return what a reader sees of Markdown."""
    return html.unescape(re.sub(r"<[^>]*>", "", rendered(markdown))).replace("\u200b", "").strip()


def test_what_is_cut_is_closed() -> None:
    text = "<details><summary>more</summary>\n\n```\n" + "code\n" * 1000
    clean = sanitise(text, 2000)
    assert clean.endswith(f"code\n```\n\n\n</details>{CUT}")
    assert rendered(clean).count("</pre>") == 1


def test_what_is_not_utf_8_is_shown_as_far_as_it_can_be() -> None:
    assert comment.member(archive(report__md=b"caf\xe9")) == "caf\ufffd"


def test_another_workflow_of_the_same_name_is_not_believed(comments: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert comments(path=".github/workflows/mine.yml", conclusion="success") == []
    assert "a run of .github/workflows/mine.yml" in capsys.readouterr().out
    assert comments(path=".github/workflows/model-check.yml@refs/heads/better") != []
