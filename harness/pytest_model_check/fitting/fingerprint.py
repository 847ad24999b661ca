"""The key of a fit: a digest of everything that its predictions depend on. It is always too much, never too little."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray

from pytest_model_check import git
from pytest_model_check.candidates.notes import Note
from pytest_model_check.checks.declared import Declared
from pytest_model_check.data import dvc_files
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.fitting import closure as closures
from pytest_model_check.fitting import machine
from pytest_model_check.fitting.canonical import Canonical, UndigestibleError
from pytest_model_check.fitting.closure import Closure, digest_of
from pytest_model_check.fitting.fit import Fit
from pytest_model_check.fitting.installed import OURS, is_installed
from pytest_model_check.git import GitError
from pytest_model_check.settings import Origin

LARGEST = 20_000  # files of a project that can all be read
NOT_OF_THE_DATA = frozenset(("slices", "files"))  # fields of a data set that reach no fit
VIRTUAL = "pyvenv.cfg"


class UncacheableError(Exception):
    """A fit whose key would not tell everything it depends on; says why, in words."""


@dataclass(frozen=True)
class Fingerprint:
    """What all fits of a check depend on.

    Parameters
    ----------
    digest : str
        Of everything but the single fit.
    origin : Origin
        Where the candidate comes from.
    files : mapping of str to str
        By absolute path, the digest of every file that is in it.
    is_whole : bool
        Whether every file of the project is.
    """

    digest: str
    origin: Origin
    files: Mapping[str, str]
    is_whole: bool

    def key(self, fit: Fit, cv: CrossValidation, entropy: int) -> str:
        """Return the key of one fit."""
        split = cv.splits[fit.split]
        digest = hashlib.sha256(self.digest.encode())
        digest.update(repr((fit.seed, fit.split, fit.leave_out, entropy, split.repeat, split.fold)).encode())
        for rows in (split.train, split.test):
            digest.update(rows.dtype.str.encode() + np.ascontiguousarray(rows).tobytes())
        return digest.hexdigest()

    def dependencies(self, notes: Iterable[Note]) -> dict[str, str | None]:
        """Return the files beside `files` that a fit has read, with their digests.

        Raises
        ------
        UncacheableError
            If it did what no file tells.
        """
        found: dict[str, str | None] = {}
        for note in notes:
            concerns = not note.by or note.by in self.files or self.is_whole
            if not concerns or (note.kind == "module" and not self.is_whole):
                continue
            if note.kind == "refused":
                raise UncacheableError(f"a fit {shown(note.what, self.origin.top)}")
            if self.files.get(note.what) != note.digest or note.digest is None:
                found[_relative(note.what, self.origin.top)] = note.digest
        return found

    def require_current(self) -> None:
        """Make sure that the files are still what was imported.

        Raises
        ------
        UncacheableError
            If one has changed.
        """
        for path in self.files:
            try:
                written = os.stat(path).st_mtime_ns  # noqa: PTH116 - there may be thousands
                if written <= self.origin.started or dvc_files.was_brought(path, written):
                    continue
            except OSError:
                pass
            raise UncacheableError(f"{shown(path, self.origin.top)} was written after pytest had started")


def fingerprint(candidate: Any, cv: CrossValidation, origin: Origin) -> Fingerprint:
    """Find out what the fits of a check depend on.

    Raises
    ------
    UncacheableError
        If it can't be told.
    """
    if isinstance(candidate, Declared):
        raise UncacheableError("the candidate is no estimator: what it runs or asks is not known here")
    told = Canonical()
    try:
        told.add(candidate)
    except UndigestibleError as error:
        raise UncacheableError(f"the candidate holds {error}") from error
    known = {os.path.realpath(origin.root / path): md5 for path, md5 in cv.dataset.files}
    folders = [origin.root, Path.cwd()]
    loaded = _loaded()

    def reach(roots: Iterable[str]) -> Closure:
        real = sorted({os.path.realpath(file) for file in roots if not is_installed(file)})
        return closures.closure([(file, loaded.get(file, "")) for file in real], folders, known)

    fitted = reach(told.files)
    if fitted.unseen:
        path, _, word = fitted.unseen.partition(": ")
        raise UncacheableError(f"{shown(path, origin.top)} asks what can't be watched: {word}")
    reaching = closures.reaching(file for file in loaded if file.endswith(".py"))
    reached = reach((*told.files, *origin.files, *reaching))
    is_whole = bool(reached.dynamic or reached.extension)
    files = {path: digest for path, digest in reached.files.items() if not _is_written(path, origin)}
    for setting in origin.settings:
        files[os.path.realpath(setting)] = digest_of(str(setting)) or ""
    if is_whole:
        for path in _whole(origin, loaded):
            if path not in files:
                files[path] = known.get(path) or digest_of(path) or ""
    here = machine.machine()
    loose = sorted(reached.external - here.tops)
    if loose:
        raise UncacheableError(f"the module {loose[0]} is installed, and no distribution knows it")
    facts = {
        "candidate": told.hexdigest(),
        "data": _data(cv),
        "files": sorted((_relative(path, origin.top), digest) for path, digest in files.items()),
        "missing": sorted(reached.missing),
        "stated": list(origin.stated),
        "machine": here.digest,
        "libraries": machine.libraries(),
        "variables": machine.variables(os.environ, _mentioned(files)),
        "sklearn": repr(sorted(sklearn.get_config().items())),
        "folder": machine.working_folder(origin.top),
        "path": [_relative(os.path.realpath(entry), origin.top) for entry in sys.path if _is_searched(entry)],
    }
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    found = Fingerprint(digest, origin, files, is_whole)
    found.require_current()
    return found


def _loaded() -> dict[str, str]:
    """Return the files of the project's modules that this process has imported, and the package each is in."""
    packages: dict[str, str] = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and not is_installed(file):
            packages[os.path.realpath(file)] = str(getattr(module, "__package__", "") or "")
    return packages


