"""How commands are declared: each with its name, its summary, and where baselines lie."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

Run = Callable[[argparse.Namespace], tuple[str, int]]

if TYPE_CHECKING:
    _Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


class Commands:
    """The commands of a parser.

    Parameters
    ----------
    parser : ArgumentParser
        Gets them.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._subparsers: _Subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(
        self, name: str, run: Run, summary: str, more: str = "", *, reads_baselines: bool = True
    ) -> argparse.ArgumentParser:
        """Add a command; return the parser of its arguments.

        Parameters
        ----------
        name : str
            As it is typed.
        run : callable
            Gets what was typed, and returns what to print and the exit code.
        summary, more : str
            What help says of it.
        reads_baselines : bool
            Whether it takes their folder.
        """
        command = self._subparsers.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=run)
        if reads_baselines:
            command.add_argument(
                "--baselines", type=Path, default=Path("baselines"), metavar="DIR", help="default: baselines"
            )
        return command
