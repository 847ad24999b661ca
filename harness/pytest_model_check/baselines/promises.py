"""What a check promises, and what its baseline promised: the terms of each, compared. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import Literal, get_args

from pytest_model_check.baselines.record import Baseline
from pytest_model_check.baselines.terms import Protocol, Terms
from pytest_model_check.checks.check import Check
from pytest_model_check.checks.declared import latency_margin_of
from pytest_model_check.checks.make_check import EARLIER_DEFAULT, known_metric
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.margins import Margin, margin_of
from pytest_model_check.judgement.verdicts import Weakening
from pytest_model_check.settings import Rules

ROOM = 1e-6  # relative: a margin that went through JSON is no wider one
_SameTerm = Literal["cv", "target", "groups", "time", "sample_weight"]
_SAME: tuple[_SameTerm, ...] = get_args(_SameTerm)


def with_earlier_default(check: Check, baseline: Baseline | None) -> Check:
    """Return the check with the metric of its baseline, where it names none and that was the default of the time."""
    if baseline is None or not check.default_metric or [*baseline.metrics] != [EARLIER_DEFAULT]:
        return check
    earlier = known_metric(EARLIER_DEFAULT, check.metrics[0].margin)
    return check if earlier is None else replace(check, metrics=(earlier,))


def protocol_of(check: Check, splitter: str, rules: Rules) -> Protocol:
    """Return how a check is judged.

    Parameters
    ----------
    check : Check
        The promise.
    splitter : str
        What made the splits, as it is described.
    rules : Rules
        The ini file's.
    """
    return Protocol(
        splitter,
        check.target,
        check.features,
        check.groups,
        check.time,
        check.slices,
        check.seeds,
        rules,
        check.season,
        check.sample_weight,
        latency_margin_of(check.candidate),
        check.read,
    )


def terms_of_check(check: Check, protocol: Protocol, baseline: Baseline) -> Terms:
    """Return what a check promises; its default margins are those that were measured with the baseline."""
    return Terms(protocol, {metric.name: _margin(baseline, metric.name, metric.margin) for metric in check.metrics})


def _margin(baseline: Baseline, name: str, named: float | None) -> Margin:
    stored = baseline.metrics.get(name)
    if stored is None:
        return Margin(named, "skill_share" if named is None else "named")
    if stored.margin is None:
        return Margin(None, stored.margin_kind)
    return margin_of(stored.noise_reference, stored.score, named)


def terms_of_baseline(baseline: Baseline) -> Terms:
    """Return what a baseline promised when it was recorded."""
    margins = {name: Margin(metric.margin, metric.margin_kind) for name, metric in baseline.metrics.items()}
    return Terms(baseline.protocol, margins)


def margin_reason(baseline: Baseline, name: str) -> str:
    """Describe where the margin of a metric comes from."""
    metric = baseline.metrics[name]
    return explain.margin_reason(
        metric.margin_kind,
        rows=baseline.rows,
        effective_rows=baseline.effective_rows,
        skill_share=metric.skill_share,
        seeds=baseline.protocol.seeds,
    )


def weakened(before: Terms, now: Terms) -> tuple[Weakening, ...]:
    """Compare two terms: how less is promised now.

    The model's own business, its features and parameters, is no part of the promise. A default margin that was
    measured anew is no weaker promise; a wider one is where either was named.
    """
    return (*_margins(before, now), *_protocols(before.protocol, now.protocol))


def _margins(before: Terms, now: Terms) -> Iterator[Weakening]:
    for name, old in before.margins.items():
        new = now.margins.get(name)
        if new is None:
            yield Weakening("metric", name)
        elif old.value is None:
            continue  # it was only reported
        elif new.value is None:
            yield Weakening("judged", name)
        elif "named" in (old.kind, new.kind) and new.value > old.value * (1 + ROOM):
            yield Weakening("margin", name, old.value, new.value)


def _protocols(before: Protocol, now: Protocol) -> Iterator[Weakening]:
    yield from (Weakening("slice", column) for column in before.slices if column not in now.slices)
    for term in _SAME:
        was, has_become = getattr(before, term), getattr(now, term)
        if was != has_become:
            yield Weakening(term, before=was, after=has_become)
    if before.season is not None and before.season != now.season:  # one that is named now is one more to beat
        yield Weakening("season", before=before.season, after=now.season)
    if before.latency_margin is not None and (now.latency_margin or inf) > before.latency_margin * (1 + ROOM):
        yield Weakening("latency_margin", before=before.latency_margin, after=now.latency_margin)
    if before.seeds is not None and now.seeds is not None and now.seeds < before.seeds:
        yield Weakening("seeds", before=before.seeds, after=now.seeds)
    old, new = before.rules.values, now.rules.values
    yield from (Weakening("rule", key, old[key], new[key]) for key in old if old[key] == "fail" and new[key] != "fail")
