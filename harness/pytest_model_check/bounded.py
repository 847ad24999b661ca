"""Files that somebody else wrote, read within bounds of time and memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MANY_CELLS = 100_000_000  # of a Parquet file: 0.8 GB as numbers
CELLS_A_BYTE = 50  # of more cells than that: what is historical does not repeat itself so often


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


def read_parquet(path: Path) -> pd.DataFrame:
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
    return pd.read_parquet(path)
