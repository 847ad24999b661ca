"""The approved checks of which a run heard nothing, though it should have judged them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_model_check import git
from pytest_model_check.baselines import store
from pytest_model_check.baselines.record import RETIRED, Baseline
from pytest_model_check.errors import BaselineError
from pytest_model_check.judgement.verdicts import is_reason


@dataclass(frozen=True)
class Place:
    """Where baselines are approved.

    Parameters
    ----------
    root : Path
        pytest's rootdir.
    name : str
        The folder of the baselines, from there.
    """

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        """The folder of the baselines, as it is written: a link may stand there now."""
        return Path(os.path.normpath(self.root / self.name))


@dataclass(frozen=True)
class Missing:
    """What became of the approved checks of which a run heard nothing.

    Parameters
    ----------
    problems : tuple of str
        Promises that were dropped, in words.
    retired : tuple of str
        What was given up on purpose, with its reasons.
    silent : mapping of str to str
        All others, those included that another shard may have judged, with the words for it if none has.
    """

    problems: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)


def in_working_tree(folder: Path, heard: Collection[str], expected: Callable[[str], bool]) -> Missing:
    """Find the baselines of the working tree of whose checks nothing was heard.

    Parameters
    ----------
    folder : Path
        Of the baselines.
    heard : collection of str
        The names of all verdicts of this run.
    expected : callable
        Whether this run would have judged a test of that node id, if it were there.

    Raises
    ------
    BaselineError
        If a JSON can't be read.
    """
    silent = [name for name in store.names(folder) if name not in heard]
    renamed = _renamed(folder, heard) if silent else set()
    baselines = [store.read(folder, name) for name in silent if name not in renamed]
    words = {old.name: _no_verdict(old) for old in baselines if old is not None}
    missing = tuple(words[old.name] for old in baselines if old is not None and expected(old.nodeid))
    return Missing(missing, silent=words)


def at_merge_base(
    top: Path,
    revision: str,
    place: Place,
    folder: Path,
    heard: Collection[str],
    first: Collection[str],
    expected: Callable[[str], bool],
) -> Missing:
    """Find the approved checks of a pull request's target that this run did not hold against what is approved.

    Parameters
    ----------
    top : Path
        Of the repository.
    revision : str
        The commit whose baselines decide.
    place : Place
        Where they were read at that commit.
    folder : Path
        Where they are read now.
    heard, first : collection of str
        The names of all verdicts of this run, and of those for which nothing approved was read.
    expected : callable
        Whether this run would have judged a test of that node id, if it were there.

    Raises
    ------
    BaselineError
        If a JSON can't be read.
    """
    there = git.listed(top, revision, recursive=True)
    approved = sorted(path for path in there if path.suffix == ".json" and path.parent == place.folder)
    if not approved:  # nobody knows why: what was approved elsewhere under these names was for these checks
        tracked = set(there)
        approved = sorted(
            path
            for path in there
            if path.stem in first and path.is_relative_to(place.root) and path.with_suffix(".parquet.dvc") in tracked
        )
    # what was heard of, and held against what was approved there, needs no second look
    doubtful = [path for path in approved if path.stem not in heard or path.stem in first or path.parent != folder]
    renamed = _renamed(folder, heard) if doubtful else set()
    problems, retired, silent = [], [], {}
    for (path, _), content in git.shows(doubtful, [revision], top=top).items():
        name, where = path.stem, f"{path.name} at {revision[:7]}"
        try:
            old = store.parse(content, name, where, f"Mend it on the branch that {where} is on.")
            reason = _reason_retired(top, revision, {path.parent, folder}, old)
        except BaselineError as error:
            problems.append(str(error))
            continue
        if name in first or (path.parent != folder and not reason):
            problems.append(_not_read(path.relative_to(top), folder, moved=path.parent != folder))
        elif reason:
            retired.append(f"{name} was retired: {reason}")
        elif name not in renamed:
            silent[name] = _no_verdict(old)
            problems += [silent[name]] if expected(old.nodeid) else []
    return Missing(tuple(problems), tuple(retired), silent)


def _renamed(folder: Path, heard: Collection[str]) -> set[str]:
    """Name what the checks of this run were called before; what is still there was not renamed."""
    judged = (store.read(folder, name) for name in store.names(folder) if name in heard)
    former = {name for baseline in judged if baseline is not None for name in baseline.formerly}
    return {name for name in former if not store.state(folder, name)}


def _no_verdict(old: Baseline) -> str:
    return (
        f"The promise was weakened: no verdict came of the approved check {old.name} ({old.nodeid}). Bring its test "
        f"back, or say what became of it: model-check rename {old.name} NEW, or "
        f'model-check retire {old.name} "reason"'
    )


def _not_read(file: Path, folder: Path, *, moved: bool) -> str:
    where = Path(os.path.relpath(folder)).as_posix()
    how = (
        f"baselines are now read from {where}/. Let model_check_baselines name its folder again, "
        "and rootdir be where it was, or retire it with a reason."
        if moved
        else "its check was judged as if it were new. Is something else in the way, a link or a submodule?"
    )
    return f"The promise was weakened: {file.as_posix()} was approved, and is not read: {how}"


def _reason_retired(top: Path, revision: str, folders: Collection[Path], old: Baseline) -> str:
    """Return the reason for which a branch gave a check up on purpose; empty where it did not."""
    for folder in folders:
        path = folder / RETIRED / f"{old.name}.json"
        kept = store.read(path.parent, old.name)
        if kept is None or git.shows([path], [revision], top=top).get((path, revision)) == path.read_bytes():
            continue  # not there, or of a check of this name that was given up before
        reasons = [entry.reason.strip() for entry in kept.history[len(old.history) :]]
        if kept.generation < old.generation or not any(map(is_reason, reasons)):
            raise BaselineError(
                f"{RETIRED}/{old.name}.json gives no reason, or is not the approved baseline",
                f'Bring the baseline back from the target branch, then: model-check retire {old.name} "reason"',
            )
        return reasons[-1]
    return ""
