"""What is approved, and what a branch says instead: the baseline of the working tree, or of the merge base."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from harness import baselines, git
from harness.baselinejson import Baseline
from harness.baselines import Approved
from harness.errors import BaselineError, IncomparableError


@dataclass(frozen=True)
class Approval:
    """What a check is held against.

    Parameters
    ----------
    folder : Path
        Of the baselines.
    revision : str or None
        The commit whose baselines decide; None: the working tree's do.
    baseline : Baseline or None
        What is approved; None: nothing yet.
    file : str
        The name of its JSON there: a check may have been renamed since.
    claimed : Baseline or None
        What the branch says instead: the working tree's, where it is another one.
    deleted : bool
        The branch deleted the approved baseline.
    state : str
        Of the JSON in the working tree, when it was read.
    """

    folder: Path
    revision: str | None
    baseline: Baseline | None
    file: str
    claimed: Baseline | None = None
    deleted: bool = False
    state: str = ""

    def predictions(self, scratch: Path) -> Approved:
        """Read the approved predictions, from wherever they are to be had."""
        assert self.baseline is not None
        if self.claimed is None and not self.deleted:
            return baselines.read_approved(self.folder, self.baseline)
        return baselines.fetch_approved(self.folder, self.baseline, scratch)

    def commit(self) -> str:
        """Give the commit whose code is the approved model's: the one that brought the JSON.

        Raises
        ------
        IncomparableError
            If it can't be told.
        """
        path, revision = self.folder / f"{self.file}.json", self.revision or "HEAD"
        if self.revision is None and git.show(path, revision) != path.read_bytes():
            raise IncomparableError(
                f"{path.name} is not committed, so nobody can tell which code the approved model is",
                f"Commit it together with that code: git add {path} {path.with_suffix('.parquet.dvc')} && git commit",
            )
        brought = git.commits(path, revision)[0].sha
        if git.is_cut(self.folder, brought):
            raise IncomparableError(
                f"this clone is shallow: it lacks the commit that brought {path.name}, the approved model's code",
                "Fetch it: git fetch --unshallow --no-tags\n(on GitHub: actions/checkout with fetch-depth: 0)",
            )
        return brought


def find(name: str, folder: Path, revision: str | None) -> Approval:
    """Find what a check of this name is held against.

    Parameters
    ----------
    name : str
        The check's.
    folder : Path
        Of the baselines, in the working tree.
    revision : str or None
        The commit whose baselines decide; None: the working tree's do.

    Raises
    ------
    BaselineError
        If a JSON can't be read.
    """
    state = baselines.state(folder, name)
    here = baselines.read(folder, name)
    if revision is None:
        return Approval(folder, None, here, name, state=state)
    for known in (name, *reversed(here.formerly if here else ())):
        old = baselines.read_at(folder, known, revision)
        if old is None:
            continue
        if known != name:
            old = replace(old, name=name, formerly=(*old.formerly, known))
        claimed = None if here == old else here
        return Approval(folder, revision, old, known, claimed, deleted=here is None, state=state)
    return Approval(folder, revision, None, name, here, state=state)


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


def gone(folder: Path, revision: str | None, heard: frozenset[str]) -> list[Gone]:
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


def was_there(root: Path, nodeid: str, revision: str) -> bool:
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


def moved_away(root: Path, folder: Path, revision: str) -> list[str]:
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
