"""Strategies for Hypothesis: rows like those of the historical data, for tests of how a model behaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_model_check.checks.reader_options import reader_options
from pytest_model_check.data import dataset, dvc_files
from pytest_model_check.data.frames import as_pandas
from pytest_model_check.errors import DataError, ModelCheckError, PromiseError
from pytest_model_check.paths import absolute

if TYPE_CHECKING:
    import pandas as pd
    from hypothesis.strategies import SearchStrategy

__all__ = ["rows"]

FEW = 20  # different numbers, up to which they are values like words
MOST_VALUES = 1000  # of words: the most frequent ones


def rows(
    path: str | Path,
    *,
    target: str | int | None = None,
    features: Sequence[str] | None = None,
    read: Mapping[str, Any] | None = None,
    load: Callable[[list[Path]], Any] | None = None,
    min_size: int = 1,
    max_size: int = 20,
) -> SearchStrategy[pd.DataFrame]:
    """Draw tables of rows such as the historical data has, for Hypothesis' ``@given``.

    Each column is drawn by itself: numbers between its smallest and its largest, words, truths and the values of a
    column with few different ones from among its own, dates between its first and its last, and nothing at all where
    values are missing. Columns have the types of the data. A failure shrinks to few rows of simple values. No row of
    the data is drawn as a whole, but by chance.

    Parameters
    ----------
    path : str or Path
        The data, from the working directory; a file that is not there is pulled by DVC.
    target : str or int, optional
        A column that is not drawn: what a model predicts.
    features : sequence of str, optional
        The columns that are drawn. Default: all but `target`.
    read : dict, optional
        How the file is read, as in ``model_check(read=...)``.
    load : callable, optional
        ``load(paths) -> DataFrame``, as in ``model_check(load=...)``.
    min_size, max_size : int
        How many rows a table has.

    Returns
    -------
    SearchStrategy
        Draws pandas DataFrames. The file is read when the first one is drawn.

    Examples
    --------
    >>> from hypothesis import given
    >>> from pytest_model_check import properties, strategies
    >>> @given(strategies.rows("data/churn.csv", target="churned"))
    ... def test_order_does_not_matter(rows):
    ...     properties.unmoved_by_order(model(), rows)
    """
    try:
        from hypothesis import strategies as st
    except ImportError as error:
        raise ModelCheckError(
            "strategies.rows() draws with Hypothesis, which is not installed",
            'pip install "pytest-model-check[behaviour]"',
        ) from error
    if not 0 <= min_size <= max_size:
        raise PromiseError(f"min_size={min_size!r} and max_size={max_size!r} are no sizes", "Say e.g. max_size=20.")
    options = reader_options(read)

    def of_data() -> SearchStrategy[pd.DataFrame]:
        table = _table(absolute(Path(path)), str(path), _frozen(options), load)
        return _tables(table[_columns(table, str(path), target, features)], min_size, max_size)

    return st.deferred(of_data)


def _frozen(options: dict[str, Any] | None) -> str:
    return "" if options is None else repr(options)


@lru_cache(maxsize=8)
def _table(path: Path, name: str, options: str, load: Callable[[list[Path]], Any] | None) -> pd.DataFrame:
    """Read the data once for all tests."""
    import ast

    if not path.exists():
        dvc_files.verified(path)
    if load is not None:
        return as_pandas(load([path]))
    return dataset.table(path, name, ast.literal_eval(options) if options else None)


def _columns(table: pd.DataFrame, name: str, target: str | int | None, features: Sequence[str] | None) -> list[str]:
    wanted = [column for column in table.columns if column != str(target)] if features is None else list(features)
    lacking = [
        column for column in [*wanted, *([] if target is None else [str(target)])] if column not in table.columns
    ]
    if lacking:
        raise DataError(
            f"{name} has no column {lacking[0]!r}", f"Its columns are: {', '.join(map(str, table.columns))}."
        )
    return wanted


def _tables(table: pd.DataFrame, min_size: int, max_size: int) -> SearchStrategy[pd.DataFrame]:
    import pandas as pd
    from hypothesis import strategies as st

    row = st.tuples(*(_values(table[column]) for column in table.columns))

    def framed(drawn: list[tuple[Any, ...]]) -> pd.DataFrame:
        return pd.DataFrame(
            {
                column: pd.Series([values[i] for values in drawn], dtype=table.dtypes.iloc[i])
                for i, column in enumerate(table.columns)
            }
        )

    return st.lists(row, min_size=min_size, max_size=max_size).map(framed)


def _values(column: pd.Series[Any]) -> SearchStrategy[Any]:
    """Return what draws a value of a column."""
    from hypothesis import strategies as st

    known = column.dropna()
    if known.empty:
        return st.just(None)
    values = _known(known)
    return st.one_of(values, st.none()) if len(known) < len(column) else values


def _known(known: pd.Series[Any]) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    kind = known.dtype.kind
    if kind == "M":
        first, last = known.min(), known.max()
        seconds = int((last - first).total_seconds())
        return st.integers(0, seconds).map(partial(_later, first))
    if kind in "iuf" and known.nunique() > FEW:
        low, high = known.min(), known.max()
        if kind == "f":
            return st.floats(float(low), float(high), width=32 if known.dtype == "float32" else 64)
        return st.integers(int(low), int(high))
    frequent = known.value_counts().index[:MOST_VALUES]
    values = sorted(frequent) if kind in "iuf" else list(frequent)
    return st.sampled_from([value.item() if hasattr(value, "item") else value for value in values])


def _later(first: pd.Timestamp, seconds: int) -> pd.Timestamp:
    import pandas as pd

    return first + pd.Timedelta(seconds=seconds)
