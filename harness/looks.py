"""Looks: fit the candidate and judge it, again with more seeds while it is inconclusive, as declared beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from harness import crossval, judge
from harness.baselinejson import Baseline
from harness.check import Check
from harness.comparison import Comparison
from harness.crossval import Progress, Protocol
from harness.judge import Look
from harness.predictions import Predictions
from harness.verdicts import PASSING, MetricVerdict, worst


@dataclass(frozen=True)
class Judged:
    """What the looks at a candidate found; see `harness.verdicts.Verdict` for the fields.

    Parameters
    ----------
    candidate : Predictions or None
        What was looked at.
    """

    metrics: tuple[MetricVerdict, ...] = ()
    fits: int = 0
    candidate: Predictions | None = None
    flips: tuple[int, int] | None = None
    flipped: tuple[int, ...] = ()


def look(
    check: Check, protocol: Protocol, baseline: Baseline, against: Comparison, *, jobs: int, progress: Progress
) -> Judged:
    """Judge the check's candidate.

    Parameters
    ----------
    check : Check
        The promise.
    protocol : Protocol
        Its data and splits.
    baseline : Baseline
        Gives the seeds.
    against : Comparison
        Holds what is approved.
    jobs : int
        How many processes.
    progress : callable
        Is told how many fits of how many are done.

    Raises
    ------
    CandidateError
        If a fit fails.
    IncomparableError
        If the baseline is of other rows, folds or classes.
    """
    fit = partial(crossval.predict, check.candidate, protocol, entropy=baseline.entropy, jobs=jobs, progress=progress)
    random = baseline.learner != "deterministic"
    looks = judge.looks(baseline.seeds if random else None)
    candidate = fit(seeds=looks[0].seeds)
    fits = candidate.seeds * len(protocol.splits)
    if not random and check.seeds > 1 and not against.identical(candidate):
        # What the baseline says of noise is not true of a learner that draws random numbers: it brings its own.
        fits += 1
        if crossval.varies(check.candidate, protocol, candidate, entropy=baseline.entropy):
            looks = (Look(min(judge.SEEDS_OF_A_CANDIDATE[-1], check.seeds), 1.0),)
    found: tuple[MetricVerdict, ...] = ()
    for declared in looks:
        more = declared.seeds - candidate.seeds
        if more:
            candidate = candidate.and_seeds(fit(seeds=more, after=candidate.seeds))
            fits += more * len(protocol.splits)
        found = against.judge(candidate, declared.spent, found)
        if worst([metric.verdict for metric in found if metric.decides and not metric.is_new]) != "inconclusive":
            break
    found += against.slices(candidate, found)
    passing = all(metric.verdict in PASSING for metric in found if metric.decides)
    return Judged(found, fits, candidate, *((None, ()) if passing else against.flips(candidate)))
