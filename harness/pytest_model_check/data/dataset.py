"""Dataset: the rows at one version of the data, and that version's digest."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.checks.check import Check
from pytest_model_check.checks.declared import origin_of
from pytest_model_check.checks.holdout import Holdout
from pytest_model_check.checks.reader_options import hint
from pytest_model_check.data import dvc_files
from pytest_model_check.data.frames import as_pandas
from pytest_model_check.data.profile import ties
from pytest_model_check.data.read_table import named_twice, read_table, with_text_names
from pytest_model_check.errors import DataError, ModelCheckError, PromiseError, did_you_mean, one_line
from pytest_model_check.paths import clipped

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Truth:
    """What predictions are scored against.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        The target.
    clusters : ndarray of shape (n_rows,) or None
        Rows with the same number depend on each other (a group's, a day's); None: every row stands alone.
    is_time_series : bool
        Whether the clusters are periods, numbered in their order: neighbouring ones depend on each other too.
    sample_weight : ndarray of shape (n_rows,) or None
        How much each row counts; None: all count the same.
    """

    y: NDArray[Any]
    clusters: NDArray[np.int64] | None = None
    is_time_series: bool = False
    sample_weight: NDArray[np.float64] | None = None


def _no_columns() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame()


@dataclass(frozen=True)
class Dataset:
    """The rows that a check speaks of.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        The features, as pandas reads them.
    y : ndarray of shape (n_rows,)
        The target.
    groups, time : ndarray of shape (n_rows,) or None
        The columns that `groups=` and `time=` name.
    slices : DataFrame of shape (n_rows, n_slice_columns)
        The columns that `slices=` names.
    files : tuple of (path, md5)
        The version: what DVC knows of each file.
    sample_weight : ndarray of shape (n_rows,) or None
        The column that `sample_weight=` names: finite, none below zero, and not all of them zero.
    holdout : ndarray of bool, shape (n_rows,), or None
        The rows that `holdout=` names.
    ties : DataFrame
        Columns by which rows may depend on each other, though the check does not name them: dates, and units.
    """

    X: pd.DataFrame
    y: NDArray[Any]
    groups: NDArray[Any] | None
    time: NDArray[Any] | None
    slices: pd.DataFrame
    files: tuple[tuple[str, str], ...]
    sample_weight: NDArray[np.float64] | None = None
    holdout: NDArray[np.bool_] | None = None
    ties: pd.DataFrame = field(default_factory=_no_columns)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.y)

    @cached_property
    def truth(self) -> Truth:
        """What predictions are scored against: the clusters are the groups, or else the days."""
        if self.groups is not None:
            return Truth(self.y, _numbered(self.groups), sample_weight=self.sample_weight)
        if self.time is None:
            return Truth(self.y, sample_weight=self.sample_weight)
        moments = self.time.astype("datetime64[D]") if self.time.dtype.kind == "M" else self.time
        return Truth(self.y, _numbered(moments), is_time_series=True, sample_weight=self.sample_weight)

    @property
    def effective_rows(self) -> float | None:
        """How many rows of equal weight would say as much of a mean; None: there are no weights."""
        return None if self.sample_weight is None else effective_number(self.sample_weight)

    @property
    def path(self) -> str:
        """The files in one line."""
        return ", ".join(path for path, _ in self.files)

    @property
    def md5(self) -> str:
        """One digest for all files; for a single file it is the file's own."""
        if len(self.files) == 1:
            return self.files[0][1]
        return hashlib.md5("".join(md5 for _, md5 in self.files).encode(), usedforsecurity=False).hexdigest()

    @property
    def target_digest(self) -> str:
        """A digest of the target's values in their order: a changed `load` that moves rows is seen by it."""
        return _digest(self.y)

    @property
    def columns_digests(self) -> dict[str, str]:
        """Digests of the columns with a part to play: a changed `load` that makes others of them is seen by them."""
        parts = {"groups": self.groups, "time": self.time, "sample_weight": self.sample_weight}
        digests = {name: _digest(values) for name, values in parts.items() if values is not None}
        for column in self.slices.columns:
            digests[f"slice {column}"] = _digest(self.slices[column].astype(str).to_numpy(dtype=object))
        return digests


