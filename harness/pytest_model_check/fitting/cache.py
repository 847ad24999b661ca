"""The cache of fits: key -> the predictions of one fit. It holds arrays and text, and nothing of it is ever unpickled.

An entry is a file that is written whole or not at all, and read only if it is whole, of the same key, this user's own
and unknown to git: whatever else lies there is fitted again. The cache is never needed: a run that can't read or write
it goes on without.
"""

from __future__ import annotations

import builtins
import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check import bounded, git
from pytest_model_check.atomic import write_bytes
from pytest_model_check.candidates.responses import RESPONSES, Answers, checked
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import CandidateError, one_line
from pytest_model_check.fitting.closure import digest_of
from pytest_model_check.fitting.engine import Batch, Engine, Outcomes
from pytest_model_check.fitting.fingerprint import Fingerprint, UncacheableError, fingerprint
from pytest_model_check.fitting.fit import Fit
from pytest_model_check.git import GitError
from pytest_model_check.settings import CacheSettings

FORMAT = b"pytest-model-check fit 1\n"
ENDING = ".fit"
SIZE = 1 << 30  # bytes that the cache may hold
ENTRIES = 20_000
KEPT = 0.9  # of either, once it is full
MUCH = 0.01  # of either: a check that adds so much doesn't leave it to the end of the run
TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Fits of pytest-model-check: it may be deleted at any time.\n"


class FitCache:
    """The fits of one check: served where nothing has changed, kept as they are made.

    Parameters
    ----------
    settings : CacheSettings
        Where it lies, and whether it may be read.
    candidate : object
        What is fitted.

    Attributes
    ----------
    served : int
        How many fits were served.
    reason : str
        Why fits are not kept, or can't be served; empty if they are.
    """

    def __init__(self, settings: CacheSettings, candidate: Any) -> None:
        self.served = 0
        self.reason = ""
        self._settings = settings
        self._candidate = candidate
        self._prints: list[tuple[object, Fingerprint | None]] = []
        self._digests: dict[str, str | None] = {}
        self._stored = self._bytes = 0
        self._is_broken = False

    def find(self, fits: Sequence[Fit], cv: CrossValidation, entropy: int) -> dict[Fit, Answers]:
        """Return what is known of some fits."""
        if not self._settings.reads:
            return {}
        known = self._fingerprint(cv)
        if known is None or not self._may_read():
            return {}
        found = {}
        for fit in fits:
            answers = self._read(known.key(fit, cv, entropy), len(cv.splits[fit.split].test))
            if answers is not None:
                found[fit] = answers
        self.served += len(found)
        return found

    def keep(self, fit: Fit, answers: Answers, cv: CrossValidation, entropy: int) -> None:
        """Keep a fit that was made, if its key tells everything it depends on."""
        if fit.leave_out or self._is_broken:  # only recordings leave rows out, and they are never served
            return
        known = self._fingerprint(cv)
        if known is None:
            return
        try:
            if answers.notes is None:
                raise UncacheableError("the processes that fit it are not watched")
            known.require_current()
            needs = known.dependencies(answers.notes)
            key = known.key(fit, cv, entropy)
            outside = any(map(os.path.isabs, needs))  # from a project elsewhere, it would be another file
            self._write(key, _packed(key, answers, needs, str(known.origin.top) if outside else ""))
        except UncacheableError as error:
            self.reason = self.reason or str(error)
        except OSError as error:
            self.reason = self.reason or f"the cache can't be written: {one_line(error, error.strerror or '')}"
            self._is_broken = True

    def close(self) -> None:
        """Let the oldest entries go, where this check has added many; else the run does when it is over."""
        if self._bytes > SIZE * MUCH or self._stored > ENTRIES * MUCH:
            prune(self._settings.folder)

    def _fingerprint(self, cv: CrossValidation) -> Fingerprint | None:
        for dataset, known in self._prints:
            if dataset is cv.dataset:
                return known
        found = None
        try:
            found = fingerprint(self._candidate, cv, self._settings.origin)
        except UncacheableError as error:
            self.reason = self.reason or str(error)
        self._prints.append((cv.dataset, found))
        return found

    def _may_read(self) -> bool:
        folder = self._settings.folder
        if _is_committed(folder):
            self.reason = self.reason or "git tracks files of the cache: a branch could have written them"
            return False
        return folder.is_dir()

    def _read(self, key: str, rows: int) -> Answers | None:
        path = _path(self._settings.folder, key)
        try:
            if hasattr(os, "geteuid") and path.stat().st_uid != os.geteuid():
                self.reason = self.reason or "the cache holds another user's files"
                return None
            answers, needs, top = _unpacked(key, bounded.read_bytes(path, SIZE), rows)
            if top not in ("", str(self._settings.origin.top)) or any(
                self._digest(file) != digest for file, digest in needs.items()
            ):
                return None
        except FileNotFoundError:
            return None
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            CandidateError,
        ):  # damaged: it is fitted again
            return None
        with suppress(OSError):
            os.utime(path)  # it was used: the others go first
        return answers

    def _digest(self, name: str) -> str | None:
        file = os.path.join(self._settings.origin.top, name)  # noqa: PTH118 - absolute paths stay
        if file not in self._digests:
            self._digests[file] = digest_of(file)
        return self._digests[file]

    def _write(self, key: str, content: bytes) -> None:
        folder = self._settings.folder
        if not folder.is_dir():
            folder.mkdir(parents=True)
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
            (folder / "CACHEDIR.TAG").write_text(TAG, encoding="utf-8")
        path = _path(folder, key)
        path.parent.mkdir(exist_ok=True)
        write_bytes(path, content, durable=False)
        self._stored, self._bytes = self._stored + 1, self._bytes + len(content)


