"""What can be fitted and asked: one fit of a candidate, from its random state to its answers."""

from __future__ import annotations

import re
import traceback
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

DIMENSIONS = {"predict": (1,), "predict_proba": (2,), "decision_function": (1, 2)}
ONE_TARGET = (
    "Only models of one target can be judged: for each row, predict answers one value, predict_proba one per class."
)


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
            raw = _ask(model, test)
        except Exception as error:
            raise _raised(error) from error
    if "predict" not in raw:
        raise CandidateError("the fitted candidate has no predict", "Does its last step predict, or only transform?")
    responses = {name: _checked(name, answers, len(test)) for name, answers in raw.items()}
    if classes is not None:
        known = getattr(model, "classes_", classes)
        responses = {name: _aligned(name, answers, known, classes) for name, answers in responses.items()}
    return Answers(responses, tuple({(w.category, str(w.message)): None for w in caught}))


def _ask(model: Any, test: pd.DataFrame) -> dict[str, Any]:
    """Get every response that the fitted model has."""
    from sklearn.pipeline import Pipeline

    rows: Any = test
    if type(model) is Pipeline and len(model) > 1:  # transform once, not for every response anew
        rows, model = model[:-1].transform(test), model[-1]
    return {name: getattr(model, name)(rows) for name in RESPONSES if hasattr(model, name)}


def _seed(model: Any, random_state: np.random.SeedSequence) -> None:
    """Set every parameter called ``random_state``, nested ones too (in a fixed order), each from its own number.

    A splitter inside, a search's ``cv``, has one that is no parameter: unset, it would draw from numpy's global state.
    """
    found = model.get_params(deep=True)
    names = sorted(name for name in found if name == "random_state" or name.endswith("__random_state"))
    splitters = [
        found[name] for name in sorted(found) if hasattr(found[name], "split") and hasattr(found[name], "random_state")
    ]
    numbers = random_state.generate_state(len(names) + len(splitters)) >> 1  # 31 bits: some take signed integers only
    if names:
        model.set_params(**{name: int(number) for name, number in zip(names, numbers, strict=False)})
    for splitter, number in zip(splitters, numbers[len(names) :], strict=True):
        splitter.random_state = int(number)


def _raised(error: Exception) -> CandidateError:
    """Name the exception in a short line, and show below it where it came from: it may have happened elsewhere."""
    text = (str(error).strip() or "no message").splitlines()[0]
    trace = "".join(traceback.format_exception(error, limit=-3, chain=False))
    return CandidateError(
        f"the candidate raised {type(error).__name__}: {text if len(text) <= 120 else text[:117] + '...'}",
        trace[:2000].rstrip(),
    )


def _checked(name: str, answers: Any, rows: int) -> NDArray[Any]:
    import pandas as pd

    try:
        array = np.asarray(answers)
    except ValueError as error:  # parts of different lengths
        raise CandidateError(f"{name} answers a {type(answers).__name__} of unequal parts", ONE_TARGET) from error
    if array.ndim not in DIMENSIONS[name]:
        what = f"an array of shape {array.shape}" if array.ndim else type(answers).__name__
        raise CandidateError(f"{name} answers {what} where it was asked about {rows} rows", ONE_TARGET)
    if len(array) != rows:
        raise CandidateError(
            f"{name} answers {len(array)} rows where it was asked about {rows}", "It must answer every row it is given."
        )
    if array.dtype.kind not in "biuf":
        if name != "predict":
            raise CandidateError(f"{name} answers no numbers ({array.dtype})", ONE_TARGET)
        array = array.astype(object)
    bad = (pd.isna(array) if array.dtype.kind == "O" else ~np.isfinite(array)).reshape(rows, -1).any(axis=1)
    if bad.any():
        raise CandidateError(
            f"{name} answers NaN or infinity for {int(bad.sum())} of {rows} rows",
            "Does it divide by zero, or diverge? Such an answer can't be scored.",
        )
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _aligned(name: str, answers: NDArray[Any], known: Any, classes: NDArray[Any]) -> NDArray[Any]:
    """Bring the columns of a fold that lacks a class to the order of all classes."""
    if answers.ndim == 1 or (np.array_equal(known, classes) and name != "predict_proba"):
        return answers
    columns = [np.flatnonzero(classes == label) for label in known]
    if answers.shape[1] != len(columns) or any(len(column) != 1 for column in columns):
        raise CandidateError(
            f"{name} answers {answers.shape[1]} columns for classes {_shown(known)}, the data has {_shown(classes)}",
            "Its columns must be those of its classes_, and these be labels of the target.",
        )
    if name == "predict_proba":
        _require_probabilities(answers)
    fill = 0.0 if name == "predict_proba" else float(np.finfo(np.float64).min)
    full = np.full((len(answers), len(classes)), fill)
    full[:, np.concatenate(columns)] = answers
    return full


def _require_probabilities(answers: NDArray[Any]) -> None:
    """Refuse what is no probability: its log loss can be as good as one likes."""
    sums = answers.sum(axis=1)
    if (answers < 0).any() or (np.abs(sums - 1) > 1e-3).any():
        raise CandidateError(
            "predict_proba answers no probabilities: the sums of its rows range "
            f"from {sums.min():.4g} to {sums.max():.4g}" + (", some are negative" if (answers < 0).any() else ""),
            "Each row must hold numbers from 0 to 1 that sum to 1.",
        )


def _shown(classes: Any) -> str:
    labels = [str(label) for label in classes]
    return ", ".join(labels[:4]) + (f" and {len(labels) - 4} more" if len(labels) > 4 else "")


def make_dummy(task: str) -> Any:
    """Give the learner that looks at no feature: the level a model must beat."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return DummyClassifier(strategy="prior") if task == "classification" else DummyRegressor(strategy="mean")


def describe(candidate: Any) -> str:
    """Show the candidate in one line, as scikit-learn prints it (only what differs from the defaults).

    Where an object lies in memory is left out: it is another place in every run.
    """
    return re.sub(r" at 0x[0-9a-fA-F]+(?=>)", "", " ".join(repr(candidate).split()))
