"""A run -> one HTML page: may this ship, what moved, how sure are we, and why. No scripts, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from pytest_model_check.baselines.history import Recording
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.numbers import MISSING, plain, signed
from pytest_model_check.judgement.verdicts import MetricVerdict, Run, Verdict, worst_first
from pytest_model_check.report import sentences, table
from pytest_model_check.report.html import check_section, forest, pictures
from pytest_model_check.report.html.forest import Bar, Scale
from pytest_model_check.report.html.markup import Html, breakable, details, tag
from pytest_model_check.report.html.markup import table as html_table

Histories = Mapping[str, Sequence[Recording]]
PAINT = {"failed": "fails", "accepted": "accepted", "passed": "passes"}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


# Verdict, whether it lets a release pass, and what it says.
MEANINGS: tuple[tuple[str, str, str], ...] = (
    ("identical", "passes", "Every prediction is the same as the baseline's. No test is needed."),
    ("better", "passes", "We are at least 95% sure that it is better than the baseline."),
    ("held", "passes", "We are at least 95% sure that no more than the margin is lost. “With loss”: something is."),
    ("inconclusive", "blocks", "The data can't tell: more than the margin may be lost, or nothing at all."),
    ("worse", "blocks", "We are 99.75% sure that something is lost, and it may be more than the margin."),
    ("new, recorded", "passes", "The first baseline, or one recorded in this run: there was nothing to be worse than."),
    (
        "missing, incomparable, error",
        "blocks",
        "No comparison could be made: there is no baseline, it is of other rows or folds, or something broke.",
    ),
    ("reported", "is not judged", "It hangs on single rows, or is a slice without alarm: shown, but decides nothing."),
)


def render(run: Run, histories: Histories = MappingProxyType({})) -> str:
    """Write the page.

    Parameters
    ----------
    run : Run
        What was found.
    histories : mapping of str to sequence of Recording
        By the check's name, the recordings of its baseline, the oldest first.
    """
    checks = table.ordered(run.checks)
    ids = {id(verdict): f"check-{k}" for k, verdict in enumerate(checks, 1)}
    headline, painted = sentences.headline(run), PAINT[table.run_state(run)]
    main = [
        tag("header", *_verdict(run, headline, painted), class_=f"banner {painted}"),
        *_problems(run),
        *_accepted(checks, ids),
        *_leaks(checks),
        *_blunt(checks),
        *_summary(checks, ids),
        *(_check(verdict, ids[id(verdict)], histories.get(verdict.name, ())) for verdict in checks),
        _method(),
    ]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("title", headline),
        tag("style", Html(Path(__file__).with_name("page.css").read_text(encoding="utf-8"))),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', tag('main', *main), _footer()), lang='en')}\n"


def _verdict(run: Run, headline: str, painted: str) -> Iterator[Html]:
    yield tag("p", "Model checks", class_="eyebrow")
    yield tag("h1", tag("span", f"{check_section.MARKS[painted]} ", aria_hidden="true"), headline)
    if run.checks:
        yield tag("p", f"{sentences.effort(run.checks)}.")
    against = "the baselines in the working tree" if run.against is None else f"the baselines of the {run.against}"
    yield tag("p", f"Held against {against}.")


def _problems(run: Run) -> Iterator[Html]:
    if run.problems:
        yield _section("What went wrong beside the checks", _list(run.problems), class_="notice fails")
    if run.retired:
        yield _section("Checks that were given up", _list(run.retired), class_="notice")


def _leaks(checks: Sequence[Verdict]) -> Iterator[Html]:
    """Show what may flatter the models, until it is mended."""
    if lines := [f"{verdict.name}: {line}" for verdict in checks for line in sentences.leaks(verdict.compared)]:
        yield _section("Possible leaks", _list(lines), class_="notice")


def _blunt(checks: Sequence[Verdict]) -> Iterator[Html]:
    """Show which new baselines can hardly be failed."""
    if lines := sentences.blunt(checks):
        yield _section("Checks that can hardly fail", _list(lines), class_="notice fails")


def _accepted(checks: Sequence[Verdict], ids: Mapping[int, str]) -> Iterator[Html]:
    """Show first what is let through although it is worse, or promises less: a reader must not find it at the end."""
    parts = []
    for verdict in checks:
        link, concessions = tag("a", tag("bdi", verdict.name), href=f"#{ids[id(verdict)]}"), verdict.concessions
        if concessions.accepted is not None:
            parts.append(
                tag(
                    "div",
                    tag("h3", link, ": accepted in this change"),
                    tag("blockquote", concessions.accepted),
                    tag("p", sentences.bare(verdict)),
                    *_weakened(concessions.weakened),
                )
            )
        elif concessions.weakened:
            parts.append(tag("div", tag("h3", link, ": not accepted"), *_weakened(concessions.weakened)))
        for acceptance in concessions.standing:
            when = f"accepted with recording {acceptance.generation}, and not won back yet"
            parts.append(
                tag(
                    "div",
                    tag("h3", link, f": {when}"),
                    tag("blockquote", acceptance.reason),
                    tag("p", explain.accepted(acceptance)),
                    *_weakened([explain.weakening(weaker) for weaker in acceptance.weakened]),
                )
            )
    if parts:
        yield _section("Accepted losses and weaker promises", *parts, class_="notice")


def _weakened(promises: Sequence[str]) -> Iterator[Html]:
    if promises:
        yield tag("p", "It promises less than was approved:")
        yield _list(promises)


def _summary(checks: Sequence[Verdict], ids: Mapping[int, str]) -> Iterator[Html]:
    """Show the table of all checks, what fails on top; a row per metric, and the pictures on one scale."""
    rows = [(verdict, metric) for verdict in checks for metric in _deciding(verdict)]
    bars = [None if metric is None else check_section.bar(metric) for _, metric in rows]
    scale, body, last = Scale.of(bars), [], None
    for (verdict, metric), bar in zip(rows, bars, strict=True):
        first = verdict is not last
        link = tag("a", tag("bdi", breakable(verdict.name)), href=f"#{ids[id(verdict)]}")
        body.append(
            [
                link if first else tag("span", verdict.name, class_="again"),
                _badge(verdict) if metric is None else _metric_badge(verdict, metric),
                *_numbers(metric, bar, scale),
            ]
        )
        last = verdict
    if body:
        headers = ("Check", "Verdict", "Metric", "Baseline", "Candidate", "Change", forest.header(scale), "Margin")
        legend = "Every metric that decides, failing checks first. Higher is always better."
        yield _section(
            "All checks",
            tag("p", legend),
            html_table("All checks", headers, body, numbers=(3, 4, 5, 7), hidden=True, stacked=True),
        )


def _deciding(verdict: Verdict) -> Sequence[MetricVerdict | None]:
    return worst_first(explain.telling(verdict.metrics)) or [None]


def _metric_badge(verdict: Verdict, metric: MetricVerdict) -> Html:
    kind = check_section.paint(metric)
    if kind == "fails" and verdict.concessions.accepted is not None:
        return check_section.badge(f"{metric.verdict}, accepted", "accepted")
    return check_section.badge(metric.verdict, kind)


def _badge(verdict: Verdict) -> Html:
    if verdict.concessions.accepted is not None:
        return check_section.badge(f"{verdict.verdict}, accepted", "accepted")
    return check_section.badge(verdict.verdict, "passes" if verdict.passed else "fails")


def _numbers(metric: MetricVerdict | None, bar: Bar | None, scale: Scale) -> list[str]:
    if metric is None:
        return [MISSING] * 4 + ["", MISSING]
    return [
        breakable(metric.label),
        plain(metric, metric.baseline),
        plain(metric, metric.candidate),
        signed(metric, metric.delta),
        forest.draw(bar, scale) if bar else "",
        plain(metric, metric.margin),
    ]


def _check(verdict: Verdict, name: str, history: Sequence[Recording]) -> Html:
    """Show one check: its sentence and what to do, its metrics, and behind that the evidence."""
    parts = [
        tag("h2", tag("bdi", verdict.name), " ", _badge(verdict), id=f"{name}-title"),
        tag("p", sentences.bare(verdict), class_="lead"),
    ]
    if verdict.advice:
        lines = (tag("p", line) for line in verdict.advice.splitlines())
        parts.append(tag("div", tag("h3", "What happened, and what to do"), *lines, class_="advice"))
    judged = [*check_section.metrics(verdict), *check_section.moved(verdict), *check_section.quality(verdict)]
    where = [*check_section.slices(verdict), *check_section.rows(verdict), *pictures.pictures(verdict, name)]
    if verdict.passed and verdict.concessions.accepted is None:  # the table of all checks has said enough
        judged, where, title = [], judged + where, "Every metric, and where it differs"
    else:
        title = "Where it differs"
    parts += judged
    if where:
        parts.append(details(title, *where, opened=not verdict.passed))
    if past := list(pictures.history(verdict, history, name)):
        parts.append(details("History of skill", *past))
    parts.append(details("How it was compared", *check_section.protocol(verdict)))
    return tag("section", *parts, class_="check", id=name, aria_labelledby=f"{name}-title")


def _method() -> Html:
    rows = [[tag("strong", label), passes, meaning] for label, passes, meaning in MEANINGS]
    return _section(
        "How to read this page",
        tag(
            "p",
            "Baseline and candidate predict the same rows, each by models that have not seen them (cross-validation), "
            "and are compared row by row. Most rows are easy or hard for both, and that cancels out.",
        ),
        tag(
            "p",
            "The measured change is never exact. The interval says where the true one may lie: we are 95% sure that it "
            "is above the low end, and 99.75% sure that it is below the high end. The margin is the loss that is "
            "called harmless. In the pictures the dashed line is the margin, the full line is no change, and what lies "
            "between is harmless. A dot passes, a diamond blocks. If an interval reaches out further than 8 margins, "
            "the scale of its table is compressed, the more the further out.",
        ),
        html_table("What each verdict means", ("Verdict", "A release", "Meaning"), rows),
        tag("p", "A model that is no better than a dummy, which looks at no feature, never passes as held."),
        class_="method",
    )


def _footer() -> Html:
    return tag(
        "footer",
        tag("p", "Written by pytest-model-check. It holds counts, means and row numbers, never what a row holds."),
    )


def _section(title: str, *children: str, class_: str = "plain") -> Html:
    return tag("section", tag("h2", title), *children, class_=class_)


def _list(lines: Sequence[str]) -> Html:
    return tag("ul", *(tag("li", line) for line in lines))
