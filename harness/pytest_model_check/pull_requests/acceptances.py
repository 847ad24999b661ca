"""What a branch accepted, held against what this run finds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose

from pytest_model_check.baselines import successor
from pytest_model_check.baselines.record import Baseline, BaselineMetric
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.verdicts import Acceptance, Loss, MetricVerdict, Weakening, is_reason

ROOM = 1e-6  # relative: numbers that went through JSON


def brought(claimed: Baseline, old: Baseline | None) -> tuple[Acceptance, ...]:
    """Choose what the branch itself accepted: what its history has that the approved one has not."""
    return claimed.history[0 if old is None else len(old.history) :]


def disputed(claimed: Baseline, old: Baseline | None, found: Sequence[MetricVerdict]) -> Iterator[str]:
    """Find acceptances that nobody can have made.

    Parameters
    ----------
    claimed : Baseline
        The branch's.
    old : Baseline or None
        What is approved; None: the check is new.
    found : sequence of MetricVerdict
        How the candidate compares with it.
    """
    first = 0 if old is None else old.generation
    lost, accepted = successor.losses(found), brought(claimed, old)
    for acceptance in accepted:
        where = f"in recording {acceptance.generation}"
        if not is_reason(acceptance.reason):
            yield f"it accepts a loss {where}, and gives no reason"
        if not first < acceptance.generation <= claimed.generation:
            yield f"it accepts a loss {where}, which is not this branch's"
        if lost and acceptance.closed is not None:
            yield f"it says that what was accepted {where} was won back, and it was not"
        if lost and any(loss.verdict is None for loss in acceptance.losses):
            yield f"it accepts a loss {where} in words alone, as earlier versions did"
    if old is not None and claimed.generation == first + 1:  # then what was accepted is what this run finds
        for acceptance in accepted:
            if lost and acceptance.losses and not _agree(acceptance.losses, lost, old):
                yield f"it accepts something else than what was found: {explain.accepted(acceptance)}"
    else:
        yield from _less_than_lost([loss for acceptance in accepted for loss in acceptance.losses], lost)


def _agree(accepted: Sequence[Loss], lost: Sequence[Loss], old: Baseline) -> bool:
    """Whether the losses are the same, within the noise floor."""
    theirs, mine = (
        {(loss.metric, loss.slice, loss.since, loss.on_old_data): loss for loss in side} for side in (accepted, lost)
    )
    return theirs.keys() == mine.keys() and all(
        theirs[key].verdict == loss.verdict and _within(_room(old.metrics.get(loss.metric)), theirs[key], loss)
        for key, loss in mine.items()
    )


def _room(stored: BaselineMetric | None) -> float:
    if stored is None:
        return 0.0
    return max(stored.noise_reference.floor, ROOM * stored.noise_reference.skill(stored.score))


def _within(room: float, claim: Loss, loss: Loss) -> bool:
    pairs = ((getattr(claim, name), getattr(loss, name)) for name in ("delta", "low", "high", "margin"))
    return all(its == mine or (None not in (its, mine) and abs(its - mine) <= room) for its, mine in pairs)


def _less_than_lost(accepted: Sequence[Loss], lost: Sequence[Loss]) -> Iterator[str]:
    """Find the metrics that surely lost more than several recordings accepted together."""
    for loss in lost:
        same = (
            each
            for each in accepted
            if (each.metric, each.slice, each.on_old_data) == (loss.metric, loss.slice, loss.on_old_data)
        )
        deltas = [each.delta for each in same if each.delta is not None]
        if deltas and loss.delta is not None and loss.high is not None and sum(deltas) > loss.high:
            yield f"it accepts that {loss.metric} loses {-sum(deltas):.4g} in all, and it loses {-loss.delta:.4g}"


def covers(
    accepted: Sequence[Acceptance],
    found: Sequence[MetricVerdict],
    weakened: Sequence[Weakening],
    *,
    incomparable: bool,
) -> bool:
    """Whether everything that fails was accepted: each metric, each weaker promise, and that nothing can be compared.

    Parameters
    ----------
    accepted : sequence of Acceptance
        What the branch accepted.
    found : sequence of MetricVerdict
        How the candidate compares with what is approved; empty where it can't be compared.
    weakened : sequence of Weakening
        The promises that became weaker.
    incomparable : bool
        Whether nothing can be compared.
    """
    standing = [acceptance for acceptance in accepted if acceptance.closed is None and acceptance.kind != "retired"]
    given_up = {metric for acceptance in standing for metric in acceptance.metrics}
    weaker = [each for acceptance in standing for each in acceptance.weakened]
    if incomparable and not any(acceptance.kind == "incomparable" for acceptance in standing):
        return False
    return (
        bool(standing)
        and given_up.issuperset(successor.failing(found))
        and all(any(_is_same(claim, each) for claim in weaker) for each in weakened)
    )


def _is_same(claim: Weakening, found: Weakening) -> bool:
    if claim.term == "said":  # by an earlier version, in the words of this one
        return claim.name == explain.weakening(found)
    values = ((claim.before, found.before), (claim.after, found.after))
    return (claim.term, claim.name) == (found.term, found.name) and all(_is_equal(*pair) for pair in values)


def _is_equal(claim: str | float | None, value: str | float | None) -> bool:
    if isinstance(claim, int | float) and isinstance(value, int | float):
        return isclose(claim, value, rel_tol=ROOM)
    return claim == value
