"""A failure says how much, how sure, where the loss sits and what to do: short by default, whole with -v."""

import re

import pytest

FOREST = "RandomForestClassifier(n_estimators=20)"
PROMISE = 'metrics=["neg_log_loss", "roc_auc", "accuracy"], cv=5'


def test_a_failure_is_explained_in_a_few_lines(project):
    project.check(FOREST, PROMISE)
    project.run("--update-baselines")
    project.check(FOREST.replace("20", "20, max_depth=1"), PROMISE)
    result = project.run()
    result.stdout.fnmatch_lines(
        [
            "tumours: neg_log_loss is worse by *, margin *",
            "neg_log_loss: -0.* -> -0.*; lower in 5 of 5 folds, most in fold * (-0.*).",
            "* rows are wrong now that were right, * the other way round: rows *, * (counted from 0).",
            "Find what the change lost (-v explains every metric), or keep the released model.",
        ]
    )
    (check,) = project.report()["checks"]
    assert len(check["advice"].splitlines()) <= 5
    flips = check["flips"]
    assert flips["lost"] > flips["won"]
    assert len(flips["rows"]) == 5
    assert flips["rows"] == sorted(flips["rows"])


def test_the_whole_story_names_the_rows_of_every_failing_metric(project):
    project.check(FOREST, PROMISE)
    project.run("--update-baselines")
    project.check(FOREST.replace("20", "20, max_depth=1"), PROMISE)
    result = project.run("-v")
    result.stdout.fnmatch_lines(["tumours, explained", "*It lost most on rows *"])
    failing = [m for m in project.report()["checks"][0]["metrics"] if m["verdict"] in ("worse", "inconclusive")]
    assert failing
    assert all(len(metric["losses"]) == 5 for metric in failing)


def test_rows_that_flipped_are_those_that_a_hand_count_finds(project):
    project.source(
        """
        class Stump(LogisticRegression):
            def predict(self, X):
                answers = super().predict(X)
                answers[X.index.isin([3, 40, 77])] = "none of them"
                return np.where(answers == "none of them", "malignant", answers)

        import os
        CANDIDATE = Stump(max_iter=5000) if os.path.exists("changed") else LogisticRegression(max_iter=5000)

        def test_tumours(model_check):
            model_check(CANDIDATE, data="data/tumours.csv", target="diagnosis", metrics={"accuracy": 1e-4}, cv=5)
        """
    )
    project.run("--update-baselines")
    (project.path / "changed").touch()
    project.run()
    flips = project.report()["checks"][0]["flips"]
    assert set(flips["rows"]) <= {3, 40, 77}
    assert flips["lost"] == len(flips["rows"])


def test_regression_names_the_rows_that_lost_most(project):
    source = """
        def test_patients(model_check):
            model_check({}, data="data/patients.csv", target="progression", metrics="neg_mean_absolute_error", cv=5)
        """
    project.source(source.format("Ridge(0.1)"))
    project.run("--update-baselines")
    project.source(source.format("Ridge(3000)"))
    result = project.run("-v")
    result.stdout.fnmatch_lines(["*neg_mean_absolute_error is worse by *", "*It lost most on rows *"])
    (check,) = project.report()["checks"]
    assert check["flips"] is None


def test_a_metric_that_hangs_on_one_row_is_reported(project):
    source = """
        def test_patients(model_check):
            model_check({}, data="data/patients.csv", target="progression", metrics={}, cv=5)
        """
    project.source(source.format("Ridge(0.1)", ["r2", "neg_max_error"]))
    assert project.run("--update-baselines").ret == 0
    assert project.baseline("patients")["metrics"]["neg_max_error"]["margin"]["value"] is None
    project.source(source.format("Ridge(0.2)", ["r2", "neg_max_error"]))
    assert project.run().ret == 0
    found = {metric["metric"]: metric for metric in project.report()["checks"][0]["metrics"]}
    assert found["neg_max_error"]["verdict"] == "reported"
    assert found["neg_max_error"]["delta"] is not None
    assert found["neg_max_error"]["low"] is None
    assert project.verdicts() == {"patients": found["r2"]["verdict"]}
    for metrics, said in (
        (["neg_max_error"], "nothing would be judged: neg_max_error hangs on a single row*"),
        ({"r2": None, "neg_max_error": 5.0}, "neg_max_error hangs on a single row: it can be reported, but no margin*"),
    ):
        project.source(source.format("Ridge(0.1)", metrics))
        result = project.run()
        assert result.ret == 1
        result.stdout.fnmatch_lines([f"patients: {said}"])


