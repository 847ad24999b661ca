"""The store of baselines: read, and written whole or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check import bounded, git
from pytest_model_check.atomic import copy_file, write_text
from pytest_model_check.baselines.baseline_json import from_json, seal, to_text
from pytest_model_check.baselines.json_reader import MalformedError
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.data import dvc_files
from pytest_model_check.errors import BaselineError, DataError, UnavailableError, one_line
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.paths import quoted, show

LIMIT = 20_000_000  # bytes of a JSON: of a check of a hundred metrics and slices in a hundred folds it has one
ANCHOR = "anchor:"  # begins the name of a column of influence values
AGAIN = "Bring the approved file back: git checkout -- {path}"

CONFLICT = (
    "Two branches recorded this baseline, and no mixture of two recordings is one. Take the other branch's whole: "
    "git checkout --theirs {path} {path.parent}/{path.stem}.parquet.dvc (in a rebase: --ours), git add both, "
    "then: pytest --model-check --update-baselines"
)


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
    replaces : str or None
        The `state` of what was judged, which must still lie there; None: whatever lies there.
    """

    baseline: Baseline
    predictions: Path
    replaces: str | None = None


def read(folder: Path, name: str) -> Baseline | None:
    """Read ``<folder>/<name>.json``; None where there is none. What a killed run left beside it is put right.

    Raises
    ------
    BaselineError
        If the file is torn, edited into something else, another check's, or of a newer schema; the file and key are
        named.
    """
    if not _left_behind(folder, name):
        return _read(folder, name)
    try:
        with dvc_files.writing(folder):  # or a run that is writing would look like one that was killed
            baseline = _read(folder, name)
            if baseline is not None:
                _repair(folder, baseline)
            return baseline
    except (OSError, DataError) as error:
        said = error.message if isinstance(error, DataError) else str(error)
        raise BaselineError(f"{name}.parquet.dvc: what a killed run left can't be put right: {said}") from error


def read_at(folder: Path, name: str, revision: str) -> Baseline | None:
    """Read the JSON as it was at a revision; None where it was not there.

    Raises
    ------
    BaselineError
        As `read`.
    """
    content = git.show(folder / f"{name}.json", revision)
    where = f"{name}.json at {revision[:7]}"
    return None if content is None else parse(content, name, where, f"Mend it on the branch that {where} is on.")


def names_at(folder: Path, revision: str) -> list[str]:
    """Name the baselines that were in a folder at a revision."""
    there = {path.name for path in git.listed(folder, revision)}
    return sorted(name.removesuffix(".json") for name in there if name.endswith(".json"))


def names(folder: Path) -> list[str]:
    """Name the baselines that are in a folder."""
    return sorted(path.stem for path in folder.glob("*.json"))


def state(folder: Path, name: str) -> str:
    """Return a digest of the JSON as it lies there; empty where there is none."""
    path = folder / f"{name}.json"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _read(folder: Path, name: str) -> Baseline | None:
    path = folder / f"{name}.json"
    try:
        content = bounded.read_bytes(path, LIMIT)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BaselineError(f"{path.name} can't be read: {error}", AGAIN.format(path=quoted(path))) from error
    conflict = CONFLICT.format(path=Path(show(path)))
    return parse(content, name, path.name, AGAIN.format(path=quoted(path)), conflict)


def parse(content: bytes, name: str, where: str, advice: str = "", conflict: str = "") -> Baseline:
    """Read the JSON of a baseline as it was found somewhere.

    Parameters
    ----------
    content : bytes
        The file's.
    name : str
        Whose baseline it must be.
    where : str
        How a message calls it.
    advice, conflict : str
        What to do if it can't be read, and if it is in the middle of a merge.

    Raises
    ------
    BaselineError
        As `read`.
    """
    if len(content) > LIMIT:
        raise BaselineError(f"{where} is larger than {LIMIT // 10**6} MB", advice)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BaselineError(f"{where} can't be read: {error}", advice) from error
    if "<<<<<<< " in text:
        raise BaselineError(f"{where} has merge conflict markers", conflict or advice)
    try:
        plain = bounded.parse_json(text)
        baseline = from_json(plain)
    except json.JSONDecodeError as error:
        raise BaselineError(f"{where} is torn or not JSON: {error.msg} in line {error.lineno}", advice) from error
    except MalformedError as fault:
        raise BaselineError(f"{where}: {fault}", advice) from fault
    except ValueError as error:
        raise BaselineError(f"{where} can't be read: {one_line(error)}", advice) from error
    if baseline.name != name:
        raise BaselineError(
            f"{where}: the key name is {baseline.name!r}: this is the baseline of another check",
            f"To give a check another name: model-check rename {baseline.name} {name}. "
            f"To record {name} anew: pytest --model-check --update-baselines",
        )
    if plain.get("digest") != seal(plain):
        raise BaselineError(
            f"{where} was changed by hand or by a merge: its digest does not match what it says", advice
        )
    return baseline


