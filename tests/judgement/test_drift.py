"""Many small losses, each within its margin, add up: the anchor counts them."""

import numpy as np
import pytest
from pytest_model_check.judgement.drift import Anchor, defend, surpasses
from pytest_model_check.judgement.judge import judge_metric
from pytest_model_check.judgement.noise import NoiseReference
from support.scores import scores

QUIET = NoiseReference(-10.0, 0.0, np.inf, None, 0.0)
BASE = np.linspace(0, 1, 100)
WIGGLE = 0.01 * np.resize([1, -1], 100)


def anchored(psi, *rest, **options) -> Anchor:
    return Anchor(psi, scores(psi).folds, *rest, **options)


def held_against(last, anchor, candidate, margin=0.1):
    """Judge a candidate that is `candidate` better than 0, against a baseline and an anchor of so much."""
    old, new = scores(BASE + last), scores(BASE + candidate + WIGGLE)
    verdict = judge_metric("m", old, new, QUIET, margin)
    return defend(verdict, anchored(BASE + anchor, QUIET, margin, since=2), new)


def test_what_holds_step_by_step_is_worse_than_the_anchor():
    found = held_against(last=-0.08, anchor=0.0, candidate=-0.15)
    assert found.verdict == "worse"
    assert found.drifted
    assert (found.drift.since, found.drift.margin) == (2, 0.1)
    assert found.drift.delta == pytest.approx(-0.15)
    assert found.low > -0.1  # against the last baseline it would have held
    assert found.drift.high < 0


def test_what_may_have_drifted_too_far_is_inconclusive():
    old, new = scores(BASE), scores(BASE + 30 * WIGGLE)
    found = defend(judge_metric("m", old, new, QUIET, 0.1), anchored(BASE + 0.055, QUIET, 0.1), new)
    assert (found.verdict, found.drifted) == ("inconclusive", True)


def test_a_loss_within_the_margin_in_all_is_held():
    found = held_against(last=-0.03, anchor=0.0, candidate=-0.06)
    assert (found.verdict, found.drifted) == ("held", False)
    assert found.drift.delta == pytest.approx(-0.06)


def test_what_is_better_than_the_last_one_leads_upwards():
    found = held_against(last=-0.2, anchor=0.0, candidate=-0.15)
    assert (found.verdict, found.drifted) == ("better", False)
    assert found.drift.low < -found.drift.margin


def test_a_failure_stays_what_it_is():
    found = held_against(last=0.0, anchor=0.0, candidate=-0.5)
    assert (found.verdict, found.drifted) == ("worse", False)


def test_only_what_is_better_than_the_anchor_takes_its_place():
    anchor = anchored(BASE, QUIET, 0.1)
    assert surpasses(anchor, scores(BASE + 0.05 + WIGGLE))
    assert not surpasses(anchor, scores(BASE - 0.02 + WIGGLE))
    assert not surpasses(anchor, scores(BASE + WIGGLE))


def test_ups_and_downs_do_not_lead_downwards():
    """-0.6, +0.3, -0.6, ... of the margin: an anchor that followed every improvement would follow them down."""
    level, anchor, last = 0.0, anchored(BASE, QUIET, 0.1), BASE
    for step in range(40):
        tried = level + (-0.06 if step % 2 == 0 else 0.03)
        new = scores(BASE + tried + np.roll(WIGGLE, step))
        found = defend(judge_metric("m", scores(last), new, QUIET, 0.1), anchor, new)
        if found.verdict in ("held", "better"):
            level, last = tried, new.psi[0]
            anchor = anchored(last, QUIET, 0.1) if surpasses(anchor, new) else anchor
    assert level > -0.1


# --- with a real project


PROMISE = 'metrics={"neg_log_loss": 0.06}'


def _logistic(c):
    return f"make_pipeline(StandardScaler(), LogisticRegression(C={c}))"


def test_small_losses_add_up_until_they_are_too_much(project):
    project.check(_logistic(1), PROMISE)
    assert project.run("--update-baselines").ret == 0
    first = project.baseline()["metrics"]["neg_log_loss"]
    assert first["anchor"] is None
    project.check(_logistic(0.08), PROMISE)  # loses some
    assert project.run("--update-baselines").ret == 0
    (metric,) = project.report()["checks"][0]["metrics"]
    assert metric["verdict"] == "held"
    assert metric["high"] < 0  # with loss
    second = project.baseline()["metrics"]["neg_log_loss"]
    assert second["anchor"]["since"] == 1
    assert second["anchor"]["score"] == pytest.approx(first["score"])
    project.check(_logistic(0.04), PROMISE)  # and some again
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*tumours: neg_log_loss is *since recording 1 scored*margin in all 0.060*"])
    (metric,) = project.report()["checks"][0]["metrics"]
    assert metric["low"] > -0.06 >= metric["drift"]["low"]
    before = project.stored()
    assert project.run("--update-baselines").ret == 1  # nor can it be recorded
    assert project.stored() == before
    project.check(_logistic(0.08), PROMISE)
    assert project.run().ret == 0  # what is approved stays approved
    assert project.verdicts() == {"tumours": "identical"}


def test_an_improvement_is_the_next_anchor(project):
    project.check(_logistic(0.02), PROMISE)
    assert project.run("--update-baselines").ret == 0
    project.check(_logistic(1), PROMISE)
    assert project.run("--update-baselines").ret == 0
    assert project.verdicts() == {"tumours": "better"}
    assert project.baseline()["metrics"]["neg_log_loss"]["anchor"] is None
    project.check(_logistic(0.08), PROMISE)
    assert project.run("--update-baselines").ret == 0
    assert project.baseline()["metrics"]["neg_log_loss"]["anchor"]["since"] == 2


def test_drift_is_shown_while_it_is_harmless(project):
    project.check(_logistic(1), PROMISE)
    project.run("--update-baselines")
    project.check(_logistic(0.08), PROMISE)
    project.run("--update-baselines")
    project.check(_logistic(0.079), PROMISE)
    result = project.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["tumours: neg_log_loss -0.0* since recording 1 scored*, margin in all 0.060"])


def test_the_anchor_of_a_smaller_margin_is_stricter():
    assert held_against(last=-0.03, anchor=0.0, candidate=-0.06, margin=0.05).verdict == "worse"
