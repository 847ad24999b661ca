"""What is installed, and so told by its version: everything else is the project's, and told by its content."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

PACKAGES = frozenset(("site-packages", "dist-packages"))
OURS = str(Path(__file__).resolve().parents[1])  # told by its own content, below


@functools.cache
def stdlib() -> tuple[str, ...]:
    """Return the folders of Python's own modules, links followed and not."""
    named = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")} | {os.path.dirname(os.__file__)}  # noqa: PTH120
    return tuple({f"{path}{os.sep}" for folder in named for path in (folder, os.path.realpath(folder))})


@functools.cache
def is_installed(file: str) -> bool:
    """Whether a file came with Python, with a distribution or with this package."""
    if file.startswith("<frozen"):
        return True
    if file.startswith((*stdlib(), OURS)):
        return True
    return not PACKAGES.isdisjoint(Path(file).parts)


def is_generated(file: str) -> bool:
    """Whether code has no file: that of dataclasses, of `exec`."""
    return file.startswith("<") and not file.startswith("<frozen")


def is_of_project(module: ModuleType) -> bool:
    """Whether a module came from a file that is not installed."""
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return not is_installed(file)
    name = module.__name__.partition(".")[0]
    return name not in sys.stdlib_module_names and name not in sys.builtin_module_names and _is_namespace(module)


def _is_namespace(module: ModuleType) -> bool:
    """Whether a module is a folder without `__init__.py`, of the project."""
    folders = list(getattr(module, "__path__", ()))
    return bool(folders) and not any(is_installed(str(folder)) for folder in folders)


def module_of(value: object) -> ModuleType | None:
    """Return the module that a class or a function says it is of."""
    return sys.modules.get(str(getattr(value, "__module__", "")))