def effective_number(weights: NDArray[np.float64]) -> float:
    """Return Kish's effective sample size: how many equal weights leave a mean as uncertain as these do."""
    largest = float(weights.max())
    shares = weights / largest  # or squares of small numbers would be zero
    return float(shares.sum() ** 2 / (shares @ shares))


def _numbered(values: NDArray[Any]) -> NDArray[np.int64]:
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _digest(values: NDArray[Any]) -> str:
    import pandas as pd

    hashes = pd.util.hash_array(values, categorize=True)
    return hashlib.sha256(np.ascontiguousarray(hashes).tobytes()).hexdigest()[:16]


def read(check: Check, root: Path, verified: Callable[[Path], str] = dvc_files.verified) -> Dataset:
    """Make sure the check's data is what git says it is, and read it.

    Parameters
    ----------
    check : Check
        Names the files and columns.
    root : Path
        Where relative paths start: pytest's rootdir.
    verified : callable
        Returns the version (md5) of a file after making sure of it, or raises a DataError; by default, the version
        that git says it is.

    Raises
    ------
    DataError
        If the data is missing, changed, or can't answer the check's question.
    """
    check = replace(check, data=tuple(_from_root(path, root) for path in check.data))
    paths = [root / path for path in check.data]
    files = tuple((name, verified(path)) for name, path in zip(check.data, paths, strict=True))
    frame, file_of_row = load(check, paths)
    return _dataset(check, frame, file_of_row, files)


def of_items(check: Check) -> Dataset:
    """Return the items of finished scores as a data set: nothing is known of them but what the results say.

    Raises
    ------
    DataError
        If the columns that the check names are not there.
    """
    frame = check.candidate.items
    frame = frame.drop(columns=[check.id], errors="ignore").reset_index()
    ids = "\n".join(map(str, frame[check.id]))
    files = (("items", hashlib.md5(ids.encode(), usedforsecurity=False).hexdigest()),)
    return _dataset(check, frame, np.zeros(len(frame), dtype=np.int64), files)


def _dataset(
    check: Check, frame: pd.DataFrame, file_of_row: NDArray[np.int64], files: tuple[tuple[str, str], ...]
) -> Dataset:
    _require_rows(check, frame)
    time = None if check.time is None else _times(check, frame, check.time)
    y = _target(check, frame[check.target]) if check.target else np.zeros(len(frame))
    roles = {check.target, check.groups, check.time, check.sample_weight}
    features = [c for c in frame.columns if c not in roles] if check.features is None else list(check.features)
    if not features and origin_of(check.candidate) != "elsewhere":
        raise DataError(
            f"{_where(check)} has no feature column beside {check.target!r}",
            "A candidate needs at least one: name it in features=, or add it to the data.",
        )
    X = frame[features]
    if check.id is not None:
        X = X.set_axis(_ids(check, frame, check.id), axis=0)
    return Dataset(
        X=X,
        y=y,
        groups=None if check.groups is None else _complete(check, frame, "groups", check.groups).to_numpy(),
        time=time,
        slices=frame[list(check.slices)],
        files=files,
        sample_weight=None if check.sample_weight is None else _weights(check, frame, check.sample_weight),
        holdout=None if check.holdout is None else _holdout(check, check.holdout, frame, file_of_row, time),
        ties=_no_columns() if check.groups or check.time else ties(frame.drop(columns=list(filter(None, roles)))),
    )


def _ids(check: Check, frame: pd.DataFrame, column: str) -> pd.Index[Any]:
    """Return what the rows are known by: each once."""
    import pandas as pd

    ids: pd.Index[Any] = pd.Index(_complete(check, frame, "id", column).astype(object), name=column)
    if not ids.is_unique:
        raise DataError(
            f"{_where(check)}: id={column!r} holds {clipped(ids[ids.duplicated()][0])} twice",
            "An id names one row; make such a column where the data is made, or in load=.",
        )
    return ids


