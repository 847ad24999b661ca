"""What the steps of the gate find. Records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_model_check.baselines import promises, successor
from pytest_model_check.baselines.measure import Measured
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.baselines.store import Pending
from pytest_model_check.errors import IncomparableError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.compared import Differences
from pytest_model_check.judgement.drift import Anchor
from pytest_model_check.judgement.quality import RecordingQuality
from pytest_model_check.judgement.verdicts import Acceptance, Label, MetricVerdict, Weakening


@dataclass(frozen=True)
class Comparison:
    """How the candidate compares with what is approved.

    Parameters
    ----------
    metrics : tuple of MetricVerdict
        Empty where there is nothing to compare with, or no comparison can be made.
    incomparable : IncomparableError or None
        Why no comparison can be made.
    weakened : tuple of Weakening
        How less is promised than was approved.
    anchors : mapping of str to Anchor
        What losses are added up from, by metric.
    fits : int
        Made for it.
    differences : Differences
        How the two models' answers differ, beside their scores.
    predictions : Predictions or None
        The candidate's, as they were compared; None where they were not.
    on_old_data : Predictions or None
        Likewise, on the data that was approved, where it has moved.
    """

    metrics: tuple[MetricVerdict, ...] = ()
    incomparable: IncomparableError | None = None
    weakened: tuple[Weakening, ...] = ()
    anchors: Mapping[str, Anchor] = field(default_factory=dict)
    fits: int = 0
    differences: Differences = field(default_factory=Differences)
    predictions: Predictions | None = None
    on_old_data: Predictions | None = None

    @property
    def failing_metrics(self) -> tuple[str, ...]:
        """The metrics that do not pass; what the baseline does not have yet can't fail it."""
        return successor.failing(self.metrics)

    @property
    def failing(self) -> bool:
        """Whether there is something that only an acceptance lets pass."""
        return bool(self.incomparable or self.weakened or self.failing_metrics)

    def message(self, name: str, shown: tuple[MetricVerdict, ...] = ()) -> str:
        """Return the check's line, before anything is accepted or disputed; `shown` are its metrics as shown."""
        if self.incomparable:
            return named(name, self.incomparable.message)
        if self.weakened and not self.failing_metrics:
            return f"{name}: the promise was weakened: {'; '.join(map(explain.weakening, self.weakened))}"
        metrics = shown or self.metrics
        return explain.sentence(name, metrics) if metrics else f"{name}: nothing is approved yet"


@dataclass(frozen=True)
class Recording:
    """What is recorded: the next baseline, or a branch's own, verified; or nothing.

    Parameters
    ----------
    pending : Pending or None
        The baseline to be written when the run is over.
    metrics : tuple of MetricVerdict
        As they are shown.
    accepted : tuple of Acceptance
        What this run, or this branch, accepts.
    disputed : tuple of str
        What a branch claims and this run can't confirm.
    fits : int
        Made for it.
    quality : RecordingQuality or None
        How good what is recorded, or verified, is as a yardstick.
    measured : Measured or None
        What this run measured for it.
    wider : tuple of str
        What a branch claims to be wider than this run measures, and that is let pass.
    """

    pending: Pending | None = None
    metrics: tuple[MetricVerdict, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    disputed: tuple[str, ...] = ()
    fits: int = 0
    quality: RecordingQuality | None = None
    measured: Measured | None = None
    wider: tuple[str, ...] = ()


def without_new(metrics: Sequence[MetricVerdict]) -> tuple[MetricVerdict, ...]:
    """Leave out what this run would have recorded: what is refused is not for want of it."""
    return tuple(metric for metric in metrics if not metric.is_new) or tuple(metrics)


def with_first(metrics: Sequence[MetricVerdict], measured: Baseline, label: Label) -> tuple[MetricVerdict, ...]:
    """Keep what was judged; show what is measured for the first time."""
    judged = tuple(metric for metric in metrics if not metric.is_new)
    known = {metric.metric for metric in judged}
    first = tuple(
        MetricVerdict(
            name,
            label,
            candidate=metric.score,
            margin=metric.margin,
            dummy=metric.noise_reference.dummy,
            reason=promises.margin_reason(measured, name),
        )
        for name, metric in measured.metrics.items()
        if name not in known
    )
    return judged + first


def named(name: str, message: str) -> str:
    """Let a message begin with the check's name, once."""
    return message if message.startswith(f"{name}:") else f"{name}: {message}"
