"""Which tests a run is asked for, and which approved checks it therefore covers."""

from __future__ import annotations

from collections.abc import Iterable
from glob import glob

import pytest

from pytest_model_check.session.names import NAME
from pytest_model_check.session.testreports import derived_name

WRITING = ("--model-check-update", "--update-baselines", "--model-check-accept")
NARROWING = ("-k", "-m", "--deselect", "--ignore", "--lf", "--last-failed", "--sw", "--stepwise")


def narrow_collection(config: pytest.Config) -> None:
    """Collect model_check_testpaths where the command line names no path, as pytest does with testpaths."""
    paths = config.getini("model_check_testpaths")
    sources = (pytest.Config.ArgsSource.TESTPATHS, pytest.Config.ArgsSource.INVOCATION_DIR)
    if paths and config.args_source in sources and config.invocation_params.dir == config.rootpath:
        config.args = [found for path in paths for found in sorted(glob(path, recursive=True)) or [path]]  # noqa: PTH207 - keeps relative paths relative


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


def is_selection(config: pytest.Config) -> bool:
    """Whether the command line says which checks are meant: by -k, -m or a node id; the marker of all says nothing."""
    option = config.option
    return bool(
        option.keyword or option.markexpr not in ("", NAME) or any("::" in argument for argument in config.args)
    )


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