def _holdout(
    check: Check, holdout: Holdout, frame: pd.DataFrame, file_of_row: NDArray[np.int64], time: NDArray[Any] | None
) -> NDArray[np.bool_]:
    """Find the rows that are judged."""
    import pandas as pd

    if holdout.kind == "all":
        return np.ones(len(frame), dtype=bool)
    if holdout.kind == "file":
        if check.load is not None:
            raise PromiseError(
                "holdout= names a file, and load= does not say which rows came from it",
                "Let load= make a column of it, and name a condition: holdout=\"part == 'test'\".",
            )
        return np.asarray(file_of_row == check.data.index(holdout.value))
    if holdout.kind == "after":
        assert time is not None
        moment = pd.Timestamp(holdout.value)
        moment = moment.tz_convert("UTC").tz_localize(None) if moment.tz is not None else moment
        if time.dtype.kind != "M":
            raise PromiseError(
                f"holdout= is a date, and time={check.time!r} holds numbers",
                f'Name a condition in place of it: holdout="{check.time} > ..."',
            )
        return np.asarray(time > moment.to_datetime64())
    try:
        chosen = frame.eval(holdout.value, engine="python")
    except Exception as error:  # whatever pandas, Python and the columns' types raise
        raise PromiseError(
            f"holdout={holdout.value!r} is no condition on the data: {one_line(error)}",
            f"It is read by pandas.DataFrame.query; the columns are: {', '.join(map(str, frame.columns))}.",
        ) from error
    if not isinstance(chosen, pd.Series) or chosen.dtype != bool:
        raise PromiseError(
            f"holdout={holdout.value!r} is not true or false for each row", 'Write a condition, e.g. "month > 9".'
        )
    return chosen.to_numpy()


def _from_root(path: str, root: Path) -> str:
    """Write a path relative to rootdir, an absolute one too: a baseline means the same file on every machine."""
    return Path(os.path.relpath(root / path, root)).as_posix()


def table(path: Path, name: str, read: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Read one file as a check reads it, before there is a check.

    Raises
    ------
    DataError
        If it can't be read, or has no rows.
    """
    frame = read_table(path, name, read)
    if len(frame) == 0:
        raise DataError(f"{name} has no rows", "It holds a header only.")
    return frame


def _where(check: Check) -> str:
    more = len(check.data) - 2
    if not check.data:
        return "the results"
    return ", ".join(check.data[:2]) + (f" and {more} more" if more > 0 else "")


def load(check: Check, paths: list[Path]) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Read the rows, and which file each is from.

    Parameters
    ----------
    check : Check
        Knows how they are read.
    paths : list of Path
        The files.

    Raises
    ------
    DataError
        If they can't be read.
    """
    import pandas as pd

    if check.load is not None:
        try:
            frame = check.load(paths)
        except ModelCheckError:
            raise
        except Exception as error:
            raise DataError(
                f"load= raised {type(error).__name__}: {one_line(error)}",
                f"It was asked for {_where(check)}; try it by itself: load([pathlib.Path({str(paths[0])!r})]).",
            ) from error
        frame = with_text_names(as_pandas(frame), _where(check))
        return frame.reset_index(drop=True), np.zeros(len(frame), dtype=np.int64)
    frames = [read_table(path, name, check.read) for path, name in zip(paths, check.data, strict=True)]
    for frame, name in zip(frames[1:], check.data[1:], strict=True):
        if list(frame.columns) != list(frames[0].columns):
            raise DataError(
                f"{name} has other columns than {check.data[0]}",
                "Files that are read one after another need the same columns; use load= to join them.",
            )
    file_of_row = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True), file_of_row


