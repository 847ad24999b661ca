"""Begin anew where pytest took the value of an option of ours for a path, and so another folder for rootdir.

Before it knows a plugin's options, pytest looks for rootdir and ini file from every argument that is a path:
``--model-check-report ../out/report.md`` moves them as soon as the file is there, ``--model-check-against main`` where
a folder has that name. ``--option=value`` is never mistaken, so that is how the command is read again.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

import pytest

VALUED = (
    "--model-check-accept",
    "--model-check-against",
    "--model-check-cache",
    "--model-check-engine",
    "--model-check-evidence",
    "--model-check-jobs",
    "--model-check-python",
    "--model-check-report",
)
ADDOPTS = "PYTEST_ADDOPTS"
ARGUMENTS = pytest.StashKey[list[str]]()


def prepare(config: pytest.Config, parser: pytest.Parser, arguments: list[str]) -> None:
    """Find out whether a value of ours moved rootdir; then this run does nothing but begin anew.

    Parameters
    ----------
    config : pytest.Config
        pytest's, before it has read the command line as a whole.
    parser : pytest.Parser
        Its parser, which knows our options by now.
    arguments : list of str
        What it is about to read; emptied where the run begins anew.
    """
    typed = [str(argument) for argument in config.invocation_params.args]
    added = shlex.split(os.environ.get(ADDOPTS, ""))
    if joined(typed) == typed and joined(added) == added:
        return
    from pytest_model_check.session import rootdir

    meant = parser.parse_known_args([*joined(added), *joined(typed)])
    setup = rootdir.find(meant, config.invocation_params.dir)
    if (setup.root, setup.ini) == (config.rootpath, config.inipath):
        return
    config.stash[ARGUMENTS] = joined(typed)
    if added:
        os.environ[ADDOPTS] = shlex.join(joined(added))
    config.known_args_namespace.noconftest = True  # those of the wrong folder
    arguments.clear()


def is_due(config: pytest.Config) -> bool:
    """Whether this run does nothing but begin anew."""
    return ARGUMENTS in config.stash


def run(config: pytest.Config) -> int | pytest.ExitCode:
    """Run pytest as it was meant."""
    return pytest.main(config.stash[ARGUMENTS], plugins=config.invocation_params.plugins)


def joined(arguments: Sequence[str]) -> list[str]:
    """Write an option of ours and its value as one argument, wherever the value is an existing path."""
    written: list[str] = []
    for argument in arguments:
        if written and written[-1] in VALUED and os.path.exists(argument):  # noqa: PTH110 - a reason may be no path at all
            written[-1] += f"={argument}"
        else:
            written.append(argument)
    return written
