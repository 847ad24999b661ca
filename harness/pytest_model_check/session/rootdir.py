"""pytest's rootdir and configuration, found as pytest finds them: here, and as they were at another commit."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.config.findpaths import determine_setup  # pytest has no public function that tells

from pytest_model_check import git
from pytest_model_check.pull_requests.missing_checks import Place
from pytest_model_check.session.names import FOLDER

CONFIGURING = (  # the files by which pytest finds rootdir
    *("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"),
    "setup.py",
)


@dataclass(frozen=True)
class Setup:
    """Where pytest's rootdir is, and what decides there.

    Parameters
    ----------
    root : Path
        rootdir.
    ini : Path or None
        The file that configures pytest.
    settings : mapping
        What it says, and what ``--override-ini`` adds.
    """

    root: Path
    ini: Path | None
    settings: Mapping[str, Any]


def find(typed: argparse.Namespace, here: Path) -> Setup:
    """Find rootdir for a command.

    Parameters
    ----------
    typed : argparse.Namespace
        What was typed, as pytest parses it.
    here : Path
        Where it was typed.
    """
    root, ini, values, *_ = determine_setup(
        inifile=typed.inifilename,
        override_ini=typed.override_ini,
        args=typed.file_or_dir,
        rootdir_cmd_arg=typed.rootdir or None,
        invocation_dir=here,
    )
    return Setup(root, ini, {key: value.value for key, value in values.items()})


def find_at(revision: str, top: Path, config: pytest.Config, typed: argparse.Namespace) -> Place:
    """Find rootdir and the folder of the baselines, as the same command would have found them at a commit.

    A copy of what pytest looks at, as it was then, is shown to pytest.

    Parameters
    ----------
    revision : str
        The commit: its ini files decide, whatever a branch has done to them since.
    top : Path
        Of the repository.
    config : pytest.Config
        pytest's.
    typed : argparse.Namespace
        What was typed, as pytest parses it.
    """
    here = config.invocation_params.dir.resolve()
    with tempfile.TemporaryDirectory(prefix="model-check-") as scratch:
        copy = _Copy(top, Path(scratch).resolve())
        then = argparse.Namespace(
            file_or_dir=[str(copy.of_folder(here / path.partition("::")[0])) for path in typed.file_or_dir],
            inifilename=typed.inifilename and str(copy.of_file(here / typed.inifilename)),
            rootdir=typed.rootdir and str(copy.of_folder(here / os.path.expandvars(typed.rootdir))),
            override_ini=typed.override_ini,
        )
        invoked = copy.of_folder(here)
        copy.fill(revision)
        setup = find(then, invoked)
        is_within = setup.ini is not None and setup.ini.is_relative_to(copy.scratch)
        if not is_within and config.inipath is not None and not config.inipath.resolve().is_relative_to(top):
            return Place(config.rootpath.resolve(), config.getini("model_check_baselines"))  # it is no branch's
        if not setup.root.is_relative_to(copy.scratch):  # what lies around the copy says nothing
            setup = Setup(invoked, None, {})
        root = top / setup.root.relative_to(copy.scratch)
        return Place(root, str(setup.settings.get("model_check_baselines", FOLDER)))


@dataclass(frozen=True)
class _Copy:
    """A folder that holds, of a repository, only what pytest looks at to find rootdir.

    Parameters
    ----------
    top : Path
        Of the repository.
    scratch : Path
        The folder.
    """

    top: Path
    scratch: Path

    def of_folder(self, path: Path) -> Path:
        """Return the copy of a folder, or of the folder of a file; what is not the repository's stays where it is."""
        path = Path(os.path.normpath(path))
        folder = path if path.is_dir() else path.parent
        if not folder.is_relative_to(self.top):
            return folder
        copied = self.scratch / folder.relative_to(self.top)
        copied.mkdir(parents=True, exist_ok=True)
        return copied

    def of_file(self, path: Path) -> Path:
        """Return the copy of a file that is named, empty until it is filled."""
        copied = self.of_folder(Path(os.path.normpath(path)).parent) / path.name
        if copied.is_relative_to(self.scratch):
            copied.touch()
        return copied

    def fill(self, revision: str) -> None:
        """Write the files that pytest looks at, as they were at a commit."""
        places = {self.top / copied.relative_to(self.scratch): copied for copied in self._files()}
        for (path, _), content in git.shows(list(places), [revision], top=self.top).items():
            places[path].write_bytes(content)

    def _files(self) -> Iterator[Path]:
        for folder, _, named in os.walk(self.scratch):
            for name in (*CONFIGURING, *named):
                yield Path(folder, name)
