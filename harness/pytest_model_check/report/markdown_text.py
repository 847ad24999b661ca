"""Text, names and tables as Markdown that shows them and does nothing else. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tabulate import tabulate

from pytest_model_check.judgement.numbers import MISSING
from pytest_model_check.report import table
from pytest_model_check.report.table import Row
from pytest_model_check.report.text import cut, shortened, visible

EMPTY = "(empty)"  # an item of a list without text would underline the line above it, and make it a headline
COLUMNS = ("check", "metric", "baseline", "candidate", "delta (interval)", "margin", "verdict")
NAME, TEXT = 60, 600  # characters that a name and a sentence may have


def escape(text: str, room: int = TEXT) -> str:
    """Return a text that GitHub shows as it is, in Markdown and in HTML, whatever is in it.

    Parameters
    ----------
    text : str
        Somebody's name, reason or message.
    room : int
        How many characters of it are shown.
    """
    text = cut(visible(text), room) or EMPTY
    # An invisible space stops what GitHub looks for in finished text, where no escape is left: @someone, #12, GH-12,
    # :tada:, addresses, [!NOTE], [x].
    live = r"@|#(?=\d)|GH-(?=\d)|:(?=//|[\w+-]+:)|www(?=\.)|\[(?=!|[ x]\])"
    text = re.sub(live, "\\g<0>\u200b", text, flags=re.IGNORECASE)
    # References are text in Markdown and in HTML alike; not for the _ within a word: it means nothing there.
    text = re.sub(r"[\\`*\[\]|~<&@\u200b]|(?<![a-zA-Z0-9])_|_(?![a-zA-Z0-9])", _reference, text)
    # It begins no list, no rule and no command; a number may be less than zero.
    text = re.sub(r"^([#>]|-(?=[ -]|$)|\+(?= |$)|\d+(?=[.)]( |$))|::)", _reference, text)
    return text.replace("$", "<span>$</span>")  # how GitHub wants a dollar written that begins no formula


def _reference(match: re.Match[str]) -> str:
    return "".join(f"&#{ord(character)};" for character in match[0])


def name_of(text: str, room: int = NAME) -> str:
    """Return a name, shortened in the middle, that GitHub shows as it is."""
    return escape(shortened(visible(text), room), room)


def breakable(name: str) -> str:
    """Let a long name be broken at its underscores, so that the numbers beside it are not."""
    return re.sub(r"(?<=[a-zA-Z0-9]{3}_)(?=[a-zA-Z0-9]{3})", "<wbr>", name) if len(name) > 16 else name


def cells(row: Row, room: int) -> list[str]:
    """Return the cells of a row of the accuracy diff table, with so many characters for a name."""
    shown = {**row.cells, "check": breakable(name_of(row.cells["check"], room))}
    if row.metric is not None:
        shown["metric"] = breakable(name_of(row.cells["metric"], room))
        delta, space, bounds = row.cells["delta (interval)"].partition(" ")
        shown["delta (interval)"] = f"{delta}<br>{bounds.replace(' ', '&nbsp;')}" if space else delta
    if row.state != "passed":
        shown["verdict"] = f"**{shown['verdict']}**"
    return [shown.get(column, MISSING) for column in COLUMNS]


def draw_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Draw a table of cells that are escaped."""
    if not rows:
        return ""
    sides = tuple("left" if name in _LEFT else "right" for name in headers)
    return tabulate(rows, headers, "pipe", colalign=sides, disable_numparse=True)


_LEFT = {
    *table.NAMES,
    "package",
    "then",
    "now",
    "checks",
    "data",
    "md5",
    "parameter",
    "released model",
    "candidate model",
}


def joined(*parts: object) -> str:
    """Put what there is of some parts below one another."""
    return "\n\n".join(str(part) for part in parts if part)
