"""What a branch claims its new baseline scores, held against what this run computes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isclose, sqrt

import numpy as np

from pytest_model_check.baselines import successor
from pytest_model_check.baselines.record import Baseline, BaselineMetric
from pytest_model_check.baselines.store import Approved
from pytest_model_check.baselines.successor import won_back
from pytest_model_check.fitting import crossval
from pytest_model_check.judgement import own_scorers
from pytest_model_check.judgement.verdicts import MetricVerdict
from pytest_model_check.pull_requests import acceptances
from pytest_model_check.scoring.probes import is_known

WIDER = 1.5  # noise may be so much larger where not even the predictions could be made again (threads, a GPU)
REPEATED = 1.05  # and so much where they could: a refit that was left out rows may still have gone another way
EARLIER = 4.0  # noise of baselines seeded by name, whose refits were fewer, and left out rows drawn anew each time
SAID = 1.001  # what is wider than so many times the measured is said
ROOM = 1e-6  # relative: numbers that went through JSON
_MARGINS = {
    "named": "named",
    "skill_share": "the default",
    "noise_floor": "the default",
    "single_row": "none",
    "few_rows": "none",
}


def disputed(
    claimed: Baseline,
    stored: Approved,
    measured: Baseline,
    again: Approved,
    scores: Mapping[str, float],
    old: Baseline | None,
    found: Sequence[MetricVerdict],
) -> tuple[str, ...]:
    """Name the claims of a branch that this run can't confirm; none where all are true, within the noise floor.

    Parameters
    ----------
    claimed, stored : Baseline, Approved
        The branch's JSON and its predictions.
    measured, again : Baseline, Approved
        The same recording, made by this run.
    scores : mapping of str to float
        What the branch's stored predictions score in this run, by metric.
    old : Baseline or None
        What is approved; None: the check is new.
    found : sequence of MetricVerdict
        How the candidate compares with it.
    """
    failing = frozenset(successor.failing(found))
    better = successor.better(found)
    return tuple(
        dict.fromkeys(
            [
                *_numbers(claimed, measured, scores, _room(claimed, stored, again)),
                *_identity(claimed, measured),
                *_predictions(claimed, stored, again),
                *([] if old is None else _anchors(claimed, stored, measured, again, failing)),
                *_history(claimed, old, better),
                *acceptances.disputed(claimed, old, found),
            ]
        )
    )


def _identity(claimed: Baseline, measured: Baseline) -> Iterator[str]:
    mine, its = ((side.data, side.rows, side.target_digest, side.columns) for side in (measured, claimed))
    if its != mine:
        yield "it is of other data than the branch's"
    if claimed.metrics.keys() != measured.metrics.keys():
        odd = sorted(claimed.metrics.keys() ^ measured.metrics.keys())
        yield f"it has other metrics than the check: {', '.join(odd)}"
    promised, claims = measured.protocol.plain(), claimed.protocol.plain()
    unknown = {"seeds"} if claimed.protocol.seeds is None else set()
    keys = {*promised, *claims} - unknown
    if odd := sorted(key for key in keys if claims.get(key) != promised.get(key)):
        yield f"it promises something else than the check: {', '.join(odd)}"
    if (claimed.folds and claimed.folds != measured.folds) or not isclose(
        claimed.effective_rows or 0.0, measured.effective_rows or 0.0, rel_tol=ROOM
    ):
        yield "it says something else of its folds, or of what its rows are worth by their weights"
    if claimed.test_train_ratio * WIDER < measured.test_train_ratio:  # earlier versions estimated it
        yield "its folds claim to test fewer rows than they do"
    if claimed.service != measured.service:
        yield "it was recorded with a service at another address"
    if (claimed.learner == "deterministic") != (measured.learner == "deterministic"):
        yield f"it says that the learner is {claimed.learner}, and it is {measured.learner}"
    if (claimed.seeds, claimed.entropy) != (measured.seeds, measured.entropy):
        yield "it was recorded with other seeds than its data, splits and number say"


def seeded_by_name(claimed: Baseline) -> bool:
    """Whether a baseline was recorded when random states still came from a check's name."""
    return claimed.entropy == crossval.entropy_of_name(claimed.name, claimed.generation)


def _predictions(claimed: Baseline, stored: Approved, again: Approved) -> Iterator[str]:
    if claimed.classes is not None and list(claimed.classes) != list(
        () if again.predictions.classes is None else again.predictions.classes
    ):
        yield "it was recorded with other classes"
    elif not stored.predictions.same_slots(again.predictions):
        yield "it was recorded with other rows or folds"


def wider(claimed: Baseline, measured: Baseline) -> tuple[str, ...]:
    """Name what a branch claims wider than this run measures: as far as that is allowed, it is said."""
    return tuple(
        f"the {width.what} of {name} is claimed to be {width.claim:.4g}, and measured to be {width.value:.4g}"
        for name, mine in measured.metrics.items()
        if name in claimed.metrics
        for width in _widths(claimed.metrics[name], mine)
        if width.claim is not None and width.value is not None and width.claim > SAID * width.value
    )


def _room(claimed: Baseline, stored: Approved, again: Approved) -> float:
    """Return how many times wider than measured noise and margins may be claimed."""
    if seeded_by_name(claimed):
        return EARLIER
    same = stored.predictions.same_slots(again.predictions) and stored.predictions.agrees(again.predictions, rtol=ROOM)
    return REPEATED if same else WIDER


