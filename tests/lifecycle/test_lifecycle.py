"""A baseline's first days: record, run again, improve, lose."""

from __future__ import annotations

from support.project import LOGISTIC, Project


def test_without_a_baseline_a_check_fails_and_says_how_to_record_one(project: Project) -> None:
    project.check()
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["tumours: there is no baseline*", "*pytest --model-check --update-baselines*"])
    assert project.verdicts() == {"tumours": "missing"}
    assert project.stored() == {}


def test_record_run_again_lose_and_improve(project: Project) -> None:
    project.check(candidate="make_pipeline(StandardScaler(), LogisticRegression(C=0.003))", promise="metrics='roc_auc'")
    project.run("--update-baselines").assert_outcomes(passed=1)
    assert project.verdicts() == {"tumours": "recorded"}
    first = project.stored()
    assert sorted(first) == [".gitignore", "tumours.json", "tumours.parquet", "tumours.parquet.dvc"]

    project.run().assert_outcomes(passed=1)
    assert project.verdicts() == {"tumours": "identical"}
    project.run("--update-baselines").assert_outcomes(passed=1)
    assert project.stored() == first

    project.check(candidate="DecisionTreeClassifier(max_depth=1)", promise="metrics='roc_auc'")
    result = project.run("--update-baselines")
    assert result.ret == 1
    assert project.verdicts() == {"tumours": "worse"}
    assert project.stored() == first

    project.check(candidate=LOGISTIC, promise="metrics='roc_auc'")
    project.run("--update-baselines").assert_outcomes(passed=1)
    assert project.verdicts() == {"tumours": "better"}
    assert project.baseline()["generation"] == 2
    project.run().assert_outcomes(passed=1)
    assert project.verdicts() == {"tumours": "identical"}
