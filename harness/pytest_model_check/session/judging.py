"""One call of ``model_check``: what the test wrote, judged by the gate."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_model_check.candidates.binding import bind
from pytest_model_check.candidates.place import Place
from pytest_model_check.checks.check import Check
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import dvc_files, dvc_stages
from pytest_model_check.errors import ModelCheckError, PromiseError
from pytest_model_check.fitting.engine import Engine
from pytest_model_check.fitting.pickling import travel_by_value
from pytest_model_check.gate import conclude, gate
from pytest_model_check.paths import absolute
from pytest_model_check.session import origin, progress
from pytest_model_check.session.engines import parallel_fits
from pytest_model_check.session.names import EVIDENCE
from pytest_model_check.session.options import Options
from pytest_model_check.session.results import CheckResult
from pytest_model_check.session.testreports import derived_name
from pytest_model_check.settings import Rules, Settings


def judge(
    item: pytest.Item,
    nodeid: str,
    args: Sequence[Any],
    promise: Mapping[str, Any],
    options: Options,
    engine: Engine,
    scratch: Path,
) -> CheckResult:
    """Judge what a test promises; whatever a user can mend becomes a verdict, an error in words.

    Parameters
    ----------
    item : pytest.Item
        The test.
    nodeid : str
        The test's, as it was collected.
    args : sequence
        What stands before the keywords: the candidate.
    promise : mapping
        The keywords.
    options : Options
        How the run was asked for.
    engine : Engine
        Makes its fits.
    scratch : Path
        For files that wait until the run is over.
    """
    try:
        check = make(item, nodeid, args, promise, options)
        with progress.shown(item.config, check.name) as show:
            return CheckResult(*gate.run(check, _settings(item, options, scratch), engine, show))
    except ModelCheckError as error:
        located = getattr(item, "located", lambda error: error)  # of a check that stands in a file of its own kind
        return CheckResult(conclude.failure(str(_name(item, promise)), nodeid, located(error)))


def make(item: pytest.Item, nodeid: str, args: Sequence[Any], promise: Mapping[str, Any], options: Options) -> Check:
    """Make the check that a test promises; parameters as `judge` has them.

    Raises
    ------
    ModelCheckError
        If it is none, or the candidate's files can't be had.
    """
    if "nodeid" in promise:
        raise PromiseError("model_check() has no argument 'nodeid'", "pytest knows it.")
    if (module := getattr(item, "module", None)) is not None:
        travel_by_value(module)
    given = [bind(candidate, _place(item.config, promise, options)) for candidate in args[:1]]
    return make_check(*given, *args[1:], **{**promise, "name": _name(item, promise), "nodeid": nodeid})


def _name(item: pytest.Item, promise: Mapping[str, Any]) -> Any:
    name = promise.get("name")
    return derived_name(item.name) if name is None else name


def _place(config: pytest.Config, promise: Mapping[str, Any], options: Options) -> Place:
    """Return where a candidate's files lie, and what of them may be loaded."""
    target, data = promise.get("target"), promise.get("data")
    named = [data] if isinstance(data, str | Path) else data if isinstance(data, list | tuple) else []
    return Place(
        config.rootpath,
        dvc_files.version,
        target if isinstance(target, str) else "",
        options.trust,
        tuple(absolute(config.rootpath / path) for path in named if isinstance(path, str | Path)),
        _made_by,
    )


def _made_by(path: Path) -> tuple[str, tuple[Path, ...]] | None:
    stage = dvc_stages.made_by(path)
    return None if stage is None else (stage.words, stage.dependencies)


def _settings(item: pytest.Item, options: Options, scratch: Path) -> Settings:
    config = item.config
    return Settings(
        root=config.rootpath,
        folder=options.folder,
        scratch=Path(tempfile.mkdtemp(dir=scratch)),
        update=options.update,
        accept=options.accept,
        revision=options.revision,
        python=options.python,
        charts=any(path.suffix == ".html" for path in options.reports),
        jobs=parallel_fits(config, options),
        timeout=options.timeout,
        evidence=None if options.evidence is None else scratch / EVIDENCE,
        sealed=options.sealed,
        rules=Rules(options.inconclusive_passes, options.folds_suffice),
        cache=origin.cache_settings(config, item, options),
    )
