"""A table of text, as a terminal shows it."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_model_check.report.text import width as columns_of


def draw(headers: Sequence[str], rows: Sequence[Sequence[str]], align: Sequence[str]) -> list[str]:
    """Return the lines of a table: its headers, a rule, and one for each row."""
    from tabulate import tabulate

    return tabulate(rows, headers, "simple", colalign=tuple(align), disable_numparse=True).splitlines()


def fits(lines: Sequence[str], width: int | None) -> bool:
    """Whether lines need no more columns than there are; None: there are as many as it takes."""
    return width is None or max(map(columns_of, lines), default=0) <= width
