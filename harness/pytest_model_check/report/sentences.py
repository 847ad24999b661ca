"""Sentences that more than one report says. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_model_check.judgement import explain_quality
from pytest_model_check.judgement.compared import Compared, DataVersion, Leak, ScoreGrid
from pytest_model_check.judgement.explain import accepted, drift_clause, rows_in_words, weakening
from pytest_model_check.judgement.numbers import MISSING, count, decimals, duration, number, plain, times
from pytest_model_check.judgement.verdicts import PASSING, MetricVerdict, Run, Verdict


def became(verdict: Verdict, scores: Mapping[str, float], generation: int) -> str:
    """Return what a baseline is now: which recording, and how its scores moved; they are those of fresh seeds."""
    before = {metric.metric: metric for metric in verdict.metrics if metric.slice is None}
    parts = []
    for name, score in scores.items():
        metric = before.get(name)
        places = decimals(metric) if metric else 4
        old = number(metric.baseline, places) if metric else MISSING
        parts.append(
            f"{name} {number(score, places)}" if old == MISSING else f"{name} {old} -> {number(score, places)}"
        )
    return f"recording {generation}, {', '.join(parts)}"


def drifts(verdict: Verdict) -> list[str]:
    """Return for each metric that has lost since its anchor how much, and how much is harmless in all."""
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
    wider = [
        ("Wider than measured", f"{verdict.name}: {'; '.join(verdict.concessions.wider)}")
        for verdict in verdicts
        if verdict.concessions.wider
    ]
    unsteady = [
        (
            "Nondeterministic",
            f"{verdict.name}: the same seed gives other predictions each time (threads, a GPU?), so that this verdict "
            "may be another when the same commit runs again; what that does to the scores counts as noise",
        )
        for verdict in verdicts
        if verdict.compared.learner == "nondeterministic"
    ]
    flattered = [
        ("Possible leak", f"{verdict.name}: {line}") for verdict in verdicts for line in leaks(verdict.compared)
    ]
    made = [notice for verdict in verdicts if (notice := _origin(verdict)) is not None]
    sealed = [
        ("Sealed fits", f"{_listed(names)}: {words}")
        for whose, words in SEALED.items()
        if (names := [verdict.name for verdict in verdicts if verdict.compared.sealed == whose])
    ]
    return (
        weaker
        + passing
        + wider
        + flattered
        + unsteady
        + made
        + sealed
        + [("Hardly fails", line) for line in blunt(verdicts)]
    )


ORIGINS = {
    "loaded": ("Loaded, not refitted", "how much another fit would differ is not measured"),
    "asked": ("Asked, not refitted", "a service answered, and how it was fitted is not known here"),
    "elsewhere": ("Evaluated elsewhere", "this run has judged the results, and can't repeat them"),
}

SEALED = {
    "run": "no fit could see an answer, as this run says, which has run the project's code",
    "judge": "the judge has made the fits, and none could see an answer",
}


def _origin(verdict: Verdict) -> tuple[str, str] | None:
    """Return how a candidate came by its answers, if it was not fitted here."""
    if verdict.compared.origin not in ORIGINS:
        return None
    kind, meaning = ORIGINS[verdict.compared.origin]
    return kind, "; ".join([f"{verdict.name}: {verdict.compared.candidate}", meaning, *verdict.compared.provenance])


def leaks(compared: Compared) -> list[str]:
    """Return what may flatter the model, and what would mend it."""
    return [_leak(leak, compared.data.rows) for leak in compared.leaks]


def _leak(leak: Leak, rows: int) -> str:
    names, several = _listed(leak.columns), len(leak.columns) > 1
    if leak.kind == "feature":
        return (
            f"{names} alone {'tell' if several else 'tells'} the target almost perfectly: known in time? Leave it out "
            "of features=, or answer in caveats="
        )
    if leak.kind == "scaled":
        return (
            f"{names} {'have' if several else 'has'} mean 0 and deviation 1 over all rows, those to predict too: scale "
            "inside the candidate's pipeline"
        )
    if leak.kind == "rows":
        return f"{repeated(leak.rows)}, of {rows:,}: drop copies, or keep them in one fold by groups="
    if leak.kind == "groups":
        return (
            f"{count(leak.rows, 'row')} of {rows:,} {'share' if leak.rows > 1 else 'shares'} {names} with rows that "
            f"the fit has seen: groups={leak.columns[0]!r}, or answer in caveats="
        )
    return f"folds go across the dates of {names}: time={leak.columns[0]!r}, or answer in caveats="


def blunt(verdicts: Sequence[Verdict]) -> list[str]:
    """Return for each new baseline by which metrics it can hardly be failed."""
    return [
        f"{verdict.name}: {line}"
        for verdict in verdicts
        if verdict.quality is not None
        for line in explain_quality.notices(verdict.quality)
    ]


def _accepted(verdict: Verdict) -> str:
    reason, weakened = verdict.concessions.accepted, verdict.concessions.weakened
    lost = bare(verdict).removesuffix(f"; accepted: {reason}")  # the reason is said once
    parts = [lost] if verdict.verdict not in PASSING or not weakened else []
    parts += [f"weaker promise: {'; '.join(weakened)}"] if weakened else []
    return f"{verdict.name}: {'; '.join(parts)}. Reason: {reason}"


def standing(verdict: Verdict) -> list[str]:
    """Return what was accepted before and has not been won back, the first one first."""
    return [
        f"{verdict.name}: recording {acceptance.generation} accepted that {accepted(acceptance)}"
        + (f" (weaker: {'; '.join(map(weakening, acceptance.weakened))})" if acceptance.weakened else "")
        + f". Reason: {acceptance.reason}"
        for acceptance in verdict.concessions.standing
    ]


def moved(verdict: Verdict) -> list[str]:
    """Return from where to where the data moved, and of each metric whether the data got harder or the model worse."""
    move = verdict.differences.moved
    if move is None:
        return []
    lines = [f"{verdict.name}: the data moved, from {move.before} to {move.after}"]
    if move.commit:
        lines[0] += f"; the released model is the code of {move.commit}"
    lines += [line for grid in move.score_grids if (line := _corner(grid, places_of(verdict, grid.metric)))]
    if move.repeated_before or move.repeated_after:
        lines.append(f"{repeated(move.repeated_after)}; of the old data, {move.repeated_before:,}")
    return [*lines, move.reason] if move.reason else lines


def places_of(verdict: Verdict, metric: str) -> int:
    """How many decimals the numbers of a metric have everywhere in a check's report."""
    whole = (each for each in verdict.metrics if each.metric == metric and each.slice is None)
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
    """Return how good the baseline that this run records, or the branch brings, is as a yardstick."""
    return [] if verdict.quality is None else explain_quality.sentences(verdict.quality)


