"""Whether a candidate may become the next baseline, and what its record then says of itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_model_check.baselines.record import Baseline
from pytest_model_check.judgement.verdicts import PASSING, Acceptance, MetricVerdict


def may_record(found: Sequence[MetricVerdict]) -> bool:
    """Whether a candidate meets or beats the baseline (if there is one) without being the same model.

    A metric that the baseline does not have yet is no obstacle; one that the check dropped is.
    """
    labels = {metric.verdict for metric in found if metric.decides and not metric.is_new}
    return labels <= PASSING and (labels != {"identical"} or any(metric.is_new for metric in found))


def failing(found: Sequence[MetricVerdict]) -> tuple[str, ...]:
    """Name the metrics that do not pass; what the baseline does not have yet can't fail it."""
    return tuple(dict.fromkeys(m.metric for m in found if m.decides and not m.is_new and m.verdict not in PASSING))


def better(found: Sequence[MetricVerdict]) -> set[str]:
    """Name the metrics that improved."""
    return {one.metric for one in found if one.slice is None and one.verdict == "better"}


def won_back(lost: Sequence[str], improved: set[str]) -> bool:
    """Whether an improvement in these metrics ends an acceptance that gave up those."""
    return bool(improved & set(lost)) if lost else bool(improved)


def succeed(
    measured: Baseline, old: Baseline | None, found: Sequence[MetricVerdict], accepted: Acceptance | None
) -> Baseline:
    """Let a newly measured baseline take the place of an old one: it keeps the history, and counts.

    Parameters
    ----------
    measured : Baseline
        Its generation is the new one.
    old : Baseline or None
        What it replaces; None: it is the first.
    found : sequence of MetricVerdict
        How the two compare.
    accepted : Acceptance or None
        What is accepted with it.
    """
    improved = better(found)
    history = tuple(
        replace(one, closed=measured.generation) if one.closed is None and won_back(one.metrics, improved) else one
        for one in (() if old is None else old.history)
    )
    return replace(
        measured,
        history=history if accepted is None else (*history, accepted),
        reused=old.reused + 1 if old is not None and old.data == measured.data else 0,
        formerly=() if old is None else old.formerly,
    )
