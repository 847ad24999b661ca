"""The approved checks that a run should have judged, and did not."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path

import pytest

from pytest_model_check import git
from pytest_model_check.errors import ModelCheckError
from pytest_model_check.pull_requests import missing_checks
from pytest_model_check.pull_requests.missing_checks import Missing, Place
from pytest_model_check.session import rootdir, selection
from pytest_model_check.session.names import TOML
from pytest_model_check.session.options import Options, repository
from pytest_model_check.session.results import RunResults

FIRST = ("new", "recorded")  # the verdicts of checks for which nothing approved was read


def find(
    config: pytest.Config,
    typed: argparse.Namespace,
    options: Options,
    results: RunResults,
    collected: Collection[str],
) -> Missing:
    """Find the approved checks that this run should have judged, and did not; what can't be told is a problem too.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    typed : argparse.Namespace
        What was typed: it may leave checks out, what an ini file says may not.
    options : Options
        How the run was asked for.
    results : RunResults
        What it found.
    collected : collection of str
        The node ids of all checks that were collected, those included that were not selected.
    """
    verdicts = results.verdicts()
    heard = {verdict.name for verdict in verdicts}
    here = Place(config.rootpath.resolve(), config.getini("model_check_baselines"))
    try:
        if options.revision is None:
            covered = _Coverage(config, typed, collected, here.root)
            expects = (lambda nodeid: False) if selection.is_narrowed(typed) else covered.expects
            return missing_checks.in_working_tree(options.folder, heard, expects)
        top = git.toplevel(repository(config))
        assert top is not None  # or there were no merge base
        place = rootdir.find_at(options.revision, top, config, typed)
        first = {verdict.name for verdict in verdicts if verdict.verdict in FIRST}
        covered = _Coverage(config, typed, collected, place.root, top, options.revision)
        return missing_checks.at_merge_base(top, options.revision, place, here.folder, heard, first, covered.expects)
    except ModelCheckError as error:
        return Missing((str(error),))


class _Coverage:
    """Which tests this run covers.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    typed : argparse.Namespace
        What was typed.
    collected : collection of str
        The node ids of all checks that were collected.
    root : Path
        Where node ids start.
    top, revision : Path, str or None
        The repository, and the commit whose tests are meant; None: those of the working tree.
    """

    def __init__(
        self,
        config: pytest.Config,
        typed: argparse.Namespace,
        collected: Collection[str],
        root: Path,
        top: Path | None = None,
        revision: str | None = None,
    ) -> None:
        self.here = config.invocation_params.dir.resolve()
        self.typed = typed
        self.tests = {nodeid.partition("::")[2] for nodeid in collected}
        self.root, self.top, self.revision = root, top, revision

    def expects(self, nodeid: str) -> bool:
        """Whether this run would have judged a test, if it were there."""
        file, _, test = nodeid.partition("::")
        if test in self.tests and (self.revision is None or selection.is_narrowed(self.typed)):
            return False  # it is there, and was not selected (with a revision: by whoever typed the command)
        files = self._files(self.root / file, test)
        return not files or any(selection.covers(self.typed, self.here, path, test) for path in files)

    def _files(self, file: Path, test: str) -> list[Path]:
        """Return where a test stood: it may have moved since its baseline was recorded. Empty where nobody knows."""
        if self.revision is None or self.top is None or not self.typed.file_or_dir or file.name == TOML:
            return [file]
        files = git.defining(self.top, self.revision, test.partition("[")[0].rpartition("::")[2])
        is_there = git.shows([file], [self.revision], top=self.top)
        return [file] if file in files or (is_there and not files) else files
