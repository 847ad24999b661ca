"""Record the candidate as the next baseline, measured with fresh seeds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pytest_model_check.baselines import measure, store, successor
from pytest_model_check.baselines.measure import Measured
from pytest_model_check.baselines.quality import quality
from pytest_model_check.fitting import crossval
from pytest_model_check.gate.context import Context
from pytest_model_check.gate.findings import Comparison, Recording, with_first


def may_record(context: Context, comparison: Comparison) -> bool:
    """Whether the candidate is to be recorded: it was asked for, and nothing fails that is not accepted."""
    if not context.settings.update or (comparison.failing and context.settings.accept is None):
        return False
    approval = context.approval
    anew = approval.baseline is None or approval.returns or comparison.differences.moved is not None
    return anew or comparison.failing or successor.may_record(comparison.metrics)


def record(context: Context, comparison: Comparison) -> Recording:
    """Measure the candidate as the next baseline, with fresh seeds."""
    approval, settings = context.approval, context.settings
    old, lost = approval.baseline, comparison.failing_metrics
    generation = 1 if old is None else old.generation + 1
    measured = measure_candidate(context, comparison, generation, given_up=lost, doing="measuring the baseline")
    accepted = None
    if comparison.failing:
        assert settings.accept is not None
        accepted = successor.accept(
            context.check.name,
            generation,
            settings.accept,
            comparison.metrics,
            comparison.weakened,
            comparison.incomparable,
        )
    baseline = successor.succeed(measured.baseline, old, comparison.metrics, accepted)
    return Recording(
        replace(store.prepare(baseline, measured.approved, settings.scratch), replaces=approval.state),
        with_first(comparison.metrics, measured.baseline, "recorded"),
        () if accepted is None else (accepted,),
        fits=measured.fits,
        quality=quality(baseline, measured.alternatives),
        measured=measured,
    )


def measure_candidate(
    context: Context,
    comparison: Comparison,
    generation: int,
    *,
    given_up: Collection[str],
    doing: str,
    entropy: int | None = None,
) -> Measured:
    """Measure the candidate as the recording of this number.

    Parameters
    ----------
    context, comparison : Context, Comparison
        The check, and what was found of it.
    generation : int
        1-based recording number.
    given_up : collection of str
        The metrics that lose, and are accepted: their anchors move with the loss.
    doing : str
        What the progress line says of it.
    entropy : int or None
        Where the random states come from; None: from the data, the splits and the recording's number.
    """
    check, cv, settings = context.check, context.cross_validation, context.settings
    if entropy is None:
        entropy = crossval.entropy_of(cv.dataset.target_digest, cv.splitter, generation)
    fitted = measure.fit(
        check,
        cv,
        entropy=entropy,
        engine=context.engine,
        progress=context.progress_of(doing),
    )
    anchors = {name: anchor for name, anchor in comparison.anchors.items() if name not in given_up}
    return measure.assemble(check, cv, fitted, generation=generation, anchors=anchors, rules=settings.rules)
