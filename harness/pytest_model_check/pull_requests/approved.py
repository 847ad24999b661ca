"""What is approved, and what a branch says instead: the baseline of the working tree, or of the merge base."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pytest_model_check import git
from pytest_model_check.baselines import store
from pytest_model_check.baselines.record import RETIRED, Baseline
from pytest_model_check.baselines.store import Approved
from pytest_model_check.errors import IncomparableError


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
    returns : bool
        The check was retired, and is there again: it is held against what was approved then, or a name that was given
        up would be a way around its baseline.
    """

    folder: Path
    revision: str | None
    baseline: Baseline | None
    file: str
    claimed: Baseline | None = None
    deleted: bool = False
    state: str = ""
    returns: bool = False

    def predictions(self, scratch: Path) -> Approved:
        """Read the approved predictions, from wherever they are to be had."""
        assert self.baseline is not None
        if self.claimed is None and not self.deleted and not self.returns:
            return store.read_approved(self.folder, self.baseline)
        return store.fetch_approved(self.folder, self.baseline, scratch)

    def commit(self) -> str:
        """Return the commit whose code is the approved model's: the one that brought the JSON.

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
    state = store.state(folder, name)
    here = store.read(folder, name)
    if revision is None:
        return Approval(folder, None, here, name, state=state) if here else _retired(folder, name, None, None)
    former = here.formerly if here else ()
    for later, known in enumerate((name, *reversed(former))):
        old = store.read_at(folder, known, revision)
        if old is None or (known != name and store.state(folder, known)):  # what is still there was not renamed
            continue
        if known != name:  # perhaps by way of names that only this branch has known
            old = replace(old, name=name, formerly=(*old.formerly, *former[len(former) - later :]))
        claimed = None if here == old else here
        return Approval(folder, revision, old, known, claimed, deleted=here is None, state=state)
    return _retired(folder, name, revision, here, state)


def elsewhere(name: str, folder: Path) -> list[Path]:
    """Find baselines of this name in other folders of the repository."""
    top = git.toplevel(folder)
    there = set() if top is None else {top / path for path in git.known(top)}
    named = [path for path in there if path.name == f"{name}.json" and path.parent != folder]
    return sorted(path for path in named if path.with_suffix(".parquet.dvc") in there)


def _retired(folder: Path, name: str, revision: str | None, here: Baseline | None, state: str = "") -> Approval:
    """Hold a check that was retired, and is there again, against what was approved then; a new one against nothing."""
    shelf = folder / RETIRED
    old = store.read(shelf, name) if revision is None else store.read_at(shelf, name, revision)
    if old is None:
        return Approval(folder, revision, None, name, here, state=state)
    old = replace(old, history=old.history[:-1])  # its retirement
    return Approval(folder, revision, old, f"{RETIRED}/{name}", here, state=state, returns=True)
