"""JSON that somebody may have edited, read key by key: a key that is missing or holds something else is named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

_KINDS = {int: "whole number", float: "number", str: "text", list: "list", dict: "object", bool: "true or false"}


class MalformedError(Exception):
    """A key of the JSON that is missing or holds something else."""


@dataclass(frozen=True)
class Reader:
    """Reads the keys of an object, or says which one is wrong.

    Parameters
    ----------
    value : object
        As it was parsed.
    path : tuple of str
        Where it stands in the file.
    """

    value: Any
    path: tuple[str, ...] = ()

    def get(self, key: str, kind: Any, *, optional: bool = False, least: float = -sys.float_info.max) -> Any:
        """Read a value of a kind; None only where that is `optional`, a number only where it is not below `least`.

        Raises
        ------
        MalformedError
            Naming the key.
        """
        value = self._value(key)
        if value is None and optional:
            return None
        if not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool) is not (
            kind is bool
        ):
            raise MalformedError(f"the key {self._name(key)} is {value!r}, which is no {_KINDS[kind]}")
        if kind in (int, float) and not least <= value <= sys.float_info.max:  # false of NaN too
            raise MalformedError(f"the key {self._name(key)} can't be {value!r}")
        return kind(value)

    def label(self, key: str, labels: tuple[str, ...], *, optional: bool = False) -> Any:
        """Read one of a few labels."""
        value = self.get(key, str, optional=optional)
        if value is not None and value not in labels:
            raise MalformedError(f"the key {self._name(key)} is {value!r}, which is none of {', '.join(labels)}")
        return value

    def relative_path(self, key: str) -> str:
        """Read a path that starts at rootdir: what is absolute could be laid out anywhere."""
        path: str = self.get(key, str)
        if PurePosixPath(path).is_absolute() or PureWindowsPath(path).anchor:
            raise MalformedError(f"the key {self._name(key)} is {path!r}, which does not start at rootdir")
        return path

    def text_or_number(self, key: str) -> str | float | None:
        """Read a text, a number or nothing."""
        value = self._value(key)
        return self.get(key, str) if isinstance(value, str) else self._number(key)

    def _number(self, key: str) -> float | None:
        whole = isinstance(self._value(key), int)
        number: float | None = self.get(key, int if whole else float, optional=True)
        return number

    def numbers(self, key: str) -> tuple[float, ...]:
        """Read a list of numbers."""
        return self._all(key, float)

    def counts(self, key: str) -> tuple[int, ...]:
        """Read a list of whole numbers from 1."""
        found: tuple[int, ...] = self._all(key, int)
        if not all(number >= 1 for number in found):
            raise MalformedError(f"the key {self._name(key)} holds something else than counts")
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a list of texts."""
        return self._all(key, str)

    def sub(self, key: str) -> Reader:
        """Read an object."""
        return Reader(self.get(key, dict), (*self.path, key))

    def each(self, key: str) -> Iterator[Reader]:
        """Read a list of objects."""
        for i, value in enumerate(self.get(key, list)):
            yield Reader(value, (*self.path, f"{key}[{i}]"))

    def _all(self, key: str, kind: Any) -> tuple[Any, ...]:
        inside = Reader({f"{key}[{i}]": value for i, value in enumerate(self.get(key, list))}, self.path)
        return tuple(inside.get(name, kind) for name in inside.value)

    def _value(self, key: str) -> Any:
        if not isinstance(self.value, dict):
            raise MalformedError(f"{'.'.join(self.path) or 'the file'} is no object")
        if key not in self.value:
            raise MalformedError(f"the key {self._name(key)} is missing")
        return self.value[key]

    def _name(self, key: str) -> str:
        return ".".join((*self.path, key))
