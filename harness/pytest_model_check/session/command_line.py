"""The command line: what was typed on it and where, what counts only if it was, and how paths would be typed."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

IDLE = {  # with these pytest runs no test, and ends with 0
    "collectonly": "--collect-only",
    "help": "--help",
    "version": "--version",
    "markers": "--markers",
    "showfixtures": "--fixtures",
    "show_fixtures_per_test": "--fixtures-per-test",
    "cacheshow": "--cache-show",
}

TYPED_ONLY = {  # what decides over a verdict, and what else to say of it
    "model_check_against": " (in a pull request's CI the target is found by itself)",
    "model_check_python": "",
    "model_check_engine": "",
    "model_check_trust": "",
}

ENVIRONMENT = pytest.StashKey[Mapping[str, str]]()
STARTED = pytest.StashKey[int]()


def remember_environment(config: pytest.Config) -> None:
    """Keep when, and in which environment, pytest was started: plugins and conftest files may change it."""
    config.stash[ENVIRONMENT] = dict(os.environ)
    config.stash[STARTED] = time.time_ns()


def environment(config: pytest.Config) -> Mapping[str, str]:
    """Return the environment in which pytest was started."""
    return config.stash[ENVIRONMENT]


def started(config: pytest.Config) -> int:
    """Return when pytest was started, in nanoseconds since the epoch."""
    return config.stash[STARTED]


def parse(config: pytest.Config) -> argparse.Namespace:
    """Parse what was typed, without what an ini file, PYTEST_ADDOPTS or a file of arguments (``@FILE``) adds to it."""
    typed = [str(argument) for argument in config.invocation_params.args]
    # pytest keeps a record of what was typed, but none of what it means
    return config._parser.parse_known_args([argument for argument in typed if not argument.startswith("@")])


def require(config: pytest.Config) -> None:
    """Refuse what decides a run of model checks, and was not typed: a branch can write its files as it likes.

    Raises
    ------
    pytest.UsageError
        If baselines would be written, or what they are held against, or who runs the approved code, or that nothing
        runs at all, is said elsewhere: in an ini file's addopts, in PYTEST_ADDOPTS, or in a file of arguments.
    """
    ours = ("--model-check", "--update-baselines")
    option = config.option  # which --help keeps from what comes after it
    if not (_is_asked_for(option) or any(str(word).startswith(ours) for word in config.invocation_params.args)):
        return
    typed = parse(config)
    if _writes(option) and not _writes(typed):
        raise pytest.UsageError(
            "baselines are written only when the command line says so: take "
            "--update-baselines or --model-check-accept out of addopts (or PYTEST_ADDOPTS), and type it"
        )
    for name, more in TYPED_ONLY.items():
        said = getattr(option, name)
        if said and said != getattr(typed, name):
            words = " ".join(map(str, said)) if isinstance(said, list) else said
            raise pytest.UsageError(
                f"--{name.replace('_', '-')} {words} stands in addopts (or PYTEST_ADDOPTS), which a branch "
                f"can change: take it out, and type it{more}"
            )
    if config.getini("model_check_python"):
        raise pytest.UsageError(
            "ini key model_check_python: an ini file can't say what runs the approved model's code, for a branch can "
            "change it: take it out, and type --model-check-python PATH"
        )
    for name, words in IDLE.items():
        if getattr(option, name, False) and not getattr(typed, name, False):
            raise pytest.UsageError(
                f"{words} stands in addopts (or PYTEST_ADDOPTS), and with it no model is checked: "
                "take it out, or type it"
            )


def _is_asked_for(namespace: argparse.Namespace) -> bool:
    return bool(namespace.model_check) or _writes(namespace)


def _writes(namespace: argparse.Namespace) -> bool:
    return bool(namespace.model_check_update) or namespace.model_check_accept is not None


def as_typed(config: pytest.Config, path: Path) -> str:
    """Write a path as the user would type it."""
    here = config.invocation_params.dir
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def test_as_typed(config: pytest.Config, nodeid: str) -> str:
    """Write a node id as the user would type it."""
    file, colons, test = nodeid.partition("::")
    return f"{as_typed(config, config.rootpath / file)}{colons}{test}"
