"""End a run that lacks the credentials for the data remote, with one message: what, why, and who can do what.

``credentials.py true|false REPORTS``; the message also becomes the run's report, so that it reaches the pull request.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import event
import tell


def main(arguments: list[str]) -> int:
    """Say nothing, and return 0, where the credentials are there."""
    has, reports = arguments
    if has == "true":
        return 0
    if has != "false":
        message = f'The input "credentials" is {has!r}: write true or false.'
    else:
        message = f"This run has no credentials for the data remote, so no model was checked. {remedy()}"
    tell.error(message)
    markdown = f"## Model checks failed: no check was judged\n\n{message}\n"
    tell.summary(markdown)
    folder = Path(reports)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(markdown, encoding="utf-8")
    return 1


def remedy() -> str:
    """Say why this run has no secrets, and who can do what about it."""
    origin = origin_of(event.read(), event.actor())
    if origin == "fork":
        return (
            "GitHub gives a pull request from a fork no secrets and no OIDC token. A maintainer who has read the "
            "change can push its commit to a branch of this repository, where the checks run with credentials."
        )
    if origin == "dependabot":
        return (
            "GitHub gives Dependabot's runs Dependabot's own secrets only, whoever starts them again. An administrator "
            "can add the secret under Settings > Secrets and variables > Dependabot (the right to read the data is "
            "enough), or a maintainer can push the commit to another branch."
        )
    return (
        "An administrator can add the secret under Settings > Secrets and variables > Actions, or set up OIDC: "
        "docs/ci.md of pytest-model-check says how."
    )


def origin_of(content: Mapping[str, Any], actor: str) -> str:
    """Return where a run comes from: fork, dependabot or here."""
    head = event.at(content, "pull_request", "head", "repo", "id")
    base = event.at(content, "pull_request", "base", "repo", "id")
    if content.get("pull_request") and (
        head is None or head != base
    ):  # a fork that was deleted has no repository any more
        return "fork"
    return "dependabot" if actor == "dependabot[bot]" else "here"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
