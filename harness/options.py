"""What the command line and the ini file say, checked; a wrong value is a usage error that names the key."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

import pytest

from harness.against import Against, find
from harness.git import GitError

WRITING = ("--model-check-update", "--update-baselines", "--model-check-accept")
ENDINGS = (".md", ".json", ".txt", ".html")


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
    jobs : int
        How many fits at a time; 0 for the default.
    reports : tuple of Path
        The reports to write.
    inconclusive_passes : bool
        What the data can't decide does not block.
    folds_suffice : bool
        Where the approved predictions can't be had, compare by fold scores.
    junit_properties : bool
        Verdicts and differences become properties of the tests in JUnit's XML.
    """

    folder: Path
    update: bool
    accept: str | None
    against: Against | None
    python: str
    jobs: int
    reports: tuple[Path, ...]
    inconclusive_passes: bool
    folds_suffice: bool
    junit_properties: bool


def read(config: pytest.Config, told: Mapping[str, Any] | None) -> Options:
    """Read the options and ini keys.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    told : mapping or None
        What the controller tells a worker of pytest-xdist: its `against`, as `to_worker` gives it.

    Raises
    ------
    pytest.UsageError
        Naming the option or key that is wrong, and what it may be.
    """
    return Options(
        folder=config.rootpath / config.getini("model_check_baselines"),
        update=config.option.model_check_update,
        accept=_accept(config),
        against=_against(config) if told is None else from_controller(told),
        python=config.option.model_check_python or config.getini("model_check_python") or sys.executable,
        jobs=_jobs(config),
        reports=_reports(config),
        inconclusive_passes=_choice(config, "model_check_inconclusive", ("fail", "pass")) == "pass",
        folds_suffice=_choice(config, "model_check_without_predictions", ("fail", "folds")) == "folds",
        junit_properties=config.getini("model_check_junit_properties"),
    )


def narrow_collection(config: pytest.Config) -> None:
    """Collect model_check_testpaths where the command line names no path, as pytest does with testpaths."""
    paths = config.getini("model_check_testpaths")
    sources = (pytest.Config.ArgsSource.TESTPATHS, pytest.Config.ArgsSource.INVOCATION_DIR)
    if paths and config.args_source in sources and config.invocation_params.dir == config.rootpath:
        config.args = [found for path in paths for found in sorted(glob(path, recursive=True)) or [path]]  # noqa: PTH207 - keeps relative paths relative


def to_worker(against: Against | None) -> dict[str, Any]:
    """Give plain types for pytest-xdist's channel."""
    return {"against": None if against is None else [against.sha, against.target, against.source]}


def from_controller(told: Mapping[str, Any]) -> Against | None:
    """Rebuild what `to_worker` gave."""
    return None if told["against"] is None else Against(*told["against"])


def require_typed(config: pytest.Config) -> None:
    """Refuse to write baselines because a file says so: only whoever types the command approves.

    Raises
    ------
    pytest.UsageError
        If an option that writes comes from elsewhere: `addopts`, or the environment.
    """
    asked = config.option.model_check_update or config.option.model_check_accept is not None
    typed = config.invocation_params.args
    if asked and not any(str(one).partition("=")[0] in WRITING or str(one).startswith("@") for one in typed):
        raise pytest.UsageError(
            "baselines are written only when the command line says so: take "
            f"{' or '.join(WRITING)} out of addopts (or PYTEST_ADDOPTS), and type it"
        )


def is_selection(config: pytest.Config) -> bool:
    """Whether the command line says which checks are meant: by -k, -m or a node id."""
    option = config.option
    return bool(option.keyword or option.markexpr or any("::" in argument for argument in config.args))


NARROWING = ("-k", "-m", "--deselect", "--ignore", "--lf", "--last-failed", "--sw", "--stepwise")


def is_narrowed(config: pytest.Config) -> bool:
    """Whether whoever typed the command left tests out; what an ini file leaves out, a branch could have written."""
    return any(str(argument).startswith(NARROWING) for argument in config.invocation_params.args)


def covers(config: pytest.Config, nodeid: str) -> bool:
    """Whether a run would have collected a test, if it were there.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    nodeid : str
        The test's.
    """
    typed = {str(argument) for argument in config.invocation_params.args}
    if any(argument.startswith(("--ignore", "--lf", "--last-failed")) for argument in typed):
        return False
    named = [argument for argument in config.args if argument in typed]
    if not named:
        return True  # what is collected is an ini file's choice, and a branch could have changed that
    name, _, test = nodeid.partition("::")
    file = config.rootpath / name
    for argument in named:
        path, _, part = argument.partition("::")
        place = config.invocation_params.dir / path
        inside = not part or test == part or test.startswith((f"{part}::", f"{part}["))
        if inside and (place == file or place in file.parents):
            return True
    return False


def _accept(config: pytest.Config) -> str | None:
    reason = config.option.model_check_accept
    if reason is None:
        return None
    reason = " ".join(reason.split())
    if not reason or reason.startswith("-"):
        raise pytest.UsageError(
            '--model-check-accept needs a reason, for whoever reads the report: --model-check-accept "the reason"'
        )
    return str(reason)


def _against(config: pytest.Config) -> Against | None:
    try:
        return find(config.rootpath, config.option.model_check_against, os.environ)
    except GitError as error:
        raise pytest.UsageError(str(error)) from error


def _reports(config: pytest.Config) -> tuple[Path, ...]:
    """Give the reports to write: the command line's, from where it was typed, or else the ini file's, from rootdir."""
    named = config.option.model_check_report
    here = config.invocation_params.dir if named else config.rootpath
    paths = tuple(here / path for path in named or config.getini("model_check_report"))
    for path in paths:
        if path.suffix not in ENDINGS:
            raise pytest.UsageError(
                f"--model-check-report {path}: can't tell the format by its ending; use one of {', '.join(ENDINGS)}"
            )
    return paths


def _jobs(config: pytest.Config) -> int:
    """Give the number of parallel fits; 0 for the default."""
    asked = config.option.model_check_jobs
    if asked is not None and asked < 1:
        raise pytest.UsageError(f"--model-check-jobs {asked}: use a whole number from 1")
    if asked is not None:
        return int(asked)
    try:
        jobs = int(config.getini("model_check_jobs"))
    except (ValueError, TypeError, pytest.UsageError) as error:
        raise pytest.UsageError(f"ini key model_check_jobs: use a whole number, 0 for every core ({error})") from error
    if jobs < 0:
        raise pytest.UsageError(f"ini key model_check_jobs = {jobs}: use a whole number, 0 for every core")
    return jobs


def _choice(config: pytest.Config, key: str, choices: tuple[str, ...]) -> str:
    value = str(config.getini(key))
    if value not in choices:
        raise pytest.UsageError(f"ini key {key} = {value}: use {' or '.join(choices)}")
    return value
