"""A clone of a repository under git and DVC, with a remote on disk and no data yet; and what it refuses."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_model_check.data.dvc_files import verified
from pytest_model_check.errors import DataError

from support import warm

ENVIRONMENT = {
    "DVC_NO_ANALYTICS": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
HELD = b"a,b\n1,2\n"
FILES = {"one.csv": b"1\n", "two.csv": b"2\n", "deep/three.csv": b"3\n"}


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def run(*command: str, cwd: Path) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, env={**os.environ, **ENVIRONMENT})


def dvc(*arguments: str, cwd: Path) -> None:
    warm.run("dvc", *arguments, "-q", cwd=cwd, env=os.environ | ENVIRONMENT)


@dataclass(frozen=True)
class Clone:
    """A clone: `held.csv` and `folder/` are tracked and pushed, and nothing is here yet."""

    root: Path
    remote: Path

    def cached(self, digest: str) -> Path:
        return self.root / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:]

    def stored(self, digest: str) -> Path:
        return self.remote / "files" / "md5" / digest[:2] / digest[2:]

    def configure(self, text: str) -> None:
        (self.root / ".dvc" / "config").write_text(text)

    def remote_at(self, url: str) -> None:
        self.configure(f"[core]\n    remote = origin\n['remote \"origin\"']\n    url = {url}\n")

    def folder_digest(self) -> str:
        return str(re.search(r"\w+\.dir", (self.root / "folder.dvc").read_text())[0])  # type: ignore[index]


def refused(path: Path, act: Callable[[Path], str] = verified) -> DataError:
    with pytest.raises(DataError) as caught:
        act(path)
    assert "\n" not in caught.value.message
    assert caught.value.advice
    return caught.value


def overwrite(file: Path, content: bytes) -> None:
    """Change a file, keeping the mode that makes DVC trust its own."""
    file.chmod(0o644)
    file.write_bytes(content)
    file.chmod(0o444)
