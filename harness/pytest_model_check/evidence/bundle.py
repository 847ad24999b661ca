"""Evidence <-> a folder: JSON and Parquet, digests, nothing executable; written atomically, read within bounds.

    evidence.json             what the run itself says, and the digest of each file below
    checks/NAME.json          what was promised and found of one check, and the digests of its predictions
    checks/NAME.candidate.parquet, NAME.on_old_data.parquet, NAME.recording.parquet, NAME.replicates.parquet

`leave` writes a check's files wherever it was judged; `publish`, when the run is over, brings them to where they were
asked for, `evidence.json` last: without it there is no evidence.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pytest_model_check import bounded
from pytest_model_check.atomic import copy_file, write_bytes, write_text
from pytest_model_check.baselines.baseline_json import protocol_from_json
from pytest_model_check.baselines.json_reader import MalformedError, Reader
from pytest_model_check.candidates.responses import aligned, checked
from pytest_model_check.checks.check import file_name
from pytest_model_check.errors import CandidateError, EvidenceError, one_line
from pytest_model_check.evidence.record import Answers, Bundle, Evidence, Promise, Said
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.verdicts import Run

SCHEMA = 1
MANIFEST, CHECKS = "evidence.json", "checks"
KINDS = ("candidate", "on_old_data", "recording", "replicates")
LIMIT = 20_000_000  # bytes of a JSON
LARGEST = 4_000_000_000  # bytes of a Parquet file
MOST = 10_000  # checks


def leave(folder: Path, evidence: Evidence, answers: Answers) -> None:
    """Write what was found of one check; a check of this name that was there before is replaced.

    Raises
    ------
    EvidenceError
        If the disk does not take it, or a file can't hold such labels.
    """
    name, digests = evidence.name, {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            predictions: Predictions | None = getattr(answers, kind)
            path = folder / f"{name}.{kind}.parquet"
            if predictions is None:
                path.unlink(missing_ok=True)
                continue
            predictions.to_frame().to_parquet(path, compression="zstd", index=False)
            digests[kind] = _sha256(path)
        write_text(folder / f"{name}.json", _text(_to_json(evidence, digests)))
    except (OSError, TypeError, ValueError) as error:
        raise EvidenceError(f"{name}: the evidence can't be written: {one_line(error)}") from error


def publish(folder: Path, target: Path, run: Run) -> None:
    """Bring what was left in `folder` to where it was asked for; what an earlier run has left there is removed.

    Raises
    ------
    OSError
        If it can't be written.
    """
    checks = target / CHECKS
    checks.mkdir(parents=True, exist_ok=True)
    (target / MANIFEST).unlink(missing_ok=True)
    for path in checks.iterdir():
        if path.suffix in (".json", ".parquet"):
            path.unlink()
    digests = {}
    for path in sorted(folder.glob("*.parquet")):
        copy_file(path, checks / path.name)
    for path in sorted(folder.glob("*.json")):
        content = path.read_bytes()
        write_bytes(checks / path.name, content)
        digests[path.stem] = hashlib.sha256(content).hexdigest()
    said = [Said(check.name, check.nodeid, check.verdict, check.passed, check.message) for check in run.checks]
    manifest = {
        "schema": SCHEMA,
        "passed": run.passed,
        "against": run.against,
        "problems": list(run.problems),
        "said": [asdict(each) for each in said],
        "checks": digests,
    }
    write_text(target / MANIFEST, _text(manifest))


def read(folder: Path) -> Bundle:
    """Read the evidence of a run; what can't be read of one check is that check's error.

    Raises
    ------
    EvidenceError
        If there is none, or none that can be read.
    """
    with _named(f"{folder.name}/{MANIFEST}"):
        reader = _parsed(folder / MANIFEST)
        digests = reader.sub("checks")
        if len(digests.value) > MOST:
            raise MalformedError(f"it names {len(digests.value):,} checks")
        _require_names([*digests.value])
        said = [
            Said(
                each.get("name", str),
                each.get("nodeid", str),
                each.get("verdict", str),
                each.get("passed", bool),
                each.get("message", str),
            )
            for each in reader.each("said")
        ]
        _require_different([each.name for each in said])
        passed, problems = reader.get("passed", bool), reader.texts("problems")
        expected = {name: digests.get(name, str) for name in digests.value}
    _require_nothing_else(folder / CHECKS, expected)
    checks: dict[str, Evidence] = {}
    broken: dict[str, EvidenceError] = {}
    for name, digest in expected.items():
        try:
            checks[name] = _read_check(folder / CHECKS, name, digest)
        except EvidenceError as error:
            broken[name] = error
    return Bundle(passed, {each.name: each for each in said}, problems, checks, broken)


def answers(folder: Path, name: str, classes: NDArray[Any] | None, old: NDArray[Any] | None) -> Answers:
    """Read the predictions of a check; they are held against its JSON, and must be answers that a model can give.

    Parameters
    ----------
    folder : Path
        Of the evidence.
    name : str
        The check's.
    classes : ndarray or None
        The labels of the data, as whoever judges has found them; None for regression.
    old : ndarray or None
        Those of the data that was approved, likewise.

    Raises
    ------
    EvidenceError
        Naming the file that can't be believed.
    """
    with _named(f"{CHECKS}/{name}.json"):
        digests = _parsed(folder / CHECKS / f"{name}.json").sub("predictions")
        expected = {kind: digests.get(kind, str, optional=True) for kind in KINDS}
    found = {
        kind: _predictions(
            folder / CHECKS / f"{name}.{kind}.parquet", digest, old if kind == "on_old_data" else classes
        )
        for kind, digest in expected.items()
        if digest is not None
    }
    return Answers(**found)


def _predictions(path: Path, digest: str, classes: NDArray[Any] | None) -> Predictions:
    with _named(f"{CHECKS}/{path.name}"):
        _require_file(path, LARGEST)
        if _sha256(path) != digest:
            raise MalformedError("it is not the file that the check's JSON names")
        predictions = Predictions.from_frame(bounded.read_parquet(path), classes)
        return _plausible(predictions)


def _plausible(predictions: Predictions) -> Predictions:
    """Refuse what no fold of a run could have answered: it would have been refused there."""
    slots, classes = len(predictions.row), predictions.classes
    for name, seeds in predictions.responses.items():
        for values in seeds:
            array = checked(name, values, slots)
            if array.ndim == 1:
                if name == "predict" and classes is None and array.dtype.kind not in "biuf":
                    raise ValueError("predict holds no numbers")
                continue
            if classes is None or array.shape[1] != len(classes):
                raise ValueError(f"{name} has {array.shape[1]} columns, for other classes than the data's")
            aligned(name, array, classes, classes)
    return predictions


def _read_check(folder: Path, name: str, digest: str) -> Evidence:
    with _named(f"{CHECKS}/{name}.json"):
        reader = _parsed(folder / f"{name}.json", digest)
        if reader.get("name", str) != name:
            raise MalformedError("it is of another check")
        promise = reader.sub("promise")
        metrics = [*promise.each("metrics")]
        _require_different([metric.get("metric", str) for metric in metrics])
        return Evidence(
            name=name,
            nodeid=reader.get("nodeid", str),
            candidate=reader.get("candidate", str),
            promise=Promise(
                protocol_from_json(promise.sub("protocol")),
                {each.get("metric", str): each.get("margin", float, optional=True, least=0) for each in metrics},
                promise.get("loads", bool),
            ),
            data=tuple((file.relative_path("path"), file.get("md5", str)) for file in reader.each("data")),
            entropy=reader.get("entropy", int, optional=True, least=0),
            recording_entropy=reader.get("recording_entropy", int, optional=True, least=0),
            learner=reader.get("learner", str),
            sealed=bool(reader.get("claims_sealed", bool, optional=True)),
        )


def _to_json(evidence: Evidence, digests: Mapping[str, str]) -> dict[str, Any]:
    promise = evidence.promise
    return {
        "schema": SCHEMA,
        "name": evidence.name,
        "nodeid": evidence.nodeid,
        "candidate": evidence.candidate,
        "promise": {
            "protocol": promise.protocol.plain(),
            "metrics": [{"metric": metric, "margin": margin} for metric, margin in promise.margins.items()],
            "loads": promise.loads,
        },
        "data": [{"path": path, "md5": md5} for path, md5 in evidence.data],
        "entropy": evidence.entropy,
        "recording_entropy": evidence.recording_entropy,
        "learner": evidence.learner,
        "claims_sealed": evidence.sealed,
        "predictions": {kind: digests.get(kind) for kind in KINDS},
    }


def _text(plain: Mapping[str, Any]) -> str:
    return json.dumps(plain, indent=2, sort_keys=True, allow_nan=False) + "\n"


def _parsed(path: Path, digest: str | None = None) -> Reader:
    _require_file(path, LIMIT)
    content = bounded.read_bytes(path, LIMIT)
    if digest is not None and hashlib.sha256(content).hexdigest() != digest:
        raise MalformedError(f"it is not the file that {MANIFEST} names")
    reader = Reader(bounded.parse_json(content.decode("utf-8")))
    if (schema := reader.get("schema", int, least=1)) != SCHEMA:
        raise MalformedError(f"its schema is {schema}, and this version of pytest-model-check reads {SCHEMA}")
    return reader


def _require_file(path: Path, limit: int) -> None:
    """Refuse links, pipes and devices before they are opened: an artifact holds regular files."""
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise ValueError("it is no regular file")
    if about.st_size > limit:
        raise ValueError(f"it is larger than {limit // 10**6} MB")


def _require_names(names: Sequence[str]) -> None:
    for name in names:
        if file_name(name) != name:
            raise MalformedError(f"it names a check {name!r}, which is no name of one")
    _require_different(names)


def _require_different(names: Sequence[str]) -> None:
    known: set[str] = set()
    for name in names:
        if name.casefold() in known:  # file systems may ignore case
            raise MalformedError(f"it names {name!r} twice")
        known.add(name.casefold())


def _require_nothing_else(folder: Path, expected: Mapping[str, str]) -> None:
    """Refuse files that nobody speaks for: another run's, perhaps."""
    with _named(f"{CHECKS}/"):
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise ValueError("it is no folder")
        allowed = {f"{name}{ending}" for name in expected for ending in (".json", *(f".{k}.parquet" for k in KINDS))}
        with os.scandir(folder) as entries:
            other = next((entry.name for entry in entries if entry.name not in allowed), None)
    if other is not None:
        raise EvidenceError(f"the evidence holds {CHECKS}/{other}, which {MANIFEST} does not name", _ANEW)


@contextmanager
def _named(where: str) -> Iterator[None]:
    """Turn what is wrong with a file into one clear error."""
    try:
        yield
    except FileNotFoundError as error:
        raise EvidenceError(f"there is no {where}: the run ended before it left its evidence", _ANEW) from error
    except json.JSONDecodeError as error:
        raise EvidenceError(f"{where} is torn or not JSON: {error.msg} in line {error.lineno}", _ANEW) from error
    except CandidateError as error:
        raise EvidenceError(f"{where} can't be believed: {error.message}", _ANEW) from error
    except (MalformedError, OSError, ValueError, TypeError, KeyError) as error:
        raise EvidenceError(f"{where} can't be believed: {one_line(error)}", _ANEW) from error


_ANEW = "Run the checks again: pytest --model-check --model-check-evidence DIR"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
