"""Text that hides nothing: what names, reasons and messages hold is shown, never obeyed. Every output uses it. Pure."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

ELLIPSIS = "..."
MARKS = 2  # accents on one letter that are still read as writing


@lru_cache(maxsize=4096)  # the same few names stand in every line
def visible(text: str) -> str:
    """Return a text as one line in which nothing is hidden: white space becomes single spaces."""
    return spelt_out(" ".join(text.split()))


def visible_lines(text: str) -> str:
    """Return a text of several lines, in each of which nothing is hidden, and which no service that reads logs obeys.

    Only a line feed ends a line; the spaces that begin one stay, since commands to type are set in.
    """
    return "\n".join(inert(spelt_out(line.replace("\t", " ").rstrip())) for line in text.split("\n"))


def failure(message: str, advice: str = "") -> str:
    """Return what a failing test or command says: a message, which is one line, and below it what to do."""
    return visible_lines(f"{visible(message)}\n{advice}").rstrip()


def titled(title: str, sentences: Sequence[str]) -> list[str]:
    """Return a title and below it, set in and wrapped, what there is to say; nothing where there is nothing."""
    return ["", visible(title), *(f"  {line}" for each in sentences for line in wrapped(each))] if sentences else []


def wrapped(sentence: str) -> list[str]:
    """Wrap a sentence to the width that every terminal has."""
    return textwrap.wrap(visible(sentence), 78, break_on_hyphens=False)


def inert(line: str) -> str:
    """Return a line of a log that GitHub, Azure and TeamCity take for text, though it looks like a command to them.

    GitHub obeys ``::error::`` where a line begins; the others, and GitHub's old form, anywhere: ``##[error]``.
    """
    line = re.sub(r"^(\s*):(?=:)", r"\1\\x3a", line)
    return re.sub(r"#(?=#\w*\[)", r"\\x23", line)


def spelt_out(text: str) -> str:
    r"""Spell out, as ``\u202e``, what has no shape of its own; line feeds and tabs stay.

    That is: control characters, marks that turn the direction of writing, zero-width characters, halves of characters,
    unassigned ones; and accents that would pile up over the lines above.
    """
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for character in text:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        hidden = kind[0] == "C" or kind in ("Zl", "Zp") or marks > MARKS or _shapeless(character)
        shown.append(_spelt(character) if hidden and character not in "\n\t" else character)
    return "".join(shown)


def shortened(text: str, room: int) -> str:
    """Leave out the middle of a text that has more characters than there is room for: both its ends say most."""
    if len(text) <= room:
        return text
    if room <= len(ELLIPSIS):
        return text[: max(0, room)]
    left = room - len(ELLIPSIS)
    tail = left // 3
    return text[: left - tail] + ELLIPSIS + text[len(text) - tail :]


def cut(text: str, room: int) -> str:
    """Leave out the end of a sentence that has more characters than there is room for."""
    return text if len(text) <= room else text[: max(0, room - len(ELLIPSIS))].rstrip() + ELLIPSIS


def width(text: str) -> int:
    """Count the columns that a text takes on a terminal: two for the wide characters of East Asia, none for accents."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def encodable(text: str, encoding: str | None) -> str:
    """Spell out what an encoding can't take, an ASCII terminal's say."""
    encoding = encoding or "utf-8"
    for character, plain in (("±", "+/-"), ("→", "->"), ("“", '"'), ("”", '"'), ("…", "...")):
        if character in text and not _takes(encoding, character):
            text = text.replace(character, plain)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _takes(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _shapeless(character: str) -> bool:
    """Whether it takes room or none, and draws nothing: fillers, joiners, variation selectors."""
    return (
        character in "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
        or "\u180b" <= character <= "\u180f"
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


def _spelt(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
