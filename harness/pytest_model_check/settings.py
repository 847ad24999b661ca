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
class Origin:
    """Where a candidate comes from, as pytest knows it: what no object of it tells.

    Parameters
    ----------
    root, top : Path
        pytest's rootdir, and the top of the project around it.
    files : tuple of str
        The test's module, the conftest files that it sees, and the project's plugins.
    settings : tuple of Path
        Ini files and the like.
    stated : tuple of str
        What else was asked for: the options that may change what a test does, and the plugins that are loaded.
    written : tuple of str
        What runs write below `top`: reports, baselines, the cache. A fit that reads such a file is seen to do it.
    started : int
        When the process began, in nanoseconds: what changed later is not what it has imported.
    """

    root: Path
    top: Path
    files: tuple[str, ...] = ()
    settings: tuple[Path, ...] = ()
    stated: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    started: int = 0


@dataclass(frozen=True)
class CacheSettings:
    """Where the predictions of earlier fits lie, and whether they may be served.

    Parameters
    ----------
    folder : Path
        Of the cache.
    reads : bool
        Whether fits may be served: never where something is recorded, and not where that was typed.
    origin : Origin
        Where the candidate comes from.
    """

    folder: Path
    reads: bool
    origin: Origin


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
    cache : CacheSettings or None
        Where earlier fits lie; None: each is made.
    evidence : Path or None
        Where to leave what another process can judge; None: nowhere.
    sealed : bool
        Each fit is made in a sandbox that sees no answer.
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
    cache: CacheSettings | None = None
    evidence: Path | None = None
    sealed: bool = False
