"""What a fit finds around it: environment variables, folder, import path and scikit-learn's configuration."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Surroundings:
    """What a process that fits takes over from the one that asks for it.

    Parameters
    ----------
    environ : mapping of str to str
        The environment variables.
    folder : str
        The current folder.
    path : tuple of str
        Where modules are imported from.
    sklearn : mapping
        scikit-learn's configuration.
    """

    environ: Mapping[str, str]
    folder: str
    path: tuple[str, ...]
    sklearn: Mapping[str, Any]


def current() -> Surroundings:
    """Return the surroundings of this process."""
    import sklearn

    return Surroundings(dict(os.environ), os.getcwd(), tuple(sys.path), sklearn.get_config())  # noqa: PTH109


def take_over(surroundings: Surroundings) -> None:
    """Make them those of this process."""
    import sklearn

    if os.environ != surroundings.environ:
        os.environ.clear()
        os.environ.update(surroundings.environ)
    os.chdir(surroundings.folder)
    sys.path[:] = surroundings.path
    sklearn.set_config(**surroundings.sklearn)
