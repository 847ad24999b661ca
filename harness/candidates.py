"""What can be fitted and asked: one fit of a candidate, from its random state to its answers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import CandidateError
from harness.predictions import RESPONSES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Answers:
    """What one fitted candidate answered for the rows it was not fitted on.

    Parameters
    ----------
    responses : mapping of str to ndarray
        ``predict``, ``predict_proba`` and ``decision_function``, as far as the model has them.
    warned : tuple of (type, str)
        The warnings of the fit, each once.
    """

    responses: Mapping[str, NDArray[Any]]
    warned: tuple[tuple[type[Warning], str], ...]


def answer(
    candidate: Any,
    train: tuple[pd.DataFrame, NDArray[Any]],
    test: pd.DataFrame,
    random_state: np.random.SeedSequence,
    classes: NDArray[Any] | None,
) -> Answers:
    """Fit a clone of the candidate on `train`, and ask it about `test`.

    Parameters
    ----------
    candidate : estimator
        Left as it is: a clone is fitted.
    train : (DataFrame, ndarray)
        Features and target.
    test : DataFrame of shape (n, features)
        Rows the clone has not seen.
    random_state : numpy.random.SeedSequence
        Decides every ``random_state`` parameter, whatever the candidate set: no seed shopping, and one shared integer
        for all folds would hide the seed noise.
    classes : ndarray or None
        All labels of the data; columns of absent ones are filled as `sklearn.model_selection.cross_val_predict` does.

    Raises
    ------
    CandidateError
        If the candidate raises, answers NaN, or answers for another number of rows.
    """
    from sklearn.base import clone
    from threadpoolctl import threadpool_limits

    # One thread a fit: sums then run in one order, and the answers do not depend on the number of jobs.
    with warnings.catch_warnings(record=True) as caught, threadpool_limits(limits=1):
        warnings.simplefilter("always")
        try:
            model = clone(candidate)
            _seed(model, random_state)
            model.fit(*train)
            raw = {name: getattr(model, name)(test) for name in RESPONSES if hasattr(model, name)}
        except Exception as error:
            text = " ".join(str(error).split()) or "no message"
            raise CandidateError(f"the candidate raised {type(error).__name__}: {text[:500]}") from error
    responses = {name: _checked(name, answers, len(test)) for name, answers in raw.items()}
    if classes is not None:
        known = getattr(model, "classes_", classes)
        responses = {name: _aligned(name, answers, known, classes) for name, answers in responses.items()}
    return Answers(responses, tuple({(w.category, str(w.message)): None for w in caught}))


def _seed(model: Any, random_state: np.random.SeedSequence) -> None:
    """Set every parameter called ``random_state``, nested ones too (in a fixed order), each from its own number."""
    names = sorted(
        name for name in model.get_params(deep=True) if name == "random_state" or name.endswith("__random_state")
    )
    numbers = random_state.generate_state(len(names)) >> 1  # 31 bits: some learners take signed integers only
    if names:
        model.set_params(**{name: int(number) for name, number in zip(names, numbers, strict=True)})


def _checked(name: str, answers: Any, rows: int) -> NDArray[Any]:
    if isinstance(answers, list) or np.ndim(answers) > 2 or (name == "predict" and np.ndim(answers) != 1):
        raise CandidateError(f"{name} answers {np.shape(answers)}: only models of one target can be judged")
    array = np.asarray(answers)
    if array.dtype.kind not in "biuf":
        array = array.astype(object)
    if len(array) != rows:
        raise CandidateError(f"{name} answers {len(array)} rows where it was asked about {rows}")
    if array.dtype.kind == "f":
        bad = ~np.isfinite(array).reshape(rows, -1).all(axis=1)
        if bad.any():
            raise CandidateError(f"{name} answers NaN or infinity for {int(bad.sum())} of {rows} rows")
        array = array.astype(np.float64)
    return array


def _aligned(name: str, answers: NDArray[Any], known: Any, classes: NDArray[Any]) -> NDArray[Any]:
    """Bring the columns of a fold that lacks a class to the order of all classes."""
    if answers.ndim == 1 or np.array_equal(known, classes):
        return answers
    columns = np.searchsorted(classes, known)
    if answers.shape[1] != len(columns) or not np.array_equal(classes[np.minimum(columns, len(classes) - 1)], known):
        raise CandidateError(f"{name} answers {answers.shape[1]} columns for classes {list(classes)}")
    fill = 0.0 if name == "predict_proba" else float(np.finfo(np.float64).min)
    full = np.full((len(answers), len(classes)), fill)
    full[:, columns] = answers
    return full


def make_dummy(task: str) -> Any:
    """Give the learner that looks at no feature: the level a model must beat."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return DummyClassifier(strategy="prior") if task == "classification" else DummyRegressor(strategy="mean")


def describe(candidate: Any) -> str:
    """Show the candidate in one line, as scikit-learn prints it (only what differs from the defaults)."""
    return " ".join(repr(candidate).split())