def _require_rows(check: Check, frame: pd.DataFrame) -> None:
    if len(frame) == 0:
        raise DataError(f"{_where(check)} has no rows", "It holds a header only: is it the right version of the data?")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise named_twice(_where(check), twice[0])
    named = {
        "target": (check.target,) if check.target else (),
        "groups": () if check.groups is None else (check.groups,),
        "time": () if check.time is None else (check.time,),
        "sample_weight": () if check.sample_weight is None else (check.sample_weight,),
        "slices": check.slices,
        "features": check.features or (),
        "id": () if check.id is None else (check.id,),
    }
    for key, columns in named.items():
        for column in columns:
            if column not in frame.columns:
                known = [*map(str, frame.columns)]
                raise DataError(
                    f"{_where(check)} has no column {column!r}, which {key}= names{did_you_mean(str(column), known)}",
                    f"Its columns are: {', '.join(known)}.",
                )


def _complete(check: Check, frame: pd.DataFrame, key: str, column: str) -> pd.Series[Any]:
    values = frame[column]
    missing = values.isna().to_numpy()
    if missing.any():
        raise DataError(
            f"{_where(check)}: {key}={column!r} is missing in {int(missing.sum())} of {len(values)} rows, "
            f"first in row {int(missing.argmax())} (counted from 0)",
            "Drop these rows where the data is made, or in load=.",
        )
    return values


def _target(check: Check, column: pd.Series[Any]) -> NDArray[Any]:
    values = _complete(check, column.to_frame(), "target", check.target).infer_objects()
    number = values.dtype.kind in "iuf" if hasattr(values.dtype, "kind") else False
    y = values.to_numpy()
    if y.dtype.kind == "O" and number:  # pandas' nullable numbers
        y = values.to_numpy(dtype=float)
    elif y.dtype.kind not in "biuf":
        y = values.to_numpy(dtype=object)
    kind = type(y[0]).__name__
    if check.task == "regression" and y.dtype.kind not in "biuf":
        raise DataError(
            f"{_where(check)}: the target {check.target!r} holds no numbers ({kind}), and the candidate is a regressor",
            (hint(y[0]) if isinstance(y[0], str) else "") or "Use a classifier, or name another target.",
        )
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise DataError(
            f"{_where(check)}: the target {check.target!r} is infinite in row {int((~np.isfinite(y)).argmax())} "
            "(counted from 0)",
            "Drop or mend such rows where the data is made, or in load=.",
        )
    try:
        constant = len(set(y.tolist())) < 2
    except TypeError as error:
        raise DataError(
            f"{_where(check)}: the target {check.target!r} holds more than one value in a row ({kind})",
            "Only models of one target can be judged: give each target a column and a check of its own.",
        ) from error
    if constant:
        raise DataError(
            f"{_where(check)}: the target {check.target!r} is {y[0]!s} in every row",
            "There is nothing to predict: is it the right column?",
        )
    return y


def _times(check: Check, frame: pd.DataFrame, column: str) -> NDArray[Any]:
    import pandas as pd

    values = _complete(check, frame, "time", column)
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(dtype=float)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # pandas warns where it guesses, and a wrong guess is a wrong order
            # UTC: zones may differ within a column, and only the order matters
            return pd.to_datetime(values, utc=True).dt.tz_localize(None).to_numpy()
    except (ValueError, TypeError, UserWarning) as error:
        raise DataError(
            f"{_where(check)}: time={column!r} holds no times: {one_line(error)}",
            "Write times as 2024-03-31 or 2024-03-31T12:00:00, or as numbers, or parse them in load=.",
        ) from error


def _weights(check: Check, frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    import pandas as pd

    values = _complete(check, frame, "sample_weight", column)
    where = f"{_where(check)}: sample_weight={column!r}"
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_complex_dtype(values):
        raise DataError(
            f"{where} holds no numbers ({values.dtype})", "A weight is a number from 0: make it one in load=."
        )
    weights = values.to_numpy(dtype=np.float64)
    bad = ~np.isfinite(weights) | (weights < 0)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{where} is {weights[row]:g} in row {row} (counted from 0)",
            "A weight is a finite number from 0: mend it where the data is made, or in load=.",
        )
    if not weights.any():
        raise DataError(f"{where} is 0 in every row", "No row would count: is it the right column?")
    return weights
