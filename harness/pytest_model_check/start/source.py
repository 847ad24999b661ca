"""The proposed check, as a test in Python or a table in TOML: every choice with its reason beside it. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from pytest_model_check.candidates import standard
from pytest_model_check.report.text import visible
from pytest_model_check.start.proposal import Choice, Proposal

WIDTH = 100


def python(proposal: Proposal, name: str, model: str, reason: str, more: Sequence[Choice] = ()) -> str:
    """Return the source of a test module with one check.

    Parameters
    ----------
    proposal : Proposal
        What is promised.
    name : str
        The check's, a Python name.
    model : str
        The standard pipeline that was chosen.
    reason : str
        Why.
    more : sequence of Choice
        Arguments that were chosen later.
    """
    imports, code = standard.source(model, proposal.task)
    lines = [
        f'"""Is the model of {_in_docstring(proposal.target)[:40]} at least as good as the approved one?',
        "",
        "Written by model-check init; every choice has its reason beside it. Change what you know better, and",
        "record a new baseline: pytest --update-baselines",
        '"""',
        "",
        *imports,
        "",
        "",
        *code.rstrip().splitlines(),
        "",
        "",
        f"def test_{name}(model_check):",
        "    model_check(",
        *_argument("model()", reason),
    ]
    for choice in (*proposal.choices, *more):
        items = [literal(item) for item in choice.value] if isinstance(choice.value, list) else []
        lines += _argument(f"{choice.key}={literal(choice.value)}", choice.reason, items)
    return "\n".join([*lines, "    )", ""])


def toml(proposal: Proposal, name: str, model: str, reason: str, more: Sequence[Choice] = ()) -> str:
    """Return the same as a table of ``model_checks.toml``; parameters as in `python`."""
    choices = (Choice("candidate", model, reason), Choice("task", proposal.task, "what the candidate is for"))
    lines = [f"[{name}]"]
    for choice in (*choices, *proposal.choices, *more):
        lines += [f"# {line}" for line in textwrap.wrap(visible(choice.reason), WIDTH - 2, break_on_hyphens=False)]
        lines.append(f"{choice.key} = {literal(choice.value, ' = ')}")
    return "\n".join([*lines, ""])


def _argument(code: str, reason: str, items: Sequence[str] = ()) -> list[str]:
    comment = textwrap.wrap(visible(reason), WIDTH - 10, break_on_hyphens=False)
    written = [f"        # {line}" for line in comment] + [f"        {code},"]
    if len(written[-1]) <= WIDTH or not items:
        return written
    head, _, _ = code.partition("[")
    return [*written[:-1], f"        {head}[", *(f"            {line}" for line in _packed(items)), "        ],"]


def _packed(items: Sequence[str]) -> list[str]:
    """Put items into lines; none is parted."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) > WIDTH - 14:
            lines.append("")
        lines[-1] += f" {item}," if lines[-1] else f"{item},"
    return lines


def literal(value: Any, becomes: str = ": ") -> str:
    """Write a value as Python reads it, or TOML, in whose tables a key ` = ` its value: text, numbers, lists, dicts."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}{becomes}{literal(item)}' for key, item in value.items())}}}"
    if isinstance(value, int):
        return str(value)
    return f'"{"".join(map(_escaped, value))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _in_docstring(text: str) -> str:
    return visible(text).replace("\\", "\\\\").replace('"', "'")
