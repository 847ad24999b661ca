"""A run -> the workflow commands by which GitHub Actions marks each failing test's line in the pull request."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_model_check.judgement.verdicts import Run
from pytest_model_check.report import table
from pytest_model_check.report.text import cut, failure, visible

TEXT = 4_000  # characters of a message; GitHub cuts what is longer


def lines(run: Run, places: Mapping[str, tuple[str, int | None]]) -> list[str]:
    """Return a line for each failing check, the worst first, since GitHub shows ten a step; then one for each problem.

    Parameters
    ----------
    run : Run
        What was found.
    places : mapping of str to (str, int or None)
        By node id: the test's file, from the top of the repository, and its line, counted from 1.
    """
    commands = []
    for check in table.ordered([check for check in run.checks if not check.passed]):
        file, line = places.get(check.nodeid, ("", None))
        title = f"{check.name}: {'weaker promise' if check.concessions.weakened else check.verdict}"
        commands.append(_command(failure(check.message, check.advice), file=file, line=line, title=title))
    return commands + [_command(visible(problem), title="model checks") for problem in run.problems]


def _command(text: str, **properties: object) -> str:
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value not in ("", None))
    return f"::error {given}::{_escaped(cut(text, TEXT))}"


def _property(text: str) -> str:
    return _escaped(visible(text)).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
