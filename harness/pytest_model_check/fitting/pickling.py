"""How a candidate reaches the processes that fit it, and how its answers come back."""

from __future__ import annotations

import contextlib
import io
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, ClassVar

import cloudpickle

from pytest_model_check.errors import CandidateError, one_line


def travel_by_value(module: Any) -> None:
    """Let the classes and functions of a test module reach the fitting processes, which may be unable to import it.

    Those of conftest files, too.
    """
    conftests = [its for name, its in list(sys.modules.items()) if name.rpartition(".")[2] == "conftest"]
    for each in (module, *conftests):
        if each is not None:
            cloudpickle.register_pickle_by_value(each)


@contextlib.contextmanager
def project_by_value(root: Path) -> Iterator[None]:
    """Let all modules of a project travel by value, to where they are not installed, or are but older."""
    modules = [module for module in list(sys.modules.values()) if _is_of_project(module, root.resolve())]
    known = cloudpickle.list_registry_pickle_by_value()
    new = [module for module in modules if module.__name__ not in known]
    for module in new:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in new:
            cloudpickle.unregister_pickle_by_value(module)


def _is_of_project(module: ModuleType, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or module.__name__.partition(".")[0] in (__name__.partition(".")[0], "__main__"):
        return False
    path = Path(file).resolve()
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    return not installed and path.suffix == ".py" and path.is_relative_to(root)


def unsendable(error: Exception) -> CandidateError:
    """Describe why a candidate can't be pickled."""
    return CandidateError(
        f"the candidate can't be sent to the processes that fit it: {one_line(error)}",
        "Make it picklable: locks, files and connections are best opened in fit().",
    )


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
