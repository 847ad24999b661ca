"""Post or update the one comment of model-check on a pull request, from a ``workflow_run`` event.

The event and the API are GitHub's word: which commit ran, in which repository, how it ended, which pull requests are
open on it. The artifact is the word of whoever wrote the pull request. Nothing of it is executed, written to disk or
believed: one member of bounded size is read as text, and sanitised.
"""

from __future__ import annotations

import argparse
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import event
import tell
from api import Api, ApiError
from sanitise import sanitise

MARKER = "<!-- model-check -->"
MEMBER = "report.md"
ARCHIVE_BYTES = 16 * 1024 * 1024
MEMBER_BYTES = 1024 * 1024
BODY_CHARACTERS = 65_000  # GitHub takes 65,536
ENDED = {
    "success": "passed",
    "failure": "failed",
    "cancelled": "cancelled, so nothing is proved",
    "timed_out": "out of time, so nothing is proved",
    "startup_failure": "could not start, so nothing is proved",
}


@dataclass(frozen=True)
class Run:
    """The run that has ended, in GitHub's words.

    Parameters
    ----------
    id : int
        GitHub's number of it.
    workflow : str
        The workflow's file, as it was in that commit or branch: another file may have the same name.
    event : str
        What started it.
    conclusion : str
        How it ended.
    sha, branch : str
        The head commit and branch.
    repository : int
        The id of the repository that the branch is in: the fork's, for a fork.
    owner : str
        Whose repository that is.
    started : str
        When this attempt began.
    url : str
        Where people read it.
    pull_requests : frozenset of int
        Those that the event names: none for a fork.
    """

    id: int
    workflow: str
    event: str
    conclusion: str
    sha: str
    branch: str
    repository: int
    owner: str
    started: str
    url: str
    pull_requests: frozenset[int]


def read_run(content: Mapping[str, Any]) -> Run | None:
    """Read the event; None where the fork was deleted while its checks ran."""
    run = content["workflow_run"]
    owner = event.at(run, "head_repository", "owner", "login")
    if owner is None:
        return None
    return Run(
        id=int(run["id"]),
        workflow=str(run["path"]).partition("@")[0],
        event=str(run["event"]),
        conclusion=str(run["conclusion"]),
        sha=str(run["head_sha"]),
        branch=str(run["head_branch"]),
        repository=int(run["head_repository"]["id"]),
        owner=str(owner),
        started=str(run["run_started_at"]),
        url=str(run["html_url"]),
        pull_requests=frozenset(int(one["number"]) for one in run.get("pull_requests") or ()),
    )


def comment(api: Api, run: Run, workflow: str, report: str, author: str) -> str:
    """Bring the comment up to date; give in a sentence what was done, or why nothing was."""
    if run.workflow != workflow:
        return f"No comment: this was a run of {run.workflow}, and reports come from {workflow}."
    if run.conclusion not in ENDED:
        return f"The run ended as {run.conclusion}: there is nothing to say."
    number, reason = find_pull_request(api, run)
    if number is None:
        return reason
    body = compose(run, read_report(api, run, report))
    for one in api.pages(f"/issues/{number}/comments"):
        if event.at(one, "user", "login") == author and str(one.get("body", "")).startswith(MARKER):
            api.send("PATCH", f"/issues/comments/{int(one['id'])}", {"body": body})
            return f"Updated the comment on #{number}."
    api.send("POST", f"/issues/{number}/comments", {"body": body})
    return f"Commented on #{number}."


def find_pull_request(api: Api, run: Run) -> tuple[int | None, str]:
    """Find the open pull request whose head is the commit that ran; None, and why, where there is not exactly one."""
    listed = list(api.pages("/pulls", state="open", head=f"{run.owner}:{run.branch}"))
    same = [one for one in listed if event.at(one, "head", "repo", "id") == run.repository]
    numbers = [int(one["number"]) for one in same if event.at(one, "head", "sha") == run.sha]
    if len(numbers) > 1:  # one branch into several: the event tells them apart, but not for a fork
        numbers = [number for number in numbers if number in run.pull_requests] or numbers
    if len(numbers) == 1:
        return numbers[0], ""
    if numbers:
        several = ", ".join(f"#{number}" for number in sorted(numbers))
        return None, f"No comment: {several} have the same head, and GitHub does not say for which this run was."
    if same:
        return None, f"No comment: {run.sha[:9]} is not the head any more, and the newer commit has a run of its own."
    return None, f"No comment: no open pull request has the head {run.sha[:9]} of {run.owner}:{run.branch}."


def read_report(api: Api, run: Run, name: str) -> str | None:
    """Read the report's text from the newest artifact of this attempt; None where there is none to be read."""
    artifacts = [
        one
        for one in api.pages(f"/actions/runs/{run.id}/artifacts", "artifacts", name=name)
        if one.get("name") == name and not one.get("expired") and str(one.get("created_at", "")) >= run.started
    ]
    if not artifacts:
        return None
    newest = max(artifacts, key=lambda one: int(one["id"]))
    archive = api.download(f"/actions/artifacts/{int(newest['id'])}/zip", ARCHIVE_BYTES)
    return None if archive is None else member(archive)


def member(archive: bytes) -> str | None:
    """Read the one member that is wanted, in memory and bounded; whatever else the archive holds is not looked at."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened, opened.open(MEMBER) as file:
            content = file.read(MEMBER_BYTES)  # of what is longer, more than a comment could hold
    except (KeyError, OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError):
        return None  # absent, torn, encrypted, or packed in a way that Python does not know
    return content.decode("utf-8", errors="replace")


def compose(run: Run, report: str | None) -> str:
    """Write the comment: GitHub's word first, then what the run wrote."""
    by_hand = ", started by hand" if run.event == "workflow_dispatch" else ""
    verdict = f"**Model checks: {ENDED[run.conclusion]}** ([this run]({run.url}) of {run.sha[:9]}{by_hand})"
    if report is None:
        text = "There is no report: the run ended before it wrote one. Its log says why."
    else:
        text = sanitise(report, BODY_CHARACTERS - 1000).strip() or "The report is empty."
    return f"{MARKER}\n{verdict}\n\n{text}\n"


def main(arguments: list[str]) -> int:
    """Comment; no pull request to comment on is no failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workflow", default=".github/workflows/model-check.yml", help="whose runs are believed")
    parser.add_argument("--report", default="model-check", help="the name of the artifact")
    parser.add_argument("--author", default="github-actions[bot]", help="whose comment may be updated")
    options = parser.parse_args(arguments)
    try:
        run = read_run(event.read())
        if run is None:
            print("No comment: the repository that the pull request came from is gone.")
            return 0
        print(comment(Api.from_environment(), run, options.workflow, options.report, options.author))
    except ApiError as error:
        tell.error(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
