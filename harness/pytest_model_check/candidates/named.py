"""A candidate by its name: a standard pipeline's, or where it is imported from, as ``package.module:name``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pytest_model_check.candidates import standard
from pytest_model_check.errors import PromiseError, one_line

FORM = "Write package.module:name, of an estimator, its class, or a function without arguments that returns one."


def named(name: str, task: str) -> Any:
    """Return the candidate of this name.

    Raises
    ------
    PromiseError
        If there is none.
    """
    return imported(name, {}) if ":" in name else standard.make(name, task)


def imported(path: str, parameters: Mapping[str, Any]) -> Any:
    """Return the estimator at ``package.module:name``; a class or a function there is called with the parameters.

    Raises
    ------
    PromiseError
        If it can't be imported or made.
    """
    module, _, name = path.partition(":")
    if not module or not name:
        raise PromiseError(f"{path!r} is no import path", FORM)
    try:
        found = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # whatever a user's module raises
        raise PromiseError(f"{path!r} can't be imported: {type(error).__name__}: {one_line(error)}", FORM) from error
    if not (inspect.isclass(found) or inspect.isroutine(found)):
        if parameters:
            raise PromiseError(f"{path!r} is made already, and takes no parameters", FORM)
        return found
    try:
        return found(**parameters)
    except Exception as error:  # and whatever making it raises
        raise PromiseError(f"{path!r} can't be called: {type(error).__name__}: {one_line(error)}", FORM) from error
