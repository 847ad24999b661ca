"""A verdict in words: what was found, why, what was promised and accepted, and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from pytest_model_check.judgement.compared import ChangedRows, Compared
from pytest_model_check.judgement.latency import QUANTILES
from pytest_model_check.judgement.margins import MarginKind
from pytest_model_check.judgement.numbers import (
    between,
    change,
    count,
    decimals,
    fold_label,
    interval,
    number,
    percentage,
)
from pytest_model_check.judgement.verdicts import (
    WORST_FIRST,
    Acceptance,
    Loss,
    MetricVerdict,
    Verdict,
    Weakening,
    worst,
    worst_first,
)


def sentence(name: str, metrics: Sequence[MetricVerdict]) -> str:
    """Return the verdict of a check in one line that stands alone, from its worst metric."""
    deciding = telling(metrics)
    decisive = next(metric for metric in deciding if metric.verdict == worst([metric.verdict for metric in deciding]))
    others = sum(metric.verdict == decisive.verdict for metric in deciding) - 1
    more = f" (and {others} more)" if others and decisive.verdict not in ("identical", "recorded", "new") else ""
    return f"{name}: {_clause(decisive)}{more}"


def telling(metrics: Sequence[MetricVerdict]) -> list[MetricVerdict]:
    """Return what decides, but no slices of a metric that is worse on all rows: they lose with it."""
    lost = {metric.metric for metric in metrics if metric.slice is None and metric.verdict == "worse"}
    return [metric for metric in metrics if metric.decides and (metric.slice is None or metric.metric not in lost)]


def _clause(metric: MetricVerdict) -> str:
    places, name = decimals(metric), metric.label
    margin = f"margin {number(metric.margin, places)}"
    low, high = metric.low or 0.0, metric.high or 0.0
    delta = metric.delta or 0.0
    because = f"; {metric.reason}" if metric.reason else ""
    if metric.on_old_data is not None:
        return f"on the old data, {_clause(metric.on_old_data)}"
    if metric.drifted:
        return f"{name} is {metric.verdict}: {drift_clause(metric)}"
    match metric.verdict:
        case "identical":
            return "identical to the baseline"
        case "recorded":
            return f"recorded, {name} {number(metric.candidate, places)}"
        case "new":
            return f"new, {name} {number(metric.candidate, places)}"
        case "worse":
            loss = f"{number(-delta, places)} ({between(-high, -low, places)})"
            return f"{name} is worse by {loss}, {margin}{because}"
        case "inconclusive":
            return f"{name} is inconclusive: {change(metric)}, {margin}{because}"
        case "held":
            return f"{name} held{' with loss' if high < 0 else ''}: {change(metric)}, {margin}{because}"
        case "better":
            return f"{name} is better by {number(delta, places)} ({interval(metric)}){because}"
        case _:
            return f"{name} is {metric.verdict}: {metric.reason}"


def drift_clause(metric: MetricVerdict) -> str:
    """Return what small losses have added up to."""
    assert metric.drift is not None
    drift, places = metric.drift, decimals(metric)
    bounds = between(drift.low, drift.high, places, sign=True)
    return (
        f"{number(drift.delta, places, sign=True)} ({bounds}) since recording {drift.since} scored "
        f"{number(drift.score, places)}, margin in all {number(drift.margin, places)}"
    )


def advice(metrics: Sequence[MetricVerdict], compared: Compared, changed: ChangedRows | None = None) -> str:
    """Return where the losses of a check sit, and what to do about the worst: a few lines.

    Parameters
    ----------
    metrics : sequence of MetricVerdict
        Of one check.
    compared : Compared
        On what: how many rows and folds, and what rows depend on each other.
    changed : ChangedRows or None
        Which rows are wrong now.
    """
    failing = _failing(telling(metrics))
    located = [metric for metric in failing if metric.verdict != "incomparable"]
    lines = [f"{metric.label}: {_where(metric, metrics, compared.folds)}" for metric in located]
    if failing and changed and changed.count:
        lines.append(changed_rows(changed))
    decisive = [metric for metric in failing if metric.verdict == failing[0].verdict]
    # one thing to do of each kind: what mends the first metric mends the others
    lines += dict(_todo(metric, compared) for metric in reversed(decisive)).values()
    return "\n".join(lines)


def explanation(verdict: Verdict) -> list[str]:
    """Return for every metric that does not pass where the loss sits, which rows lost most, and what to do."""
    changed, compared = verdict.differences.changed_rows, verdict.compared
    lines = [changed_rows(changed)] if changed and changed.count else []
    for metric in _failing(verdict.metrics):
        lost = f"It lost most on {named(metric.losses)}. " if metric.losses else ""
        where = _where(metric, verdict.metrics, compared.folds)
        lines.append(f"{metric.label}: {where} {lost}{_todo(metric, compared)[1]}")
    return ["", f"{verdict.name}, explained", *lines] if lines else []


def _failing(metrics: Sequence[MetricVerdict]) -> list[MetricVerdict]:
    failing = [m for m in metrics if m.decides and m.verdict in ("worse", "inconclusive") and m.margin is not None]
    there = [m for m in metrics if m.on_old_data is not None and m not in failing]
    return worst_first([*failing, *there])


def changed_rows(changed: ChangedRows) -> str:
    """Return how many rows are wrong now that were right, and which."""
    lost, examples = changed.lost, changed.examples
    text = (
        f"{_rows(lost)} wrong now that {'was' if lost == 1 else 'were'} right{_of_weight(changed.lost_weight)}, "
        f"{changed.won:,} the other way round{_of_weight(changed.won_weight)}"
    )
    if not examples:
        return f"{text}."
    return f"{text}: {named(examples)}{', ...' if lost > len(examples) else ''} (counted from 0)."


def _of_weight(share: float | None) -> str:
    return "" if share is None else f" ({share:.2%} of the weight)"


def _rows(count: int) -> str:
    return f"{count:,} row is" if count == 1 else f"{count:,} rows are"


def named(rows: Sequence[int]) -> str:
    """Name rows by their position."""
    return ("row " if len(rows) == 1 else "rows ") + ", ".join(map(str, rows))


def _where(metric: MetricVerdict, metrics: Sequence[MetricVerdict], folds: Sequence[int]) -> str:
    """Return in which folds and slices a loss sits."""
    if metric.on_old_data is not None:
        return f"on the old data, {_where(metric.on_old_data, (), folds)}"
    places = decimals(metric)
    parts = [f"{number(metric.baseline, places)} -> {number(metric.candidate, places)}"]
    changes = [new - old for old, new in metric.folds]
    if metric.slice is None and len(changes) > 1 and min(changes) < 0:  # a slice may lie in some folds only
        most = min(range(len(changes)), key=changes.__getitem__)
        lower = sum(change < 0 for change in changes)
        fold = f"fold {fold_label(most, folds)} ({number(changes[most], places, sign=True)})"
        parts.append(f"lower in {lower} of {len(changes)} folds, most in {fold}")
    slices = [part for part in metrics if part.slice and part.metric == metric.metric and part.delta is not None]
    worst_slice = min(slices, key=lambda part: part.delta or 0.0, default=metric)
    if metric.slice is None and worst_slice.slice is not None and (worst_slice.delta or 0.0) < 0:
        parts.append(f"most on {worst_slice.slice} ({number(worst_slice.delta, places, sign=True)})")
    return "; ".join(parts) + "."


def _todo(metric: MetricVerdict, compared: Compared) -> tuple[str, str]:
    """Return what to do about a metric that does not pass: the kind of its trouble, and the words."""
    places = decimals(metric)
    if metric.on_old_data is not None:
        return "old data", (
            "It passes on the new data alone, and not on the data that the released model was approved on. Let the "
            "data move by themselves first, with the model as it is; or have it accepted: --model-check-accept REASON."
        )
    if metric.drifted:
        return "drift", "It holds against the last baseline, but small losses have added up: win some of them back."
    if metric.candidate is not None and metric.dummy is not None and metric.candidate <= metric.dummy:
        return "dummy", "A dummy that looks at no feature does as well: there is no skill to release."
    if metric.verdict == "worse" and metric.metric in QUANTILES:
        return "slower", "Find what makes it slower, or keep the released service."
    if metric.verdict == "worse":
        return "worse", "Find what the change lost (-v explains every metric), or keep the released model."
    assert metric.margin is not None
    margin, resolution = number(metric.margin, places), number(metric.resolution, places)
    if metric.metric in QUANTILES:
        noisy = f"The requests' times vary too much to tell: margin {margin} s, resolution {resolution} s"
        return "latency", f"{noisy}. Use a quieter machine, a larger batch=, or a wider latency_margin=."
    if metric.resolution is None or metric.resolution <= metric.margin:
        unknown = f"The data can't tell whether the loss is below the margin of {margin}"
        return "undecided", f"{unknown}: {_more(compared)} would."
    blocked = metric.probability_inconclusive
    chance = ""
    if blocked is not None:
        chance = f", so that {percentage(blocked)} of models that lose nothing would be undecided too"
    needed = f"a margin of {resolution}, or {_evidence_needed(compared, metric)}"
    if metric.floor is not None and metric.margin >= metric.floor > 0:
        return "another learner", (
            "The two disagree on more rows than the baseline's own reruns do, as two learners would: resolution "
            f"{resolution}, margin {margin}{chance}. To decide, use {needed}."
        )
    better = "neg_brier_score, which sees more, " if metric.metric == "accuracy" else ""
    return "underpowered", f"Underpowered: margin {margin}, resolution {resolution}{chance}. Use {better}{needed}."


def _more(compared: Compared) -> str:
    """Return what would tell more: neither repeats nor rows of the same units do where rows depend on each other."""
    if units := units_of(compared.protocol.get("groups"), compared.protocol.get("time")):
        return f"more {units}"
    return "more data or more repeats"


def units_of(groups: str | None, time: str | None) -> str:
    """Return what counts as one piece of evidence, in the plural; empty: every row does."""
    if groups is not None:
        return f"groups ({groups})"
    return "" if time is None else f"days, or other periods of {time}"


def _evidence_needed(compared: Compared, metric: MetricVerdict) -> str:
    """Return with what evidence the resolution would be the margin: noise falls with the root of it."""
    assert metric.resolution is not None
    assert metric.margin is not None
    times = (metric.resolution / metric.margin) ** 2
    if units := units_of(compared.protocol.get("groups"), compared.protocol.get("time")):
        return f"a baseline of about {_up(10 * times) / 10:,.3g} times as many {units}"
    if not compared.data.rows:  # a report of data that nobody has described
        return "a baseline of more repeats or of more rows"
    return f"a baseline of more repeats or of about {_up(compared.data.rows * times):,.0f} rows"


def _up(number: float) -> float:
    """Round up to two digits."""
    unit = 10.0 ** (floor(log10(number)) - 1)
    return ceil(number / unit - 1e-9) * unit


def margin_reason(
    kind: MarginKind, *, rows: int, skill_share: float | None, seeds: int | None, effective_rows: float | None = None
) -> str:
    """Return where a margin comes from.

    Parameters
    ----------
    kind : str
        See `pytest_model_check.judgement.margins.Margin`.
    rows : int
        How many rows the data has.
    skill_share : float or None
        The default margin, where rows and seeds can resolve it; None: there is no dummy to beat.
    seeds : int or None
        With how many seeds the baseline was measured.
    effective_rows : float or None
        How many rows of equal weight would say as much; None: there are no weights.
    """
    if kind == "single_row":
        return "reported, not judged: it hangs on a single row"
    if kind == "few_rows":
        return "reported, not judged: too few rows of a class"
    unmeasured = "; seed noise not measured (one seed)" if seeds == 1 else ""
    match kind:
        case "named":
            return f"named in the check{unmeasured}"
        case "noise_floor":
            share = "there is no dummy to beat"
            if skill_share is not None:
                share = f"2% of the skill above a dummy would be {skill_share:.4g}"
            return f"the noise floor of {rows_in_words(rows, effective_rows)}; {share}{unmeasured}"
        case "skill_share":
            return f"2% of the skill above a dummy{unmeasured}"


def rows_in_words(rows: int, effective_rows: float | None = None) -> str:
    """Return how many rows there are, and how many of equal weight would say as much."""
    text = count(rows, "row")
    return text if effective_rows is None else f"{text} (worth {effective_rows:,.0f} by their weights)"


def weakening(weaker: Weakening) -> str:
    """Return how less is promised."""
    name, before, after = weaker.name, weaker.before, weaker.after
    match weaker.term:
        case "deleted":
            return f"its baseline {name}.json was deleted"
        case "gone":
            return "its baseline is gone, and nobody gave it up (model-check retire)"
        case "metric" | "slice":
            return f"the {weaker.term} {name} was dropped"
        case "judged":
            return f"{name} is reported only, and no longer judged"
        case "margin":
            return f"the margin of {name} is {after:.4g}, was {before:.4g}"
        case "rule":
            return f"model_check_{name} is {after}, was {before}"
        case "said":
            return name
        case _:
            return f"{weaker.term}= is {after or 'not named'}, was {before or 'not named'}"


def accepted(acceptance: Acceptance) -> str:
    """Return what was accepted, as what follows "recording 2 accepted that"; not how less it promises."""
    match acceptance.kind:
        case "retired":
            return "the check was given up"
        case "promise":
            return "it promises less"
        case _ if acceptance.said:
            return acceptance.said
        case _ if not acceptance.losses:
            return "nothing could be compared"
    decisive = min(acceptance.losses, key=lambda loss: WORST_FIRST.index(loss.verdict or "worse"))
    others = sum(loss.verdict == decisive.verdict for loss in acceptance.losses) - 1
    return _lost(decisive) + (f" (and {others} more)" if others else "")


def _lost(loss: Loss) -> str:
    metric = MetricVerdict(
        loss.metric,
        loss.verdict or "worse",
        loss.slice,
        delta=loss.delta,
        low=loss.low,
        high=loss.high,
        margin=loss.margin,
    )
    where = "on the old data, " if loss.on_old_data else ""
    if loss.delta is None:
        return f"{where}{metric.label} is {metric.verdict}"
    if loss.since is None:
        return where + _clause(metric)
    in_all = f"since recording {loss.since}, margin in all {number(loss.margin, decimals(metric))}"
    return f"{where}{metric.label} is {metric.verdict}: {change(metric)} {in_all}"
