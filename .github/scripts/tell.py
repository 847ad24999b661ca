"""Tell the people who read a run on GitHub: annotations in the log, Markdown in the step summary."""

from __future__ import annotations

import os
from pathlib import Path

SUMMARY_BYTES = 900_000  # GitHub takes a mebibyte a step


def error(message: str) -> None:
    """Print an annotation; its text may have several lines."""
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::error title=model-check::{escaped}", flush=True)


def summary(markdown: str) -> None:
    """Add to the step summary; away from GitHub there is none, and the log has to do."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    text = markdown.encode()
    if len(text) > SUMMARY_BYTES:
        note = b"\n\nThe report is longer than GitHub shows: the whole of it is in the run's artifact.\n"
        text = text[:SUMMARY_BYTES].rpartition(b"\n")[0] + note
    with Path(path).open("ab") as file:
        file.write(text)
