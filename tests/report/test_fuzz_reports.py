"""Whatever a branch calls its checks, no report obeys it: it is shown as text, or spelt out."""

from __future__ import annotations

import json
import re
import shlex
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from pytest_model_check.baselines.diff import Diff, Row, Snapshot
from pytest_model_check.baselines.history import History, Recording
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.exports import flat
from pytest_model_check.git import Commit
from pytest_model_check.judgement.compared import ChangedRows, Compared, DataVersion, Differences, Moved, ScoreGrid
from pytest_model_check.judgement.quality import RecordingQuality
from pytest_model_check.judgement.verdicts import (
    Acceptance,
    Concessions,
    Loss,
    MetricVerdict,
    Run,
    Verdict,
    Weakening,
    worst,
)
from pytest_model_check.report import (
    annotations,
    diff_table,
    document,
    history_plot,
    history_table,
    json_report,
    junit,
    markdown,
    markdown_text,
    openmetrics,
    plan_text,
    promise_table,
    terminal,
)
from pytest_model_check.report.html import notebook, page
from pytest_model_check.report.text import cut, failure, shortened, visible
from pytest_model_check.report.writeup import write_up
from support.lives import accepted, baseline, metric
from support.pages import quality
from support.parsed_html import Page

fuzz = settings(
    deadline=None,
    derandomize=True,
    max_examples=60,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)

HOSTILE = (
    "|", "\\|", "`", "``` ", "<script>alert(1)</script>", "<!-- ", "-->", "<img src=x onerror=alert(1)>", "</details>",
    "</td></table>", "&lt;b&gt;", "&#60;", "&amp;", "[x](http://evil.example)", "![x](http://evil.example/x.png)",
    "[x]: http://evil.example", "[^1]", "<http://evil.example>", "http://evil.example", "HTTPS://evil.example",
    "www.evil.example", "_www.evil.example", "me@evil.example", "mailto:me@evil.example", "xmpp:me@evil.example",
    "@octocat", "@org/team", "#12", "org/repo#12", "GH-12", "gh-7", ":tada:", ":+1:", "$x^2$", "$$", "$`x`$",
    "*bold*", "__init__", "_em_", "~~gone~~", "~gone~", "\n", "\r", "\r\n", "\u2028", "\x00", "\x1b[31m", "\x1b]8;;",
    "\x7f", "\x9b", "\t", "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\ufe0f", "\ud800", "\ue000",
    "\U000e0041", "a" + "\u0301" * 9, "- ", "+ ", "# ", "> ", "1. ", "2) ", "---", "===", "    ", "- [ ] ",
    "- [x] ", "[!WARNING]", "> [!NOTE]\n> ", "::error::", "::stop-commands::x", " ::add-mask::x", "##[error]",
    "##vso[x]", "##teamcity[x]", "\x85::error::", "\u2029::error::", "\x0b", "\x1c", "\u3000", "\u180e", "\u3164",
    "%0A", "%", ",", ":", '"', "'", "{", "}", "# EOF", "= ", "é", "日本", "مرحبا", "😀", "...", "x", "",
)  # fmt: skip
texts = st.one_of(
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=6).map("".join),
    st.text(st.characters(), max_size=30),
    st.text(max_size=5).flatmap(lambda text: st.sampled_from(HOSTILE).map(lambda hostile: text + hostile)),
    st.sampled_from(HOSTILE).map(lambda hostile: hostile * 200),
)
scores = st.one_of(st.none(), st.floats(), st.floats(-2, 2))
labels = st.sampled_from(("error", "missing", "incomparable", "worse", "inconclusive", "held", "better", "identical"))


