"""What may flatter a model: columns that know the answer, rows that depend on each other on both sides of a fold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.checks.check import Check
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.judgement.compared import Leak

if TYPE_CHECKING:
    import pandas as pd

ALMOST = 0.99  # of what a dummy leaves to be explained
SAME_ORDER = 0.999  # rank correlation with the target: it is the target by another scale
MOST_ROWS = 4000  # that are looked at
MOST_CELLS = 400_000
FEWEST_ROWS = 40  # fewer prove nothing
FEWEST_WRONG = 10  # of a dummy
REPEATED = 10  # rows a value, from which on it is a value like a word
MANY = 0.01  # of the rows: fewer copies than that are chance, as a rule
EXACTLY = 1e-5  # scaled on these very rows, that is: a sample of what was scaled is further off


def leaks(check: Check, cv: CrossValidation, repeated: int) -> tuple[Leak, ...]:
    """Return what may flatter a model; a caveat of the check that names a column has answered for it.

    Parameters
    ----------
    check : Check
        What is promised.
    cv : CrossValidation
        Its rows, and how they are split.
    repeated : int
        How many rows are predicted by a fit that has seen the same row.
    """
    data = cv.dataset
    columns = [name for name in data.X.columns if not _is_answered(check, name)]
    found = [
        Leak("feature", tuple(known_answers(data.X, columns, data.y, check.task))),
        Leak("scaled", tuple(_scaled(data.X, columns))),
    ]
    if repeated > MANY * data.rows:
        found.append(Leak("rows", rows=repeated))
    if check.groups is None and check.time is None:
        ties = [name for name in data.ties.columns if not _is_answered(check, name)]
        dates = tuple(name for name in ties if data.ties[name].dtype.kind == "M")
        found.append(Leak("time", dates))
        for name in ties:
            parted = 0 if name in dates else _parted(cv, data.ties[name])
            if parted > data.rows / 2:
                found.append(Leak("groups", (name,), parted))
    return tuple(leak for leak in found if leak.columns or leak.rows)


def known_answers(table: pd.DataFrame, columns: Iterable[str], y: NDArray[Any], task: str) -> list[str]:
    """Return the columns that alone tell the target almost perfectly: rows of like values have like targets."""
    columns = list(columns)
    most = min(MOST_ROWS, max(10 * FEWEST_ROWS, MOST_CELLS // max(len(columns), 1)))
    rows = np.random.default_rng(0).permutation(len(y))[:most]
    if len(rows) < FEWEST_ROWS:
        return []
    known = y[rows]
    if task == "classification":
        known = np.unique(known, return_inverse=True)[1]
        if len(known) - np.bincount(known).max() < FEWEST_WRONG:  # so few can be told by chance
            return []
    explained = _explained_label if task == "classification" else _explained_number
    seen = table[columns].iloc[rows]
    return [name for i, name in enumerate(columns) if explained(seen.iloc[:, i], known) > ALMOST]


def _explained_label(column: pd.Series[Any], y: NDArray[np.intp]) -> float:
    """Return the share of the most frequent label's errors that the column takes away."""
    values, order = _arranged(column)
    dummy, labels = len(y) - np.bincount(y).max(), int(y.max()) + 1
    if values is not None:
        found = np.bincount(values * labels + y, minlength=(int(values.max()) + 1) * labels).reshape(-1, labels).max(1)
        wrong = len(y) - float(found[found > 1].sum())
    elif order is not None:  # one stray row parts two of its neighbours, and labels one after another part once
        wrong = max(0, int(np.count_nonzero(np.diff(y[order]))) - (labels - 1)) / 2
    else:
        return 0.0
    return 1 - wrong / float(dummy)


def _explained_number(column: pd.Series[Any], y: NDArray[Any]) -> float:
    """Return the share of the variance that rows of like values explain; a row is no witness for itself."""
    values, order = _arranged(column)
    y = y.astype(np.float64)
    if values is not None:
        if column.dtype.kind in "biuf" and _same_order(values, y):
            return 1.0
        rows, sums = np.bincount(values)[values], np.bincount(values, y)[values]
        told = np.where(rows > 1, (sums - y) / np.maximum(rows - 1, 1), y.mean())
    elif order is not None:
        y = y[order]
        if abs(np.corrcoef(np.arange(len(y)), np.argsort(np.argsort(y)))[0, 1]) > SAME_ORDER:
            return 1.0
        told = (np.r_[y[1], y[:-1]] + np.r_[y[1:], y[-2]]) / 2
    else:
        return 0.0
    variance = float(y.var())
    return 1 - float(((y - told) ** 2).mean()) / variance if variance > 0 else 0.0


def _same_order(values: NDArray[Any], y: NDArray[Any]) -> bool:
    """Whether one is the other by another scale; a value that a single row has is seen by this alone."""
    import pandas as pd

    ranks = np.array([pd.Series(one).rank().to_numpy() for one in (values, y)])
    return bool(np.ptp(ranks, axis=1).min() > 0) and bool(abs(np.corrcoef(ranks)[0, 1]) > SAME_ORDER)


def _arranged(column: pd.Series[Any]) -> tuple[NDArray[np.intp] | None, NDArray[np.intp] | None]:
    """Return a number for each row's value, where values repeat themselves; or else the order of rows by numbers."""
    import pandas as pd

    if column.dtype.kind in "biufM":
        numbers = column.to_numpy().astype(np.float64)
        order = np.argsort(numbers, kind="stable")  # what is missing comes last
        steps = np.diff(numbers[order], prepend=numbers[order[0]]) != 0  # missing ones differ from one another
        if np.count_nonzero(steps) >= len(steps) / REPEATED:
            return None, order
        codes = np.empty(len(order), dtype=np.intp)
        codes[order] = np.cumsum(steps)
        return codes, None
    try:
        codes, distinct = pd.factorize(column, use_na_sentinel=False)
    except TypeError:  # lists, arrays
        return None, None
    return (codes, None) if len(distinct) <= len(column) / REPEATED else (None, None)


def _scaled(table: pd.DataFrame, columns: Iterable[str]) -> list[str]:
    """Return the columns whose mean is 0 and whose standard deviation is 1 over all rows, to the last digits."""
    if len(table) < FEWEST_ROWS:
        return []
    found = []
    for name in columns:
        if table[name].dtype.kind != "f":
            continue
        values = table[name].to_numpy()
        deviation = abs(float(np.nanstd(values)) - 1)
        if abs(float(np.nanmean(values))) < EXACTLY and min(deviation, abs(deviation - 0.5 / len(values))) < EXACTLY:
            found.append(name)
    return found


def _parted(cv: CrossValidation, column: pd.Series[Any]) -> int:
    """Count the rows that are predicted by a fit that has seen another one of the same value."""
    import pandas as pd

    codes, _ = pd.factorize(column)
    parted = np.zeros(len(codes), dtype=bool)
    for split in cv.splits:
        fitted = np.zeros(codes.max() + 2, dtype=bool)
        fitted[codes[split.train]] = True
        fitted[-1] = False  # of rows without a value nothing is known
        parted[split.test] |= fitted[codes[split.test]]
    return int(parted.sum())


def _is_answered(check: Check, column: str) -> bool:
    return any(str(column) in caveat for caveat in check.caveats)
