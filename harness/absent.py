"""Absent: the approved checks of which a run heard nothing, though it covers them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import baselines, git
from harness.baselinejson import Baseline
from harness.errors import BaselineError


def find(
    root: Path,
    folder: Path,
    revision: str | None,
    heard: frozenset[str],
    expected: Callable[[str], bool],
) -> tuple[list[str], list[str]]:
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
    tuple of (list of str, list of str)
        Problems: promises that the branch dropped. Notes: baselines whose check has been gone for longer.

    Raises
    ------
    BaselineError
        If a JSON can't be read.
    """
    problems, notes = [], []
    for one in _gone(folder, revision, heard):
        if not expected(one.nodeid):
            continue
        say = f'model-check rename {one.name} NEW, or model-check retire {one.name} "reason"'
        if revision is not None and _was_there(root, one.nodeid, revision):
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
            f"The promise was weakened: {file} was approved, and is gone: baselines are now read from "
            f"{_shown(folder)}/. Move it back, or retire it with a reason."
            for file in _moved_away(root, folder, revision)
        ]
    return problems, notes


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
    """

    name: str
    nodeid: str


def _gone(folder: Path, revision: str | None, heard: frozenset[str]) -> list[Gone]:
    """Name the approved checks that no verdict was heard of, and that were neither renamed nor retired.

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
    names = baselines.names(folder) if revision is None else baselines.names_at(folder, revision)
    silent = [name for name in names if name not in heard]
    if not silent:
        return []
    renamed = {
        former
        for name in baselines.names(folder)
        if name in heard and (here := baselines.read(folder, name)) is not None
        for former in here.formerly
    }
    found = []
    for name in silent:
        if name in renamed:
            continue
        old = baselines.read(folder, name) if revision is None else baselines.read_at(folder, name, revision)
        if old is not None and not (revision is not None and _retired(folder, old)):
            found.append(Gone(name, old.nodeid))
    return found


def _was_there(root: Path, nodeid: str, revision: str) -> bool:
    """Whether a test's file held its function at a revision: else it was gone before, and nobody deletes it now.

    Parameters
    ----------
    root : Path
        pytest's rootdir.
    nodeid : str
        The test's.
    revision : str
        The commit whose baselines decide.
    """
    file, _, test = nodeid.partition("::")
    function = test.partition("[")[0].rpartition("::")[2]
    source = git.show(root / file, revision)
    return source is not None and f"def {function}(".encode() in source


def _moved_away(root: Path, folder: Path, revision: str) -> list[str]:
    """Name the approved baselines in other folders than the one that is read now, which are gone from the tree.

    Parameters
    ----------
    root : Path
        pytest's rootdir: what lies elsewhere is another project's.
    folder : Path
        Of the baselines, now.
    revision : str
        The commit whose baselines decide.
    """
    there = set(git.listed(root, revision, recursive=True))
    approved = (path for path in there if path.suffix == ".json" and path.with_suffix(".parquet.dvc") in there)
    away = (path for path in approved if path.parent != folder and not path.exists())
    return sorted(
        path.relative_to(root).as_posix() for path in away if not (path.parent / "retired" / path.name).exists()
    )


def _retired(folder: Path, old: Baseline) -> bool:
    """Whether the branch gave a check up on purpose, with a reason."""
    kept = baselines.read(folder / "retired", old.name)
    if kept is None:
        return False
    if kept.generation < old.generation or not any(one.reason.strip() for one in kept.history[len(old.history) :]):
        raise BaselineError(
            f"retired/{old.name}.json gives no reason, or is not the approved baseline",
            f'Bring the baseline back from the target branch, then: model-check retire {old.name} "reason"',
        )
    return True