@st.composite
def metrics(draw: st.DrawFn) -> MetricVerdict:
    return MetricVerdict(
        draw(texts),
        draw(labels),
        slice=draw(st.one_of(st.none(), texts)),
        **{key: draw(scores) for key in ("baseline", "candidate", "delta", "low", "high", "margin", "resolution")},
        dummy=0.5,
        folds=draw(st.sampled_from([(), ((0.5, 0.6), (0.7, 0.4))])),
        reason=draw(texts),
    )


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    name, found = draw(texts), tuple(draw(st.lists(metrics(), max_size=3)))
    passed = draw(st.booleans())
    moved = Moved(draw(texts), draw(texts), draw(texts), (ScoreGrid(draw(texts), 0.5, 0.4, None, 0.3),), draw(texts))
    loss = Loss(draw(texts), "worse", draw(texts), -0.1, -0.2, -0.01, 0.05, draw(st.sampled_from([None, 1])))
    weaker = Weakening(draw(st.sampled_from(["said", "slice", "cv"])), draw(texts), draw(texts), draw(texts))
    kind, said = draw(st.sampled_from([("loss", ""), ("loss", "x"), ("incomparable", draw(texts)), ("promise", "")]))
    standing = (Acceptance(2, draw(texts), kind, (loss,), (weaker,), said),)
    return Verdict(
        name,
        f"tests/test_models.py::{name}",
        worst([metric.verdict for metric in found]) if found else "error",
        passed,
        f"{name}: {draw(texts)}",
        draw(texts),
        found,
        Compared(
            DataVersion(draw(texts), draw(texts), draw(st.sampled_from([0, 1234]))),
            released=draw(texts),
            candidate=draw(texts),
            protocol={draw(texts): draw(texts)},
            recording=draw(st.integers(0, 3)),
            reused=draw(st.integers(0, 3)),
            environment=((draw(texts), draw(texts), draw(texts)),),
        ),
        Concessions(
            accepted=draw(st.one_of(st.none(), texts)) if passed else None,
            weakened=tuple(draw(st.lists(texts, max_size=2))),
            standing=draw(st.sampled_from([(), standing])),
            wider=tuple(draw(st.lists(texts, max_size=1))),
        ),
        Differences(
            changed_rows=draw(st.sampled_from([None, ChangedRows(3, 1, (1, 2, 3))])),
            moved=draw(st.sampled_from([None, moved])),
        ),
    )


@st.composite
def runs(draw: st.DrawFn) -> Run:
    checks = tuple(draw(st.lists(verdicts(), max_size=3)))
    problems = tuple(draw(st.lists(texts, max_size=2)))
    passed = bool(checks) and not problems and all(check.passed for check in checks)
    return Run(checks, passed, against=draw(st.one_of(st.none(), texts)), problems=problems)


def named(text: str) -> Run:
    """Call everything by the same name."""
    metric = MetricVerdict(text, "worse", text, 0.9, 0.8, -0.1, -0.2, -0.05, 0.01, 0.02, 0.5, folds=((0.9, 0.8),))
    compared, weaker = Compared(DataVersion(text, text, 9)), Concessions(weakened=(text,), wider=(text,))
    yardstick = RecordingQuality((quality(text),), (quality(text),))
    check = Verdict(text, text, "worse", False, text, text, (metric,), compared, weaker, quality=yardstick)
    return Run((check, Verdict(text, text, "error", False, text)), False, text, (text,))


RENDERERS: dict[str, Callable[[Run], str]] = {  # a report that is new goes in here
    "markdown": markdown.render,
    "machine": json_report.render,
    "openmetrics": openmetrics.render,
    "terminal": lambda run: "\n".join(terminal.summary(run.checks, 1, width=60)),
    "annotations": lambda run: "\n".join(annotations.lines(run, {})),
}


def recorded(text: str) -> Baseline:
    """Record a baseline in which every word is the same."""
    return baseline(
        name=text,
        nodeid=text,
        candidate=text,
        data=((text, text),),
        classes=(text, "b"),
        environment={text: text},
        metrics={text: metric(0.9)},
        history=(accepted(1, text, said=text),),
        formerly=(text,),
        description=text,
        caveats=(text,),
        protocol=Protocol(text, text, (text,), text, text, (text,), 2),
    )


def life_of(text: str) -> History:
    commit = Commit("3f2a1c9" * 5, text, "2026-03-01T12:00:00+00:00", text)
    return History(text, (Recording(commit, recorded(text)), Recording(None, recorded(text))), (text,))


def changed(text: str) -> Diff:
    rows = (Row(text, text, "worse", 0.9, 0.8, -0.1, -0.2, -0.05, 0.01, text),)
    sides = (Snapshot(text, None, {}, {}), Snapshot(text, "3f2a1c9" * 5, {}, {}))
    return Diff(*sides, rows, ((text, Weakening("slice", text)),), ((text, replace(accepted(1, text), said=text)),))


