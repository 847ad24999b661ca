"""The command ``model-check``: looks at baselines without fitting anything."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 for what the user must mend)."""
    parser = argparse.ArgumentParser(
        prog="model-check", description="Look at model baselines. To judge a model: pytest --model-check"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    show = commands.add_parser("show", help="what is promised: score, margin and dummy of each baseline")
    show.add_argument("names", nargs="*", metavar="NAME", help="baselines to show (default: all)")
    show.add_argument("--baselines", type=Path, default=Path("baselines"), metavar="DIR", help="default: baselines")
    options = parser.parse_args(arguments)

    from harness.errors import ModelCheckError
    from harness.report.visible import encodable

    try:
        sys.stdout.write(encodable(_show(options.baselines, options.names), sys.stdout.encoding))
    except ModelCheckError as error:
        sys.stderr.write(f"model-check: {error}\n")
        return 2
    return 0


def _show(folder: Path, names: Sequence[str]) -> str:
    from harness import baselines
    from harness.errors import BaselineError
    from harness.report import terminal

    known = sorted(path.stem for path in folder.glob("*.json"))
    for name in names:
        if name not in known:
            raise BaselineError(f"no baseline {name!r} in {folder}/", f"There are: {', '.join(known) or 'none'}.")
    if not known:
        raise BaselineError(f"no baseline in {folder}/", "Record one: pytest --model-check --update-baselines")
    found = [baseline for name in names or known if (baseline := baselines.read(folder, name)) is not None]
    return "\n".join(terminal.promises(found)) + "\n"
