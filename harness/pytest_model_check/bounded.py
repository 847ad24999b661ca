"""Files that somebody else wrote, read within bounds of time and memory."""

from __future__ import annotations

from pathlib import Path


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a file, unless it is a pipe, a device or larger than `limit` bytes, which might never end.

    Raises
    ------
    ValueError
        If it is one of these; says which.
    OSError
        If it can't be read.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is no regular file")
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"it is larger than {limit // 10**6} MB")
    return content
