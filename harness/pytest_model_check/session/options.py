"""What the command line and the ini file say, checked; a wrong value is a usage error that names the key."""

from __future__ import annotations

import argparse
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_model_check import git
from pytest_model_check.candidates.place import Trust
from pytest_model_check.git import GitError
from pytest_model_check.judgement.verdicts import is_reason
from pytest_model_check.pull_requests import merge_base
from pytest_model_check.pull_requests.merge_base import Against
from pytest_model_check.session import trust
from pytest_model_check.session.command_line import environment
from pytest_model_check.session.names import ENDINGS

MANIFEST, CHECKS = "evidence.json", "checks"  # as evidence/bundle.py writes them, which is dear to import


@dataclass(frozen=True)
class Options:
    """How a run of model checks was asked for.

    Parameters
    ----------
    folder : Path
        Where the baselines live.
    update : bool
        Record missing baselines, and replace those that the candidate meets or beats.
    accept : str or None
        The reason with which to record what is worse.
    against : Against or None
        The commit whose baselines decide; None: the working tree's do.
    python : str
        What runs the code of the approved baseline, where the data has moved.
    engine : str
        Where fits are made: ``local``, ``dask``, or the address of a Dask scheduler.
    jobs : int
        How many fits at a time; 0 for the default.
    timeout : float or None
        How many seconds a fit may take.
    reports : tuple of Path
        The reports to write.
    inconclusive_passes : bool
        What the data can't decide does not block.
    folds_suffice : bool
        Where the approved predictions can't be had, compare by fold scores.
    trust : Trust
        What may be loaded although loading it can run code.
    junit_properties : bool
        Verdicts and differences become properties of the tests in JUnit's XML.
    cache : Path or None
        The folder of earlier fits; None: in pytest's cache.
    refit : bool
        Make every fit, also those that are in the cache.
    evidence : Path or None
        Where to leave what another process can judge; None: nowhere.
    sealed : bool
        Each fit is made in a sandbox.
    """

    folder: Path
    update: bool
    accept: str | None
    against: Against | None
    python: str
    engine: str
    jobs: int
    timeout: float | None
    reports: tuple[Path, ...]
    inconclusive_passes: bool
    folds_suffice: bool
    trust: Trust
    junit_properties: bool
    cache: Path | None
    refit: bool
    evidence: Path | None = None
    sealed: bool = False

    @property
    def revision(self) -> str | None:
        """The commit whose baselines decide; None: the working tree's do."""
        return None if self.against is None else self.against.sha


def read(config: pytest.Config, typed: argparse.Namespace, against: Against | None) -> Options:
    """Read the options and ini keys.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    typed : argparse.Namespace
        What was typed, as pytest parses it.
    against : Against or None
        As in `Options`: what `find_against` finds, once for all workers.

    Raises
    ------
    pytest.UsageError
        Naming the option or key that is wrong, and what it may be.
    """
    return Options(
        folder=config.rootpath / config.getini("model_check_baselines"),
        update=config.option.model_check_update,
        accept=_accept(config),
        against=against,
        python=typed.model_check_python or sys.executable,
        engine=_engine(typed.model_check_engine),
        jobs=_jobs(config),
        timeout=_timeout(config),
        reports=_reports(config),
        inconclusive_passes=_choice(config, "model_check_inconclusive", ("fail", "pass")) == "pass",
        folds_suffice=_choice(config, "model_check_without_predictions", ("fail", "folds")) == "folds",
        trust=trust.find(config, typed, None if against is None else against.sha),
        junit_properties=config.getini("model_check_junit_properties"),
        cache=_cache(config),
        refit=config.option.model_check_refit,
        evidence=_evidence(config),
        sealed=_sealed(config, typed),
    )


def find_against(config: pytest.Config, typed: argparse.Namespace) -> Against | None:
    """Find the commit whose baselines decide; None: the working tree's do.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    typed : argparse.Namespace
        What was typed, as pytest parses it.

    Raises
    ------
    pytest.UsageError
        If it is named, and can't be found.
    """
    places = (config.rootpath, config.rootpath / config.getini("model_check_baselines"))
    try:
        return merge_base.find(repository(config), typed.model_check_against, environment(config), places)
    except GitError as error:
        raise pytest.UsageError(str(error)) from error


def repository(config: pytest.Config) -> Path:
    """Return a folder of the repository that decides: where the command was typed; rootdir, where that is in none."""
    here = config.invocation_params.dir
    return config.rootpath if git.toplevel(here) is None else here


