"""Baselines: the approved predictions, what they scored, and what they were made from. Read, and written atomically."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import dvcfiles
from harness.baselinejson import Baseline, MalformedError, from_json, seal, to_text
from harness.errors import BaselineError, DataError, UnavailableError
from harness.predictions import Predictions

ANCHOR = "anchor:"  # begins the name of a column of influence values
AGAIN = "Bring the approved file back: git checkout -- {path}"


@dataclass(frozen=True)
class Approved:
    """What ``<name>.parquet`` holds.

    Parameters
    ----------
    predictions : Predictions
        The approved ones.
    anchors : mapping of str to ndarray of shape (n_rows,)
        By metric, the anchor's influence value of every row that is predicted, in the order of the rows.
    """

    predictions: Predictions
    anchors: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Pending:
    """A baseline to be written when the run is over; its predictions wait in a temporary file.

    Parameters
    ----------
    baseline : Baseline
        Its `predictions_md5` is that of the temporary file.
    predictions : Path
        The temporary file.
    """

    baseline: Baseline
    predictions: Path


def read(folder: Path, name: str) -> Baseline | None:
    """Read ``<folder>/<name>.json``; None where there is none. What a killed run left beside it is put right.

    Raises
    ------
    BaselineError
        If the file is torn, edited into something else, another check's, or of a newer schema; the file and key are
        named.
    """
    path = folder / f"{name}.json"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"{path.name} can't be read: {error}", AGAIN.format(path=path)) from error
    if "<<<<<<< " in text:
        raise BaselineError(
            f"{path.name} has merge conflict markers",
            f"Take one side whole (git checkout --ours or --theirs {path}, and its .parquet.dvc file), "
            "then run pytest --model-check.",
        )
    try:
        plain = json.loads(text)
        baseline = from_json(plain)
    except json.JSONDecodeError as error:
        raise BaselineError(
            f"{path.name} is torn or not JSON: {error.msg} in line {error.lineno}", AGAIN.format(path=path)
        ) from error
    except MalformedError as fault:
        raise BaselineError(f"{path.name}: {fault}", AGAIN.format(path=path)) from fault
    if baseline.name != name:
        raise BaselineError(
            f"{path.name}: the key name is {baseline.name!r}: this is the baseline of another check",
            f"Its predictions are {baseline.name}.parquet. Record {name} anew: pytest --model-check --update-baselines",
        )
    if plain.get("digest") != seal(plain):
        raise BaselineError(
            f"{path.name} was changed by hand or by a merge: its digest does not match what it says",
            AGAIN.format(path=path),
        )
    _repair(folder, baseline)
    return baseline


def read_approved(folder: Path, baseline: Baseline) -> Approved:
    """Read the baseline's predictions, pulled where they are missing.

    Raises
    ------
    UnavailableError
        If they can't be had.
    BaselineError
        If they are not the ones that the JSON names.
    """
    import pandas as pd

    path = folder / f"{baseline.name}.parquet"
    try:
        md5 = dvcfiles.verified(path)
    except DataError as error:
        raise UnavailableError(f"the predictions of {baseline.name}: {error.message}", error.advice) from error
    if md5 != baseline.predictions_md5:
        raise BaselineError(
            f"{path.name} is not the file that {baseline.name}.json names "
            f"({md5[:8]}, not {baseline.predictions_md5[:8]})",
            "The JSON and the .parquet.dvc file must come from the same commit: git checkout both.",
        )
    try:
        frame = pd.read_parquet(path)
        predictions = Predictions.from_frame(frame, _classes(baseline))
        first = np.unique(predictions.row, return_index=True)[1]
        anchored = (name for name, metric in baseline.metrics.items() if metric.anchor is not None)
        return Approved(predictions, {name: frame[ANCHOR + name].to_numpy(dtype=float)[first] for name in anchored})
    except (ValueError, KeyError, OSError) as error:
        raise BaselineError(f"{path.name} holds no predictions: {error}", AGAIN.format(path=f"{path}.dvc")) from error


def prepare(baseline: Baseline, approved: Approved, scratch: Path) -> Pending:
    """Put new predictions into a temporary file below `scratch`; nothing of the project is touched.

    Raises
    ------
    BaselineError
        If the disk does not take them, or a file can't hold such labels.
    """
    path = scratch / f"{baseline.name}.parquet"
    try:
        frame = approved.predictions.to_frame()
        place = np.unique(approved.predictions.row, return_inverse=True)[1]
        for name, values in approved.anchors.items():
            frame[ANCHOR + name] = np.tile(values[place], approved.predictions.seeds)
        frame.to_parquet(path, compression="zstd", index=False)
        md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        pending = Pending(dataclasses.replace(baseline, predictions_md5=md5), path)
        to_text(pending.baseline)
    except OSError as error:
        raise BaselineError(f"the predictions of {baseline.name} can't be written to {scratch}: {error}") from error
    except (TypeError, ValueError) as error:  # labels, mostly: dates and decimal numbers are no JSON
        raise BaselineError(
            f"the baseline {baseline.name} can't be kept in a file: {' '.join(str(error).split())}",
            "Use text, numbers or booleans as the labels of the target.",
        ) from error
    return pending


def write(pending: Pending, folder: Path) -> tuple[Path, ...]:
    """Write a baseline: predictions to DVC first, JSON last; on any failure everything is as it was.

    Returns
    -------
    tuple of Path
        What git has to commit.

    Raises
    ------
    BaselineError
        If it can't be written; the earlier baseline is whole.
    """
    name = pending.baseline.name
    parquet, dvc, path = (folder / f"{name}{ending}" for ending in (".parquet", ".parquet.dvc", ".json"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _restored(parquet, dvc):
            _move(pending.predictions, parquet)
            dvcfiles.add(parquet)
            write_text(path, to_text(pending.baseline))
    except (OSError, DataError) as error:
        text = error.message if isinstance(error, DataError) else str(error)
        raise BaselineError(
            f"the baseline {name} could not be written: {text}", "The earlier baseline, if any, is as it was."
        ) from error
    ignore = folder / ".gitignore"  # DVC keeps git's eyes off the parquet files
    return tuple(file for file in (path, dvc, ignore) if file.exists())


def _classes(baseline: Baseline) -> Any:
    return None if baseline.classes is None else np.array(baseline.classes)


@contextlib.contextmanager
def _restored(*paths: Path) -> Iterator[None]:
    """Set files aside (a rename needs no room on the disk), and put them back if anything fails."""
    moved = []
    try:
        for path in paths:
            if path.exists():
                path.replace(_aside(path))
            moved.append(path)
        yield
    except BaseException:
        for path in moved:
            path.unlink(missing_ok=True)
            if _aside(path).exists():
                _aside(path).replace(path)
        raise
    for path in paths:
        _aside(path).unlink(missing_ok=True)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.before")


def _repair(folder: Path, baseline: Baseline) -> None:
    """Finish what a killed run left: the JSON, written last, says whether the files beside it are the new ones."""
    parquet, dvc = (folder / f"{baseline.name}{ending}" for ending in (".parquet", ".parquet.dvc"))
    if not any(_aside(path).exists() for path in (parquet, dvc)):
        return
    try:
        written = dvc.exists() and baseline.predictions_md5 in dvc.read_text(encoding="utf-8")
        for path in (parquet, dvc):
            if written and path.exists():
                _aside(path).unlink(missing_ok=True)
            elif _aside(path).exists():
                _aside(path).replace(path)
    except OSError as error:
        raise BaselineError(f"{dvc.name}: what a killed run left can't be put right: {error}") from error


def _move(source: Path, target: Path) -> None:
    """Copy across file systems, then rename into place."""
    with _temporary(target) as temporary:
        shutil.copyfile(source, temporary)


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    with _temporary(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Give a file in the same folder that replaces `path` once it is written and on the disk."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
