"""Files that somebody else wrote, read within bounds of time and memory."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import pandas as pd

MANY_CELLS = 100_000_000  # of a Parquet file: 0.8 GB as numbers
CELLS_A_BYTE = 50  # of more cells than that: what is historical does not repeat itself so often
MANY_BYTES = 1_000_000_000  # that a compressed file becomes
BYTES_A_BYTE = 200  # of more bytes than that: text becomes a tenth, not a thousandth


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


def parse_json(text: str | bytes) -> Any:
    """Parse JSON, whatever it holds.

    Raises
    ------
    json.JSONDecodeError, UnicodeDecodeError
        If it is none.
    ValueError
        If it is nested more deeply than Python's stack, or has a number of thousands of digits.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def open_gzip(path: Path) -> BinaryIO:
    """Open a file that gzip has compressed; reading raises a ValueError where it becomes far more than text would."""
    return io.BufferedReader(_Limited(gzip.open(path), _uncompressed(path)))


def require_archive(path: Path) -> None:
    """Refuse a zip archive, such as a workbook, that becomes far more than text would.

    Raises
    ------
    ValueError
        If it does.
    zipfile.BadZipFile
        If it is none.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > _uncompressed(path):
            raise ValueError(f"it becomes more than {_uncompressed(path) / 1e6:,.0f} MB")


def _uncompressed(path: Path) -> int:
    return max(MANY_BYTES, BYTES_A_BYTE * path.stat().st_size)


class _Limited(io.RawIOBase):
    """A stream that may become so many bytes, and no more."""

    def __init__(self, stream: io.BufferedIOBase, limit: int) -> None:
        self._stream, self._limit, self._left = stream, limit, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._stream.readinto(buffer)
        self._left -= count
        if self._left < 0:
            raise ValueError(f"it becomes more than {self._limit / 1e6:,.0f} MB")
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


def read_parquet(path: Path, *, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet file, unless it holds far more cells than its bytes can say: a small file could fill all memory.

    Raises
    ------
    ValueError
        If it does.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    about, size = pq.read_metadata(path), path.stat().st_size
    cells = about.num_rows * about.num_columns
    if cells > max(MANY_CELLS, CELLS_A_BYTE * size):
        raise ValueError(f"it claims {about.num_rows:,} rows of {about.num_columns:,} columns in {size / 1e6:.1f} MB")
    return pd.read_parquet(path, columns=columns)