def _numbers(claimed: Baseline, measured: Baseline, scores: Mapping[str, float], wider_by: float) -> Iterator[str]:
    for name, mine in measured.metrics.items():
        its = claimed.metrics.get(name)
        if its is None:
            continue
        if its.definition != mine.definition:
            yield f"{name} claims to be the {its.definition}, and is the {mine.definition}"
            continue
        if its.scorer and mine.scorer and mine.scorer.code not in ("", its.scorer.code):
            yield f"{name} claims to be scored by other code than it is"
        elif another := own_scorers.difference(its.scorer, mine.scorer, is_known=is_known(name)):
            yield f"{name}: {another}"
        room = max(mine.noise_reference.floor, ROOM * mine.noise_reference.skill(mine.score))
        places = max(2, 1 - int(np.floor(np.log10(room)))) if room > 0 else 6
        for claim in (its.score, scores.get(name, its.score)):
            if abs(claim - mine.score) > room:
                yield f"{name} claims {claim:.{places}f}, scores {mine.score:.{places}f}"
                break
        else:
            yield from _noise_claims(name, its, mine, room, wider_by)


def _noise_claims(name: str, its: BaselineMetric, mine: BaselineMetric, room: float, wider_by: float) -> Iterator[str]:
    """Compare what else will decide over the next candidate: folds, dummy, noise, margin and its kind."""
    spread = room * sqrt(len(mine.folds))
    if len(its.folds) != len(mine.folds) or np.abs(np.subtract(its.folds, mine.folds)).max() > spread:
        yield f"{name} claims other scores in its folds than this run computes"
    claim, dummy = its.noise_reference.dummy, mine.noise_reference.dummy
    if (claim is None) != (dummy is None):
        yield f"{name} claims {_dummy(claim)}, and has {_dummy(dummy)}"
    elif claim is not None and dummy is not None and abs(claim - dummy) > room:
        yield f"the dummy of {name} claims {claim:.6g}, scores {dummy:.6g}"
    if (its.margin_kind == "named") != (mine.margin_kind == "named"):  # the defaults may differ by their noise
        yield f"the margin of {name} claims to be {_MARGINS[its.margin_kind]}, is {_MARGINS[mine.margin_kind]}"
    if its.noise_reference.runs != mine.noise_reference.runs:
        yield f"{name} claims {its.noise_reference.runs} seeds, was measured with {mine.noise_reference.runs}"
    for width in _widths(its, mine):
        what, claim, value = width.what, width.claim, width.value
        if (claim is None) != (value is None):
            yield f"the {what} of {name} claims {claim}, is {value}"
        elif claim is not None and value is not None and claim > width.most(wider_by) + ROOM * room:
            yield f"the {what} of {name} claims {claim:.4g}, is {value:.4g}"


@dataclass(frozen=True)
class _Width:
    """A number of a metric that lets the next candidate lose the more the larger it is: as claimed, and as measured."""

    what: str
    claim: float | None
    value: float | None
    is_named: bool = False

    def most(self, wider_by: float) -> float:
        """Return what may be claimed: a margin that was named does not depend on what is measured."""
        return (1 + ROOM if self.is_named else wider_by) * (self.value or 0.0)


def _widths(its: BaselineMetric, mine: BaselineMetric) -> tuple[_Width, ...]:
    theirs, noise = its.noise_reference, mine.noise_reference
    return (
        _Width("margin", its.margin, mine.margin, is_named=mine.margin_kind == "named"),
        _Width("noise", theirs.noise, noise.noise),
        _Width("noise floor", theirs.floor, noise.floor),
        _Width("standard error", its.standard_error, mine.standard_error),
    )


def _dummy(score: float | None) -> str:
    return "no dummy to beat" if score is None else f"a dummy of {score:.6g}"


def _anchors(
    claimed: Baseline, stored: Approved, measured: Baseline, again: Approved, given_up: frozenset[str]
) -> Iterator[str]:
    """Find anchors that moved down: they may only move up, or with an accepted loss."""
    for name, mine in measured.metrics.items():
        its = claimed.metrics.get(name)
        if its is None or mine.anchor is None or name in given_up:
            continue
        room = ROOM * mine.noise_reference.skill(mine.score)
        if its.anchor is None:
            yield (
                f"the anchor of {name}, which small losses are added up from, is gone "
                f"(recording {mine.anchor.since} scored {mine.anchor.score:.6g})"
            )
        elif its.anchor.score < mine.anchor.score - room:
            yield f"the anchor of {name} claims {its.anchor.score:.6g}, scores {mine.anchor.score:.6g}"
        elif its.anchor.since == mine.anchor.since and (
            not np.allclose(stored.anchors[name], again.anchors[name], rtol=ROOM, atol=room)
            or its.anchor.noise_reference.floor > mine.anchor.noise_reference.floor * (1 + ROOM)
        ):
            yield f"the anchor of {name} is not the approved one"


def _history(claimed: Baseline, old: Baseline | None, better: set[str]) -> Iterator[str]:
    if old is None:
        return
    if claimed.generation <= old.generation:
        yield f"its history begins anew: it is recording {claimed.generation}, and {old.generation} is approved already"
    if claimed.reused < old.reused + 1 and claimed.data == old.data:
        yield f"it says that these data were used {claimed.reused} times before, and it was {old.reused + 1} or more"
    if claimed.formerly != old.formerly:
        yield f"it was called {', '.join(old.formerly) or 'nothing else'} before, not {', '.join(claimed.formerly)}"
    for before, now in zip(old.history, (*claimed.history, *[None] * len(old.history)), strict=False):
        if now is None or replace(now, closed=None) != replace(before, closed=None):
            yield f"it forgets what was accepted in recording {before.generation}: {before.reason}"
        elif before.closed is None and now.closed is not None and not won_back(before.metrics, better):
            yield f"it says that what was accepted in recording {before.generation} was won back, and it was not"
