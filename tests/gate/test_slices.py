"""Slices raise alarms, and never have to prove themselves."""

from __future__ import annotations

from support.project import Project

SOURCE = """
from sklearn.base import BaseEstimator, ClassifierMixin


def load(paths):
    frame = pd.read_csv(paths[0])
    return frame.assign(ward=np.arange(len(frame)) % {wards})


class Model(ClassifierMixin, BaseEstimator):
    def __init__(self, blind=None):
        self.blind = blind

    def fit(self, X, y):
        self.model_ = make_pipeline(StandardScaler(), LogisticRegression()).fit(X.drop(columns="ward"), y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        answers = self.model_.predict_proba(X.drop(columns="ward"))
        answers[(X["ward"] == self.blind).to_numpy()] = 0.5
        return answers

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_tumours(model_check):
    model_check(Model({blind}), data="data/tumours.csv", target="diagnosis", load=load,
                metrics={{"neg_log_loss": {margin}}}, slices=["ward"], seeds=3, cv=5)
"""


def slices(project: Project) -> dict[str, str]:
    return {m["slice"]: m["verdict"] for c in project.report()["checks"] for m in c["metrics"] if m["slice"]}


def test_a_loss_in_one_slice_fails_the_check_and_is_named(project: Project) -> None:
    project.source(SOURCE.format(wards=8, blind="", margin=0.1))
    project.run("--update-baselines").assert_outcomes(passed=1)
    project.source(SOURCE.format(wards=8, blind="3", margin=0.1))
    result = project.run()
    check = project.report()["checks"][0]
    assert check["metrics"][0]["verdict"] == "held", "on all rows the loss is within the margin"
    assert check["verdict"] == "worse"
    assert check["message"].startswith("tumours: neg_log_loss [ward=3] is worse by 0.")
    assert [name for name, verdict in slices(project).items() if verdict == "worse"] == ["ward=3"]
    assert len(slices(project)) == 8
    result.stdout.fnmatch_lines(["tumours*neg_log_loss [[]ward=3]*worse"])
    result.stdout.no_fnmatch_line("*ward=4*")
    before = project.stored()
    project.run("--update-baselines").stdout.fnmatch_lines(["refused baselines/tumours.json: the candidate is worse*"])
    assert project.stored() == before


def test_slices_that_can_not_tell_do_not_block(project: Project) -> None:
    project.source(SOURCE.format(wards=8, blind="", margin=0.02))
    project.run("--update-baselines").assert_outcomes(passed=1)
    project.source(
        SOURCE.format(wards=8, blind="", margin=0.02).replace("LogisticRegression()", "LogisticRegression(C=0.7)")
    )
    project.run("-v").assert_outcomes(passed=1)
    assert project.verdicts() == {"tumours": "held"}
    assert set(slices(project).values()) <= {"held", "better", "inconclusive"}


def test_small_slices_raise_no_alarm_and_columns_with_too_many_values_are_refused(project: Project) -> None:
    project.source(SOURCE.format(wards=40, blind="", margin=0.1))
    project.run("--update-baselines").assert_outcomes(passed=1)
    project.source(SOURCE.format(wards=40, blind="3", margin=0.1))
    project.run().assert_outcomes(passed=1)
    assert slices(project) == {}

    project.source(SOURCE.format(wards=40, blind="3", margin=0.1).replace('slices=["ward"]', 'slices=["mean radius"]'))
    project.run().assert_outcomes(failed=1)
    assert "'mean radius', which has 456 different values" in project.report()["checks"][0]["message"]