def read_approved(folder: Path, baseline: Baseline) -> Approved:
    """Read the baseline's predictions, pulled where they are missing.

    Raises
    ------
    UnavailableError
        If they can't be had, or the ones that are there are not those that the JSON names.
    BaselineError
        If they are no predictions.
    """
    path = folder / f"{baseline.name}.parquet"
    try:
        if dvc_files.is_another_version(path):  # git has switched branches, and DVC was not told
            path.unlink()
        md5 = dvc_files.verified(path)
    except DataError as error:
        raise UnavailableError(f"the predictions of {baseline.name}: {error.message}", error.advice) from error
    if md5 != baseline.predictions_md5:
        raise UnavailableError(
            f"{path.name} is not the file that {baseline.name}.json names "
            f"({md5[:8]}, not {baseline.predictions_md5[:8]})",
            "The JSON and the .parquet.dvc file must come from the same commit: git checkout both.",
        )
    return _approved(path, baseline, AGAIN.format(path=f"{quoted(path)}.dvc"))


def fetch_approved(folder: Path, baseline: Baseline, scratch: Path) -> Approved:
    """Read the predictions of a baseline that is not the working tree's, from DVC's cache or remote by their digest.

    Raises
    ------
    UnavailableError
        If they can't be had.
    BaselineError
        If they are no predictions.
    """
    path = scratch / f"{baseline.predictions_md5}.parquet"
    try:
        dvc_files.fetch(folder / f"{baseline.name}.parquet", baseline.predictions_md5, path)
    except DataError as error:
        raise UnavailableError(f"the predictions of {baseline.name}: {error.message}", error.advice) from error
    return _approved(path, baseline, "Push what the approved baseline was recorded with, from where it was: dvc push")


def _approved(path: Path, baseline: Baseline, advice: str) -> Approved:

    try:
        frame = bounded.read_parquet(path)
        predictions = Predictions.from_frame(frame, classes_of(baseline))
        first = np.unique(predictions.row, return_index=True)[1]
        anchored = (name for name, metric in baseline.metrics.items() if metric.anchor is not None)
        return Approved(predictions, {name: frame[ANCHOR + name].to_numpy(dtype=float)[first] for name in anchored})
    except (ValueError, KeyError, OSError) as error:
        raise BaselineError(f"{baseline.name}.parquet holds no predictions: {error}", advice) from error


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
        If it can't be written, or another run has replaced it meanwhile; the earlier baseline is whole.
    """
    name = pending.baseline.name
    parquet, dvc, path = (folder / f"{name}{ending}" for ending in (".parquet", ".parquet.dvc", ".json"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with dvc_files.writing(folder):
            if pending.replaces is not None and state(folder, name) != pending.replaces:
                raise BaselineError(
                    f"{path.name} was changed by another run while this one was measuring",
                    "What is there now is whole. Run again to judge against it.",
                )
            with _restored(parquet, dvc):
                copy_file(pending.predictions, parquet)
                dvc_files.add(parquet)
                write_text(path, to_text(pending.baseline))
    except (OSError, DataError) as error:
        text = error.message if isinstance(error, DataError) else str(error)
        raise BaselineError(
            f"the baseline {name} could not be written: {text}", "The earlier baseline, if any, is as it was."
        ) from error
    ignore = folder / ".gitignore"  # DVC keeps git's eyes off the parquet files
    return tuple(file for file in (path, dvc, ignore) if file.exists())


def classes_of(baseline: Baseline) -> Any:
    """Return the labels as an array; None for regression."""
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


def _left_behind(folder: Path, name: str) -> bool:
    return any(_aside(folder / f"{name}{ending}").exists() for ending in (".parquet", ".parquet.dvc"))


def _repair(folder: Path, baseline: Baseline) -> None:
    """Finish what a killed run left: the JSON, written last, says whether the files beside it are the new ones."""
    parquet, dvc = (folder / f"{baseline.name}{ending}" for ending in (".parquet", ".parquet.dvc"))
    written = dvc.exists() and baseline.predictions_md5 in dvc.read_text(encoding="utf-8")
    for path in (parquet, dvc):
        if written and path.exists():
            _aside(path).unlink(missing_ok=True)
        elif _aside(path).exists():
            _aside(path).replace(path)
