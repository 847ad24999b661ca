"""An estimator as the candidate: cloned, given its random state, fitted on the training rows, asked for responses."""

from __future__ import annotations

import re
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.candidates import sample_weights
from pytest_model_check.candidates.random_states import seeded_generators, set_random_states
from pytest_model_check.candidates.responses import RESPONSES, Answers, aligned, checked
from pytest_model_check.checks.reader_options import hint
from pytest_model_check.errors import CandidateError

if TYPE_CHECKING:
    import pandas as pd

NO_NUMBER = re.compile(r"could not convert string to float: (['\"])(.*)\1")


def answer(
    candidate: Any,
    train: tuple[pd.DataFrame, NDArray[Any]],
    test: Callable[[], pd.DataFrame],
    random_state: np.random.SeedSequence,
    classes: NDArray[Any] | None,
    sample_weight: NDArray[np.float64] | None = None,
) -> Answers:
    """Fit a clone of the candidate on `train`, and ask it about `test`.

    Parameters
    ----------
    candidate : estimator
        Left as it is: a clone is fitted.
    train : (DataFrame, ndarray)
        Features and target.
    test : callable
        Returns the rows that the clone has not seen, once it is fitted.
    random_state : numpy.random.SeedSequence
        Decides every ``random_state`` parameter, whatever the candidate set: no seed shopping, and one shared integer
        for all folds would hide the seed noise. It seeds the generators that a process shares, too.
    classes : ndarray or None
        All labels of the data; columns of absent ones are filled as `sklearn.model_selection.cross_val_predict` does.
    sample_weight : ndarray of shape (n_train,) or None
        How much each row of `train` counts.

    Raises
    ------
    CandidateError
        If the candidate raises, answers NaN, or answers for another number of rows.
    """
    from sklearn.base import clone
    from threadpoolctl import threadpool_limits

    seen = [train[0]]
    # One thread a fit: sums then run in one order, and the answers do not depend on the number of jobs.
    with (
        warnings.catch_warnings(record=True) as caught,
        threadpool_limits(limits=1),
        seeded_generators(random_state),
    ):
        warnings.simplefilter("always")
        try:
            model = clone(candidate)
            set_random_states(model, random_state)
            began = time.perf_counter()
            sample_weights.fit(model, *train, sample_weight)
            fitted = time.perf_counter()
            rows = test()
            seen.append(rows)
            raw = _ask(model, rows)
            seconds = (fitted - began, time.perf_counter() - fitted)
        except Exception as error:
            raise in_column(raised(error), error, *seen) from error
    return Answers(_understood(model, raw, len(rows), classes), warnings_once(caught), seconds)


def ask_fitted(model: Any, test: pd.DataFrame, classes: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    """Ask a fitted model about rows.

    Raises
    ------
    CandidateError
        As `answer`.
    """
    try:
        raw = _ask(model, test)
    except Exception as error:
        raise in_column(raised(error), error, test) from error
    return _understood(model, raw, len(test), classes)


def warnings_once(caught: Sequence[warnings.WarningMessage]) -> tuple[tuple[type[Warning], str], ...]:
    """Return what was warned of, each once."""
    return tuple({(w.category, str(w.message)): None for w in caught})


def _understood(model: Any, raw: Mapping[str, Any], rows: int, classes: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    """Check every response, and bring it to the classes of the whole data."""
    if "predict" not in raw:
        raise CandidateError("the fitted candidate has no predict", "Does its last step predict, or only transform?")
    responses = {name: checked(name, answers, rows) for name, answers in raw.items()}
    if classes is not None:
        known = getattr(model, "classes_", classes)
        responses = {name: aligned(name, answers, known, classes) for name, answers in responses.items()}
    return responses


def _ask(model: Any, test: pd.DataFrame) -> dict[str, Any]:
    """Get every response that the fitted model has."""
    from sklearn.pipeline import Pipeline

    rows: Any = test
    if type(model) is Pipeline and len(model) > 1:  # transform once, not for every response anew
        rows, model = model[:-1].transform(test), model[-1]
    return {name: getattr(model, name)(rows) for name in RESPONSES if hasattr(model, name)}


def in_column(found: CandidateError, error: Exception, *rows: pd.DataFrame) -> CandidateError:
    """Name the column whose words a model took for numbers, and what to do about them; scikit-learn names the value."""
    said = NO_NUMBER.search(str(error))
    if said is None:
        return found
    value = said[2]
    holders = (
        column
        for frame in rows
        for i, column in enumerate(frame.columns)
        if frame.dtypes.iloc[i].kind not in "biufcmM" and bool((frame.iloc[:, i].astype(str) == value).any())
    )
    column = next(holders, None)
    if column is None:
        return found
    encode = f"Let the model encode it (OneHotEncoder in make_column_transformer), or leave {column!r} out of features="
    advice = hint(value) or encode
    return CandidateError(f"{found.message} (in the column {column!r})", f"{advice}\n{found.advice}")


def raised(error: Exception) -> CandidateError:
    """Name the exception in a short line, and show below it where it came from: it may have happened elsewhere."""
    text = (str(error).strip() or "no message").splitlines()[0]
    trace = "".join(traceback.format_exception(error, limit=-3, chain=False))
    return CandidateError(
        f"the candidate raised {type(error).__name__}: {text if len(text) <= 120 else text[:117] + '...'}",
        trace[:2000].rstrip(),
    )
