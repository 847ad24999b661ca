"""Text as one visible line: what names, reasons and messages hold is shown, never obeyed. Pure."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

ELLIPSIS = "..."
MARKS = 2  # accents on one letter that are still read as writing


@lru_cache(maxsize=4096)  # the same few names stand in every line
def visible(text: str) -> str:
    r"""Give a text as one line in which nothing is hidden.

    White space becomes single spaces. What has no shape of its own (control characters, marks that turn the direction
    of writing, zero-width characters, halves of characters, unassigned ones) is spelt out, as ``\u202e``; so are
    accents that would pile up over the lines above.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    shown, marks = [], 0
    for character in " ".join(text.split()):
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        hidden = kind[0] == "C" or marks > MARKS or _shapeless(character)
        shown.append(_spelt(character) if hidden else character)
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
    return sum(
        0 if unicodedata.category(one) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )


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


def clean(text: str) -> str:
    """Keep what an author's name or a reason may hold from steering the terminal, or turning its text around."""
    return "".join(character if character.isprintable() else " " if character.isspace() else "?" for character in text)
