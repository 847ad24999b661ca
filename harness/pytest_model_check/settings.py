"""Settings: the part of a run's options that the gate goes by, as `session/options.py` has read and checked them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Progress = Callable[[str, int, int], None]  # what is going on, fits done, fits in all


@dataclass(frozen=True)
class Rules:
    """What the ini file says of evidence that falls short; either is a weaker promise.

    Parameters
    ----------
    inconclusive_passes : bool
        What the data can't decide passes.
    folds_suffice : bool
        Fold scores will do where the approved predictions can't be had.
    """

    inconclusive_passes: bool = False
    folds_suffice: bool = False

    @property
    def values(self) -> dict[str, str]:
        """What the ini file says, by key."""
        return {
            "inconclusive": "pass" if self.inconclusive_passes else "fail",
            "without_predictions": "folds" if self.folds_suffice else "fail",
        }


STRICT = Rules()


@dataclass(frozen=True)
class Settings:
    """What the command line and the ini file decide.

    Parameters
    ----------
    root : Path
        Where the paths of `data=` start: pytest's rootdir.
    folder : Path
        Where the baselines live.
    scratch : Path
        For files that wait until the run is over.
    update : bool
        Record missing baselines, and replace those that the candidate meets or beats.
    accept : str or None
        The reason with which to record what is worse, can't be decided or compared, or promises less.
    revision : str or None
        The commit whose baselines decide; None: the working tree's do.
    python : str
        What runs the code of the approved baseline, where the data has moved.
    jobs : int
        How many fits at a time.
    timeout : float or None
        How many seconds a fit may take, where its check does not say it.
    rules : Rules
        What the ini file says of evidence that falls short.
    charts : bool
        Gather what the page draws.
    """

    root: Path
    folder: Path
    scratch: Path
    update: bool = False
    accept: str | None = None
    revision: str | None = None
    python: str = ""
    jobs: int = 1
    timeout: float | None = None
    rules: Rules = STRICT
    charts: bool = False
