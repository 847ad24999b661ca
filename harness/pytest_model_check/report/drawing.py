"""matplotlib where it is installed, with our own settings and none of the user's: the same numbers, the same bytes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from pytest_model_check.errors import ModelCheckError

# Of every picture: text stays text, and a name may hold a dollar.
COMMON: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "model-check",
    "text.parse_math": False,
    "text.usetex": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


class NoMatplotlibError(ModelCheckError):
    """The extra that draws is not installed."""


def available() -> bool:
    """Whether there is something to draw with."""
    return find_spec("matplotlib") is not None


@contextmanager
def styled(style: Any) -> Iterator[None]:
    """Draw with these settings beside the common ones, and leave matplotlib's own as they were.

    Raises
    ------
    NoMatplotlibError
        With the command that installs it.
    """
    with warnings.catch_warnings():
        # that a name has letters which the font lacks (a browser has them), or what importing matplotlib brings up
        warnings.simplefilter("ignore")
        try:
            import matplotlib as mpl
        except ImportError as error:
            raise NoMatplotlibError(
                "a plot needs matplotlib, which is not installed", "pip install 'pytest-model-check[report]'"
            ) from error
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update({**COMMON, **style})
            yield
