"""Recording says how good a yardstick the baseline is, and so does the pull request that brings it."""

from support.branches import commit
from support.project import Project

FOREST = "RandomForestClassifier(n_estimators=5, random_state=0)"


def test_a_recording_that_can_hardly_fail_is_loud_and_told_what_is_better(project: Project):
    project.check(FOREST, 'metrics={"accuracy": 0.2}, seeds=3, cv=3')
    done = project.run("--update-baselines", "--model-check-report=report.md", "--model-check-report=report.html")
    assert done.ret == 0
    done.stdout.fnmatch_lines(
        ["Hardly fails: tumours: the margin of accuracy, 0.20, is *% of its skill above a dummy: a loss just below*"]
    )
    assert "tumours, its new baseline as a yardstick" in done.outlines
    (check,) = project.report()["checks"]
    (metric,) = check["quality"]["metrics"]
    assert (metric["metric"], metric["margin"], metric["rows"]) == ("accuracy", 0.2, 569)
    assert {"neg_brier_score", "neg_log_loss"} & {one["metric"] for one in check["quality"]["alternatives"]}
    for report in ("report.md", "report.html"):
        text = (project.path / report).read_text(encoding="utf-8")
        assert "ardly fail" in text
        assert "is caught 95 times in 100" in text


def test_a_pull_request_that_brings_a_baseline_says_how_good_it_is(project: Project):
    project.git("checkout", "-qb", "branch")
    project.check(FOREST, "metrics='roc_auc', seeds=2, cv=3")
    assert project.run("--update-baselines").ret == 0
    commit(project, "Bring a baseline")
    assert project.run("--model-check-against", "main").ret == 0
    (check,) = project.report()["checks"]
    assert check["verdict"] == "new"
    assert [metric["metric"] for metric in check["quality"]["metrics"]] == ["roc_auc"]
    project.git("checkout", "-q", "main")
    project.git("merge", "-q", "branch")
    assert project.run().ret == 0
    assert project.report()["checks"][0]["quality"] is None
