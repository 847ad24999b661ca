"""The merge base: the commit whose baselines decide, so that a branch can't lower its own bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_model_check import git
from pytest_model_check.git import GitError

# Where continuous integration says which branch a pull request is to be merged into.
TARGETS = {
    "GITHUB_BASE_REF": "GitHub",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "GitLab",
    "SYSTEM_PULLREQUEST_TARGETBRANCH": "Azure Pipelines",
    "CHANGE_TARGET": "Jenkins",
    "BITBUCKET_PR_DESTINATION_BRANCH": "Bitbucket",
}

QUEUE = "refs/heads/gh-readonly-queue/"  # GitHub's merge queue: .../main/pr-7-<sha>


@dataclass(frozen=True)
class Against:
    """The commit whose baselines decide.

    Parameters
    ----------
    sha : str
        The merge base of HEAD and the target.
    target : str
        What is merged into: a branch, or whatever revision was named.
    source : str
        Who said so: a service, or the command line.
    """

    sha: str
    target: str
    source: str

    @property
    def words(self) -> str:
        """How reports write it."""
        return f"merge base {self.sha[:7]} with {self.target} ({self.source})"


def target_branch(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the branch that the environment says a pull request is for, and which service says so.

    Parameters
    ----------
    environ : mapping of str to str
        The environment variables.
    """
    for variable, service in TARGETS.items():
        branch = environ.get(variable, "").strip().removeprefix("refs/heads/")
        if branch:
            return branch, service
    queue = environ.get("GITHUB_REF", "")
    if queue.startswith(QUEUE):
        return queue.removeprefix(QUEUE).rpartition("/")[0], "GitHub's merge queue"
    return None


def find(folder: Path, revision: str | None, environ: Mapping[str, str], places: Sequence[Path] = ()) -> Against | None:
    """Find the commit whose baselines decide: the merge base of HEAD and a revision, or a pull request's target.

    Parameters
    ----------
    folder : Path
        In the repository.
    revision : str or None
        What the command line names; None: what continuous integration says.
    environ : mapping of str to str
        The environment variables.
    places : sequence of Path
        The folders that must be this repository's too: a commit of it says nothing of another one, and a branch can
        make a submodule of a folder.

    Returns
    -------
    Against or None
        None where the baselines of the working tree decide: nothing is named, and this is no pull request.

    Raises
    ------
    GitError
        If there is no such commit, or it can't decide; what mends it is named.
    """
    branch = target_branch(environ)
    if revision is None and branch is None:
        return None
    name, source = (revision, "--model-check-against") if revision is not None else branch or ("", "")
    top = git.toplevel(folder)
    if top is None:
        raise GitError(
            f"{source} says to compare with {name}, but {folder} is in no git repository (or git does not trust it)",
            f"Run it in a clone; in a container perhaps: git config --global --add safe.directory {folder}",
        )
    if git.resolve(folder, "HEAD") is None:
        raise GitError(f"can't compare with {name}: this repository has no commits yet", "Commit first.")
    _require_one_repository(top, places, name, by_service=revision is None, source=source)
    remote = _remote(folder)
    target = _named(folder, remote, name) if revision is not None else _on_remote(folder, remote, name)
    if target is None:
        raise GitError(f"can't compare with {name} ({source}): git does not know it here", _fetch(folder, remote, name))
    shown, sha = target
    base = git.merge_base(folder, "HEAD", sha)
    if base is not None:
        return Against(base, shown, source)
    if git.is_shallow(folder):
        raise GitError(
            f"can't find the merge base of HEAD and {shown}: this clone is shallow", _fetch(folder, remote, name)
        )
    raise GitError(
        f"HEAD and {shown} have no common ancestor, so there is no merge base to take the baselines from",
        "Was the target branch replaced by a force push? Rebase onto it, or name what to compare with: "
        "--model-check-against REV",
    )


def _require_one_repository(top: Path, places: Sequence[Path], name: str, *, by_service: bool, source: str) -> None:
    outer = git.superproject(top)
    if by_service and outer is not None:
        raise GitError(
            f"{source} says to compare with {name} of {outer}, and {top} is a submodule of it",
            "Name the commit of the submodule to compare with: --model-check-against REV",
        )
    for place in places:
        other = git.toplevel(place)
        if other != top:
            where = "no repository" if other is None else f"the repository {other}"
            raise GitError(
                f"can't compare with {name}: {place} is in {where}, and the command was typed in {top}",
                "Tests and baselines must be in the repository in which pytest is started.",
            )


def _on_remote(folder: Path, remote: str, branch: str) -> tuple[str, str] | None:
    """Find a branch of the remote, and nothing else: a tag or a branch here may have its name."""
    sha = git.resolve(folder, f"refs/remotes/{remote}/{branch}")
    return None if sha is None else (f"{remote}/{branch}", sha)


def _named(folder: Path, remote: str, name: str) -> tuple[str, str] | None:
    """Find what the command line names: a remote's branch, a branch or a tag, or whatever else git knows.

    Raises
    ------
    GitError
        If a tag has the name of a branch, and they are not the same commit.
    """
    if (sha := git.resolve(folder, f"refs/remotes/{name}")) is not None:
        return name, sha
    head, tag = (git.resolve(folder, f"refs/{kind}/{name}") for kind in ("heads", "tags"))
    there = _on_remote(folder, remote, name)
    branch = there if head is None else (name, head)
    if tag is not None and branch is not None and tag != branch[1]:
        raw = f"refs/heads/{name}" if head is not None else f"refs/remotes/{remote}/{name}"
        raise GitError(
            f"can't compare with {name}: there is a tag of this name and a branch, and they are not the same",
            f"Say which: --model-check-against {raw}, or --model-check-against refs/tags/{name}",
        )
    if branch is not None:
        return branch
    sha = tag or git.resolve(folder, name)
    return None if sha is None else (name, sha)


def _remote(folder: Path) -> str:
    names = git.call(folder, "remote").split()
    return "origin" if "origin" in names or not names else names[0]


def _fetch(folder: Path, remote: str, name: str) -> str:
    """Return the exact command that brings a branch with all its history; the branches there are, without a remote."""
    if not git.call(folder, "remote").split():
        known = git.call(folder, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        return f"This repository has no remote to fetch it from. Its branches: {', '.join(known)}."
    branch = name.removeprefix(f"{remote}/")
    deeper = "--unshallow " if git.is_shallow(folder) else ""
    command = f"git fetch --no-tags {deeper}{remote} +refs/heads/{branch}:refs/remotes/{remote}/{branch}"
    return f"Fetch it: {command}\n(on GitHub: actions/checkout with fetch-depth: 0; on GitLab: GIT_DEPTH: 0)"
