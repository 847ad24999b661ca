"""What a user passes as the candidate -> what can be judged: files are read, and programs know where they run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pytest_model_check.candidates.artifact import Artifact
from pytest_model_check.candidates.place import Place
from pytest_model_check.checks.declared import Declared


@runtime_checkable
class _Bindable(Protocol):
    def bound(self, place: Place) -> Declared: ...


def bind(given: Any, place: Place) -> Any:
    """Return a candidate as it is judged in a place; an estimator as it is.

    Raises
    ------
    CandidateError
        If its file is not there, is not what it says it is, or may not be loaded.
    """
    if isinstance(given, str | Path):
        given = Artifact(given)
    if isinstance(given, Declared) and isinstance(given, _Bindable):
        return given.bound(place)
    return given
