"""What pytest knows of where a check comes from: its files, plugins and options, for the keys of its fits."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_model_check import git
from pytest_model_check.session import command_line
from pytest_model_check.session.options import Options
from pytest_model_check.settings import CacheSettings, Origin

# Options of pytest's and ours that choose, show and report, and change nothing of what a test does. Every other counts.
IRRELEVANT = frozenset((
    "file_or_dir", "keyword", "markexpr", "maxfail", "verbose", "quiet", "no_header", "no_summary", "no_fold_skipped",
    "force_short_summary", "reportchars", "disable_warnings", "showlocals", "no_showlocals", "tbstyle", "show_capture",
    "fulltrace", "color", "code_highlight", "pastebin", "capture", "xmlpath", "junitprefix", "lf", "failedfirst",
    "newfirst", "cacheshow", "cacheclear", "last_failed_no_failures", "stepwise", "stepwise_skip", "stepwise_reset",
    "durations", "durations_min", "collectonly", "deselect", "ignore", "ignore_glob", "usepdb", "usepdb_cls", "trace",
    "xfail_tb", "setuponly", "setupshow", "setupplan", "debug", "traceconfig", "show_fixtures_per_test", "showfixtures",
    "version", "help", "basetemp", "log_level", "log_format", "log_date_format", "log_cli_level", "log_cli_format",
    "log_cli_date_format", "log_file", "log_file_mode", "log_file_level", "log_file_format", "log_file_date_format",
    "log_auto_indent", "logger_disable", "markers", "keepduplicates", "collect_in_virtualenv", "doctestmodules",
    "doctestreport", "doctestglob", "doctest_ignore_import_errors", "doctest_continue_on_failure", "rootdir",
    "console_output_style", "noconftest",
    "numprocesses", "maxprocesses", "dist", "tx", "px", "looponfail", "testrunuid", "distload", "loadgroup",
    "maxworkerrestart", "maxschedchunk", "rsyncdir", "rsyncignore", "no_loadscope_reorder", "boxed", "distrun",
    "loadscopereorder",
    "model_check", "model_check_update", "model_check_accept", "model_check_against", "model_check_python",
    "model_check_report", "model_check_jobs", "model_check_cache", "model_check_refit", "model_check_evidence",
))  # fmt: skip
SETTINGS = ("pyproject.toml", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini", "setup.cfg", "setup.py")
NOT_COUNTED = ("_pytest.", "pytest_model_check.", "xdist.", "__channelexec__.", "builtins")
FOLDER = "model-check"  # in pytest's cache
TOP = pytest.StashKey[Path]()


def cache_settings(config: pytest.Config, item: pytest.Item, options: Options) -> CacheSettings | None:
    """Return where earlier fits lie, and what decides whether they may be served; None where there is no cache.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    item : pytest.Item
        The test.
    options : Options
        How the run was asked for.
    """
    folder = folder_of(config, options)
    if folder is None or options.sealed:  # an earlier fit may have seen anything
        return None
    if options.cache is None and config.cache is not None:
        with contextlib.suppress(OSError):  # a run goes on without
            config.cache.mkdir(FOLDER)  # with pytest's .gitignore above it
    return CacheSettings(folder, not options.refit, _origin(config, item, options, folder))


def folder_of(config: pytest.Config, options: Options) -> Path | None:
    """Return where earlier fits lie; None where there is no cache."""
    if options.engine != "local":  # what fits elsewhere is not watched
        return None
    if options.cache is not None:
        return options.cache
    cache = getattr(config, "cache", None)  # None: -p no:cacheprovider
    # as cache.mkdir names it, which fails where nothing can be written
    return None if cache is None else Path(cache._cachedir / "d" / FOLDER)


def has_fits(config: pytest.Config, options: Options) -> bool:
    """Whether a run may find all its fits made."""
    folder = folder_of(config, options)
    return folder is not None and not options.refit and not options.update and any(folder.glob("??"))


def _origin(config: pytest.Config, item: pytest.Item, options: Options, folder: Path) -> Origin:
    top = _top(config)
    plugins = sorted({_module_of(plugin) for plugin in config.pluginmanager.get_plugins()})
    named = {str(config.inipath)} if config.inipath else set()
    named |= {str(place / name) for place in (config.rootpath, top) for name in SETTINGS if (place / name).is_file()}
    xml = config.option.xmlpath
    written = [folder, options.folder, *options.reports]
    written += [options.evidence] if options.evidence else []
    written += [config.invocation_params.dir / xml] if xml else []
    return Origin(
        root=config.rootpath,
        top=top,
        files=tuple(sorted({str(item.path), *_files_of_plugins(config)})),
        settings=tuple(map(Path, sorted(named))),
        stated=(*_stated(config), *(plugin for plugin in plugins if not plugin.startswith(NOT_COUNTED))),
        written=tuple(os.path.realpath(path) for path in written),
        started=command_line.started(config),
    )


def _top(config: pytest.Config) -> Path:
    """Return the top of the project, which git is asked for once."""
    if TOP not in config.stash:
        config.stash[TOP] = (git.toplevel(config.rootpath) or config.rootpath).resolve()
    return config.stash[TOP]


def _files_of_plugins(config: pytest.Config) -> Iterator[str]:
    """Yield the files of all plugins, the conftest files among them; what is installed counts for nothing there."""
    for plugin in config.pluginmanager.get_plugins():
        module = plugin if hasattr(plugin, "__file__") else sys.modules.get(type(plugin).__module__)
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            yield file


def _module_of(plugin: object) -> str:
    return str(getattr(plugin, "__name__", None) or f"{type(plugin).__module__}.{type(plugin).__qualname__}")


def _stated(config: pytest.Config) -> Iterator[str]:
    for name, value in sorted(vars(config.option).items()):
        if name not in IRRELEVANT:
            yield f"{name}={value!r}"
