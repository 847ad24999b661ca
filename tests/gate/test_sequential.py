"""A candidate is looked at again while it is inconclusive, as often as was declared before anything was seen."""

import numpy as np
import pytest
from pytest_model_check.gate.sequential import Look, looks
from pytest_model_check.judgement.judge import judge_metric
from pytest_model_check.judgement.noise import NoiseReference, measure
from pytest_model_check.judgement.verdicts import PASSING
from support.scores import scores

NOISY = "RandomForestClassifier(n_estimators=8, max_depth=4)"


@pytest.mark.parametrize("runs", [None, 1, 2, 3, 4, 5, 10])
def test_all_looks_together_spend_what_one_would(runs):
    declared = looks(runs)
    assert sum(look.alpha_fraction for look in declared) == pytest.approx(1)
    assert declared[0].seeds == 1
    assert [look.seeds for look in declared] == [seeds for seeds in (1, 3, 5) if seeds <= (runs or 1)]


def test_a_learner_without_randomness_is_looked_at_once():
    assert looks(None) == (Look(1, 1.0),)


def test_a_look_that_spends_less_is_wider():
    base = np.linspace(0, 1, 100)
    sides = scores(base), scores(base + 0.1 * np.resize([1, -1], 100))
    noise_reference = NoiseReference(-1.0, 0.0, np.inf, 10, 0.0)
    whole, part = (
        judge_metric("m", *sides, noise_reference, 0.1, alpha_fraction=alpha_fraction) for alpha_fraction in (1.0, 0.2)
    )
    assert part.low < whole.low
    assert part.high > whole.high
    assert part.resolution == whole.resolution
    assert part.probability_inconclusive > whole.probability_inconclusive


def test_a_loss_of_the_whole_margin_passes_one_time_in_twenty_over_all_looks():
    rng = np.random.default_rng(11)
    times, rows, folds, passed, tries = 1500, 60, 6, 0, 0
    noise_reference = NoiseReference(-9.0, 0.1 / np.sqrt(folds), 40.0, 10, 0.0)
    for _ in range(times):
        base = rng.normal(size=rows)

        def runs(seeds, shift, base=base):
            return scores(base + shift + np.repeat(rng.normal(0, 0.1, (seeds, folds)), rows // folds, axis=1))

        old, new = runs(10, 0.0), runs(5, -0.1)
        for look in looks(10):
            tries += 1
            found = judge_metric(
                "m", old, new.first(look.seeds), noise_reference, 0.1, alpha_fraction=look.alpha_fraction
            )
            if found.verdict != "inconclusive":
                break
        passed += found.verdict == "held"
    assert passed / times <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / times)
    assert tries > 2 * times


@pytest.mark.parametrize(("of_baseline", "of_candidate"), [(0.02, 0.02), (0.005, 0.02), (0.005, 0.05)])
def test_a_candidate_that_is_noisier_than_the_baseline_shows_it_in_its_folds(of_baseline, of_candidate):
    """Without a look at the folds a loss of the whole margin passed in 20 to 30% of cases."""
    rng = np.random.default_rng(12)
    times, rows, folds, passed, alarms = 800, 200, 10, 0, 0

    def runs(seeds, noise, base):
        return scores(base + np.repeat(rng.normal(0, noise * np.sqrt(folds), (seeds, folds)), 20, axis=1), folds=folds)

    for _ in range(times):
        base = rng.normal(size=rows)
        old = runs(10, of_baseline, base)
        noise_reference = measure(old, None, -9.0)
        differs = base + rng.normal(0, 0.1, rows)
        lost, equal = (runs(1, of_candidate, differs - loss) for loss in (0.05, 0.0))
        passed += judge_metric("m", old, lost, noise_reference, 0.05).verdict in PASSING
        alarms += judge_metric("m", old, equal, noise_reference, 1e-9).verdict == "worse"
    assert passed / times <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / times)
    assert alarms / times <= 0.02


def test_a_metric_that_is_new_is_no_reason_to_look_no_more(project):
    promise = 'metrics={"neg_log_loss": 0.012%s}, cv=5'
    project.check(NOISY, promise % "")
    assert project.run("--update-baselines").ret == 0
    project.check(NOISY.replace("8", "5"), promise % "")
    project.run()
    (alone,) = project.report()["checks"][0]["metrics"]
    project.check(NOISY.replace("8", "5"), promise % ', "roc_auc": 0.3')
    project.run()
    found = {metric["metric"]: metric for metric in project.report()["checks"][0]["metrics"]}
    assert found["neg_log_loss"] == alone
    assert found["roc_auc"]["verdict"] == "missing"


def test_what_is_refused_is_not_said_to_be_missing(project):
    project.check(NOISY, 'metrics={"neg_log_loss": 1e-5}, cv=5')
    assert project.run("--update-baselines").ret == 0
    project.check(NOISY.replace("8", "3"), 'metrics={"neg_log_loss": 1e-5, "roc_auc": 0.3}, cv=5')
    result = project.run("--update-baselines")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["refused baselines/tumours.json: the candidate is *, the baseline stays as it is"])
    assert "missing" not in project.report()["checks"][0]["message"]


def test_a_baseline_of_one_seed_knows_whether_its_learner_is_random(project):
    project.check(promise="cv=5, seeds=1")
    assert project.run("--update-baselines").ret == 0
    assert project.baseline()["metrics"]["neg_brier_score"]["noise"]["seeds"] is None
    project.check(NOISY, "cv=5, seeds=1", file="test_noisy.py")
    (project.path / "baselines" / "tumours.json").unlink()
    (project.path / "test_models.py").unlink()
    assert project.run("--update-baselines", "--model-check-jobs=1").ret == 0
    assert project.baseline()["metrics"]["neg_brier_score"]["noise"]["seeds"] == 1


def test_what_is_inconclusive_is_fitted_again_with_more_seeds(project):
    margin = 'metrics={"neg_log_loss": 0.012}, cv=5'
    project.check(NOISY, margin)
    assert project.run("--update-baselines").ret == 0
    project.check(NOISY.replace("8", "5"), margin)
    project.run()
    (check,) = project.report()["checks"]
    (metric,) = check["metrics"]
    assert metric["seeds"] > 1
    assert check["fits"] == metric["seeds"] * 5
    clock = {"seconds": 0, "times": None, "served": 0}
    again = project.report()["checks"][0] | clock
    project.run()
    assert project.report()["checks"][0] | clock == again  # the same candidate, the same verdict


def test_what_is_settled_is_not_looked_at_again(project):
    promise = 'metrics={"neg_log_loss": 0.012, "roc_auc": 0.3}, cv=5'
    project.check(NOISY, promise)
    assert project.run("--update-baselines").ret == 0
    project.check(NOISY.replace("8", "5"), promise)
    project.run()
    seeds = {metric["metric"]: metric["seeds"] for metric in project.report()["checks"][0]["metrics"]}
    assert seeds["roc_auc"] == 1 < seeds["neg_log_loss"]


def test_a_random_candidate_brings_its_own_noise_to_a_baseline_that_has_none(project):
    project.check(promise="cv=5")
    assert project.run("--update-baselines").ret == 0
    project.check(NOISY, "cv=5")
    project.run()
    (check,) = project.report()["checks"]
    assert check["metrics"][0]["seeds"] == 5
    project.check("DecisionTreeClassifier(max_depth=2)", "cv=5")  # random_state, but no two columns are as good
    project.run()
    assert project.report()["checks"][0]["metrics"][0]["seeds"] == 1
