"""Git, asked: revisions, files as they were, who brought them. Of itself it changes nothing but temporary worktrees."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pytest_model_check.errors import ModelCheckError

PATIENCE = 600.0  # seconds for one command of git's
SAFE = ("-c", "core.fsmonitor=false")  # a program that git would start, and believe
NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}")  # DVC's, after a checkout, would bring the data too


class GitError(ModelCheckError):
    """Git can't answer: no repository, no such revision, a shallow clone."""


@dataclass(frozen=True)
class Commit:
    """Who brought something, and when.

    Parameters
    ----------
    sha, author, date, subject : str
        The date as ISO 8601, with its time zone.
    """

    sha: str
    author: str
    date: str
    subject: str


def toplevel(folder: Path) -> Path | None:
    """Find the top of the repository that `folder` lies in; None outside one, and where git is not installed."""
    try:
        return Path(call(_existing(folder), "rev-parse", "--show-toplevel").strip())
    except GitError:
        return None


def call(folder: Path, *arguments: str) -> str:
    """Run ``git ARGUMENTS`` in a folder, and give what it prints.

    Raises
    ------
    GitError
        With git's own last words.
    """
    done = _run(folder, arguments)
    if done.returncode:
        words = arguments[len(NO_HOOKS) :] if arguments[: len(NO_HOOKS)] == NO_HOOKS else arguments
        raise GitError(f"git {' '.join(words[:2])} failed: {_last_line(done.stderr)}")
    return done.stdout.decode("utf-8", errors="surrogateescape")


def succeeds(folder: Path, *arguments: str) -> bool:
    """Run a command that answers by its exit code."""
    return _run(folder, arguments).returncode == 0


