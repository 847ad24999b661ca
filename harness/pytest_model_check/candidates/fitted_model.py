"""A fitted model as its file gives it: where it lies, what it must be, and how it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from pytest_model_check.bounded import read_bytes
from pytest_model_check.errors import CandidateError, one_line
from pytest_model_check.paths import clipped

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 8 * 10**9  # bytes of a file


class Model(Protocol):
    """A fitted model, whatever fitted it."""

    @property
    def task(self) -> str:
        """'classification' or 'regression'."""

    @property
    def has_probabilities(self) -> bool:
        """Whether it answers probabilities."""

    def ask(self, X: pd.DataFrame, classes: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
        """Return its responses to rows, checked."""


@dataclass(frozen=True)
class Source:
    """A file to load.

    Parameters
    ----------
    path : Path
        Where it lies.
    where : str
        How a message calls it.
    md5 : str
        What its content must be.
    format : str
        One of `loaders.FORMATS`.
    types : frozenset of str
        What a skops file may hold beside what skops trusts itself.
    decides : str
        Whose word these are.
    classes : tuple or None
        The labels in the order in which the model numbers them.
    """

    path: Path
    where: str
    md5: str
    format: str
    types: frozenset[str] = frozenset()
    decides: str = "HEAD"
    classes: tuple[Any, ...] | None = None


def read(path: Path, where: str) -> bytes:
    """Read a file.

    Raises
    ------
    CandidateError
        If it can't be read.
    """
    try:
        return read_bytes(path, LARGEST)
    except (OSError, ValueError) as error:
        raise CandidateError(f"{where} can't be read: {one_line(error)}", "Is it the right file?") from error


def require_features(names: Sequence[str], columns: Sequence[str], where: str) -> None:
    """Refuse rows with other features than a model was fitted on, where it knows their names."""
    if names and list(names) != list(columns):
        odd = sorted(set(names) ^ set(columns))
        raise CandidateError(
            f"{where} was fitted on {len(names)} features, and the check has {len(columns)}: "
            + (f"{', '.join(map(clipped, odd[:4]))} in one of them only" if odd else "in another order"),
            "Name those of the model, in its order: features=[...].",
        )


def _task(is_classifier: bool) -> str:
    """Return what such a model does."""
    return "classification" if is_classifier else "regression"
