"""A check that names no metric has the default one; an earlier baseline keeps the default of its time."""

LINEAR = "LogisticRegression(max_iter=5000)"


def test_a_new_check_has_the_brier_score_and_an_earlier_baseline_keeps_log_loss(project):
    project.check(LINEAR, "cv=5")
    assert project.run("--update-baselines").ret == 0
    assert [*project.baseline()["metrics"]] == ["neg_brier_score"]

    project.check(LINEAR, 'metrics="neg_log_loss", cv=5')
    project.run("--update-baselines", "--model-check-accept", "the metric that was the default once")
    assert [*project.baseline()["metrics"]] == ["neg_log_loss"]
    project.check(LINEAR, "cv=5")
    project.run().assert_outcomes(passed=1)
    found = project.report()["checks"][0]
    assert (found["verdict"], [metric["metric"] for metric in found["metrics"]]) == ("identical", ["neg_log_loss"])


def test_another_metric_that_is_no_longer_named_is_a_weaker_promise(project):
    project.check(LINEAR, 'metrics="roc_auc", cv=5')
    assert project.run("--update-baselines").ret == 0
    project.check(LINEAR, "cv=5")
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*the metric roc_auc was dropped*"])
