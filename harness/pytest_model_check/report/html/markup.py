"""Text -> HTML that shows it and does nothing else: every name comes from a branch that nobody has read yet."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape

# Invisible although their category says otherwise: fillers, joiners, variation selectors, the blank Braille pattern.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(k) for k in range(0xFE00, 0xFE10)}
_VOID = frozenset(("meta", "br"))


class Html(str):
    """Markup that is safe as it stands; any other string is text."""

    __slots__ = ()


def visible(text: str) -> str:
    r"""Write what can't be seen (control, bidirectional and zero-width marks) as an escape: ``\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if _hidden(char) else char for char in text)


def _hidden(char: str) -> bool:
    if char in "\n\t":
        return False
    return char in _BLANK or unicodedata.category(char) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def html(text: str) -> Html:
    """Escape text; markup stays."""
    return text if isinstance(text, Html) else Html(escape(visible(text)))


def join(parts: Iterable[str], between: str = "") -> Html:
    """Put parts after one another."""
    return Html(html(between).join(map(html, parts)))


def tag(name: str, /, *children: str, **attributes: str | bool) -> Html:
    """Give an element: text among the children is escaped, and so are attributes; ``class_``, ``aria_label``."""
    named = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{html(str(value))}"')
        for key, value in attributes.items()
        if value is not False
    )
    return Html(f"<{name}{named}>" if name in _VOID else f"<{name}{named}>{join(children)}</{name}>")


def table(
    caption: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
    heading: int = 0,
    hidden: bool = False,
) -> Html:
    """Give a table in a box of its own, which scrolls where the table is too wide.

    Parameters
    ----------
    caption : str
        What it shows.
    headers, rows
        Text or markup.
    numbers : sequence of int
        The columns that hold numbers.
    heading : int
        The column that names the row.
    hidden : bool
        Whether only screen readers get the caption, because a heading says the same.
    """
    kinds = ["n" if k in numbers else "" for k in range(len(headers))]

    def cell(k: int, text: str, **more: str) -> Html:
        return tag("th" if more else "td", text, **more, **({"class_": kinds[k]} if kinds[k] else {}))

    head = tag("tr", *(cell(k, text, scope="col") for k, text in enumerate(headers)))
    body = (
        tag("tr", *(cell(k, text, scope="row") if k == heading else cell(k, text) for k, text in enumerate(row)))
        for row in rows
    )
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption, **({"class_": "unseen"} if hidden else {})),
            tag("thead", head),
            tag("tbody", *body),
        ),
        class_="scroll",
        role="group",
        aria_label=caption,
        tabindex="0",
    )


def details(summary: str, *children: str, opened: bool = False) -> Html:
    """Give what a reader opens."""
    return tag("details", tag("summary", summary), *children, open=opened)
