"""Standard pipelines by name: a first model of each kind, for any table of numbers, words and missing values."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pytest_model_check.errors import PromiseError


@dataclass(frozen=True)
class Standard:
    """A standard pipeline: what the learner needs of the columns, and the learner with few settings of its own.

    Parameters
    ----------
    name, words : str
        What a user types, and what a sentence calls it.
    module, classifier, regressor : str
        Where the learner is, and what it is called there; empty: there is none for this task.
    settings : str
        Its arguments, as source code.
    columns : {'scaled', 'plain'} or None
        Numbers imputed and scaled, or as they are; words one-hot. None: it looks at no column.
    """

    name: str
    words: str
    module: str
    classifier: str
    regressor: str
    settings: str = ""
    columns: str | None = "scaled"

    def learner(self, task: str) -> str:
        """Return the name of the learner's class; empty where it has none for this task."""
        return self.classifier if task == "classification" else self.regressor


STANDARD = (  # the simplest first
    Standard("dummy", "a dummy", "sklearn.dummy", "DummyClassifier", "DummyRegressor", "", None),
    Standard("logistic", "logistic regression", "sklearn.linear_model", "LogisticRegression", "", "max_iter=1000"),
    Standard("ridge", "ridge regression", "sklearn.linear_model", "", "Ridge"),
    Standard(
        "neighbors", "nearest neighbours", "sklearn.neighbors", "KNeighborsClassifier", "KNeighborsRegressor",
        "n_neighbors=15",
    ),
    Standard(
        "forest", "a random forest", "sklearn.ensemble", "RandomForestClassifier", "RandomForestRegressor",
        "min_samples_leaf=2", "plain",
    ),
    Standard(
        "boosting", "histogram gradient boosting", "sklearn.ensemble", "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor", "", "plain",
    ),
)  # fmt: skip
MOST_CATEGORIES = 30  # of a column of words; the rarest share one column


def names(task: str) -> list[str]:
    """Return the names of the standard pipelines for a task, the simplest first."""
    return [standard.name for standard in STANDARD if standard.learner(task)]


def find(name: str, task: str) -> Standard:
    """Return the standard pipeline of this name.

    Raises
    ------
    PromiseError
        If there is none for this task.
    """
    found = next((standard for standard in STANDARD if standard.name == name and standard.learner(task)), None)
    if found is None:
        raise PromiseError(f"{name!r} is no standard pipeline for {task}", f"There are: {', '.join(names(task))}.")
    return found


def make(name: str, task: str) -> Any:
    """Return the standard pipeline of this name, not fitted.

    Raises
    ------
    PromiseError
        If there is none for this task.
    """
    from sklearn.pipeline import make_pipeline

    standard = find(name, task)
    learner = getattr(import_module(standard.module), standard.learner(task))(**_settings(standard))
    if standard.columns is None:
        return learner
    return make_pipeline(_columns(scaled=standard.columns == "scaled"), learner)


def _settings(standard: Standard) -> dict[str, Any]:
    pairs = (setting.split("=") for setting in standard.settings.split(", ") if setting)
    return {key: int(value) for key, value in pairs}


def _columns(*, scaled: bool) -> Any:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()) if scaled else "passthrough"
    words = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES, sparse_output=False)
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (words, make_column_selector(dtype_exclude="number")),
    )


def source(name: str, task: str) -> tuple[list[str], str]:
    """Return the source code of what `make` returns: its imports, and a function ``model()`` that builds it."""
    standard = find(name, task)
    learner = standard.learner(task)
    imports = [f"from {standard.module} import {learner}"]
    call = f"{learner}({standard.settings})"
    if standard.columns is None:
        return imports, f"def model():\n    return {call}\n"
    imports += [
        "from sklearn.compose import make_column_selector, make_column_transformer",
        "from sklearn.pipeline import make_pipeline",
    ]
    if standard.columns == "scaled":
        imports += ["from sklearn.impute import SimpleImputer"]
        imports += ["from sklearn.preprocessing import OneHotEncoder, StandardScaler"]
        reason = "missing numbers become the median; all are brought to one scale"
        numbers = 'make_pipeline(SimpleImputer(strategy="median"), StandardScaler())'
    else:
        imports += ["from sklearn.preprocessing import OneHotEncoder"]
        reason = "trees take numbers as they are, missing ones too"
        numbers = '"passthrough"'
    return sorted(imports), (
        "def model():\n"
        f"    # {reason}\n"
        f"    numbers = {numbers}\n"
        f"    # a column of 0 and 1 for each word; a missing word is one of them, rare and new ones share one\n"
        f'    words = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories={MOST_CATEGORIES}, '
        "sparse_output=False)\n"
        "    columns = make_column_transformer(\n"
        '        (numbers, make_column_selector(dtype_include="number")),\n'
        '        (words, make_column_selector(dtype_exclude="number")),\n'
        "    )\n"
        f"    return make_pipeline(columns, {call})\n"
    )
