"""Verdicts -> Markdown, as GitHub renders it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tabulate import tabulate

from harness.judge import Verdict
from harness.report import table
from harness.report.words import duration


def render(verdicts: Sequence[Verdict], passed: bool) -> str:
    """Write the accuracy diff table under a headline that says whether the release may go out."""
    failed = [verdict for verdict in verdicts if not verdict.passed]
    if passed:
        headline = f"Model checks passed: {len(verdicts)} of {len(verdicts)}"
    else:
        headline = f"Model checks failed: {len(failed)} of {len(verdicts)}"
    body = [[_escape(cell) for cell in row] for row in table.rows(verdicts)]
    parts = [
        f"## {headline}",
        tabulate(body, table.HEADERS, "github", colalign=table.ALIGN, disable_numparse=True),
        "\n".join(f"- {_escape(verdict.message)}" for verdict in table.ordered(failed)),
        "<details><summary>Data and fits</summary>",
        tabulate(
            [
                [
                    _escape(verdict.name),
                    _escape(verdict.data_path),
                    verdict.data_md5,
                    f"{verdict.rows:,}",
                    str(verdict.fits),
                    duration(verdict.seconds),
                ]
                for verdict in table.ordered(verdicts)
            ],
            ("check", "data", "md5", "rows", "fits", "time"),
            "github",
            disable_numparse=True,
        ),
        "</details>",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _escape(text: str) -> str:
    """Keep names from being read as Markdown, HTML, mentions or links."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", text) if re.search(r"[\\`*_\[\]|~]", text) else text
    return text.replace("@", "@&#8203;").replace("://", ":&#8203;//")
