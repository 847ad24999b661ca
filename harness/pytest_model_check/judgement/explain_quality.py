"""The quality of a recording in words: how small a loss is caught, who is blocked, what would be better. Pure."""

from __future__ import annotations

from pytest_model_check.judgement.explain import rows_in_words, units_of
from pytest_model_check.judgement.numbers import decimals, fold_label, number
from pytest_model_check.judgement.quality import BLUNT, MetricQuality, RecordingQuality
from pytest_model_check.judgement.verdicts import MetricVerdict

MUCH_BETTER = 0.5  # times the share of the skill: a metric worth changing to


def sentences(quality: RecordingQuality) -> list[str]:
    """Describe of each metric how good a yardstick it is, and what would be a better one, by numbers."""
    return [
        f"{metric.metric}: {' '.join(part for part in _parts(metric, quality) if part)}" for metric in quality.metrics
    ] + _weights(quality)


def _weights(quality: RecordingQuality) -> list[str]:
    if quality.effective_rows is None or not quality.metrics:
        return []
    rows = rows_in_words(quality.metrics[0].rows, quality.effective_rows)
    return [f"measured on {rows}; rows needed are rows of such weights"]


def notices(quality: RecordingQuality) -> list[str]:
    """Describe which metrics are blunt: a check by them can hardly fail."""
    return [
        f"the margin of {metric.metric}, {_number(metric, metric.margin)}, is {share(metric)} of its skill above a "
        "dummy: a loss just below it passes"
        for metric in quality.metrics
        if metric.is_blunt
    ]


def share(metric: MetricQuality) -> str:
    """Format the margin as a share of the skill."""
    assert metric.margin_share is not None
    return f"{metric.margin_share:.1%}" if metric.margin_share < 0.0995 else f"{metric.margin_share:.0%}"


def _parts(metric: MetricQuality, quality: RecordingQuality) -> list[str]:
    skill = "no dummy to set it against" if metric.margin_share is None else f"{share(metric)} of the skill"
    return [
        f"margin {_number(metric, metric.margin)}, {skill}.",
        f"A loss of {_number(metric, metric.loss_caught)} is caught 95 times in 100.",
        _blocked(metric),
        _folds(metric, quality),
        _better(metric, quality),
    ]


def _blocked(metric: MetricQuality) -> str:
    if metric.blocked_same is None:
        same = "Equally good, and blocked: of the same learner it is not known (one seed)"
    else:
        same = f"Equally good, and blocked: {metric.blocked_same:.0%} of the same learner"
    if metric.blocked_other is None or metric.resolvable_other is None:
        return f"{same}."
    wide = metric.skill is not None and metric.resolvable_other > BLUNT * metric.skill  # no margin to recommend
    margin = f" (a margin of {_number(metric, metric.resolvable_other)} lets 99 in 100 pass)"
    other = f"up to {metric.blocked_other:.0%} of another one, if it errs independently of this"
    return f"{same}, {other}{'' if wide else margin}."


def _folds(metric: MetricQuality, quality: RecordingQuality) -> str:
    if not metric.outlying_folds:
        return ""
    outlying = metric.outlying_folds
    named = ", ".join(f"{fold_label(fold - 1, quality.folds)} ({_number(metric, score)})" for fold, score in outlying)
    return f"Fold {named} stands out." if len(metric.outlying_folds) == 1 else f"Folds {named} stand out."


def _better(metric: MetricQuality, quality: RecordingQuality) -> str:
    floor = metric.resolvable_same
    if floor is not None and metric.margin < floor * (1 - 1e-9):
        rows = _rows(metric, quality, "for this margin")
        return f"Better: a margin of {_number(metric, floor)}, which these rows can hold{rows}."
    if not metric.is_blunt:
        return ""
    ways = []
    others = [one for one in (*quality.metrics, *quality.alternatives) if one.margin_share is not None]
    sharpest = min(others, key=lambda one: one.margin_share or 0.0)
    if (sharpest.margin_share or 0.0) <= MUCH_BETTER * (metric.margin_share or 0.0):
        ways.append(f"{sharpest.metric}, whose margin of {_number(sharpest, sharpest.margin)} is {share(sharpest)}")
    if floor is not None and floor <= MUCH_BETTER * metric.margin:
        ways.append(f"a margin of {_number(metric, floor)}, which these rows can hold")
    elif metric.rows_needed is not None:
        ways.append(f"about {metric.rows_needed:,} rows{_units(quality)}, for a margin of {BLUNT:.0%}")
    return f"Better: {'; or '.join(ways)}." if ways else ""


def _rows(metric: MetricQuality, quality: RecordingQuality, purpose: str) -> str:
    return "" if metric.rows_needed is None else f"; or about {metric.rows_needed:,} rows{_units(quality)} {purpose}"


def _units(quality: RecordingQuality) -> str:
    """Return whose rows they must be: more rows of the same units tell nothing new."""
    units = units_of(quality.groups, quality.time)
    return f" (of more {units})" if units else ""


def _number(metric: MetricQuality, value: float) -> str:
    return number(value, decimals(MetricVerdict("", "recorded", candidate=metric.score, margin=metric.margin)))
