"""Text -> HTML that shows it and does nothing else: every name comes from a branch that nobody has read yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from pytest_model_check.report.text import spelt_out

_VOID = frozenset(("br", "meta", "wbr"))


class Html(str):
    """Markup that is safe as it stands; any other string is text."""

    __slots__ = ()


def html(text: str) -> Html:
    """Escape text; markup stays."""
    return text if isinstance(text, Html) else Html(escape(spelt_out(text)))


def join(parts: Iterable[str], between: str = "") -> Html:
    """Put parts after one another."""
    return Html(html(between).join(map(html, parts)))


def tag(name: str, /, *children: str, **attributes: str | bool) -> Html:
    """Return an element: text among the children is escaped, and so are attributes; ``class_``, ``aria_label``."""
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
    stacked: bool = False,
) -> Html:
    """Return a table in a box of its own, which scrolls where the table is too wide.

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
    stacked : bool
        Whether each row becomes a block of lines on a narrow screen, where the table would be too wide.
    """
    kinds = ["n" if k in numbers else "" for k in range(len(headers))]

    def role(name: str, **more: str) -> dict[str, str]:
        """Say what an element is, where it is no longer laid out as that."""
        return {"role": name, **more} if stacked else {}

    def cell(k: int, text: str, **more: str) -> Html:
        return tag("th" if "scope" in more else "td", text, **more, **({"class_": kinds[k]} if kinds[k] else {}))

    def line(row: Sequence[str]) -> Html:
        cells = (
            cell(k, text, scope="row", **role("rowheader"))
            if k == heading
            else cell(k, text, **role("cell", data_label=headers[k].partition("<")[0]))
            for k, text in enumerate(row)
        )
        return tag("tr", *cells, **role("row"))

    head = tag(
        "tr",
        *(cell(k, text, scope="col", **role("columnheader")) for k, text in enumerate(headers)),
        **role("row"),
    )
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption, **({"class_": "unseen"} if hidden else {})),
            tag("thead", head, **role("rowgroup")),
            tag("tbody", *map(line, rows), **role("rowgroup")),
            **role("table", class_="stack"),
        ),
        class_="scroll",
        role="group",
        aria_label=caption,
        tabindex="0",
    )


def breakable(name: str) -> Html:
    """Let a long name break after its underscores, where there is no room for it in one line."""
    parts = name.split("_")
    return join([piece for part in parts[:-1] for piece in (f"{part}_", tag("wbr"))] + [parts[-1]])


def details(summary: str, *children: str, opened: bool = False) -> Html:
    """Return what a reader opens."""
    return tag("details", tag("summary", summary), *children, open=opened)
