"""The history of a baseline: every recording of it, with the commit that brought it, read through git."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_model_check import git
from pytest_model_check.baselines import store
from pytest_model_check.baselines.record import RETIRED, Baseline
from pytest_model_check.errors import BaselineError
from pytest_model_check.git import Commit

UNSHALLOW = "git fetch --unshallow"


@dataclass(frozen=True)
class Recording:
    """A baseline as it was recorded, and who brought it.

    Parameters
    ----------
    commit : Commit or None
        None: it lies in the working tree, and is not committed yet.
    baseline : Baseline
        Under the name that it had then.
    """

    commit: Commit | None
    baseline: Baseline

    @property
    def data(self) -> str:
        """The version of the data: the file's md5, or that of all files together."""
        files = self.baseline.data
        if len(files) == 1:
            return files[0][1]
        return hashlib.md5("".join(md5 for _, md5 in files).encode(), usedforsecurity=False).hexdigest()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a loss was accepted with this recording."""
        return tuple(
            acceptance.reason
            for acceptance in self.baseline.history
            if acceptance.generation == self.baseline.generation and acceptance.kind != "retired"
        )


@dataclass(frozen=True)
class History:
    """What git knows of a baseline.

    Parameters
    ----------
    name : str
        As it is called now.
    recordings : tuple of Recording
        The oldest first.
    remarks : tuple of str
        What is missing from them, and why; what happened beside them.
    """

    name: str
    recordings: tuple[Recording, ...]
    remarks: tuple[str, ...] = ()


def names(folder: Path, wanted: Sequence[str] = ()) -> list[str]:
    """Name the baselines in a folder, or those of them that are wanted.

    Raises
    ------
    BaselineError
        If one is not there, with the names that it may have meant.
    """
    known = store.names(folder)
    for name in wanted:
        if name not in known:
            raise unknown(folder, name)
    if not known:
        raise BaselineError(
            f"no baseline in {folder}/",
            _above(folder) or "Record one: pytest --model-check --update-baselines",
        )
    return list(dict.fromkeys(wanted)) or known


def _above(folder: Path) -> str:
    """Name a folder above that has baselines, where a command runs in a subfolder; empty if none has."""
    for above in Path.cwd().parents:
        if store.names(above / folder):
            return f"There are some in {above / folder}: run it in {above}, or pass --baselines."
    return ""


def unknown(folder: Path, name: str, neither: str = "") -> BaselineError:
    """Return the error that there is no such baseline, with the name that may have been meant."""
    known = store.names(folder)
    near = difflib.get_close_matches(name, known, n=3)
    meant = f": did you mean {' or '.join(near)}?" if near else ""
    also = f", {neither}" if neither else ""
    return BaselineError(f"no baseline {name!r} in {folder}/{also}{meant}", f"There are: {', '.join(known) or 'none'}.")


def recordings(folder: Path, name: str) -> tuple[Recording, ...]:
    """Read the recordings of a baseline, the oldest first; see `read`."""
    return read(folder, name).recordings


def read(folder: Path, name: str) -> History:
    """Read the history of a baseline: from the working tree and, where there is one, from git; renames are followed.

    Parameters
    ----------
    folder : Path
        Where the baselines live.
    name : str
        What it is called now, or was called when its check was deleted or retired.

    Raises
    ------
    BaselineError
        If neither the working tree nor git knows it, or what lies in the working tree can't be read.
    """
    now = store.read(folder, name)
    if now is None:
        now = store.read(folder / RETIRED, name)
    top = git.toplevel(folder)
    versions, remarks = _committed(folder, name, now) if top is not None else ([], [])
    if now is not None:
        versions.append(Recording(None, now))
        remarks += [
            f"retired after recording {acceptance.generation}: {acceptance.reason}"
            for acceptance in now.history
            if acceptance.kind == "retired"
        ]
    elif not versions and not remarks:
        raise unknown(folder, name, "nor in its history")
    else:
        remarks.append(f"{name}.json is not in {folder}/ any more")
    return History(name, _recordings(versions), tuple(remarks + _limits(folder, top)))


def _committed(folder: Path, name: str, now: Baseline | None) -> tuple[list[Recording], list[str]]:
    """Walk from HEAD backwards; where a name had not been given yet, the one before it leads on."""
    formerly: tuple[str, ...] = ()
    if now is not None:
        formerly = now.formerly
    elif (content := next(filter(None, (git.show(path, "HEAD") for path in _places(folder, name))), None)) is not None:
        formerly = store.parse(content, name, f"{name}.json at HEAD").formerly
    called = [*formerly, name]
    paths = [path for known in dict.fromkeys(called) for path in _places(folder, known)]
    log = git.commits(paths[0], also=paths[1:])
    contents = git.shows(paths, [commit.sha for commit in log])
    versions: list[Recording] = []
    remarks: list[str] = []
    for commit in log:
        there = {known: _first(contents, _places(folder, known), commit.sha) for known in called}
        while len(called) > 1 and not _bears(there[called[-1]], len(called) - 1) and there[called[-2]] is not None:
            called.pop()
        content, when = there[called[-1]], f"{commit.date[:10]}, commit {commit.sha[:7]}"
        if content is None:
            remarks.append(f"{when}: {called[-1]}.json was deleted")
            continue
        try:
            versions.append(Recording(commit, store.parse(content, called[-1], f"{called[-1]}.json")))
        except BaselineError as error:
            remarks.append(f"{when}: this version can't be read, and is left out: {error.message}")
    return versions[::-1], remarks[::-1]


def _places(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.json", folder / RETIRED / f"{name}.json"


def _first(contents: Mapping[tuple[Path, str], bytes], paths: Sequence[Path], revision: str) -> bytes | None:
    return next((contents[path, revision] for path in paths if (path, revision) in contents), None)


def _bears(content: bytes | None, former: int) -> bool:
    """Whether this is our baseline: one that has had so many names before, and not another's that bore this one."""
    if content is None:
        return False
    try:
        return len(json.loads(content).get("formerly", ())) >= former
    except (ValueError, RecursionError, AttributeError, TypeError):
        return True  # torn: that will be said


def _recordings(versions: Sequence[Recording]) -> tuple[Recording, ...]:
    """Leave out what is no new recording: the commits that only renamed or retired the one before."""
    kept: list[Recording] = []
    for version in versions:
        if not kept or _nameless(kept[-1].baseline) != _nameless(version.baseline):
            kept.append(version)
    return tuple(kept)


def _nameless(baseline: Baseline) -> Baseline:
    return replace(baseline, name="", nodeid="", formerly=(), history=())


def _limits(folder: Path, top: Path | None) -> list[str]:
    """Explain why there may be more than is shown."""
    if top is None:
        return [f"{folder}/ is in no git repository (or git does not trust it): there is no history but what lies here"]
    if git.resolve(top, "HEAD") is None:
        return ["this repository has no commits yet: there is no history but what lies here"]
    if git.is_shallow(top):
        return [f"this clone is shallow, so its history is cut: {UNSHALLOW} brings the rest"]
    if not git.succeeds(top, "symbolic-ref", "--quiet", "HEAD"):
        head = git.call(top, "rev-parse", "--short", "HEAD").strip()
        return [f"HEAD is detached at {head}: the history is that of this commit, not of a branch"]
    return []
