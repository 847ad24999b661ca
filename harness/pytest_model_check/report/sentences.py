"""Sentences that more than one report says. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_model_check.judgement import explain_quality
from pytest_model_check.judgement.explain import accepted, drift_clause, weakening
from pytest_model_check.judgement.numbers import MISSING, decimals, number
from pytest_model_check.judgement.verdicts import PASSING, MetricVerdict, ScoreGrid, Verdict


def became(verdict: Verdict, scores: Mapping[str, float], generation: int) -> str:
    """Say what a baseline is now: which recording, and how its scores moved; they are those of fresh seeds."""
    before = {one.metric: one for one in verdict.metrics if one.slice is None}
    parts = []
    for name, score in scores.items():
        one = before.get(name)
        places = decimals(one) if one else 4
        old = number(one.baseline, places) if one else MISSING
        parts.append(
            f"{name} {number(score, places)}" if old == MISSING else f"{name} {old} -> {number(score, places)}"
        )
    return f"recording {generation}, {', '.join(parts)}"


def drifts(verdict: Verdict) -> list[str]:
    """Say for each metric that has lost since its anchor how much, and how much is harmless in all."""
    return [
        f"{verdict.name}: {metric.metric} {drift_clause(metric)}"
        for metric in verdict.metrics
        if metric.drift is not None and metric.drift.delta < 0
    ]


def notices(verdicts: Sequence[Verdict]) -> list[tuple[str, str]]:
    """Return what comes before every table: weaker promises, accepted losses, unsteady learners, margins too wide."""
    weaker = [
        ("Weaker promise", f"{verdict.name}: {'; '.join(verdict.concessions.weakened)}")
        for verdict in verdicts
        if verdict.concessions.weakened and verdict.concessions.accepted is None
    ]
    passing = [("Accepted", _accepted(verdict)) for verdict in verdicts if verdict.concessions.accepted is not None]
    unsteady = [
        (
            "Nondeterministic",
            f"{verdict.name}: the same seed gives other predictions each time (threads, a GPU?), so that this verdict "
            "may be another when the same commit runs again; what that does to the scores counts as noise",
        )
        for verdict in verdicts
        if verdict.compared.learner == "nondeterministic"
    ]
    return weaker + passing + unsteady + [("Hardly fails", line) for line in blunt(verdicts)]


def blunt(verdicts: Sequence[Verdict]) -> list[str]:
    """Say of each new baseline by which metrics it can hardly be failed."""
    return [
        f"{verdict.name}: {line}"
        for verdict in verdicts
        if verdict.quality is not None
        for line in explain_quality.notices(verdict.quality)
    ]


def _accepted(verdict: Verdict) -> str:
    reason, weakened = verdict.concessions.accepted, verdict.concessions.weakened
    lost = _bare(verdict).removesuffix(f"; accepted: {reason}")  # the reason is said once
    parts = [lost] if verdict.verdict not in PASSING or not weakened else []
    parts += [f"weaker promise: {'; '.join(weakened)}"] if weakened else []
    return f"{verdict.name}: {'; '.join(parts)}. Reason: {reason}"


def standing(verdict: Verdict) -> list[str]:
    """Say what was accepted before and has not been won back, the first one first."""
    return [
        f"{verdict.name}: recording {one.generation} accepted that {accepted(one)}"
        f"{' (weaker: ' + '; '.join(map(weakening, one.weakened)) + ')' if one.weakened else ''}. Reason: {one.reason}"
        for one in verdict.concessions.standing
    ]


def moved(verdict: Verdict) -> list[str]:
    """Say from where to where the data moved, and of each metric whether the data got harder or the model worse."""
    move = verdict.differences.moved
    if move is None:
        return []
    lines = [f"{verdict.name}: the data moved, from {move.before} to {move.after}"]
    if move.commit:
        lines[0] += f"; the released model is the code of {move.commit}"
    lines += [line for grid in move.score_grids if (line := _corner(grid, places_of(verdict, grid.metric)))]
    return [*lines, move.reason] if move.reason else lines


def places_of(verdict: Verdict, metric: str) -> int:
    """How many decimals the numbers of a metric have everywhere in a check's report."""
    whole = (one for one in verdict.metrics if one.metric == metric and one.slice is None)
    return decimals(next(whole, MetricVerdict(metric, "reported")))


def _corner(grid: ScoreGrid, places: int) -> str:
    parts = []
    if grid.old_old is not None and grid.old_new is not None:
        parts.append(f"the released model scores {_compared(grid.old_new - grid.old_old, places)} on the new data")
    if grid.new_new is not None and grid.old_new is not None:
        parts.append(f"there, the candidate scores {_compared(grid.new_new - grid.old_new, places)} than it")
    return f"{grid.metric}: {'; '.join(parts)}" if parts else ""


def _compared(change: float, places: int) -> str:
    return f"{number(abs(change), places)} {'less' if change < 0 else 'more'}"


def quality(verdict: Verdict) -> list[str]:
    """Say how good the baseline that this run records, or the branch brings, is as a yardstick."""
    return [] if verdict.quality is None else explain_quality.sentences(verdict.quality)


def reused(verdict: Verdict) -> list[str]:
    """Say how often this version of the data has been used up, and what all comparisons on it together can resolve."""
    reuse = verdict.compared.reused
    if not reuse:
        return []
    times = "once" if reuse == 1 else f"{reuse:,} times"
    told = [
        f"{one.metric} {number(one.resolution_reused, decimals(one))}, not {number(one.resolution, decimals(one))}"
        for one in verdict.metrics
        if one.slice is None and one.resolution is not None and one.resolution_reused is not None
    ]
    together = f"; to be right in all those comparisons together, they resolve {'; '.join(told)}" if told else ""
    return [f"{verdict.name}: the baseline has been replaced {times} on this version of the data{together}"]


def _bare(verdict: Verdict) -> str:
    """Give its message without its name."""
    return verdict.message.removeprefix(f"{verdict.name}: ")
