"""An object of the user's -> a digest of everything that decides what it does, the same in every process.

Never of a pickle, which is not the same twice. What is installed counts by its name (its version is told elsewhere),
unless something of the project's was put in its place; functions and classes of the project count by their code, and by
the values of the globals that they name, as these are now. What can't be digested so is refused, in words.
"""

from __future__ import annotations

import builtins
import copyreg
import functools
import hashlib
import logging
import re
import sys
import threading
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pytest_model_check.fitting.installed import is_generated, is_installed, is_of_project, module_of

# What holds no value that a fit could depend on.
INERT = (type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Event)
# What every class has, and what says nothing of what it does.
NOT_BEHAVIOUR = frozenset((
    "__dict__", "__weakref__", "__module__", "__doc__", "__qualname__", "__abstractmethods__", "_abc_impl",
    "__annotations__", "__annotate__", "__annotations_cache__", "__firstlineno__", "__static_attributes__",
))  # fmt: skip
PRIMITIVE = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented))


class UndigestibleError(Exception):
    """An object can't be digested; says which, in words."""


class Canonical:
    """Digests objects, one after another, into one digest.

    Attributes
    ----------
    files : set of str
        The project's files whose code the objects run.
    """

    def __init__(self) -> None:
        self.files: set[str] = set()
        self._hash = hashlib.sha256()
        self._seen: dict[int, int] = {}
        self._alive: list[Any] = []  # an id means an object only as long as it lives

    def hexdigest(self) -> str:
        """Return the digest of everything that was added."""
        return self._hash.hexdigest()

    def add(self, value: Any) -> None:
        """Add an object.

        Raises
        ------
        UndigestibleError
            If its content can't be told.
        """
        try:
            self._walk(value)
        except RecursionError as error:
            raise UndigestibleError(f"{_kind(value)} is nested too deeply") from error

    def _say(self, *words: str | bytes) -> None:
        for word in words:
            content = word.encode("utf-8", errors="surrogatepass") if isinstance(word, str) else word
            self._hash.update(len(content).to_bytes(8, "little"))
            self._hash.update(content)

    def _walk(self, value: Any) -> None:
        kind = type(value)
        if kind in PRIMITIVE:
            self._say(kind.__name__, value if kind is bytes else value.hex() if kind is float else repr(value))
            return
        if kind in INERT:
            self._say("inert", kind.__name__)
            return
        if kind is tuple:  # whether equal constants are one object depends on how a module was compiled
            self._sequence(value)
            return
        known = self._seen.get(id(value))
        if known is not None:
            self._say("again", str(known))
            return
        self._seen[id(value)] = len(self._seen)
        self._alive.append(value)
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, value)
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, np.ndarray) and kind is np.ndarray:
            self._array(value)
        else:
            self._reduced(value)

    # -- collections -----------------------------------------------------------------------------------------------

    def _sequence(self, value: Iterable[Any]) -> None:
        items = list(value)
        self._say(type(value).__name__, str(len(items)))
        for item in items:
            self._walk(item)

    def _mapping(self, value: dict[Any, Any]) -> None:
        self._say("dict", str(len(value)))
        for key, item in value.items():  # in their order, which a loop can see
            self._walk(key)
            self._walk(item)

    def _set(self, value: Iterable[Any]) -> None:
        digests = []
        for item in value:
            inner = Canonical()
            inner.add(item)
            digests.append(inner.hexdigest())
            self.files |= inner.files
        self._say(type(value).__name__, *sorted(digests))

    def _array(self, value: Any) -> None:
        self._say("array", value.dtype.str, repr(value.dtype.descr), repr(value.shape), str(value.flags.f_contiguous))
        if value.dtype.hasobject:
            self._sequence(value.ravel().tolist() if value.dtype.kind == "O" else [tuple(row) for row in value.ravel()])
        else:
            self._say(np.ascontiguousarray(value).tobytes())

    # -- code ------------------------------------------------------------------------------------------------------

    def _module(self, value: types.ModuleType) -> None:
        self._say("module", value.__name__)
        file = getattr(value, "__file__", None)
        if isinstance(file, str) and is_of_project(value):
            self.files.add(file)

    def _code(self, code: types.CodeType) -> None:
        self._say("code", code.co_name, code.co_code, repr((code.co_names, code.co_varnames, code.co_flags)))
        self._say(repr((code.co_freevars, code.co_cellvars, code.co_argcount, code.co_kwonlyargcount)))
        for constant in code.co_consts:
            self._code(constant) if isinstance(constant, types.CodeType) else self._walk(constant)

    def _function(self, value: types.FunctionType) -> None:
        file = value.__code__.co_filename
        module = module_of(value)
        ours = not is_installed(file) and not is_generated(file)
        self._say("function", str(value.__module__), value.__qualname__)
        for cell in value.__closure__ or ():
            try:
                self._walk(cell.cell_contents)
            except ValueError:  # it is empty yet
                self._say("empty cell")
        if is_installed(file):
            return
        if ours:
            self.files.add(file)
        self._code(value.__code__)
        self._walk(value.__defaults__)
        self._walk(value.__kwdefaults__)
        self._walk({key: item for key, item in vars(value).items() if key != "__doc__"})
        if ours or (module is not None and is_of_project(module)):
            self._globals(value)

    def _globals(self, value: types.FunctionType) -> None:
        """Digest what the names in a function stand for, now: another test may have set them."""
        names = _names(value.__code__)
        for name in sorted(names & value.__globals__.keys()):
            found = value.__globals__[name]
            self._say("global", name)
            if isinstance(found, types.ModuleType):
                self._module(found)
                self._attributes(found, names)
            else:
                self._global(found, f"{value.__module__}.{name}")
        for name in sorted(names - value.__globals__.keys()):
            found = getattr(builtins, name, None)
            if isinstance(found, types.FunctionType):  # none of Python's own is one
                self._walk(found)

    def _attributes(self, module: types.ModuleType, names: set[str]) -> None:
        """Digest those attributes of a module that a function may mean, as far as the project may have set them."""
        held = vars(module)
        for name in sorted(names & held.keys()):
            found = held[name]
            self._say("attribute", name)
            if isinstance(found, types.ModuleType):
                if id(found) not in self._seen:
                    self._seen[id(found)] = len(self._seen)
                    self._alive.append(found)
                    self._module(found)
                    self._attributes(found, names)
            elif is_of_project(module):
                self._global(found, f"{module.__name__}.{name}")
            elif isinstance(found, types.FunctionType | type | bool | int | float | str):
                self._walk(found)

    def _global(self, found: Any, name: str) -> None:
        try:
            self._walk(found)
        except UndigestibleError as error:
            raise UndigestibleError(f"{name}: {error}") from error

    def _class(self, value: type) -> None:
        module = module_of(value)
        self._say("class", str(value.__module__), value.__qualname__)
        ours = module is not None and is_of_project(module)
        if ours and isinstance(file := getattr(module, "__file__", None), str):
            self.files.add(file)
        for base in value.__mro__[1:]:
            if base is not object:
                self._walk(base)
        if str(value.__module__).partition(".")[0] in sys.stdlib_module_names:
            return
        for name, held in list(vars(value).items()):
            if name in NOT_BEHAVIOUR:
                continue
            inner = _inside(held)
            if ours:
                self._say("member", name, type(held).__name__)
                self._member(inner, f"{value.__qualname__}.{name}")
            elif isinstance(inner, types.FunctionType):
                self._say("member", name)
                self._function(inner)
            elif type(inner) in PRIMITIVE:
                self._say("member", name, repr(inner))

    def _member(self, inner: Any, name: str) -> None:
        if isinstance(inner, types.GetSetDescriptorType | types.MemberDescriptorType | types.WrapperDescriptorType):
            return
        if isinstance(inner, tuple) and all(part is None or isinstance(part, types.FunctionType) for part in inner):
            self._say(str(len(inner)))  # of a property
        self._global(inner, name)

    def _method(self, value: types.MethodType) -> None:
        self._say("method")
        self._walk(value.__func__)
        self._walk(value.__self__)

    def _builtin(self, value: Any) -> None:
        owner = getattr(value, "__self__", None)
        self._say("builtin", str(value.__module__), value.__qualname__)
        if owner is not None and not isinstance(owner, types.ModuleType):
            self._walk(owner)

    def _logger(self, value: logging.Logger) -> None:
        self._say("logger", value.name)

    def _wrapper(self, value: Any) -> None:
        """Digest what a cache of `functools` calls, not what it holds."""
        self._say("cached")
        self._walk(value.__wrapped__)

    # -- anything else ---------------------------------------------------------------------------------------------

    def _reduced(self, value: Any) -> None:
        """Digest an object by what it would be made anew from."""
        kind = type(value)
        if isinstance(value, np.generic):
            self._say("scalar", value.dtype.str, value.tobytes())
            return
        if isinstance(value, np.ufunc):
            self._say("ufunc", value.__name__)
            return
        try:
            reducer = copyreg.dispatch_table.get(kind)
            parts = reducer(value) if reducer is not None else value.__reduce_ex__(4)
        except Exception as error:
            raise UndigestibleError(f"{_kind(value)} has no content that can be told") from error
        self._say("object")
        self._walk(kind)
        if isinstance(parts, str):  # it is a global of that name
            self._say("named", str(getattr(value, "__module__", "")), parts)
            return
        make, arguments, *rest = parts
        self._walk(make)
        self._walk(tuple(arguments))
        state, items, pairs = [*rest, None, None, None][:3]
        self._walk(state)
        self._walk(None if items is None else list(items))
        self._walk(None if pairs is None else list(pairs))


