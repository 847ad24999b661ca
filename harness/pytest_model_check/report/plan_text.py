"""A plan -> words and a curve for a terminal of 80 columns. Pure."""

from __future__ import annotations

import textwrap

from pytest_model_check.baselines.quality import pilot
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.judgement.explain import rows_in_words, units_of
from pytest_model_check.judgement.numbers import MISSING, count, number
from pytest_model_check.judgement.plan import Learner, Pilot, curve
from pytest_model_check.report.history_table import places_of
from pytest_model_check.report.text import visible, visible_lines

WIDTH = 80
BAR = 22  # characters
NAMES: dict[Learner, str] = {"same": "The same learner", "other": "Another learner"}


def render(baseline: Baseline, metric: str, margin: float) -> str:
    """Return what a margin of this metric needs, and how power grows with rows."""
    stored = baseline.metrics[metric]
    known = pilot(stored, baseline.rows)
    places = max(places_of(stored), len(f"{margin:.10f}".rstrip("0").partition(".")[2]))
    sure = number(margin, places)
    paragraphs = [
        f"{baseline.name}: what a margin of {sure} in {metric} needs",
        f"Measured by recording {baseline.generation}: "
        f"{rows_in_words(baseline.rows, baseline.effective_rows)}, {_learner(baseline)}, "
        f"{count(len(stored.folds), 'split')}; {metric} {number(stored.score, places)}{_skill(known, margin)}.",
        f"A loss of {sure} or more is caught at least 95 times in 100, on any number of rows. Fewer rows block more "
        "models that are as good as the baseline. These pass, and 99 in 100 are enough:",
        *(_sentence(known, learner, margin, places) for learner in NAMES),
        "" if baseline.protocol.time else _seeds(known, margin),
    ]
    text = "\n\n".join(_filled(part) for part in paragraphs if part)
    return visible_lines(f"{text}\n\n{_curve(known, margin)}\n\n{_assumed(baseline)}") + "\n"


def _filled(paragraph: str) -> str:
    """Wrap it, set in from its second line on: a long name may come to stand where a line begins."""
    return textwrap.fill(visible(paragraph), WIDTH, break_on_hyphens=False, subsequent_indent="  ")


def _learner(baseline: Baseline) -> str:
    return "no randomness" if baseline.learner == "deterministic" else count(baseline.seeds, "seed")


def _skill(known: Pilot, margin: float) -> str:
    dummy = known.noise_reference.dummy
    if dummy is None or known.score <= dummy:
        return ", no dummy to beat"
    return f", so that the margin is {margin / (known.score - dummy):.1%} of the skill above a dummy"


def _sentence(known: Pilot, learner: Learner, margin: float, places: int) -> str:
    if not known.knows(learner):
        return f"{NAMES[learner]}: not known. It takes a baseline of two seeds or more, whose noise was measured."
    passing, rows = known.passing(learner, margin, known.rows), known.rows_needed(learner, margin)
    now, least = f"{passing:.0%} on the {known.rows:,} rows there are", "" if learner == "same" else "at least "
    floor = number(known.resolvable(learner, known.rows), places)
    needed = "no number of rows will do, for what seeds alone vary"
    if rows is not None:
        needed = f"{'' if learner == 'same' else 'at most '}about {rows:,} rows would do"
    return f"{NAMES[learner]}: {least}{now}; {needed}. On the rows there are, 99 in 100 pass a margin of {floor}."


def _seeds(known: Pilot, margin: float) -> str:
    repeats = known.repeats_needed(margin) if known.knows("same") else None
    if repeats is None or repeats == 1:
        return ""
    runs = known.noise_reference.runs
    return (
        f"Without more rows, the same learner needs {repeats} times the splits (more folds, or repeated ones). More "
        f"seeds than {runs} hardly help: the candidate's own run is most of the noise."
    )


def _curve(known: Pilot, margin: float) -> str:
    lines = [f"{'rows':>11}  {'the same learner passes':<{BAR + 7}}  {'another learner passes':<{BAR + 7}}".rstrip()]
    for point in curve(known, margin):
        mark = "*" if point.rows == known.rows else " "
        lines.append(f"{point.rows:>10,}{mark}  {_bar(point.same)}  {_bar(point.other)}".rstrip())
    return "\n".join(lines)


def _bar(power: float | None) -> str:
    if power is None:
        return f"{MISSING:<{BAR + 7}}"
    filled = round(power * BAR)
    return f"{'#' * filled}{'.' * (BAR - filled)} {_percent(power):>6}"


def _percent(power: float) -> str:
    return f"{power:.1%}" if 0.985 <= power < 0.9995 else f"{power:.0%}"


def _assumed(baseline: Baseline) -> str:
    units = units_of(baseline.protocol.groups, baseline.protocol.time)
    return _filled(
        "* the rows that the baseline was measured on. Taken for granted: more rows are like these"
        f"{f' (of more {units}, not more rows of the same)' if units else ''}"
        f"{', with such weights' if baseline.effective_rows is not None else ''}; noise of rows "
        "falls with the root of their number, and what seeds do beyond rows stays; another learner errs independently "
        "of the baseline, which is the worst case: it may well need far fewer rows."
    )
