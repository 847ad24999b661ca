"""A data set in a file that many processes map into their memory: it is there once, however many of them fit."""

from __future__ import annotations

import mmap
import pickle
from pathlib import Path
from typing import Any

ALIGNMENT = 64  # bytes: what numpy's and Arrow's fastest loops want


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


def read(path: Path | int) -> Any:
    """Map what `write` wrote to a file, or to an open one; the numbers can't be written to."""
    with open(path, "rb") as file:  # noqa: PTH123 - a descriptor, too
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    end = int.from_bytes(mapped[-8:], "little")
    head, places = pickle.loads(mapped[end:-8])  # noqa: S301 - this run's own file
    return pickle.loads(head, buffers=[mapped[place : place + size] for place, size in places])  # noqa: S301
