"""Baselines: the approved predictions, what they scored, and what they were made from. Read, and written atomically."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness import dvcfiles
from harness.errors import BaselineError, DataError
from harness.judge import Yardstick
from harness.predictions import Predictions

SCHEMA = 1
AGAIN = "Bring the approved file back: git checkout -- {path}"


@dataclass(frozen=True)
class BaselineMetric:
    """One metric of a baseline.

    Parameters
    ----------
    score : float
        Averaged over all seeds.
    standard_error : float
        Of the score, over rows.
    folds : tuple of float
        The score in each split, averaged over seeds.
    definition : str
        How it was computed.
    margin : float
        The margin in force when the baseline was recorded.
    margin_reason : str
        Where it comes from.
    yardstick : Yardstick
        Dummy, seed noise and noise floor.
    """

    score: float
    standard_error: float
    folds: tuple[float, ...]
    definition: str
    margin: float
    margin_reason: str
    yardstick: Yardstick


@dataclass(frozen=True)
class Baseline:
    """What a release is held against; ``baselines/<name>.json`` for people and git.

    Parameters
    ----------
    name, nodeid : str
        The check's.
    candidate : str
        The estimator as scikit-learn prints it.
    learner : {'random', 'deterministic', 'nondeterministic'}
        Whether other seeds, or even the same seed, gave other predictions.
    data : tuple of (path, md5)
        The version of the data.
    rows : int
        How many rows the data has.
    target_digest : str
        Of the target's values.
    protocol : mapping
        The splitter and the column roles, in words.
    metrics : mapping of str to BaselineMetric
        By name.
    seeds : int
        How many seeds the stored predictions hold.
    entropy : int
        Where their random states come from.
    generation : int
        How often this baseline has been recorded.
    classes : tuple or None
        The labels, in the order of the stored columns.
    predictions_md5 : str
        The digest of ``baselines/<name>.parquet``.
    environment : mapping of str to str
        Versions of what computed it.
    """

    name: str
    nodeid: str
    candidate: str
    learner: str
    data: tuple[tuple[str, str], ...]
    rows: int
    target_digest: str
    protocol: Mapping[str, Any]
    metrics: Mapping[str, BaselineMetric]
    seeds: int
    entropy: int
    generation: int
    classes: tuple[Any, ...] | None
    predictions_md5: str
    environment: Mapping[str, str]


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
    except _KeyError as fault:
        raise BaselineError(f"{path.name}: {fault}", AGAIN.format(path=path)) from fault
    if baseline.name != name:
        raise BaselineError(
            f"{path.name}: the key name is {baseline.name!r}: this is the baseline of another check",
            f"Its predictions are {baseline.name}.parquet. Record {name} anew: pytest --model-check --update-baselines",
        )
    if plain.get("digest") != _seal(plain):
        raise BaselineError(
            f"{path.name} was changed by hand or by a merge: its digest does not match what it says",
            AGAIN.format(path=path),
        )
    _repair(folder, baseline)
    return baseline


def read_predictions(folder: Path, baseline: Baseline) -> Predictions:
    """Read the baseline's predictions, pulled where they are missing.

    Raises
    ------
    BaselineError
        If they are not the ones that the JSON names, or can't be had.
    """
    import pandas as pd

    path = folder / f"{baseline.name}.parquet"
    try:
        md5 = dvcfiles.verified(path)
    except DataError as error:
        raise BaselineError(f"the predictions of {baseline.name}: {error.message}", error.advice) from error
    if md5 != baseline.predictions_md5:
        raise BaselineError(
            f"{path.name} is not the file that {baseline.name}.json names "
            f"({md5[:8]}, not {baseline.predictions_md5[:8]})",
            "The JSON and the .parquet.dvc file must come from the same commit: git checkout both.",
        )
    try:
        return Predictions.from_frame(pd.read_parquet(path), _classes(baseline))
    except (ValueError, KeyError, OSError) as error:
        raise BaselineError(f"{path.name} holds no predictions: {error}", AGAIN.format(path=f"{path}.dvc")) from error


def prepare(baseline: Baseline, predictions: Predictions, scratch: Path) -> Pending:
    """Put new predictions into a temporary file below `scratch`; nothing of the project is touched.

    Raises
    ------
    BaselineError
        If the disk does not take them, or a file can't hold such labels.
    """
    path = scratch / f"{baseline.name}.parquet"
    try:
        predictions.to_frame().to_parquet(path, compression="zstd", index=False)
        md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        pending = Pending(dataclasses.replace(baseline, predictions_md5=md5), path)
        _text(pending.baseline)
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
            _write_text(path, _text(pending.baseline))
    except (OSError, DataError) as error:
        text = error.message if isinstance(error, DataError) else str(error)
        raise BaselineError(
            f"the baseline {name} could not be written: {text}", "The earlier baseline, if any, is as it was."
        ) from error
    ignore = folder / ".gitignore"  # DVC keeps git's eyes off the parquet files
    return tuple(file for file in (path, dvc, ignore) if file.exists())


def to_json(baseline: Baseline) -> dict[str, Any]:
    """Give what the file holds: plain, sorted when written, numbers rounded to 10 digits."""
    plain = {
        "schema": SCHEMA,
        "name": baseline.name,
        "nodeid": baseline.nodeid,
        "candidate": baseline.candidate,
        "learner": baseline.learner,
        "data": {
            "files": [{"path": path, "md5": md5} for path, md5 in baseline.data],
            "rows": baseline.rows,
            "target_digest": baseline.target_digest,
        },
        "protocol": dict(baseline.protocol),
        "metrics": {
            name: {
                "score": _round(m.score),
                "standard_error": _round(m.standard_error),
                "folds": [_round(fold) for fold in m.folds],
                "definition": m.definition,
                "margin": {"value": _round(m.margin), "reason": m.margin_reason},
                "dummy": _round(m.yardstick.dummy),
                "noise": {
                    "standard_deviation": _round(m.yardstick.noise),
                    "degrees_of_freedom": None if math.isinf(m.yardstick.dof) else _round(m.yardstick.dof),
                    "seeds": m.yardstick.runs,
                    "floor": _round(m.yardstick.floor),
                },
            }
            for name, m in baseline.metrics.items()
        },
        "predictions": {
            "md5": baseline.predictions_md5,
            "seeds": baseline.seeds,
            "entropy": baseline.entropy,
            "classes": None if baseline.classes is None else list(baseline.classes),
        },
        "generation": baseline.generation,
        "environment": dict(baseline.environment),
    }
    return plain | {"digest": _seal(plain)}


def _seal(plain: Mapping[str, Any]) -> str:
    """Digest everything else in the file: an edit, or a merge of two recordings, is no recording."""
    rest = {key: value for key, value in plain.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:16]


def _text(baseline: Baseline) -> str:
    return json.dumps(to_json(baseline), indent=2, sort_keys=True, allow_nan=False) + "\n"


def from_json(plain: Any) -> Baseline:
    """Rebuild what `to_json` gave."""
    reader = _Reader(plain, ())
    schema = reader.get("schema", int, least=1)
    if schema > SCHEMA:
        raise _KeyError(
            f"key schema is {schema}, newer than this version of pytest-model-check reads ({SCHEMA}): upgrade it"
        )
    data, predictions = reader.sub("data"), reader.sub("predictions")
    metrics = reader.sub("metrics")
    classes = predictions.get("classes", list, optional=True)
    if not all(
        isinstance(label, str | int) or (isinstance(label, float) and math.isfinite(label)) for label in classes or ()
    ):
        raise _KeyError("the key predictions.classes holds something else than labels")
    return Baseline(
        name=reader.get("name", str),
        nodeid=reader.get("nodeid", str),
        candidate=reader.get("candidate", str),
        learner=reader.get("learner", str),
        data=tuple((file.get("path", str), file.get("md5", str)) for file in data.each("files")),
        rows=data.get("rows", int, least=1),
        target_digest=data.get("target_digest", str),
        protocol=reader.get("protocol", dict),
        metrics={name: _metric_from_json(metrics.sub(name)) for name in metrics.value},
        seeds=predictions.get("seeds", int, least=1),
        entropy=predictions.get("entropy", int, least=0),
        generation=reader.get("generation", int, least=1),
        classes=None if classes is None else tuple(classes),
        predictions_md5=predictions.get("md5", str),
        environment=reader.get("environment", dict),
    )


def _metric_from_json(reader: _Reader) -> BaselineMetric:
    noise, margin = reader.sub("noise"), reader.sub("margin")
    dof = noise.get("degrees_of_freedom", float, optional=True, least=1)
    return BaselineMetric(
        score=reader.get("score", float),
        standard_error=reader.get("standard_error", float, least=0),
        folds=reader.numbers("folds"),
        definition=reader.get("definition", str),
        margin=margin.get("value", float),
        margin_reason=margin.get("reason", str),
        yardstick=Yardstick(
            dummy=reader.get("dummy", float),
            noise=noise.get("standard_deviation", float, least=0),
            dof=math.inf if dof is None else dof,
            runs=noise.get("seeds", int, optional=True, least=1),
            floor=noise.get("floor", float, least=0),
        ),
    )


class _KeyError(Exception):
    """A key of the JSON that is missing or holds something else."""


@dataclass(frozen=True)
class _Reader:
    """Read a key, or say which one is wrong."""

    value: Any
    path: tuple[str, ...]

    def get(self, key: str, kind: Any, *, optional: bool = False, least: float = -sys.float_info.max) -> Any:
        where = ".".join((*self.path, key))
        if not isinstance(self.value, dict):
            raise _KeyError(f"{'.'.join(self.path) or 'the file'} is no object")
        if key not in self.value:
            raise _KeyError(f"the key {where} is missing")
        value = self.value[key]
        if value is None and optional:
            return None
        if not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool):
            raise _KeyError(f"the key {where} is {value!r}, which is no {_KINDS[kind]}")
        if kind in (int, float) and not least <= value <= sys.float_info.max:  # false of NaN too
            raise _KeyError(f"the key {where} can't be {value!r}")
        return kind(value)

    def numbers(self, key: str) -> tuple[float, ...]:
        inside = _Reader({f"{key}[{i}]": value for i, value in enumerate(self.get(key, list))}, self.path)
        return tuple(inside.get(name, float) for name in inside.value)

    def sub(self, key: str) -> _Reader:
        return _Reader(self.get(key, dict), (*self.path, key))

    def each(self, key: str) -> Iterator[_Reader]:
        for i, value in enumerate(self.get(key, list)):
            yield _Reader(value, (*self.path, f"{key}[{i}]"))


_KINDS = {int: "whole number", float: "number", str: "text", list: "list", dict: "object"}


def _classes(baseline: Baseline) -> Any:
    return None if baseline.classes is None else np.array(baseline.classes)


def _round(number: float) -> float:
    return float(f"{number:.10g}")


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


def _write_text(path: Path, text: str) -> None:
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