def test_a_metric_that_has_too_few_rows_of_a_class_is_reported_and_says_what_it_takes(project):
    source = """
        def nine_malignant(paths):
            tumours = pd.read_csv(paths[0])
            rank = tumours.groupby("diagnosis").cumcount()
            return tumours[(tumours.diagnosis == "benign") | (rank < 9)].reset_index(drop=True)

        def test_tumours(model_check):
            model_check(
                make_pipeline(StandardScaler(), LogisticRegression(C={})), load=nine_malignant,
                data="data/tumours.csv", target="diagnosis", metrics={}, cv=3,
            )
        """
    both = ["roc_auc", "f1_macro"]
    project.source(source.format(1, both))
    assert project.run("--update-baselines").ret == 0
    recorded = project.baseline()["metrics"]["f1_macro"]
    takes = "there are 3 rows of class malignant in fold 1, and it takes 5 rows of each class in every fold, or 5 folds"
    reason = "reported, not judged: too few rows of a class"
    assert recorded["margin"] == {"value": None, "kind": "few_rows", "reason": reason}
    assert recorded["standard_error"] > 0  # of three folds
    project.source(source.format(0.9, both))
    assert project.run().ret == 0
    found = {metric["metric"]: metric for metric in project.report()["checks"][0]["metrics"]}
    assert found["f1_macro"]["verdict"] == "reported"
    assert found["f1_macro"]["candidate"] is not None
    assert found["f1_macro"]["reason"] == f"it can't be judged: {takes}"
    assert found["roc_auc"]["verdict"] in ("held", "better")
    for metrics, said in (
        (["f1_macro"], f"nothing would be judged: f1_macro: {takes}"),
        ({"roc_auc": None, "f1_macro": 0.1}, f"f1_macro can be reported, but no margin of it can be defended: {takes}"),
    ):
        project.source(source.format(1, metrics))
        result = project.run()
        assert result.ret == 1
        result.stdout.fnmatch_lines([f"tumours: {said}"])


@pytest.mark.parametrize("update", [False, True])
def test_fold_scores_have_to_do_where_predictions_can_not_be_had(project, update):
    ini = project.path / "pytest.ini"
    strict = ini.read_text(encoding="utf-8")
    laxer = strict + "model_check_without_predictions = folds\n"
    ini.write_text(laxer, encoding="utf-8")  # so it was approved
    project.check(promise="cv=5")
    project.run("--update-baselines")
    ini.write_text(strict, encoding="utf-8")
    (project.path / "baselines" / "tumours.parquet").unlink()
    for kept in (project.path / ".dvc" / "cache").rglob("*"):
        if kept.is_file() and kept.stat().st_size == _size(project):
            kept.unlink()
    result = project.run()
    assert result.ret == 1
    assert project.verdicts() == {"tumours": "error"}
    ini.write_text(laxer, encoding="utf-8")
    result = project.run(*["--update-baselines"] * update)
    (check,) = project.report()["checks"]
    if update:  # what is recorded must know what it replaces
        assert check["verdict"] == "error"
        return
    assert check["verdict"] == "held"
    assert "its fold scores alone (corrected resampled t-test)" in check["message"]
    project.check("make_pipeline(StandardScaler(), LogisticRegression(C=1e-4))", "cv=5")
    project.run()
    assert project.verdicts() == {"tumours": "worse"}
    project.check(promise="cv=4")
    project.run()
    assert project.verdicts() == {"tumours": "incomparable"}


def _size(project) -> int:
    text = (project.path / "baselines" / "tumours.parquet.dvc").read_text(encoding="utf-8")
    return int(re.search(r"size: (\d+)", text)[1])
