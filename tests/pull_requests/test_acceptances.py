"""What a branch accepted is what this run finds: in values, and by what covers what."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.baselines import successor
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.verdicts import Acceptance, Drift, Loss, MetricVerdict, Weakening
from pytest_model_check.pull_requests.acceptances import covers, disputed
from support.lives import baseline, metric

fast = settings(deadline=None, derandomize=True, max_examples=100)
FLOOR = 0.004  # of the recorded metric
WORSE = MetricVerdict("roc_auc", "worse", delta=-0.05, low=-0.06, high=-0.03, margin=0.02, candidate=0.85, dummy=0.5)
UNSURE = MetricVerdict("roc_auc", "inconclusive", delta=-0.01, low=-0.03, high=0.01, margin=0.02)
OLD = baseline(generation=3)
MARGIN = Weakening("margin", "roc_auc", 0.01, 0.05)
GROUPS = Weakening("groups", after="shop")


def accepted(*metrics: MetricVerdict, generation: int = 4, **changes) -> Acceptance:
    """Accept what was found."""
    entry = successor.accept("churn", generation, "the new law", metrics, (), None)
    return replace(entry, **changes)


def objections(found, *history: Acceptance, generation: int = 4) -> list[str]:
    return list(disputed(baseline(generation=generation, history=history), OLD, found))


def test_what_was_found_may_be_accepted():
    assert objections([WORSE], accepted(WORSE)) == []
    assert objections([WORSE, UNSURE], accepted(WORSE, UNSURE)) == []


@given(st.floats(-FLOOR, FLOOR) | st.floats(-1, 1))
@fast
def test_numbers_agree_within_the_noise_floor(off):
    loss = accepted(WORSE).losses[0]
    moved = replace(loss, delta=-0.05 + off)
    assert bool(objections([WORSE], accepted(WORSE, losses=(moved,)))) == (abs(moved.delta + 0.05) > FLOOR)


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "inconclusive"},
        {"delta": None},
        {"delta": -0.001},
        {"low": -0.02},
        {"high": -0.01},
        {"margin": 0.2},
        {"slice": "region=north"},
        {"since": 1},
        {"metric": "accuracy"},
    ],
    ids=str,
)
def test_another_value_is_disputed(change):
    loss = replace(accepted(WORSE).losses[0], **change)
    assert any(
        "something else than what was found" in words for words in objections([WORSE], accepted(WORSE, losses=(loss,)))
    )


def test_a_loss_that_is_left_out_or_added_is_disputed():
    north = replace(WORSE, slice="region=north")
    assert objections([WORSE, north], accepted(WORSE))
    assert objections([WORSE], accepted(WORSE, north))


def test_words_alone_are_disputed():
    entry = Acceptance(4, "the new law", "loss", (Loss("roc_auc"),), said="roc_auc is worse by 0.001")
    assert "in words alone" in objections([WORSE], entry)[0]


def test_of_several_recordings_the_losses_add_up():
    small = replace(WORSE, delta=-0.02, low=-0.03, high=-0.01)
    both = [accepted(small), accepted(small, generation=5)]
    assert objections([WORSE], *both, generation=5) == []
    (words,) = objections([WORSE], both[0], generation=5)
    assert words == "it accepts that roc_auc loses 0.02 in all, and it loses 0.05"
    assert objections([UNSURE], both[0], generation=5) == []


def test_where_small_losses_added_up_that_is_what_is_accepted():
    drift = Drift(1, 0.94, -0.06, -0.08, -0.04, 0.03)
    drifted = replace(WORSE, verdict="worse", delta=-0.001, low=-0.01, high=0.01, drift=drift)
    entry = accepted(drifted)
    assert entry.losses == (Loss("roc_auc", "worse", None, -0.06, -0.08, -0.04, 0.03, since=1),)
    assert objections([drifted], entry) == []
    assert explain.accepted(entry) == (
        "roc_auc is worse: -0.060 (-0.080 to -0.040) since recording 1, margin in all 0.030"
    )


def test_a_bound_that_is_no_number_is_kept_as_none():
    (loss,) = accepted(replace(WORSE, low=float("-inf"))).losses
    assert (loss.low, loss.high) == (None, -0.03)


@pytest.mark.parametrize(
    ("entries", "found", "weaker", "incomparable", "expected"),
    [
        ([], [WORSE], [], False, False),
        ([accepted(WORSE)], [WORSE], [], False, True),
        ([accepted(WORSE, closed=4)], [WORSE], [], False, False),
        ([accepted(WORSE, kind="retired")], [WORSE], [], False, False),
        ([accepted(UNSURE)], [WORSE, replace(WORSE, metric="accuracy")], [], False, False),
        ([accepted(weakened=(MARGIN,))], [], [MARGIN], False, True),
        ([accepted(weakened=(replace(MARGIN, after=0.05000000001),))], [], [MARGIN], False, True),
        ([accepted(weakened=(replace(MARGIN, after=0.04),))], [], [MARGIN], False, False),
        ([accepted(weakened=(replace(MARGIN, name="accuracy"),))], [], [MARGIN], False, False),
        ([accepted(weakened=(Weakening("said", explain.weakening(MARGIN)),))], [], [MARGIN], False, True),
        ([accepted(weakened=(Weakening("said", "the slice a was dropped"),))], [], [MARGIN], False, False),
        (
            [accepted(weakened=(Weakening("groups", after="shop"),))],
            [],
            [Weakening("groups", after="shop")],
            False,
            True,
        ),
        ([accepted()], [], [], True, False),
        ([accepted(kind="incomparable")], [], [], True, True),
        ([accepted(kind="incomparable")], [], [MARGIN], True, False),
    ],
)
def test_everything_that_fails_must_be_accepted(entries, found, weaker, incomparable, expected):
    assert covers(entries, found, weaker, incomparable=incomparable) == expected


def test_the_first_baseline_of_a_check_accepts_nothing():
    claimed = baseline(generation=4, history=(accepted(WORSE),), metrics={"roc_auc": metric(0.9)})
    assert list(disputed(claimed, None, [])) == []