def reused(verdict: Verdict) -> list[str]:
    """Return how often this version of the data has been used, and what all comparisons on it can resolve together."""
    if not verdict.compared.reused:
        return []
    resolutions = [
        f"{metric.metric} {plain(metric, metric.resolution_reused)}, not {plain(metric, metric.resolution)}"
        for metric in verdict.metrics
        if metric.slice is None and metric.resolution is not None and metric.resolution_reused is not None
    ]
    sentence = f"{verdict.name}: the baseline has been replaced {replaced(verdict.compared.reused)}"
    if resolutions:
        sentence += f"; to be right in all those comparisons together, they resolve {'; '.join(resolutions)}"
    return [sentence]


def replaced(count: int) -> str:
    """Return how often a baseline was replaced."""
    return f"{times(count)} on this version of the data"


def version(data: DataVersion) -> str:
    """Return which version of the data it is."""
    text = f"{data.path}, {rows_in_words(data.rows, data.effective_rows)}, md5 {data.md5}"
    return f"{text}; {repeated(data.repeated)}" if data.repeated else text


def repeated(rows: int) -> str:
    """Return how many rows are no test: the fit that predicts them has seen the same row."""
    return f"{count(rows, 'row')} of a test fold {'stands' if rows == 1 else 'stand'} in its training rows too"


def totals(verdicts: Sequence[Verdict]) -> str:
    """Return how many checks there are, how many failed and passed, and what they took together."""
    passed = sum(verdict.passed for verdict in verdicts)
    counts = ((len(verdicts) - passed, "failed"), (passed, "passed"))
    outcome = ", ".join(f"{checks:,} {word}" for checks, word in counts if checks)
    return f"{count(len(verdicts), 'model check')}: {outcome}; {effort(verdicts)}"


def effort(verdicts: Sequence[Verdict]) -> str:
    """Return what all verdicts took together."""
    fits, seconds = sum(verdict.cost.fits for verdict in verdicts), sum(verdict.cost.seconds for verdict in verdicts)
    served = sum(verdict.cost.served for verdict in verdicts)
    known = f" ({served:,} from the cache)" if served else ""
    return f"{count(fits, 'fit')}{known} in {duration(seconds)}"


def uncached(verdicts: Sequence[Verdict]) -> list[str]:
    """Return why fits were not kept for the next run, each reason once, with the checks that it concerns."""
    reasons: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.cost.uncached:
            reasons.setdefault(verdict.cost.uncached, []).append(verdict.name)
    return [f"{_listed(names)}: {reason}" for reason, names in reasons.items()]


def _listed(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def time_spent(verdict: Verdict) -> str | None:
    """Return where the time of a check went; None where it made no fits."""
    cost, spent = verdict.cost, verdict.cost.times
    if spent is None:
        return None
    return (
        f"{count(cost.fits, 'fit')} in {duration(cost.seconds)}: data {duration(spent.data)}, "
        f"waiting for fits {duration(spent.waiting)}, judging {duration(spent.judge)}; "
        f"in the fits: fitting {duration(spent.fit)}, predicting {duration(spent.predict)}"
    )


def headline(run: Run) -> str:
    """Return whether the release may go out, and how much was accepted for it."""
    checks, failed = len(run.checks), sum(not check.passed for check in run.checks)
    if not run.passed:
        if not checks:
            return "May not ship: no model check was judged"
        if not failed:
            return f"May not ship: the run is incomplete, {count(checks, 'model check')} passed"
        return f"May not ship: {failed:,} of {count(checks, 'model check')} failed"
    losses = [check.verdict not in PASSING for check in run.checks if check.concessions.accepted is not None]
    lost, weaker = losses.count(True), losses.count(False)
    conceded = [count(lost, "loss", "losses")] * bool(lost) + [count(weaker, "weaker promise")] * bool(weaker)
    price = f", with {' and '.join(conceded)} accepted" if conceded else ""
    return f"May ship{price}: {checks:,} of {count(checks, 'model check')} passed"


def bare(verdict: Verdict) -> str:
    """Return the message of a verdict without the check's name."""
    return verdict.message.removeprefix(f"{verdict.name}: ")
