"""A data set in a file that many processes map into their memory: it is there once, however many of them fit."""

from __future__ import annotations

import contextlib
import itertools
import mmap
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

LetGo = Callable[[], None]  # drops the pages of a mapping from a process's memory, until they are read again
ALIGNMENT = 64  # bytes: what numpy's and Arrow's fastest loops want
BLOCK = 1 << 25  # bytes that may be mapped while rows are taken


def write(path: Path, value: Any) -> None:
    """Write frames and arrays: their numbers as they lie in memory, everything else pickled behind them.

    Raises
    ------
    OSError
        If there is no room.
    """
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    places = []
    with path.open("wb") as file:
        for buffer in buffers:
            raw = buffer.raw()
            file.write(bytes(-file.tell() % ALIGNMENT))
            places.append((file.tell(), raw.nbytes))
            file.write(raw)
        end = file.tell()
        file.write(pickle.dumps((head, places)))
        file.write(end.to_bytes(8, "little"))


def read(path: Path | int) -> tuple[Any, LetGo]:
    """Map what `write` wrote to a file, or to an open one; the numbers can't be written to.

    Also return what lets go of the pages that were read so far.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - a descriptor, too
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    mapped = memoryview(mapping)
    end = int.from_bytes(mapped[-8:], "little")
    head, places = pickle.loads(mapped[end:-8])  # noqa: S301 - this run's own file
    value = pickle.loads(head, buffers=[mapped[place : place + size] for place, size in places])  # noqa: S301
    return value, partial(_let_go, mapping)


def _let_go(mapping: mmap.mmap) -> None:
    if hasattr(mmap, "MADV_DONTNEED"):
        with contextlib.suppress(OSError):  # it only takes more memory
            mapping.madvise(mmap.MADV_DONTNEED)


def take(X: pd.DataFrame, rows: NDArray[np.int64], let_go: LetGo) -> pd.DataFrame:
    """Return ``X.iloc[rows]``; of a large mapped frame of numbers, only a part is in memory while it is taken."""
    if 8 * X.size < BLOCK:
        return X.iloc[rows]
    taken = _in_blocks(X, rows, let_go) if _is_numbers(X) else X.iloc[rows]
    let_go()
    return taken


def _is_numbers(X: pd.DataFrame) -> bool:
    """Whether a frame is an array of numbers."""
    import pandas as pd

    dtypes = set(X.dtypes)
    are_numbers = all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in dtypes)
    return type(X) is pd.DataFrame and len(dtypes) == 1 and are_numbers


def _in_blocks(X: pd.DataFrame, rows: NDArray[np.int64], let_go: LetGo) -> pd.DataFrame:
    """Take rows as pandas does, into the same layout: another one may change the last digits of what is learned."""
    import pandas as pd

    first = X.iloc[:, 0].to_numpy()
    if first.flags.c_contiguous:  # column by column
        values = np.empty((X.shape[1], len(rows)), first.dtype).T
        step = max(1, BLOCK // first.nbytes)
        for column in range(X.shape[1]):
            np.take(X.iloc[:, column].to_numpy(), rows, out=values[:, column], mode="clip")  # else it buffers
            if column % step == step - 1:
                let_go()
    else:
        whole = X.to_numpy()  # no copy: its columns are parts of it
        values = np.empty((len(rows), X.shape[1]), first.dtype)
        step = max(1, BLOCK // (X.shape[1] * first.itemsize))
        ends = np.searchsorted(rows, np.arange(step, len(X), step))  # a split's rows are sorted
        edges = [0, *np.maximum.accumulate(ends), len(rows)]
        for start, end in itertools.pairwise(edges):
            np.take(whole, rows[start:end], axis=0, out=values[start:end], mode="clip")
            let_go()
    taken = pd.DataFrame(values, X.index.take(rows), X.columns, copy=False)
    taken.attrs = X.attrs
    return taken
