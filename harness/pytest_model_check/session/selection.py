"""Which tests a run is asked for, and which approved checks it therefore covers."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from glob import glob
from pathlib import Path

import pytest

from pytest_model_check.session.names import NAME, TOML
from pytest_model_check.session.testreports import derived_name


def narrow_collection(config: pytest.Config) -> None:
    """Collect model_check_testpaths where the command line names no path, as pytest does with testpaths."""
    paths = config.getini("model_check_testpaths")
    sources = (pytest.Config.ArgsSource.TESTPATHS, pytest.Config.ArgsSource.INVOCATION_DIR)
    if paths and config.args_source in sources and config.invocation_params.dir == config.rootpath:
        declared = [TOML] if (config.rootpath / TOML).is_file() else []
        paths = [*paths, *declared]
        config.args = [match for path in paths for match in sorted(glob(path, recursive=True)) or [path]]  # noqa: PTH207 - keeps relative paths relative


def clashes(checks: Iterable[pytest.Item]) -> list[tuple[pytest.Item, str]]:
    """Return the tests whose checks would have the name of another one's, and what is wrong, in words."""
    names: dict[str, pytest.Item] = {}
    clashing = []
    for item in checks:
        name = derived_name(item.name)
        other = names.setdefault(name.casefold(), item)  # file systems may ignore case
        if other is not item:
            words = (
                f"two model checks have the name {name!r}: {other.nodeid} and {item.nodeid}\n"
                "A baseline takes its test's name, so rename one of the tests."
            )
            clashing.append((item, words))
    return clashing


def is_selection(typed: argparse.Namespace) -> bool:
    """Whether it was typed which checks are meant: by -k, -m or a node id; the marker of all of them says nothing."""
    by_name = any("::" in argument for argument in typed.file_or_dir)
    return bool(typed.keyword) or typed.markexpr not in ("", NAME) or by_name


def is_narrowed(typed: argparse.Namespace) -> bool:
    """Whether whoever typed the command left tests out; what an ini file leaves out, a branch could have written."""
    narrowing = (typed.keyword, typed.markexpr not in ("", NAME), typed.deselect, typed.ignore, typed.ignore_glob)
    return any(narrowing) or any(getattr(typed, name, False) for name in ("lf", "stepwise"))


def covers(typed: argparse.Namespace, here: Path, file: Path, test: str) -> bool:
    """Whether a command collects a test, if it is there.

    Parameters
    ----------
    typed : argparse.Namespace
        What was typed.
    here : Path
        Where it was typed.
    file : Path
        The test's.
    test : str
        The rest of its node id.
    """
    if getattr(typed, "lf", False) or typed.ignore_glob:
        return False  # nobody knows what they leave
    if any(_is_in(file, here / path) for path in typed.ignore or ()):
        return False
    for argument in typed.file_or_dir or ["."]:  # what is collected otherwise is an ini file's choice
        path, _, part = argument.partition("::")
        inside = not part or test == part or test.startswith((f"{part}::", f"{part}["))
        if inside and _is_in(file, here / path):
            return True
    return False


def _is_in(file: Path, place: Path) -> bool:
    return file.is_relative_to(os.path.normpath(place))
