"""An object of the user's -> one line of text, the same in every process: what a baseline keeps of it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import linecache
import re
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from pytest_model_check.checks.declared import Declared

LONGEST = 10_000  # characters; of what is longer the end is a digest
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_BY_ADDRESS: Any = object.__repr__
_Describe = Callable[[Any], str]


def describe(value: Any) -> str:
    """Describe an estimator or a splitter as scikit-learn prints it: only what differs from the defaults.

    Unlike ``repr``, nothing of it changes from process to process: functions have their qualified names, lambdas their
    source, what would print its address is shown by its attributes, sets and mappings are sorted. Nor is anything left
    out, so that no change goes unseen: what is longer than `LONGEST` ends in a digest.
    """
    text = " ".join(_described(value, ()).split())
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}... (sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]})"


def _described(value: Any, outer: tuple[int, ...]) -> str:
    """Describe a value that stands inside the objects with the ids `outer`."""
    kind = type(value)
    if id(value) in outer:
        return f"<the same {kind.__qualname__}>"
    if isinstance(value, Declared):
        return value.description
    within = functools.partial(_described, outer=(*outer, id(value)))
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType | types.MethodType):
        return _function(value, within)
    if isinstance(value, functools.partial):
        return f"functools.partial({_arguments(value.keywords, within, (value.func, *value.args))})"
    if hasattr(value, "get_params"):
        return f"{kind.__name__}({_arguments(_changed(value, within), within)})"
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return f"{kind.__qualname__}({_arguments(fields, within)})"
    if kind in (list, tuple, set, frozenset, dict):
        return _collection(value, within)
    if kind is np.ndarray:
        return f"array({within(value.tolist())})"
    if kind is types.ModuleType:
        return str(value.__name__)
    if kind.__repr__ is _BY_ADDRESS:
        return f"{kind.__module__}.{kind.__qualname__}({_arguments(_attributes(value), within)})"
    return _ADDRESS.sub("", repr(value))


def _collection(value: Any, within: _Describe) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{within(key)}: {within(item)}" for key, item in value.items())) + "}"
    items = [within(item) for item in value]
    if isinstance(value, list):
        return f"[{', '.join(items)}]"
    if isinstance(value, tuple):
        return f"({', '.join(items)}{',' * (len(items) == 1)})"
    inside = "{" + ", ".join(sorted(items)) + "}" if items else ""
    return inside if isinstance(value, set) and items else f"{type(value).__name__}({inside})"


def _arguments(keywords: Mapping[str, Any], within: _Describe, positional: Iterable[Any] = ()) -> str:
    return ", ".join([*map(within, positional), *(f"{key}={within(keywords[key])}" for key in sorted(keywords))])


def _changed(estimator: Any, within: _Describe) -> dict[str, Any]:
    """Choose the parameters that are not at their defaults, as scikit-learn does."""
    signature = inspect.signature(estimator.__init__).parameters
    return {
        key: value
        for key, value in estimator.get_params(deep=False).items()
        if key not in signature or within(value) != within(signature[key].default)
    }


def _attributes(value: Any) -> dict[str, Any]:
    return {key: attribute for key, attribute in getattr(value, "__dict__", {}).items() if attribute is not None}


def _function(value: Any, within: _Describe) -> str:
    if isinstance(value, types.FunctionType) and value.__name__ == "<lambda>":
        return f"<{value.__module__}: {_lambda(value, within)}>"
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, type | types.ModuleType):
        return f"{within(owner)}.{value.__name__}"
    return f"{value.__module__}.{value.__qualname__}"


def _lambda(function: types.FunctionType, within: _Describe) -> str:
    """Write a lambda as its source does, or with a digest of its code where there is no source."""
    empty = inspect.Parameter.empty
    parameters = [
        str(parameter.replace(default=empty)) + ("" if parameter.default is empty else f"={within(parameter.default)}")
        for parameter in inspect.signature(function).parameters.values()
    ]
    head = f"lambda {', '.join(parameters)}".rstrip()
    return f"{head}: {_body(function.__code__) or _digest(function.__code__, within)}"


def _body(code: types.CodeType) -> str:
    """Cut the body of a lambda out of its file: from the first to the last place that its instructions name."""
    starts, ends = [], []
    for line, end_line, column, end_column in code.co_positions():
        if line and end_line and column is not None and end_column is not None and end_column > 0:
            starts.append((line, column))
            ends.append((end_line, end_column))
    if not starts:
        return ""
    (line, column), (end_line, end_column) = min(starts), max(ends)
    lines = [linecache.getline(code.co_filename, number).encode() for number in range(line, end_line + 1)]
    lines[-1] = lines[-1][:end_column]  # columns count bytes
    lines[0] = lines[0][column:]
    return b"".join(lines).decode(errors="replace").strip()


def _digest(code: types.CodeType, within: _Describe) -> str:
    constants = [_digest(item, within) if isinstance(item, types.CodeType) else within(item) for item in code.co_consts]
    content = repr((code.co_code, code.co_names, code.co_varnames, constants))
    return f"code {hashlib.sha256(content.encode()).hexdigest()[:12]}"
