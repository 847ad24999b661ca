"""End a run that lacks the credentials for the data remote, with one message: what, why, and who can do what.

``credentials.py true|false REPORTS``; the message also becomes the run's report, so that it reaches the pull request.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tell


def main(arguments: list[str]) -> int:
    """Say nothing, and return 0, where the credentials are there."""
    has, reports = arguments
    if has == "true":
        return 0
    event = read_event()
    if has != "false":
        message = f'The input "credentials" is {has!r}: write true or false.'
    else:
        message = f"This run has no credentials for the data remote, so no model was checked. {remedy(event)}"
    tell.error(message)
    markdown = f"## Model checks failed: no check was judged\n\n{message}\n"
    tell.summary(markdown)
    folder = Path(reports)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(markdown, encoding="utf-8")
    return 1


def remedy(event: Mapping[str, Any]) -> str:
    """Say why this run has no secrets, and who can do what about it."""
    origin = origin_of(event, actor())
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


def origin_of(event: Mapping[str, Any], actor: str) -> str:
    """Give where a run comes from: fork, dependabot or here."""
    pull_request = event.get("pull_request") or {}
    head = ((pull_request.get("head") or {}).get("repo") or {}).get("id")
    base = ((pull_request.get("base") or {}).get("repo") or {}).get("id")
    if pull_request and (head is None or head != base):  # a fork that was deleted has no repository any more
        return "fork"
    return "dependabot" if actor == "dependabot[bot]" else "here"


def actor() -> str:
    """Give who started the run; for a run that is started again, who started it first."""
    return os.environ.get("GITHUB_ACTOR", "")


def read_event() -> dict[str, Any]:
    """Read what GitHub says of the event; nothing away from GitHub."""
    path = os.environ.get("GITHUB_EVENT_PATH")
    return dict(json.loads(Path(path).read_text(encoding="utf-8"))) if path else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
