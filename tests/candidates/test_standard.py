"""Standard pipelines: what a name means, and its source code, are the same; any table can be fitted."""

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.candidates import standard
from pytest_model_check.candidates.named import named
from pytest_model_check.checks.describe import describe
from pytest_model_check.errors import PromiseError

TASKS = [(task, name) for task in ("classification", "regression") for name in standard.names(task)]


@pytest.mark.parametrize(("task", "name"), TASKS)
def test_the_source_code_makes_what_the_name_means(task, name):
    imports, code = standard.source(name, task)
    space: dict[str, object] = {}
    exec("\n".join(imports) + "\n\n\n" + code, space)
    assert describe(space["model"]()) == describe(standard.make(name, task))
    assert max(map(len, code.splitlines())) <= 120


@pytest.mark.parametrize(("task", "name"), TASKS)
def test_numbers_words_truths_and_missing_values_are_all_taken(task, name):
    rng = np.random.default_rng(0)
    rows = 60
    X = pd.DataFrame(
        {
            "number": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "word": rng.choice(["a", "b", None], rows),
            "truth": rng.random(rows) < 0.5,
            "truth or nothing": rng.choice(np.array([True, False, None], dtype=object), rows),
        }
    )
    y = rng.integers(0, 2, rows)
    model = standard.make(name, task).fit(X[:40], y[:40])
    assert np.isfinite(model.predict(X[40:].assign(word="new"))).all()


def test_what_is_not_there_is_refused_with_what_is():
    with pytest.raises(PromiseError, match="'ridge' is no standard pipeline for classification") as error:
        named("ridge", "classification")
    assert "dummy, logistic, neighbors, forest, boosting" in str(error.value)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere.at_all:model", "can't be imported: ModuleNotFoundError"),
        ("sklearn.linear_model:Rigde", "can't be imported: AttributeError"),
        ("sklearn.ensemble:VotingClassifier", "can't be called: TypeError"),
        (":model", "is no import path"),
    ],
)
def test_an_import_path_that_leads_nowhere_is_refused(path, words):
    with pytest.raises(PromiseError, match=words):
        named(path, "classification")


def test_an_import_path_leads_to_a_class():
    assert describe(named("sklearn.linear_model:Ridge", "regression")) == "Ridge()"
