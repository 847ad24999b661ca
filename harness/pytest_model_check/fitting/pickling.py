"""How a candidate reaches the processes that fit it, and how its answers come back."""

from __future__ import annotations

import io
from collections import ChainMap
from collections.abc import Callable
from types import CodeType
from typing import Any, ClassVar

import cloudpickle


def travel_by_value(module: Any) -> None:
    """Let the test module's classes and functions reach the fitting processes, which may be unable to import it."""
    if module is not None:
        cloudpickle.register_pickle_by_value(module)


def dumps(value: Any) -> bytes:
    """Pickle; functions and classes of a test module travel by value, and tracebacks still name its file."""
    with io.BytesIO() as file:
        _Pickler(file).dump(value)
        return file.getvalue()


def _named_code(code: CodeType) -> tuple[Callable[..., CodeType], tuple[Any, ...]]:
    make, arguments = cloudpickle.Pickler.dispatch_table[CodeType](code)[:2]
    return _make_code, (code.co_filename, make, arguments)


def _make_code(filename: str, make: Callable[..., CodeType], arguments: tuple[Any, ...]) -> CodeType:
    return make(*arguments).replace(co_filename=filename)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Keeps the names of files, which cloudpickle replaces by <dynamic-code> so that equal code gives equal bytes."""

    dispatch_table: ClassVar = ChainMap({CodeType: _named_code}, cloudpickle.Pickler.dispatch_table)
