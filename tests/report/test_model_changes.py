"""Two models become the parameters that differ, or nothing where they are of two kinds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_model_check.checks.describe import describe
from pytest_model_check.report.model_changes import changes
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, RobustScaler, StandardScaler
from sklearn.svm import SVC


def columns(*names, **parameters):
    return make_pipeline(make_column_transformer((OneHotEncoder(**parameters), [*names])), SVC())


@pytest.mark.parametrize(
    ("released", "candidate", "said"),
    [
        (LogisticRegression(C=2), LogisticRegression(C=3, max_iter=5), ["C: 2 -> 3", "max_iter: default -> 5"]),
        (SVC(kernel="a, (b"), SVC(kernel="c'"), ["kernel: 'a, (b' -> \"c'\""]),
        (
            make_pipeline(StandardScaler(), SVC()),
            make_pipeline(StandardScaler(with_mean=False), SVC(C=2)),
            ["standardscaler.with_mean: default -> False", "svc.C: default -> 2"],
        ),
        (
            make_pipeline(StandardScaler(), SVC(C=2)),
            make_pipeline(RobustScaler(), SVC()),
            [
                "standardscaler: StandardScaler() -> absent",
                "svc.C: 2 -> default",
                "robustscaler: absent -> RobustScaler()",
            ],
        ),
        (
            columns("a", "b"),
            columns("a", "c", drop="first"),
            [
                "columntransformer.transformers.onehotencoder[0].drop: default -> 'first'",
                "columntransformer.transformers.onehotencoder[1][1]: 'b' -> 'c'",
            ],
        ),
        (
            GridSearchCV(SVC(), {"C": [1, 2]}),
            GridSearchCV(SVC(kernel="linear"), {"C": [1, 2, 3]}),
            ["estimator.kernel: default -> 'linear'", "param_grid.C: [1, 2] -> [1, 2, 3]"],
        ),
        (
            VotingClassifier([("a", SVC()), ("b", SVC())]),
            VotingClassifier([("a", SVC()), ("b", SVC(C=3))]),
            ["estimators.b.C: default -> 3"],
        ),
        (SVC(), LogisticRegression(), []),
        (SVC(), SVC(), []),
        (RandomForestClassifier(), make_pipeline(RandomForestClassifier()), []),
    ],
)
def test_what_differs_is_named_as_scikit_learn_names_it(released, candidate, said):
    assert list(map(str, changes(describe(released), describe(candidate)))) == said


@given(st.text("ab('\"[]{}=, \\"), st.text("ab('\"[]{}=, \\"))
def test_no_description_is_too_odd(released, candidate):
    assert all(change.parameter for change in changes(released, candidate))
