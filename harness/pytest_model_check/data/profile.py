"""A table -> what each of its columns is, and which of them tie rows together. Pure."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "whole number", "words", "truth", "date", "id", "text", "constant"]
LEFT_OUT: dict[Kind, str] = {
    "constant": "it is the same in every row",
    "id": "it names the row: what it says of these rows, it says of no other",
    "text": "nearly every row has words of its own",
    "date": "a model would learn single days by heart",
}
ID = re.compile(r"(^|[^a-z])(id|uuid|guid|key|index|rownames|nr|no)$|^unnamed: 0$", re.IGNORECASE)
CAMEL_ID = re.compile(r"[a-z](ID|Id)$")
UNITS = re.compile(
    r"(^|[^a-z])(patient|subject|customer|client|user|person|member|household|family|school|store|device|machine|"
    r"account|player|driver)s?$",
    re.IGNORECASE,
)
DATE = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}.*)?$")
MANY = 50  # different words, from which on a column is text if half of its rows have words of their own
FEWEST_GROUPS = 10
SEEN_ROWS = 200  # in which dates are looked for


@dataclass(frozen=True)
class Column:
    """What one column is.

    Parameters
    ----------
    name : str
        In the header.
    kind : str
        What its values are.
    missing, distinct : int
        Rows without a value, and different values.
    values : tuple of str
        The most frequent ones.
    """

    name: str
    kind: Kind
    missing: int
    distinct: int
    values: tuple[str, ...] = ()

    @property
    def names_rows(self) -> bool:
        """Whether its name says that it names something: a row, or what several rows are of."""
        return bool(ID.search(self.name) or CAMEL_ID.search(self.name) or UNITS.search(self.name))


def profile(table: pd.DataFrame) -> tuple[Column, ...]:
    """Return what each column is."""
    return tuple(_column(str(name), table[name]) for name in table.columns)


def groups_of(columns: tuple[Column, ...], rows: int, but: str) -> Column | None:
    """Return the column that says which rows belong together, where its name says so: a patient's, a customer's."""
    found = (
        column
        for column in columns
        if column.name != but
        and column.names_rows
        and column.kind in ("whole number", "words", "text")
        and not column.missing
        and FEWEST_GROUPS <= column.distinct <= rows / 1.5
    )
    return next(found, None)


def ties(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns by which rows may depend on each other: dates, and what names a unit of several rows."""
    import pandas as pd

    found = {}
    for name in table.columns:
        values = table[name]
        if values.dtype.kind == "M" or _names_units(str(name), values):
            found[name] = values
        elif values.dtype.kind not in "biufcm" and _are_dates(values.dropna().head(SEEN_ROWS).astype(str)):
            found[name] = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
    return pd.DataFrame({name: values for name, values in found.items() if values.nunique() >= FEWEST_GROUPS})


def _names_units(name: str, values: pd.Series[Any]) -> bool:
    if values.dtype.kind not in "iuO" or not (ID.search(name) or CAMEL_ID.search(name) or UNITS.search(name)):
        return False
    return FEWEST_GROUPS <= values.nunique() <= len(values) / 1.5


def _column(name: str, values: pd.Series[Any]) -> Column:
    missing, distinct = int(values.isna().sum()), int(values.nunique())
    frequent = tuple(str(value) for value in values.value_counts().index[:3])
    kind = "constant" if distinct < 2 else _kind(name, values.dropna(), distinct, complete=not missing)
    return Column(name, kind, missing, distinct, frequent)


def _kind(name: str, values: pd.Series[Any], distinct: int, *, complete: bool) -> Kind:
    import pandas as pd

    if values.map(lambda value: isinstance(value, bool)).all():
        return "truth"
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date"
    if pd.api.types.is_numeric_dtype(values):
        if not (values == values.round()).all():
            return "number"
        counts_rows = complete and distinct == len(values) and values.max() - values.min() == len(values) - 1
        named = distinct == len(values) and bool(ID.search(name) or CAMEL_ID.search(name))
        return "id" if (counts_rows and len(values) > 2) or named else "whole number"
    words = values.astype(str)
    if _are_dates(words):
        return "date"
    if distinct == len(values) and distinct > MANY // 2:
        return "text" if words.str.contains(" ").mean() > 0.5 else "id"
    return "text" if distinct > max(MANY, len(values) / 2) else "words"


def _are_dates(words: pd.Series[str]) -> bool:
    import pandas as pd

    if not len(words) or not words.head(100).str.match(DATE).all() or not words.str.match(DATE).all():
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(pd.to_datetime(words, errors="coerce", utc=True).notna().all())
