"""Where the output of commands goes: the terminal's width, files that are written whole, what is to be committed."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_model_check.judgement.verdicts import Run


def width() -> int | None:
    """Return how wide the terminal is; None where the output goes into a file, which is as wide as it takes."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def require_svg(path: Path | None) -> None:
    """Refuse another picture than SVG, before anything is computed.

    Raises
    ------
    ModelCheckError
        Naming the file.
    """
    from pytest_model_check.errors import ModelCheckError

    if path and path.suffix.lower() != ".svg":
        raise ModelCheckError(f"--svg {path}: can draw SVG only", "Name a .svg file.")


def save(path: Path, content: bytes) -> None:
    """Write a file whole, or not at all.

    Raises
    ------
    ModelCheckError
        If it can't be written.
    """
    from pytest_model_check.atomic import write_bytes
    from pytest_model_check.errors import ModelCheckError

    try:
        write_bytes(path, content)
    except OSError as error:
        raise ModelCheckError(
            f"{path} can't be written: {error.strerror}", "Name a file in a folder that is there."
        ) from error


def to_commit(paths: Sequence[Path], message: str) -> str:
    """Return the lines that commit these files."""
    files = " ".join(shlex.quote(path.as_posix()) for path in paths)
    return f"  git add -A -- {files}\n  git commit -m {shlex.quote(message)}\n"


def require_formats(reports: Sequence[Path]) -> None:
    """Refuse reports whose ending says no format.

    Raises
    ------
    ModelCheckError
        Naming the first one.
    """
    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.session.names import ENDINGS

    for path in reports:
        if path.suffix not in ENDINGS:
            raise ModelCheckError(
                f"--report {path}: can't tell the format by its ending", f"Use one of {', '.join(ENDINGS)}."
            )


def write_reports(found: Run, reports: Sequence[Path], baselines: Path) -> None:
    """Write the reports of a run.

    Raises
    ------
    ModelCheckError
        If one can't be written.
    """
    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.session import outputs

    for path in reports:
        try:
            outputs.write(found, path, baselines)
        except OSError as error:
            raise ModelCheckError(f"{path} can't be written: {error.strerror}", "Name another file.") from error
