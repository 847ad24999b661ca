"""Verdicts -> Markdown, as GitHub renders it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tabulate import tabulate

from harness.report import table
from harness.report.words import duration
from harness.verdicts import Run


def render(run: Run) -> str:
    """Write the accuracy diff table under a headline that says whether the release may go out."""
    verdicts, passed, problems = run.checks, run.passed, run.problems
    failed = [verdict for verdict in verdicts if not verdict.passed]
    complaints = [*problems, *(verdict.message for verdict in table.ordered(failed))]
    parts = [
        f"## {_headline(len(verdicts), len(failed), passed)}",
        _table(table.HEADERS, table.rows(verdicts, slices=False), table.ALIGN),
        "\n".join(f"- {escape(complaint)}" for complaint in complaints),
    ]
    judged = [verdict for verdict in table.ordered(verdicts) if verdict.rows]
    if judged:
        body = [[v.name, v.data_path, v.data_md5, f"{v.rows:,}", f"{v.fits:,}", duration(v.seconds)] for v in judged]
        headers = ("check", "data", "md5", "rows", "fits", "time")
        align = ("left", "left", "left", "right", "right", "right")
        parts += ["<details><summary>Data and fits</summary>", _table(headers, body, align), "</details>"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _headline(checks: int, failed: int, passed: bool) -> str:
    if passed:
        return f"Model checks passed: {checks} of {checks}"
    if not checks:
        return "Model checks failed: no check was judged"
    if not failed:
        return f"Model checks failed: the run is incomplete, {checks} passed"
    return f"Model checks failed: {failed} of {checks}"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]], align: Sequence[str]) -> str:
    if not rows:
        return ""
    body = [[escape(cell) for cell in row] for row in rows]
    return tabulate(body, headers, "pipe", colalign=align, disable_numparse=True)


def escape(text: str) -> str:
    """Keep names from being read as Markdown, HTML, mentions, references or links."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*\[\]|~$]|\b_|_\b)", r"\\\1", text)  # not the _ within a word: it means nothing there
    # An invisible space stops what GitHub finds in finished text: @someone, #12, :tada:, addresses.
    return re.sub(r"(@|#(?=\d)|:(?=[a-z+]|//)|(?<=\bwww)(?=\.))", r"\1&#8203;", text, flags=re.IGNORECASE)
