"""Output: a file or folder under DVC, as git knows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_model_check.paths import quoted

MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Output:
    """A file or folder that DVC tracks.

    Parameters
    ----------
    tracker : Path
        The `.dvc` file, or the `dvc.lock`, that names it.
    path : Path
        Where it belongs, absolute.
    md5 : str
        Its digest; a folder's ends in `.dir`; empty where none is recorded yet.
    legacy : bool
        Hashed with md5-dos2unix, as DVC 2 did.
    remote : str or None
        The remote of its own, if it has one.
    cached : bool
        False where it is kept in git (`cache: false`).
    files : mapping of str to str, or None
        Relative path to md5, where the tracker itself lists a folder's files (cloud versioning).
    alone : bool
        Whether its tracker is a `.dvc` file that names nothing else.
    """

    tracker: Path
    path: Path
    md5: str
    legacy: bool = False
    remote: str | None = None
    cached: bool = True
    files: Mapping[str, str] | None = None
    alone: bool = False

    @property
    def is_folder(self) -> bool:
        """Whether a folder was tracked, as one."""
        return self.md5.endswith(".dir")


def is_digest(md5: str) -> bool:
    """Whether a text can be the md5 of a file, or of a folder: as anything else it might name a place on the disk."""
    return MD5.fullmatch(md5.removesuffix(".dir")) is not None


def keep_or_revert(output: Output) -> str:
    """Format the commands that keep a change to an output, and those that undo it."""
    path = quoted(output.path)
    if not output.cached:
        return f"To keep the change: dvc commit {path}\nTo go back: git checkout -- {path}"
    keep = "commit" if output.tracker.name == "dvc.lock" else "add"
    return (
        f"To keep the change, as a new version: dvc {keep} {path} && git add {quoted(output.tracker)}\n"
        f"To go back to the tracked version: dvc fetch {path} && dvc checkout --force {path}"
    )
