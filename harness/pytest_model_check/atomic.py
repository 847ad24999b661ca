"""Write a file whole or not at all: what is read is the earlier version or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, with the same line ends on every system."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write bytes; what is not `durable` may be torn by a power cut, never by a killed process."""
    with _replacing(path, durable=durable) as file:
        file.write(content)


def copy_file(source: Path, path: Path) -> None:
    """Copy a file, from another file system too."""
    with source.open("rb") as original, _replacing(path) as file:
        shutil.copyfileobj(original, file, 1 << 20)


@contextlib.contextmanager
def _replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file in the same folder that replaces `path` once all of it is on the disk; on an error it is removed."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.filename is None:  # an open file's error does not say which: no room on the disk, say
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
