"""Paths: absolute without following links, and as messages and commands name them."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

LONGEST = 80  # characters of what somebody else wrote that a message repeats


def absolute(path: Path) -> Path:
    """Make a path absolute without following links: DVC may link a file into its cache, outside the repository."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow the links


def show(path: Path) -> str:
    """Name a path as the user would: relative to the working directory where it lies in it, with `/`."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def quoted(path: Path) -> str:
    """Name a path in a command that the user may copy."""
    return shlex.quote(show(path))


def clipped(text: object) -> str:
    """Repeat a value of a file in a message: on one line, harmless on a terminal, not at length."""
    literal = ascii(text) if not isinstance(text, str) or not text.isprintable() else repr(text)
    return literal if len(literal) <= LONGEST else f"{literal[:LONGEST]}..."