OUTPUTS: dict[str, Callable[[str], str]] = {  # whatever shows a word of a branch to people
    **{key: lambda text, key=key: RENDERERS[key](named(text)) for key in RENDERERS if key != "machine"},
    "narrow terminal": lambda text: "\n".join(terminal.summary(named(text).checks, 1, width=10)),
    "page": lambda text: page.render(named(text)),
    "notebook": lambda text: notebook.render(named(text).checks[0]),
    "exported": lambda text: "".join(flat.params(Run(named(text).checks[:1], True)).values()),
    "junit": lambda text: "\n".join(key for key, _ in junit.properties(named(text).checks[0])),
    "failure": lambda text: failure(f"churn: {text}", f"{text}\n{text}: {text}"),
    "show": lambda text: promise_table.render([recorded(text)]),
    "plan": lambda text: plan_text.render(recorded(text), next(iter(recorded(text).metrics)), 0.01),
    "history": lambda text: history_table.render([life_of(text)]),
    "diff": lambda text: diff_table.text(changed(text)),
    "diff in Markdown": lambda text: diff_table.markdown(changed(text)),
    "write-up": lambda text: document.markdown(write_up(life_of(text), text, author=text)),
    "write-up as a page": lambda text: document.html(write_up(life_of(text), text, author=text)),
}
FILES = ("page", "notebook", "exported", "write-up as a page", "junit", "openmetrics")  # no log holds them
# What a service that reads a log obeys: GitHub at a line's beginning; GitHub's old form, Azure and TeamCity anywhere.
COMMAND = re.compile(r"^\s*::|##\w*\[", re.MULTILINE)


# -- what holds of all of them -----------------------------------------------------------------------------------------


