"""pytest's hooks, options and the `model_check` fixture. Imports nothing heavy: without --model-check it is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_model_check.session import command_line, restart
from pytest_model_check.session.names import FOLDER, NAME, SESSION, TOML

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_model_check.checks.model_check import ModelCheck
    from pytest_model_check.session.session import ModelCheckSession

INI = {
    "model_check_baselines": ("folder of the baselines, from rootdir", "string", FOLDER),
    "model_check_testpaths": ("what pytest --model-check collects when no path is given", "args", []),
    "model_check_jobs": ("parallel fits; 0: every core, 1 under pytest-xdist", "int", 0),
    "model_check_cache": (
        "folder of earlier fits, from rootdir (default: in pytest's cache)",
        "string",
        "",
    ),
    "model_check_timeout": ("seconds that a fit may take; 0: no limit", "float", 0.0),
    "model_check_report": ("reports to write, as --model-check-report does; from rootdir", "args", []),
    "model_check_inconclusive": ("what an inconclusive check does: fail or pass", "string", "fail"),
    "model_check_python": ("refused: type --model-check-python", "string", ""),
    "model_check_without_predictions": (
        "where a baseline's predictions can't be had: fail, or compare by folds",
        "string",
        "fail",
    ),
    "model_check_trusted_types": (
        "types that a skops file may hold; read from the commit that decides, as model_check_baselines' are",
        "args",
        [],
    ),
    "model_check_junit_properties": ("verdicts as properties in JUnit's XML; strict schemas know none", "bool", False),
}


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the options and ini keys; nothing of the project has been run yet."""
    command_line.remember_environment(pluginmanager.get_plugin("pytestconfig"))  # type: ignore[arg-type]
    group = parser.getgroup("model-check", "model checks: is the model at least as good as its approved baseline?")
    group.addoption("--model-check", action="store_true", help="run the model checks, and nothing else")
    group.addoption(
        "--model-check-update",
        "--update-baselines",
        action="store_true",
        help="record missing baselines, and replace those that the candidate meets or beats",
    )
    group.addoption(
        "--model-check-accept",
        metavar="REASON",
        help="record a baseline although it is worse, can't be decided or compared, or promises less; "
        "the reason is kept in it and shown in every report",
    )
    group.addoption(
        "--model-check-against",
        metavar="REV",
        help="take the baselines from the merge base of HEAD and REV (default: of a pull request's target, in CI)",
    )
    group.addoption(
        "--model-check-python",
        metavar="PATH",
        help="the interpreter, or virtual environment, that runs the approved model's code where the data has moved",
    )
    group.addoption(
        "--model-check-report",
        action="append",
        default=[],
        metavar="FILE",
        help="write the report to FILE, repeatable; by its ending Markdown (.md), a page (.html), JSON (.json) or "
        "OpenMetrics (.txt)",
    )
    group.addoption(
        "--model-check-engine",
        metavar="ENGINE",
        help="where fits are made: local (default), dask (a cluster on this machine) or dask://HOST:PORT",
    )
    group.addoption(
        "--model-check-trust",
        action="append",
        default=[],
        metavar="PATH",
        help="load this pickle although loading it can run any code, repeatable; only what is typed counts",
    )
    group.addoption(
        "--model-check-evidence",
        metavar="DIR",
        help="leave in DIR what `model-check judge` needs to judge this run again, in a process without its code",
    )
    group.addoption(
        "--model-check-sealed",
        action="store_true",
        help="make each fit in a sandbox that sees code and rows, but no answers, files or network (Linux, bubblewrap)",
    )
    group.addoption("--model-check-jobs", type=int, metavar="N", help="parallel fits (default: every core)")
    group.addoption(
        "--model-check-cache",
        metavar="DIR",
        help="where fits are kept, and those of unchanged models are found (default: in pytest's cache)",
    )
    group.addoption("--model-check-refit", action="store_true", help="make every fit, also those that are in the cache")
    for name, (text, kind, default) in INI.items():
        parser.addini(name, text, type=kind, default=default)  # type: ignore[arg-type]


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Find out whether pytest took a value of ours for a path."""
    restart.prepare(early_config, parser, args)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | pytest.ExitCode | None:
    """Begin anew where it did; refuse what decides and was not typed."""
    if restart.is_due(config):
        return restart.run(config)
    if not config.pluginmanager.has_plugin(SESSION):  # old_code_session.py brings its own
        command_line.require(config)
    return None


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and turn the session on where it is asked for."""
    config.addinivalue_line("markers", f"{NAME}: the test is a model check (every test that uses the fixture has it).")
    options = config.option
    options.model_check_update = options.model_check_update or options.model_check_accept is not None
    options.model_check = options.model_check or options.model_check_update
    if options.model_check and not config.pluginmanager.has_plugin(SESSION):  # old_code_session.py brings its own
        from pytest_model_check.session.session import ModelCheckSession

        config.pluginmanager.register(ModelCheckSession(config), SESSION)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the checks that are declared without code."""
    if file_path.name != TOML:
        return None
    from pytest_model_check.session.toml_items import TomlFile

    return TomlFile.from_parent(parent, path=file_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the model checks, before ``-m`` selects; skip them in ordinary runs."""
    skip = pytest.mark.skip(reason="run with --model-check")
    for item in items:
        if NAME in getattr(item, "fixturenames", ()):
            item.add_marker(NAME)
            if not config.option.model_check:
                item.add_marker(skip)


@pytest.fixture
def model_check(request: pytest.FixtureRequest) -> ModelCheck:
    """Judge a candidate against its approved baseline: ``model_check(candidate, data=..., target=...)``.

    Fails the test unless the candidate is at least as good; returns the `Verdict`. `pytest_model_check.ModelCheck` is
    its type, for annotations, and lists its parameters.
    """
    session: ModelCheckSession | None = request.config.pluginmanager.get_plugin(SESSION)
    if session is None:
        pytest.skip("run with --model-check")
    return session.check_of(request.node)