class CachedEngine:
    """An engine that makes only those fits that the cache does not hold.

    Parameters
    ----------
    engine : Engine
        Makes the others.
    cache : FitCache
        Serves fits, and keeps those that are made.
    """

    def __init__(self, engine: Engine, cache: FitCache) -> None:
        self._engine, self._cache = engine, cache

    def share(self, data: Dataset) -> Dataset:
        """Share a data set; see `Engine`."""
        return self._engine.share(data)

    def run(self, batch: Batch) -> Outcomes:
        """Return the fits that are known, then make the others; see `Engine`."""
        known = self._cache.find(batch.fits, batch.cv, batch.entropy)
        for number, fit in enumerate(batch.fits):
            if fit in known:
                yield number, known[fit]
        missing = [number for number, fit in enumerate(batch.fits) if fit not in known]
        if not missing:
            return
        rest = replace(batch, fits=tuple(batch.fits[number] for number in missing))
        with closing(self._engine.run(rest)) as outcomes:
            for done in outcomes:
                if done is None:
                    yield None
                    continue
                number, outcome = missing[done[0]], done[1]
                if isinstance(outcome, Answers):
                    self._cache.keep(batch.fits[number], outcome, batch.cv, batch.entropy)
                yield number, outcome


def prune(folder: Path, size: int = SIZE, entries: int = ENTRIES) -> None:
    """Let the entries go that were not used for longest, until the rest is small and few enough."""
    found = []
    try:
        for path in folder.glob(f"*/*{ENDING}"):
            status = path.stat()
            found.append((status.st_mtime_ns, status.st_size, path))
    except OSError:  # another run lets them go
        return
    total, count = sum(each for _, each, _ in found), len(found)
    if total <= size and count <= entries:
        return
    for _, each, path in sorted(found, key=lambda entry: entry[0]):
        if total <= size * KEPT and count <= entries * KEPT:
            return
        try:
            path.unlink(missing_ok=True)
        except OSError:
            return
        total, count = total - each, count - 1


def _path(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key[2:]}{ENDING}"


@lru_cache(maxsize=8)
def _is_committed(folder: Path) -> bool:
    top = git.toplevel(folder)
    if top is None or not folder.is_dir():
        return False
    try:
        return bool(git.call(folder, "ls-files", "-z", "--", ".").strip("\0"))
    except GitError:
        return False


# -- one entry: a line that names the format, one with the digest of the rest, one of JSON, and the arrays -------------


def _packed(key: str, answers: Answers, needs: Mapping[str, str | None], top: str) -> bytes:
    arrays: dict[str, Any] = {}
    labels = {}
    for name, array in answers.responses.items():
        if array.dtype.kind == "O":
            labels[name], arrays[name] = _coded(array)
        else:
            arrays[name] = array
    about = {
        "key": key,
        "labels": labels,
        "needs": dict(needs),
        "top": top,
        "warned": [[each.__module__, each.__qualname__, text] for each, text in answers.warned],
    }
    stream = BytesIO()
    np.savez(stream, **arrays)  # no objects are among them: nothing is pickled
    rest = json.dumps(about).encode() + b"\n" + stream.getvalue()
    return FORMAT + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def _coded(array: NDArray[Any]) -> tuple[list[object], NDArray[np.int64]]:
    """Return the different objects of an array, and where each stands."""
    numbers: dict[tuple[type, object], int] = {}
    codes = np.empty(array.shape, dtype=np.int64)
    for place, value in np.ndenumerate(array):
        if type(value) not in (str, bool, int):
            raise UncacheableError(f"it predicts labels of the type {type(value).__name__}")
        codes[place] = numbers.setdefault((type(value), value), len(numbers))
    return [value for _, value in numbers], codes


def _unpacked(key: str, content: bytes, rows: int) -> tuple[Answers, dict[str, str | None], str]:
    """Read an entry: what was answered, the files that were read, and the project that they are read from.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError, CandidateError
        If it is damaged, of another key, or of other rows.
    """
    start = len(FORMAT)
    digest, rest = content[start : start + 64], content[start + 65 :]
    if content[:start] != FORMAT or hashlib.sha256(rest).hexdigest().encode() != digest:
        raise ValueError("it is not whole")
    head, _, arrays = rest.partition(b"\n")
    about = json.loads(head)
    if about["key"] != key:
        raise ValueError("it is another fit's")
    with np.load(BytesIO(arrays), allow_pickle=False) as stored:
        responses = {name: stored[name] for name in RESPONSES if name in stored.files}
    for name, labels in about["labels"].items():
        objects = np.empty(len(labels), dtype=object)
        objects[:] = labels
        responses[name] = objects[responses[name]]
    if "predict" not in responses:
        raise ValueError("it lacks the predictions")
    responses = {name: checked(name, array, rows) for name, array in responses.items()}
    warned = tuple((_warning(module, name), text) for module, name, text in about["warned"])
    return Answers(responses, warned), about["needs"], about["top"]


def _warning(module: str, name: str) -> type[Warning]:
    """Return a class of warnings that is there already: nothing is imported for an entry."""
    found: Any = builtins if module == "builtins" else sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part)
    if not (isinstance(found, type) and issubclass(found, Warning)):
        raise TypeError(f"{module}.{name} is no warning")
    return found
