"""The approved checks of which a run heard nothing, though it covers them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_model_check import git
from pytest_model_check.baselines import store
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.errors import BaselineError


def find(
    root: Path,
    folder: Path,
    revision: str | None,
    heard: frozenset[str],
    expected: Callable[[str], bool],
) -> tuple[list[str], list[str], list[str]]:
    """Say which approved checks are gone.

    Parameters
    ----------
    root : Path
        pytest's rootdir.
    folder : Path
        Of the baselines.
    revision : str or None
        The commit whose baselines decide; None: the working tree's do.
    heard : frozenset of str
        The names of all verdicts of this run.
    expected : callable
        Whether this run would have judged a test of that node id, if it were there.

    Returns
    -------
    tuple of (list of str, list of str, list of str)
        Problems: promises that the branch dropped. Notes: baselines whose check has been gone for longer. Retired: what
        the branch gave up on purpose, with its reasons.

    Raises
    ------
    BaselineError
        If a JSON can't be read.
    """
    problems, notes, retired = [], [], []
    for one in _gone(folder, revision, heard):
        if one.reason:
            retired.append(f"{one.name} was retired: {one.reason}")
            continue
        if not expected(one.nodeid):
            continue
        say = f'model-check rename {one.name} NEW, or model-check retire {one.name} "reason"'
        if revision is not None and git.show(root / one.nodeid.partition("::")[0], revision) is not None:
            problems.append(
                f"The promise was weakened: no verdict came of the approved check {one.name} ({one.nodeid}). "
                f"Bring its test back, or say what became of it: {say}"
            )
        else:
            notes.append(
                f"no check any more: {_shown(folder / one.name)}.json ({one.nodeid}). What became of it? {say}"
            )
    if revision is not None:
        problems += [
            f"The promise was weakened: {file} was approved, and is not read: baselines are now read from "
            f"{_shown(folder)}/. Let model_check_baselines name its folder again, or retire it with a reason."
            for file in _elsewhere(root, folder, revision, heard)
        ]
    return problems, notes, retired


def _shown(path: Path) -> str:
    return Path(os.path.relpath(path)).as_posix()


@dataclass(frozen=True)
class Gone:
    """An approved check of which nothing was heard.

    Parameters
    ----------
    name : str
        The baseline's.
    nodeid : str
        The test that made the promise.
    reason : str
        Why it was given up; empty where nobody said so.
    """

    name: str
    nodeid: str
    reason: str = ""


def _gone(folder: Path, revision: str | None, heard: frozenset[str]) -> list[Gone]:
    """Name the approved checks that no verdict was heard of, and that were not renamed.

    Parameters
    ----------
    folder : Path
        Of the baselines.
    revision : str or None
        The commit whose baselines decide; None: the working tree's do.
    heard : frozenset of str
        The names of all verdicts of this run.

    Raises
    ------
    BaselineError
        If a JSON can't be read.
    """
    names = store.names(folder) if revision is None else store.names_at(folder, revision)
    silent = [name for name in names if name not in heard]
    if not silent:
        return []
    renamed = {
        former
        for name in store.names(folder)
        if name in heard and (here := store.read(folder, name)) is not None
        for former in here.formerly
        if not store.state(folder, former)  # what is still there was not renamed
    }
    found = []
    for name in silent:
        if name in renamed:
            continue
        old = store.read(folder, name) if revision is None else store.read_at(folder, name, revision)
        if old is not None:
            found.append(Gone(name, old.nodeid, "" if revision is None else _retired(folder, old)))
    return found


def _elsewhere(root: Path, folder: Path, revision: str, heard: frozenset[str]) -> list[str]:
    """Name the approved baselines in other folders than the one that is read now, which this run should have read.

    That is so where one is gone, where a check of its name was judged without it, and all of them where nothing was
    approved in the folder that is read now: then an ini file moved it.

    Parameters
    ----------
    root : Path
        pytest's rootdir: what lies elsewhere is another project's.
    folder : Path
        Of the baselines, now.
    revision : str
        The commit whose baselines decide.
    heard : frozenset of str
        The names of all verdicts of this run.
    """
    there = set(git.listed(root, revision, recursive=True))
    approved = [path for path in there if path.suffix == ".json" and path.with_suffix(".parquet.dvc") in there]
    moved = not any(path.parent == folder for path in approved)
    away = [path for path in approved if path.parent != folder and (moved or not path.exists() or path.stem in heard)]
    return sorted(
        path.relative_to(root).as_posix() for path in away if not (path.parent / "retired" / path.name).exists()
    )


def _retired(folder: Path, old: Baseline) -> str:
    """Give the reason for which a branch gave a check up on purpose; empty where it did not."""
    kept = store.read(folder / "retired", old.name)
    if kept is None:
        return ""
    reasons = [one.reason.strip() for one in kept.history[len(old.history) :]]
    if kept.generation < old.generation or not any(reasons):
        raise BaselineError(
            f"retired/{old.name}.json gives no reason, or is not the approved baseline",
            f'Bring the baseline back from the target branch, then: model-check retire {old.name} "reason"',
        )
    return reasons[-1]