@given(runs())
@fuzz
def test_every_report_can_be_written_and_hides_nothing(run: Run) -> None:
    for name, render in RENDERERS.items():
        text = render(run)
        text.encode()
        if name != "machine":  # JSON is read by programs, and spells out what is not ASCII
            hidden = {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co")}
            assert hidden <= {"\n"}, (name, hidden)


@given(runs())
@fuzz
def test_the_json_holds_every_name_as_it_is(run: Run) -> None:
    plain = json.loads(json_report.render(run))
    assert [check["name"] for check in plain["checks"]] == [check.name for check in run.checks]
    assert json_report.render(run).isascii()


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_output_obeys_a_word_or_hides_it(output: str) -> None:
    for hostile in HOSTILE:
        for text in (hostile, f"x{hostile}", f"{hostile}x\n{hostile}"):
            printed = OUTPUTS[output](text)
            assert_nothing_is_hidden(printed)
            if output not in FILES and output != "annotations":  # those are commands, and hold the words escaped
                assert not COMMAND.search(printed), printed


def test_no_plot_obeys_a_word_or_hides_it() -> None:
    text = "".join(HOSTILE)
    assert_nothing_is_hidden(history_plot.inline(life_of(text)))
    assert_nothing_is_hidden(page.render(named(text), {text: life_of(text).recordings}))


def assert_nothing_is_hidden(printed: str) -> None:
    printed.encode()
    hidden = {one for one in printed if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}
    assert hidden <= {"\n", "\t"}


@pytest.mark.parametrize("output", ["show", "plan", "history", "diff", "failure", "terminal", "annotations"])
def test_a_line_break_in_a_name_begins_no_line(output: str) -> None:
    printed = OUTPUTS[output]("churn\nHELD churn\x0bHELD\u2028HELD")
    lines = printed.partition("\n")[0] if output == "failure" else printed  # its advice may have lines
    assert not [line for line in lines.splitlines() if line.startswith("HELD")]


@given(texts, st.integers(0, 80))
@fuzz
def test_a_visible_text_is_one_line_that_stays_as_it_is(text: str, room: int) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert len(shown.splitlines()) <= 1
    assert len(shortened(shown, room)) <= room
    assert len(cut(shown, room)) <= max(room, 3)


# -- Markdown ----------------------------------------------------------------------------------------------------------

OURS = {
    "h2": set(), "p": set(), "strong": set(), "ul": set(), "li": set(), "details": {"open"}, "summary": set(),
    "table": set(), "thead": set(), "tbody": set(), "tr": set(), "th": {"align"}, "td": {"align"}, "br": set(),
    "wbr": set(), "span": set(), "code": set(),
}  # fmt: skip
# What GitHub makes of finished text: mentions, references, emoji, addresses, alert boxes, tasks.
LIVE = re.compile(r"@[\w-]|#\d|\bGH-\d|:[\w+-]+:|\bwww\.|://|\$[^\s$]|\[(?:!\w|[\sx]\])", re.IGNORECASE)


def assert_harmless(run: Run) -> Page:
    text = markdown.render(run)
    assert len(text.encode()) <= markdown.LIMIT
    page = Page(text)
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag in OURS, tag
        assert attributes <= OURS[tag], (tag, attributes)
    assert page.comments == [" model-check "]
    assert page.tags[0][0] == "h2"
    assert [tag for tag, _ in page.tags].count("h2") == 1
    shown = "".join(page.text)
    assert not (found := LIVE.search(shown)), shown[max(0, found.start() - 30) : found.end() + 30] if found else ""
    # a pipe is never part of a cell, so every reader of tables finds the same cells, whatever its rules for escapes
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        assert len({row.count("|") for row in block.splitlines()}) == 1
    return page


@given(runs())
@fuzz
def test_markdown_holds_only_what_we_wrote(run: Run) -> None:
    assert_harmless(run)


def _with_examples(test: Callable[..., None]) -> Callable[..., None]:
    for hostile in HOSTILE:
        test = example(text=hostile)(example(text=f"x{hostile}")(example(text=f"{hostile}x_y {hostile}")(test)))
    return test


@_with_examples
@given(text=texts)
@fuzz
def test_markdown_shows_a_name_as_it_is(text: str) -> None:
    page = assert_harmless(named(text))
    shown = visible(text) or markdown_text.EMPTY
    name, reason = shortened(shown, markdown_text.NAME), cut(shown, markdown_text.TEXT)
    assert {row[0].replace("\u200b", "") for row in page.rows[1:4]} == {name}
    assert [item.replace("\u200b", "").strip() for item in page.items][:2] == [reason.strip()] * 2


# -- OpenMetrics -------------------------------------------------------------------------------------------------------


@given(runs())
@fuzz
def test_openmetrics_is_read_by_prometheus_and_by_gitlab(run: Run) -> None:
    text = openmetrics.render(run)
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {sample.labels["check"] for sample in families["model_check_passed"].samples} == {
        visible(check.name).replace("#", "＃")  # noqa: RUF001
        for check in run.checks
    }
    # GitLab strips comments, then splits each line as a shell would: a name and a number have to be left
    for line in text.splitlines():
        words = shlex.split(re.sub("#.*$", "", line))
        assert not words or (len(words) == 2 and float(words[1]) is not None)
    assert text.endswith("\n# EOF\n")


# -- annotations -------------------------------------------------------------------------------------------------------


@given(runs(), texts)
@fuzz
def test_an_annotation_is_one_command_with_three_properties(run: Run, file: str) -> None:
    places = {check.nodeid: (file, 7) for check in run.checks}
    found = annotations.lines(run, places)
    failing = [check for check in run.checks if not check.passed]
    assert len(found) == len(failing) + len(run.problems)
    for line in found:
        assert "\n" not in line
        assert "\r" not in line
        command, properties, _ = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line).groups()  # type: ignore[union-attr]
        assert command == "error"
        keys = [one.partition("=")[0] for one in properties.split(",")]
        assert set(keys) <= {"file", "line", "title"}
        assert len(set(keys)) == len(keys)


# -- the terminal ------------------------------------------------------------------------------------------------------


@given(runs(), st.sampled_from([None, 20, 80, 160]), st.integers(-1, 1))
@fuzz
def test_no_terminal_obeys_a_name(run: Run, width: int | None, verbosity: int) -> None:
    for line in terminal.summary(run.checks, verbosity, width=width):
        assert len(line.splitlines()) <= 1
        assert not [one for one in line if unicodedata.category(one) in ("Cc", "Cf", "Cs")]
