"""The command ``model-check``: from a table to a first check, and the life of its baseline."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from collections.abc import Sequence

from pytest_model_check.commands import (
    compare,
    diff,
    export,
    history,
    init,
    judge,
    lint,
    merge,
    plan,
    rename,
    retire,
    schema,
    show,
    write_up,
)
from pytest_model_check.commands.parser import Commands

COMMANDS = (  # in the order of help
    init, compare, show, history, diff, plan, write_up, rename, retire, lint, merge, judge, export, schema,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 for what the user must mend)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an author's name must not break an ASCII terminal
            stream.reconfigure(errors="backslashreplace")
    typed = sys.argv[1:] if arguments is None else list(arguments)
    options = parser().parse_args(typed)
    if options.command == "judge" and not sys.flags.isolated:  # what a branch put where Python looks stays outside
        command = [sys.executable, "-P", "-I", "-m", "pytest_model_check.cli", *typed]
        return subprocess.run(command, check=False).returncode  # noqa: S603

    from pytest_model_check.errors import ModelCheckError

    try:
        text, code = options.run(options)
    except ModelCheckError as error:
        from pytest_model_check.report.text import failure

        sys.stderr.write(f"model-check: {failure(error.message, error.advice)}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nmodel-check: interrupted\n")
        return 130
    sys.stdout.write(text)
    return int(code)


def parser() -> argparse.ArgumentParser:
    """Return what parses the command line."""
    made = argparse.ArgumentParser(
        prog="model-check", description="Look at model baselines. To judge a model: pytest --model-check"
    )
    commands = Commands(made)
    for command in COMMANDS:
        command.add(commands)
    return made


if __name__ == "__main__":
    sys.exit(main())
