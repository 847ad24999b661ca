"""Whether a candidate may become the next baseline, and what its record then says of itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

from pytest_model_check.baselines.record import Baseline
from pytest_model_check.errors import IncomparableError
from pytest_model_check.judgement.verdicts import PASSING, Acceptance, Loss, MetricVerdict, Weakening


def may_record(metrics: Sequence[MetricVerdict]) -> bool:
    """Whether a candidate meets or beats the baseline (if there is one) without being the same model.

    A metric that the baseline does not have yet is no obstacle; one that the check dropped is.
    """
    labels = {metric.verdict for metric in metrics if metric.decides and not metric.is_new}
    return labels <= PASSING and (labels != {"identical"} or any(metric.is_new for metric in metrics))


def failing(metrics: Sequence[MetricVerdict]) -> tuple[str, ...]:
    """Name the metrics that do not pass; what the baseline does not have yet can't fail it."""
    return tuple(dict.fromkeys(metric.metric for metric in _failing(metrics)))


def _failing(metrics: Sequence[MetricVerdict]) -> list[MetricVerdict]:
    return [metric for metric in metrics if metric.decides and not metric.is_new and metric.verdict not in PASSING]


def losses(metrics: Sequence[MetricVerdict]) -> tuple[Loss, ...]:
    """Keep of the metrics that do not pass, on all rows and on slices, the numbers that decided."""
    return tuple(_loss(metric) for metric in _failing(metrics))


def _loss(metric: MetricVerdict) -> Loss:
    if metric.on_old_data is not None:
        return replace(_loss(metric.on_old_data), on_old_data=True)
    decisive = metric.drift if metric.drifted and metric.drift is not None else metric
    return Loss(
        metric.metric,
        metric.verdict,
        metric.slice,
        _finite(decisive.delta),
        _finite(decisive.low),
        _finite(decisive.high),
        _finite(decisive.margin),
        since=metric.drift.since if metric.drifted and metric.drift is not None else None,
    )


def _finite(number: float | None) -> float | None:
    return number if number is not None and isfinite(number) else None


def better(metrics: Sequence[MetricVerdict]) -> set[str]:
    """Name the metrics that improved."""
    return {metric.metric for metric in metrics if metric.slice is None and metric.verdict == "better"}


def won_back(lost: Sequence[str], improved: set[str]) -> bool:
    """Whether an improvement in these metrics ends an acceptance that gave up those."""
    return bool(improved & set(lost)) if lost else bool(improved)


def accept(
    name: str,
    generation: int,
    reason: str,
    metrics: Sequence[MetricVerdict],
    weakened: tuple[Weakening, ...],
    incomparable: IncomparableError | None,
) -> Acceptance:
    """Accept what was found, with a reason.

    Parameters
    ----------
    name : str
        The check's.
    generation : int
        1-based number of the recording that it brings.
    reason : str
        In the words of whoever accepts it.
    metrics : sequence of MetricVerdict
        How the candidate compares with what is approved.
    weakened : tuple of Weakening
        The promises that become weaker.
    incomparable : IncomparableError or None
        Why nothing can be compared.
    """
    if incomparable is not None:
        said = incomparable.message.removeprefix(f"{name}: ")
        return Acceptance(generation, reason, "incomparable", weakened=weakened, said=said)
    lost = losses(metrics)
    return Acceptance(generation, reason, "loss" if lost else "promise", lost, weakened)


def succeed(
    measured: Baseline, old: Baseline | None, metrics: Sequence[MetricVerdict], accepted: Acceptance | None
) -> Baseline:
    """Let a newly measured baseline take the place of an old one: it keeps the history, and counts.

    Parameters
    ----------
    measured : Baseline
        Its generation is the new one.
    old : Baseline or None
        What it replaces; None: it is the first.
    metrics : sequence of MetricVerdict
        How the two compare.
    accepted : Acceptance or None
        What is accepted with it.
    """
    improved = better(metrics)
    history = tuple(
        replace(acceptance, closed=measured.generation)
        if acceptance.closed is None and won_back(acceptance.metrics, improved)
        else acceptance
        for acceptance in (() if old is None else old.history)
    )
    return replace(
        measured,
        history=history if accepted is None else (*history, accepted),
        reused=old.reused + 1 if old is not None and old.data == measured.data else 0,
        formerly=() if old is None else old.formerly,
    )