def resolve(folder: Path, revision: str) -> str | None:
    """Return the full name of a commit; None where there is none of that name."""
    done = _run(folder, ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"))
    return done.stdout.decode().strip() if done.returncode == 0 else None


def is_shallow(folder: Path) -> bool:
    """Whether history was cut off when this repository was cloned."""
    return call(folder, "rev-parse", "--is-shallow-repository").strip() == "true"


def is_cut(folder: Path, sha: str) -> bool:
    """Whether a commit is where a shallow clone's history was cut off: what came before it is not known."""
    cut = toplevel(folder)
    file = None if cut is None else cut / call(cut, "rev-parse", "--git-path", "shallow").strip()
    return file is not None and file.is_file() and sha in file.read_text(encoding="ascii").split()


def merge_base(folder: Path, commit: str, other: str) -> str | None:
    """Return the best common ancestor of two commits; None where there is none, or a shallow clone lacks it."""
    done = _run(folder, ("merge-base", commit, other))
    return done.stdout.decode().strip() if done.returncode == 0 else None


def superproject(folder: Path) -> Path | None:
    """Return the top of the repository that this one is a submodule of; None where it is none."""
    top = call(folder, "rev-parse", "--show-superproject-working-tree").strip()
    return Path(top) if top else None


def show(path: Path, revision: str) -> bytes | None:
    """Return a file of the repository as it was at a revision; None where it was not there."""
    top = toplevel(path.parent)
    if top is None:
        return None
    done = _run(top, ("cat-file", "blob", f"{revision}:{_relative(path, top)}"))
    return done.stdout if done.returncode == 0 else None


def defining(top: Path, revision: str, function: str) -> list[Path]:
    """Return the Python files in which a function of that name was defined at a revision."""
    done = _run(top, ("grep", "-z", "-l", "-w", "-E", f"def +{re.escape(function)}", revision))
    names = done.stdout.decode("utf-8", errors="surrogateescape").split("\0")
    return [top / name.removeprefix(f"{revision}:") for name in names if name.endswith(".py")]


def listed(folder: Path, revision: str, *, recursive: bool = False) -> list[Path]:
    """Return the files that lay in a folder at a revision, in its folders too if `recursive`."""
    top = toplevel(folder)
    if top is None:
        return []
    inside = "" if folder.resolve() == top.resolve() else f"{_relative(folder, top)}/"
    flags = ["-r"] if recursive else []
    names = call(top, "ls-tree", "-z", "--name-only", *flags, revision, *([inside] if inside else []))
    return [folder / name.removeprefix(inside) for name in names.split("\0") if name]


def known(top: Path) -> list[str]:
    """Return the files, from the top, that git tracks, or could: not what is ignored, nor what Python has compiled."""
    return _files(top, "--cached", "--others", "--exclude=__pycache__/")  # it leaves out nothing that is tracked


def tracked(top: Path) -> list[str]:
    """Return the files, from the top, that git tracks."""
    return _files(top, "--cached")


def changed(top: Path) -> set[Path]:
    """Return the files that git would not find as they are now in its index: changed, or never added."""
    return {top / name for name in _files(top, "--modified", "--others")}


def _files(top: Path, *which: str) -> list[str]:
    names = call(top, "ls-files", "-z", *which, "--exclude-standard")
    return [name for name in dict.fromkeys(names.split("\0")) if name]


def commits(path: Path, revision: str = "HEAD", also: Sequence[Path] = ()) -> list[Commit]:
    """Return the commits that changed a file, or one of some more, the latest first; none before the first."""
    top = toplevel(path.parent)
    if top is None or resolve(top, revision) is None:
        return []
    form, paths = "%H%x00%an%x00%aI%x00%s", [_relative(file, top) for file in (path, *also)]
    log = call(top, "log", f"--format={form}", "--end-of-options", revision, "--", *paths)
    return [Commit(*line.split("\0")) for line in log.split("\n") if line]  # a subject may hold other line breaks


def shows(paths: Sequence[Path], revisions: Sequence[str], *, top: Path | None = None) -> dict[tuple[Path, str], bytes]:
    """Return many files at many revisions, in one process; those that were not there are left out.

    Where `top` says which repository is meant, paths are taken as they are written, whatever their folders have become.
    """
    if not paths:
        return {}
    if top is not None:
        names = {path: path.relative_to(top).as_posix() for path in paths}
    elif (top := toplevel(paths[0].parent)) is not None:
        names = {path: _relative(path, top) for path in paths}
    else:
        return {}
    wanted = [(path, revision) for revision in revisions for path in paths]
    requests = "".join(f"{revision}:{names[path]}\n" for path, revision in wanted)
    done = _run(top, ("cat-file", "--batch"), requests.encode("utf-8", errors="surrogateescape"))
    if done.returncode:
        raise GitError(f"git cat-file failed: {_last_line(done.stderr)}")
    contents, answer = {}, BytesIO(done.stdout)
    for file in wanted:
        header = answer.readline().split()
        if header[-1] == b"missing":
            continue
        content = answer.read(int(header[-1]))
        answer.read(1)  # the line break after it
        if header[-2] == b"blob":
            contents[file] = content
    return contents


@contextmanager
def worktree(top: Path, revision: str, folder: Path) -> Iterator[Path]:
    """Check a revision out into a folder of its own, which must not exist yet; it is gone afterwards."""
    try:
        call(top, *NO_HOOKS, "worktree", "add", "--quiet", "--detach", str(folder), revision)
        yield folder
    finally:
        _run(top, ("worktree", "remove", "--force", "--force", str(folder)))
        _run(top, ("worktree", "prune"))


def _relative(path: Path, top: Path) -> str:
    folder = _existing(path.parent).resolve()
    whole = folder / path.relative_to(_existing(path.parent))
    return whole.relative_to(top.resolve()).as_posix()


def _existing(folder: Path) -> Path:
    """Return the nearest folder that is there: the folder itself may not be."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _run(folder: Path, arguments: tuple[str, ...], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    # A hook's GIT_DIR would answer for another repository, and refs/replace for other objects than are named; messages
    # are read, so they must be English.
    own = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1"}
    own["GIT_NO_REPLACE_OBJECTS"] = "1"
    inherited = {
        key: value
        for key, value in os.environ.items()
        if key not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
    }
    try:
        return subprocess.run(  # noqa: S603 - its arguments are a list, no shell
            ["git", *SAFE, *arguments],  # noqa: S607 - whichever git the user has
            cwd=folder,
            env=inherited | own,
            input=given,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except FileNotFoundError as error:
        raise GitError("git is not installed, or not on the PATH", "Install git, or put it on the PATH.") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} did not answer for {PATIENCE:.0f} s") from error


def _last_line(message: bytes) -> str:
    lines = message.decode("utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it gave no reason"
