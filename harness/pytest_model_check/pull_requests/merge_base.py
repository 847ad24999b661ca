"""The merge base: the commit whose baselines decide, so that a branch can't lower its own bar."""

from __future__ import annotations

from collections.abc import Mapping
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
        """How reports say it."""
        return f"merge base {self.sha[:7]} with {self.target} ({self.source})"


def target_branch(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Give the branch that the environment says a pull request is for, and which service says so.

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


def find(folder: Path, revision: str | None, environ: Mapping[str, str]) -> Against | None:
    """Find the commit whose baselines decide: the merge base of HEAD and a revision, or a pull request's target.

    Parameters
    ----------
    folder : Path
        In the repository.
    revision : str or None
        What the command line names; None: what continuous integration says.
    environ : mapping of str to str
        The environment variables.

    Returns
    -------
    Against or None
        None where the baselines of the working tree decide: nothing is named, and this is no pull request.

    Raises
    ------
    GitError
        If there is no such commit; the command that gets it is named.
    """
    told = target_branch(environ)
    if revision is None and told is None:
        return None
    name, source = (revision, "--model-check-against") if revision is not None else told or ("", "")
    if git.toplevel(folder) is None:
        raise GitError(
            f"{source} says to compare with {name}, but {folder} is in no git repository (or git does not trust it)",
            f"Run it in a clone; in a container perhaps: git config --global --add safe.directory {folder}",
        )
    if git.resolve(folder, "HEAD") is None:
        raise GitError(f"can't compare with {name}: this repository has no commits yet", "Commit first.")
    remote = _remote(folder)
    candidates = [f"{remote}/{name}"] if revision is None else [name, f"{remote}/{name}"]
    found = next((one for one in candidates if git.resolve(folder, one)), None)
    if found is None:
        raise GitError(f"can't compare with {name} ({source}): git does not know it here", _fetch(folder, remote, name))
    base = git.merge_base(folder, "HEAD", found)
    if base is not None:
        return Against(base, found, source)
    if git.is_shallow(folder):
        raise GitError(
            f"can't find the merge base of HEAD and {found}: this clone is shallow", _fetch(folder, remote, name)
        )
    raise GitError(
        f"HEAD and {found} have no common ancestor, so there is no merge base to take the baselines from",
        "Was the target branch replaced by a force push? Rebase onto it, or name what to compare with: "
        "--model-check-against REV",
    )


def _remote(folder: Path) -> str:
    names = git.call(folder, "remote").split()
    return "origin" if "origin" in names or not names else names[0]


def _fetch(folder: Path, remote: str, name: str) -> str:
    """Give the exact command that brings a branch with all its history."""
    branch = name.removeprefix(f"{remote}/")
    deeper = "--unshallow " if git.is_shallow(folder) else ""
    told = f"git fetch --no-tags {deeper}{remote} +refs/heads/{branch}:refs/remotes/{remote}/{branch}"
    return f"Fetch it: {told}\n(on GitHub: actions/checkout with fetch-depth: 0; on GitLab: GIT_DEPTH: 0)"