def _kind(value: Any) -> str:
    kind = type(value)
    return f"an object of {kind.__module__}.{kind.__qualname__}"


def _names(code: types.CodeType) -> set[str]:
    inside = (_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*inside)


def _inside(held: Any) -> Any:
    """Return the functions behind what a class holds."""
    if isinstance(held, staticmethod | classmethod):
        return held.__func__
    if isinstance(held, property):
        return (held.fget, held.fset, held.fdel)
    if isinstance(held, functools.cached_property):
        return held.func
    return held


_Handler = Callable[[Canonical, Any], None]
_HANDLERS: dict[type, _Handler] = {
    list: Canonical._sequence,
    dict: Canonical._mapping,
    set: Canonical._set,
    frozenset: Canonical._set,
    types.MappingProxyType: lambda self, value: self._mapping(dict(value)),
    types.ModuleType: Canonical._module,
    types.FunctionType: Canonical._function,
    types.BuiltinFunctionType: Canonical._builtin,
    types.MethodType: Canonical._method,
    types.CodeType: Canonical._code,
    logging.Logger: Canonical._logger,
    type(functools.lru_cache(_kind)): Canonical._wrapper,
    re.Pattern: lambda self, value: self._sequence((value.pattern, value.flags)),
    property: lambda self, value: self._sequence((value.fget, value.fset, value.fdel)),
}
