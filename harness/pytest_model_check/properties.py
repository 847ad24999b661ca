"""Ready properties of a model's behaviour, for tests with Hypothesis or without: each raises an AssertionError."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.errors import PromiseError

if TYPE_CHECKING:
    import pandas as pd

    Model = Any | Callable[[pd.DataFrame], Any]

__all__ = [
    "answers",
    "finite",
    "monotone",
    "unmoved_by_batches",
    "unmoved_by_column",
    "unmoved_by_order",
    "unmoved_by_rounding",
]

EXACT = 1e-6  # of an answer: sums in another order differ in the last digits


def unmoved_by_order(model: Model, rows: pd.DataFrame, *, tolerance: float = EXACT) -> None:
    """Hold the answers to rows in their order against those in the opposite order.

    Parameters
    ----------
    model : estimator or callable
        Fitted; asked for ``predict_proba`` (of two classes: of the second), or else ``predict``. Or what answers rows.
    rows : DataFrame
        E.g. as `pytest_model_check.strategies.rows` draws them.
    tolerance : float
        By how much numbers may differ, relative to those above 1.

    Raises
    ------
    AssertionError
        Naming the row whose answer depends on its place.
    """
    _require_same(answers(model, rows), answers(model, rows[::-1])[::-1], tolerance, "in their order", "in reverse")


def unmoved_by_batches(model: Model, rows: pd.DataFrame, *, tolerance: float = EXACT) -> None:
    """Hold the answers to all rows together against those to each row alone; parameters as `unmoved_by_order`.

    Raises
    ------
    AssertionError
        Naming the row whose answer depends on its company.
    """
    alone = [answers(model, rows.iloc[[i]]) for i in range(len(rows))]
    if alone:
        _require_same(answers(model, rows), np.concatenate(alone), tolerance, "together", "alone")


def finite(model: Model, rows: pd.DataFrame, low: float | None = None, high: float | None = None) -> None:
    """Hold the answers to be there, finite, and within a range.

    Parameters
    ----------
    model, rows
        As `unmoved_by_order`.
    low, high : float, optional
        The range of numbers. Default: of probabilities 0 to 1, of others none.

    Raises
    ------
    AssertionError
        Naming the first row whose answer is not.
    """
    found = answers(model, rows)
    assert len(found) == len(rows), f"{len(found)} answers to {len(rows)} rows"
    if found.dtype.kind not in "iufb":
        import pandas as pd

        lacking = pd.isna(found.ravel())
        assert not lacking.any(), f"row {int(lacking.argmax())}: no answer"
        return
    if hasattr(model, "predict_proba"):
        low, high = (0.0 if low is None else low), (1.0 if high is None else high)
    numbers = found.astype(float)
    wrong = ~np.isfinite(numbers)
    wrong |= False if low is None else numbers < low
    wrong |= False if high is None else numbers > high
    row = int(wrong.any(axis=tuple(range(1, wrong.ndim))).argmax()) if len(wrong) else 0
    allowed = "finite" + ("" if low is None else f", from {low:g}") + ("" if high is None else f", up to {high:g}")
    assert not wrong.any(), f"row {row}: {_shown(found[row])}, which is not {allowed}"


def monotone(
    model: Model, rows: pd.DataFrame, column: str, by: float, *, increasing: bool = True, tolerance: float = EXACT
) -> None:
    """Hold that the answer does not fall (or, not increasing, rise) where a column is raised.

    Parameters
    ----------
    model, rows, tolerance
        As `unmoved_by_order`; the answers must be one number a row.
    column : str
        What is raised.
    by : float
        How much.
    increasing : bool
        Whether the answer may rise, and not fall.

    Raises
    ------
    AssertionError
        Naming the row whose answer moves the other way.
    """
    raised = rows.assign(**{column: rows[column] + by})
    before, after = answers(model, rows), answers(model, raised)
    if before.ndim != 1 or before.dtype.kind not in "iufb":
        raise PromiseError(
            "monotone() needs one number a row, and the model answers others",
            "Pass a function: monotone(lambda rows: model.predict_proba(rows)[:, 2], rows, ...)",
        )
    change = (after.astype(float) - before.astype(float)) * (1 if increasing else -1)
    wrong = change < -tolerance * np.maximum(1, np.abs(before.astype(float)))
    row = int(wrong.argmax()) if len(wrong) else 0
    way = "falls" if increasing else "rises"
    assert not wrong.any(), (
        f"row {row}: the answer {way} from {_shown(before[row])} to {_shown(after[row])} where {column} is {by:g} more"
    )


def unmoved_by_column(
    model: Model, rows: pd.DataFrame, column: str, to: Any = None, *, tolerance: float = EXACT
) -> None:
    """Hold that a column which should not matter does not.

    Parameters
    ----------
    model, rows, tolerance
        As `unmoved_by_order`.
    column : str
        What should not matter.
    to : object, optional
        What it is set to. Default: each row gets the value of the row before it.

    Raises
    ------
    AssertionError
        Naming the row whose answer changes.
    """
    other = rows[column].iloc[np.roll(np.arange(len(rows)), 1)].set_axis(rows.index) if to is None else to
    changed = answers(model, rows.assign(**{column: other}))
    _require_same(answers(model, rows), changed, tolerance, "as it is", f"with another {column}")


def unmoved_by_rounding(model: Model, rows: pd.DataFrame, decimals: int, *, tolerance: float) -> None:
    """Hold that rounding the numbers of all columns changes the answers by no more than `tolerance`.

    Parameters
    ----------
    model, rows, tolerance
        As `unmoved_by_order`.
    decimals : int
        That are kept.

    Raises
    ------
    AssertionError
        Naming the row whose answer changes by more.
    """
    numbers = [column for column in rows.columns if rows[column].dtype.kind == "f"]
    rounded = rows.assign(**{column: rows[column].round(decimals) for column in numbers})
    words = f"rounded to {decimals} decimals"
    _require_same(answers(model, rows), answers(model, rounded), tolerance, "as it is", words)


def answers(model: Model, rows: pd.DataFrame) -> NDArray[Any]:
    """Return what a model answers: probabilities where it has them, of two classes the second's, else predictions."""
    if hasattr(model, "predict_proba"):
        probabilities = np.asarray(model.predict_proba(rows))
        return probabilities[:, 1] if probabilities.ndim == 2 and probabilities.shape[1] == 2 else probabilities
    return np.asarray(model.predict(rows) if hasattr(model, "predict") else model(rows))


def _require_same(one: NDArray[Any], other: NDArray[Any], tolerance: float, first: str, second: str) -> None:
    assert one.shape == other.shape, f"answers of shape {one.shape} {first}, {other.shape} {second}"
    if one.dtype.kind in "iufb" and other.dtype.kind in "iufb":
        before, after = one.astype(float), other.astype(float)
        same = (before == after) | (np.isnan(before) & np.isnan(after))
        with np.errstate(invalid="ignore"):  # of infinite ones
            same |= np.abs(before - after) <= tolerance * np.maximum(1, np.abs(before))
    else:
        same = one == other
    rows = ~same.all(axis=tuple(range(1, same.ndim)))
    row = int(rows.argmax()) if len(rows) else 0
    assert not rows.any(), f"row {row}: {_shown(one[row])} {first}, {_shown(other[row])} {second}"


def _shown(answer: Any) -> str:
    return f"{answer:.6g}" if np.ndim(answer) == 0 and np.asarray(answer).dtype.kind in "iuf" else str(answer)
