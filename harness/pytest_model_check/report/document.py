"""A document of headings, paragraphs, tables and figures -> Markdown, or a page of HTML. Pure; all text is escaped."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tabulate import tabulate

from pytest_model_check.report.html import markup
from pytest_model_check.report.markdown_text import escape
from pytest_model_check.report.text import visible, visible_lines

CSS = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d5d9de; --soft: #f3f5f7; --quiet: #57606a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --paper: #15181c; --line: #3a4048; --soft: #1f242a; --quiet: #a3acb6; }
}
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 46rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
.byline, figcaption { color: var(--quiet); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
.right { text-align: right; }
pre { background: var(--soft); padding: .8rem; white-space: pre-wrap; }
figure { margin: 1rem 0; }
figure svg { width: 100%; height: auto; background: #fff; }
@media print { body { max-width: none; } pre, table, figure { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """What a machine prints, or is told."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows under headers; `align` is left or right, by column."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """A picture, for HTML only; Markdown leaves it out, so a table must say the same.

    Parameters
    ----------
    svg : str
        Trusted: it is put in as it is.
    caption : str
        What it shows.
    """

    svg: str
    caption: str


Block = Paragraph | Bullets | Code | Table | Figure


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A title, a line below it, and sections."""

    title: str
    byline: str
    sections: tuple[Section, ...]


def markdown(document: Document) -> str:
    """Write it as GitHub renders it."""
    parts = [f"# {_marked(document.title)}", _marked(document.byline)]
    for section in document.sections:
        parts += [f"## {_marked(section.title)}", *map(_markdown, section.blocks)]
    return "\n\n".join(part for part in parts if part) + "\n"


def html(document: Document) -> str:
    """Write it as one page that needs nothing else."""
    title = _plain(document.title)
    sections = "\n".join(
        f"<section>\n<h2>{_plain(section.title)}</h2>\n{chr(10).join(map(_html, section.blocks))}\n</section>"
        for section in document.sections
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{title}</h1>\n<p class="byline">{_plain(document.byline)}</p>\n{sections}\n</main>\n</body>\n</html>\n'
    )


def _markdown(block: Block) -> str:
    match block:
        case Paragraph(text):
            return _marked(text)
        case Bullets(items):
            return "\n".join(f"- {_marked(item)}" for item in items)
        case Code(text):
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
            return f"{fence}\n{visible_lines(text)}\n{fence}"
        case Table(headers, rows, align):
            body = [[_marked(cell) for cell in row] for row in rows]
            heads = [_marked(header) for header in headers]
            return tabulate(body, heads, "pipe", colalign=align, disable_numparse=True)
        case Figure():
            return ""


def _html(block: Block) -> str:
    match block:
        case Paragraph(text):
            return f"<p>{_plain(text)}</p>"
        case Bullets(items):
            return "<ul>\n" + "\n".join(f"<li>{_plain(item)}</li>" for item in items) + "\n</ul>"
        case Code(text):
            return f"<pre><code>{markup.html(visible_lines(text))}</code></pre>"
        case Table(headers, rows, align):
            heads = _cells("th", headers, align)
            body = "\n".join(f"<tr>{_cells('td', row, align)}</tr>" for row in rows)
            return (
                '<div class="wide" tabindex="0">\n<table>\n'
                f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
            )
        case Figure(svg, caption):
            label = _plain(caption)
            picture = f'<div role="img" aria-label="{label}">\n{svg}\n</div>'
            return f"<figure>\n{picture}\n<figcaption>{label}</figcaption>\n</figure>"


def _cells(tag: str, cells: Sequence[str], align: Sequence[str]) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    sides = {"left": "", "right": ' class="right"'}
    return "".join(
        f"<{tag}{scope}{sides[side]}>{_plain(cell)}</{tag}>" for cell, side in zip(cells, align, strict=True)
    )


def _marked(text: str) -> str:
    return escape(text, sys.maxsize)  # a document to keep leaves nothing out


def _plain(text: str) -> str:
    return markup.html(visible(text))
