"""How the classes of a test module reach the processes that fit."""

from __future__ import annotations

from typing import Any


def travel_by_value(module: Any) -> None:
    """Let the test module's classes and functions reach the fitting processes, which may be unable to import it."""
    from cloudpickle import register_pickle_by_value

    if module is not None:
        register_pickle_by_value(module)