def _accept(config: pytest.Config) -> str | None:
    reason = config.option.model_check_accept
    if reason is None:
        return None
    reason = " ".join(reason.split())
    if not is_reason(reason) or reason.startswith("-"):
        raise pytest.UsageError(
            '--model-check-accept needs a reason, for whoever reads the report: --model-check-accept "the reason"'
        )
    return str(reason)


def _reports(config: pytest.Config) -> tuple[Path, ...]:
    """Return the reports to write: those typed, from where they were typed, or else the ini file's, from rootdir."""
    named = config.option.model_check_report
    here = config.invocation_params.dir if named else config.rootpath
    paths = tuple(here / path for path in named or config.getini("model_check_report"))
    for path in paths:
        if path.suffix not in ENDINGS:
            raise pytest.UsageError(
                f"--model-check-report {path}: can't tell the format by its ending; use one of {', '.join(ENDINGS)}"
            )
    return paths


def _cache(config: pytest.Config) -> Path | None:
    """Return the folder of earlier fits that was typed, from where it was typed, or else the ini file's."""
    named = config.option.model_check_cache
    if named:
        return Path(config.invocation_params.dir / named)
    return config.rootpath / key if (key := config.getini("model_check_cache")) else None


def _evidence(config: pytest.Config) -> Path | None:
    """Return where to leave the evidence: a folder that holds nothing else, or is made."""
    typed: str | None = config.option.model_check_evidence
    if typed is None:
        return None
    folder = config.invocation_params.dir / typed
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise pytest.UsageError(f"--model-check-evidence {typed}: it is no folder")
    if folder.is_dir() and not {path.name for path in folder.iterdir()} <= {MANIFEST, CHECKS}:
        raise pytest.UsageError(f"--model-check-evidence {typed}: other files lie there; name a folder of its own")
    return folder


def _sealed(config: pytest.Config, typed: argparse.Namespace) -> bool:
    """Return whether each fit is made in a sandbox; never silently in none."""
    if not config.option.model_check_sealed:
        return False
    if typed.model_check_engine not in (None, "local"):
        raise pytest.UsageError(
            f"--model-check-sealed: fits are sealed on this machine alone, not on {typed.model_check_engine}"
        )
    from pytest_model_check.sealing import view

    if problem := view.problem():
        raise pytest.UsageError(f"--model-check-sealed: {problem}")
    return True


def _jobs(config: pytest.Config) -> int:
    """Return the number of parallel fits; 0 for the default."""
    typed: int | None = config.option.model_check_jobs
    if typed is not None and typed < 1:
        raise pytest.UsageError(f"--model-check-jobs {typed}: use a whole number from 1")
    if typed is not None:
        return typed
    try:
        jobs = int(config.getini("model_check_jobs"))
    except (ValueError, TypeError, pytest.UsageError) as error:
        raise pytest.UsageError(f"ini key model_check_jobs: use a whole number, 0 for every core ({error})") from error
    if jobs < 0:
        raise pytest.UsageError(f"ini key model_check_jobs = {jobs}: use a whole number, 0 for every core")
    return jobs


def _engine(typed: str | None) -> str:
    """Return where the fits are made: ``local``, ``dask``, or the address of a Dask scheduler."""
    if typed is None or typed in ("local", "dask"):
        return typed or "local"
    if re.fullmatch(r"dask://[^\s/]+:\d+/?", typed):
        return typed.rstrip("/").replace("dask://", "tcp://", 1)
    raise pytest.UsageError(
        f"--model-check-engine {typed}: use local, dask (a cluster on this machine) or dask://HOST:PORT (a scheduler)"
    )


def _timeout(config: pytest.Config) -> float | None:
    """Return how many seconds a fit may take; None: no limit."""
    try:
        timeout = float(config.getini("model_check_timeout"))
    except (ValueError, TypeError, pytest.UsageError) as error:
        raise pytest.UsageError(
            f"ini key model_check_timeout: use a number of seconds, 0 for no limit ({error})"
        ) from error
    if not 0 <= timeout < math.inf:
        raise pytest.UsageError(f"ini key model_check_timeout = {timeout:g}: use a number of seconds, 0 for no limit")
    return timeout or None


def _choice(config: pytest.Config, key: str, choices: tuple[str, ...]) -> str:
    value = str(config.getini(key))
    if value not in choices:
        raise pytest.UsageError(f"ini key {key} = {value}: use {' or '.join(choices)}")
    return value