def _whole(origin: Origin, loaded: Iterable[str]) -> list[str]:
    """Return every file of the project: what git knows or might add, or all that is there; and what was imported."""
    names = [path for path in _listed(origin.top) if not _is_written(path, origin)]
    if len(names) > LARGEST:
        raise UncacheableError(f"the whole project counts, and it has more than {LARGEST:,} files")
    return [*names, *loaded]  # what git ignores, too


def _is_written(path: str, origin: Origin) -> bool:
    """Whether a file is one that runs write."""
    return any(path == written or path.startswith(f"{written}{os.sep}") for written in origin.written)


def _listed(top: Path) -> list[str]:
    try:
        return [path for name in git.known(top) if os.path.isfile(path := os.path.join(top, name))]  # noqa: PTH113, PTH118
    except GitError:
        return list(_walked(top))


def _walked(top: Path) -> Iterable[str]:
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and name not in ("__pycache__", "node_modules")
            and not os.path.exists(os.path.join(folder, name, VIRTUAL))  # noqa: PTH110, PTH118
        )  # fmt: skip
        yield from (os.path.join(folder, name) for name in sorted(names))  # noqa: PTH118


def _is_searched(entry: str) -> bool:
    """Whether a folder of `sys.path` may hold the project's modules: not that of the command that was typed."""
    return not is_installed(entry) and entry != os.path.dirname(sys.executable)  # noqa: PTH120


def _mentioned(files: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(closures.mentions(path) for path in files if not path.startswith(OURS)))


def _relative(path: str, top: Path) -> str:
    """Name a path, all of whose links are followed, from the top of the project."""
    return "." if path == str(top) else path.removeprefix(f"{top}{os.sep}")


def shown(text: str, top: Path) -> str:
    """Name the files in a text from the top of the project."""
    return text.replace(f"{top}{os.sep}", "")


# -- the data ----------------------------------------------------------------------------------------------------------


def _data(cv: CrossValidation) -> str:
    """Return the digest of every value that may reach a fit."""
    digest = hashlib.sha256()
    dataset = cv.dataset
    digest.update(json.dumps(sorted(dataset.files)).encode())  # a fit may read a file of the data by its name, too
    for field in fields(dataset):
        if field.name not in NOT_OF_THE_DATA:
            digest.update(f"{field.name}\0".encode())
            _add(digest, getattr(dataset, field.name))
    _add(digest, cv.classes)
    return digest.hexdigest()


def _add(digest: Any, value: Any) -> None:
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        digest.update(repr((list(map(repr, value.columns)), list(map(str, value.dtypes)))).encode())
        _add(digest, value.index.to_numpy())
        for position in range(value.shape[1]):
            _add_column(digest, value.iloc[:, position])
    elif value is None:
        digest.update(b"none")
    else:
        _add_array(digest, np.asarray(value))


def _add_column(digest: Any, column: Any) -> None:
    import pandas as pd

    if isinstance(column.dtype, np.dtype):
        _add_array(digest, column.to_numpy())
    elif isinstance(column.dtype, pd.CategoricalDtype):
        _add_array(digest, column.cat.codes.to_numpy())
        _add_array(digest, column.cat.categories.to_numpy())
        digest.update(str(column.cat.ordered).encode())
    else:
        _add_array(digest, column.to_numpy(dtype=object))


def _add_array(digest: Any, values: NDArray[Any]) -> None:
    digest.update(repr((values.dtype.str, values.shape)).encode())
    if not values.dtype.hasobject:
        digest.update(np.ascontiguousarray(values).tobytes())
        return
    texts = _texts(values)
    if texts is not None:
        digest.update(texts)
        return
    told = Canonical()
    try:
        told.add(values.ravel().tolist())
    except UndigestibleError as error:
        raise UncacheableError(f"the data holds {error}") from error
    digest.update(told.hexdigest().encode())


def _texts(values: NDArray[Any]) -> bytes | None:
    """Return a digest of an array of texts, quickly; None where something else is among them."""
    import pandas as pd

    flat = values.ravel()
    missing = pd.isna(flat)
    kinds = {type(value) for value in flat[missing]}
    if len(kinds) > 1 or pd.api.types.infer_dtype(flat[~missing], skipna=False) != "string":
        return None
    if {type(value) for value in flat[~missing]} - {str}:
        return None
    hashes = pd.util.hash_array(np.where(missing, "", flat).astype(object), categorize=True)
    return hashes.tobytes() + missing.tobytes() + repr(sorted(kind.__name__ for kind in kinds)).encode()
