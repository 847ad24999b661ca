"""Holdout: the rows that a check judges once, because its candidate has not seen them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from posixpath import normpath
from typing import Any, Literal

from pytest_model_check.errors import PromiseError


@dataclass(frozen=True)
class Holdout:
    """Which rows are judged; the others are for fitting, or for nothing.

    Parameters
    ----------
    kind : {'all', 'file', 'condition', 'after'}
        Every row; those of a file among the data; those of which a condition is true; those after a time.
    value : str
        The file's path, the condition as `pandas.DataFrame.query` reads it, or the time in ISO 8601.
    """

    kind: Literal["all", "file", "condition", "after"]
    value: str = ""

    @property
    def words(self) -> str:
        """What stands in a baseline in place of a splitter."""
        return {
            "all": "holdout: every row",
            "file": f"holdout: the rows of {self.value}",
            "condition": f"holdout: {self.value}",
            "after": f"holdout: after {self.value}",
        }[self.kind]


def make_holdout(holdout: Any, data: tuple[str, ...], time: str | None) -> Holdout | None:
    """Read what a user wrote as `holdout=`.

    Raises
    ------
    PromiseError
        If it names no rows.
    """
    if holdout is None:
        return None
    if holdout is True:
        return Holdout("all")
    if isinstance(holdout, datetime.date):  # and datetime, and pandas' Timestamp
        if time is None:
            raise PromiseError(f"holdout={holdout} needs time=", "Name the column that holds the time of each row.")
        return Holdout("after", holdout.isoformat())
    if isinstance(holdout, str | Path) and str(holdout).strip():
        path = normpath(PureWindowsPath(holdout).as_posix())
        if path in data:
            return Holdout("file", path) if len(data) > 1 else Holdout("all")
        if isinstance(holdout, str) and not path.endswith((".csv", ".parquet")):
            return Holdout("condition", " ".join(holdout.split()))
        raise PromiseError(f"holdout= names {path}, which is none of data=", f"data= names {', '.join(data)}: add it.")
    raise PromiseError(
        f"holdout={holdout!r} names no rows",
        'Name a file of data=, a condition such as "month > 9", or a date (then with time=); True: every row.',
    )
