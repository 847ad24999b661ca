"""Approve a baseline from the pull request: who may, for which commit, and what may be committed.

Two jobs share the work, because the pull request's code must never see a token that writes. The first runs that code,
with rights to read only, and `pack`s what it recorded. The second runs none of it: it takes the predictions and the
JSON of baselines, checked by `unpack`, and nothing else, and `publish`es them on the commit that was labelled.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import event
import tell
from api import Api, ApiError

BOT = "41898282+github-actions[bot]@users.noreply.github.com"
LABEL = "approve-baseline"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
BRANCH = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]+")
SHA = re.compile(r"[0-9a-f]{40}")
JSON_BYTES = 8 * 1024 * 1024
PREDICTIONS_BYTES = 2 * 1024 * 1024 * 1024


class RefusedError(Exception):
    """What must not be approved; the message says why, and what to do."""


@dataclass(frozen=True)
class Request:
    """What a maintainer asked for.

    Parameters
    ----------
    number : int
        The pull request.
    sha : str
        The commit that was looked at.
    by : str
        Who asked.
    """

    number: int
    sha: str
    by: str


def read_request(content: Mapping[str, Any]) -> Request:
    """Read the event: the label, or the inputs of a workflow_dispatch."""
    by = str(event.at(content, "sender", "login"))
    if content.get("action") == "labeled":
        pull = content["pull_request"]
        return Request(int(pull["number"]), str(pull["head"]["sha"]), by)
    number, sha = (str(event.at(content, "inputs", key) or "").strip() for key in ("pull-request", "sha"))
    if not number.isdecimal() or not SHA.fullmatch(sha):
        raise RefusedError("Give the number of the pull request, and the whole SHA (40 digits) that you looked at.")
    return Request(int(number), sha, by)


def require_allowed(api: Api, request: Request, *, approver: bool) -> dict[str, Any]:
    """Return the pull request, if its head is still the commit that was asked for.

    Parameters
    ----------
    approver : bool
        Ask too whether whoever asked may push to the repository: a label needs less.
    """
    pull: dict[str, Any] = api.get(f"/pulls/{request.number}")
    head = event.at(pull, "head", "sha")
    if pull.get("state") != "open":
        raise RefusedError(f"#{request.number} is not open, so there is nothing to approve.")
    if event.at(pull, "head", "repo", "id") != event.at(pull, "base", "repo", "id"):
        raise RefusedError(
            f"#{request.number} comes from a fork, which can't be pushed to safely. Its author can run "
            "pytest --update-baselines and commit the result, or a maintainer can push the commit to a branch here."
        )
    if head != request.sha:
        raise RefusedError(
            f"The head of #{request.number} is {head}, and what was approved is {request.sha}: somebody has pushed "
            "since. Look at the new commit, take the label off, and put it on again."
        )
    if not BRANCH.fullmatch(str(event.at(pull, "head", "ref"))):
        raise RefusedError(f"The branch of #{request.number} has a name that git does not allow.")
    if approver:
        permission = api.get(f"/collaborators/{quote(request.by, safe='')}/permission").get("permission")
        if permission not in ("admin", "write"):
            raise RefusedError(
                f"{request.by} may not push to this repository, so can't approve a baseline. Ask a maintainer."
            )
    return pull


def decides(pull: Mapping[str, Any]) -> str:
    """Return the branch whose baselines decide: the default one; a pull request's author can change its base."""
    return str(pull["base"]["repo"]["default_branch"])


def record(arguments: Sequence[str], against: str, select: str, reason: str) -> None:
    """Run the pull request's code, in this Python: record what meets or beats its baseline, or accept what doesn't."""
    what = [f"--model-check-accept={reason}"] if reason else ["--update-baselines"]
    chosen = ["-k", select] if select else []
    command = [sys.executable, "-m", "pytest", *what, f"--model-check-against={against}", *chosen, *arguments]
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise RefusedError(
            "pytest recorded no baseline that may be approved; its words stand above. To accept a loss, with a reason, "
            "start this workflow by hand."
        )


def pack(baselines: Path, target: Path) -> list[str]:
    """Copy every baseline that the run has recorded, its predictions beside it."""
    changed = _git("status", "--porcelain", "-z", "--untracked-files=all", "--", str(baselines)).split("\0")
    names = sorted(Path(entry[3:]).stem for entry in changed if entry.endswith(".json"))
    if not names:
        raise RefusedError("Nothing was recorded: the candidate is the approved model already.")
    target.mkdir(parents=True)
    for name in names:
        for ending in ("json", "parquet"):
            shutil.copy(baselines / f"{name}.{ending}", target)
    return names


def require_same_remote(api: Api, pull: Mapping[str, Any]) -> None:
    """Refuse a branch that changes where DVC pushes to: this job's credentials must go nowhere else."""
    base = decides(pull)
    try:
        approved = base64.b64decode(api.get("/contents/.dvc/config", ref=base)["content"])
    except ApiError as error:
        if error.status != 404:
            raise
        approved = b""
    config = Path(".dvc/config")
    if (config.read_bytes() if config.is_file() else b"") != approved or Path(".dvc/config.local").exists():
        raise RefusedError(
            f"The branch has another .dvc/config than {base}, so the data could be pushed to a place that nobody has "
            f"approved. Bring {base} into the branch, or change the remote in a pull request of its own first."
        )


def unpack(baselines: Path, source: Path) -> list[str]:
    """Copy baselines into the checkout, if they are baselines and nothing else."""
    names: dict[str, set[str]] = {}
    for path in sorted(source.iterdir()):
        name, _, ending = path.name.rpartition(".")
        if path.is_symlink() or not path.is_file() or ending not in ("json", "parquet") or not NAME.fullmatch(name):
            raise RefusedError(f"The recording brings {path.name!r}, which is no baseline.")
        if path.stat().st_size > (JSON_BYTES if ending == "json" else PREDICTIONS_BYTES):
            raise RefusedError(f"The recording brings {path.name}, which is too large for a baseline.")
        names.setdefault(name, set()).add(ending)
    if not names:
        raise RefusedError("The recording brings no baseline.")
    for name, endings in names.items():
        if endings != {"json", "parquet"}:
            raise RefusedError(f"The recording of {name} is not whole: it brings {', '.join(endings)} only.")
        _require_pair(source / f"{name}.json", source / f"{name}.parquet")
    baselines.mkdir(exist_ok=True)
    targets = [baselines / f"{name}.{ending}" for name in names for ending in ("json", "parquet", "parquet.dvc")]
    for path in (baselines, baselines / ".gitignore", *targets):
        if path.is_symlink():
            raise RefusedError(f"{path} is a link in this branch, so what is written there would go elsewhere.")
    for name in names:
        for ending in ("json", "parquet"):
            shutil.copyfile(source / f"{name}.{ending}", baselines / f"{name}.{ending}")
    return list(names)


def _require_pair(record: Path, predictions: Path) -> None:
    """Require a JSON that names these predictions."""
    try:
        named = event.at(json.loads(record.read_text(encoding="utf-8")), "predictions", "md5")
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"The recording brings {record.name}, which is no JSON ({error}).") from error
    with predictions.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if named != found:
        raise RefusedError(f"{record.name} belongs to other predictions than the recording brings.")


def publish(names: Sequence[str], baselines: Path, remote: str, request: Request, branch: str, token: str) -> str:
    """Commit the baselines on the approved commit, and push; a branch that has moved on refuses the push."""
    endings = ("json", "parquet.dvc")
    paths = [f"{baselines.as_posix()}/{name}.{ending}" for name in names for ending in endings]
    allowed = [*paths, f"{baselines.as_posix()}/.gitignore"]
    _git("add", "--force", "--", *(path for path in allowed if Path(path).is_file()), *([remote] if remote else []))
    staged = [path for path in _git("diff", "--cached", "--name-only", "-z", request.sha).split("\0") if path]
    stray = [path for path in staged if path not in allowed and not (remote and path.startswith(f"{remote}/"))]
    if stray or not staged:
        raise RefusedError(f"What would be committed is not what was approved: {', '.join(stray) or 'nothing'}.")
    what = names[0] if len(names) == 1 else f"{len(names)} baselines"
    message = f"Approve {what}\n\nApproved by {request.by} on #{request.number}, for {request.sha}."
    identity = ("-c", "user.name=github-actions[bot]", "-c", f"user.email={BOT}", "-c", "core.hooksPath=/dev/null")
    _git(*identity, "commit", "-q", "-m", message)
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    print(f"::add-mask::{secret}", flush=True)
    header = {  # by the environment: arguments can be read by other processes
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{server}/.extraheader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {secret}",
    }
    try:
        _git("push", "-q", "origin", f"HEAD:refs/heads/{branch}", env=header)
    except subprocess.CalledProcessError as error:
        raise RefusedError(
            f"GitHub did not take the push: {error.stderr.strip()}\nIf somebody has pushed to {branch} since, look at "
            "the new commit and approve that."
        ) from error
    return _git("rev-parse", "HEAD").strip()


def conclude(api: Api, pull: Mapping[str, Any], names: Sequence[str], commit: str, start: str) -> str:
    """Take the label off, and start the checks of the new commit, which a push with GITHUB_TOKEN does not."""
    number = int(pull["number"])
    if any(one.get("name") == LABEL for one in pull.get("labels") or ()):
        api.send("DELETE", f"/issues/{number}/labels/{LABEL}")
    told = f"Approved {', '.join(names)} in {commit} on #{number}."
    if not start:
        return told
    inputs = {"against": f"origin/{decides(pull)}"}
    api.send("POST", f"/actions/workflows/{start}/dispatches", {"ref": pull["head"]["ref"], "inputs": inputs})
    return (
        f"{told} A push with GITHUB_TOKEN starts no checks, so {start} was started on the branch; its report comes "
        "as a comment. For checks that are required, close and reopen the pull request, or use an app's token."
    )


def _git(*arguments: str, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments], check=True, capture_output=True, text=True, encoding="utf-8",
        env=None if env is None else {**os.environ, **env},
    )  # fmt: skip
    return done.stdout


def _output(**values: str) -> None:
    path = os.environ.get("GITHUB_OUTPUT")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in values.items())


def main(arguments: list[str]) -> int:
    """Do one step; what is refused fails the job in words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["request", "record", "pack", "unpack", "publish"])
    parser.add_argument("--approver", action="store_true", help="request: ask too whether they may push")
    parser.add_argument("--baselines", type=Path, default=Path("baselines"))
    parser.add_argument("--arguments", default="", help="record: more arguments for pytest, quoted as in a shell")
    parser.add_argument("--against", default="origin/main", help="record: what the branch is to be merged into")
    parser.add_argument("--select", default="", help="record: only these checks, as pytest's -k has it")
    parser.add_argument("--reason", default="", help="record: accept a loss, for this reason")
    parser.add_argument("--recording", type=Path, help="pack, unpack: the folder of the artifact")
    parser.add_argument("--names", default="", help="publish: the baselines, separated by spaces")
    parser.add_argument("--remote", default="", help="publish: a DVC remote inside the repository, committed too")
    parser.add_argument("--start", default="", help="publish: the workflow to start on the new commit")
    options = parser.parse_args(arguments)
    try:
        print(told := _do(options), flush=True)
    except subprocess.CalledProcessError as error:
        return _refuse(f"{shlex.join(error.cmd)} failed: {str(error.stderr).strip()}")
    except (RefusedError, ApiError) as error:
        return _refuse(str(error))
    if options.step == "publish":
        tell.summary(f"{told}\n")
    return 0


def _refuse(why: str) -> int:
    tell.error(why)
    tell.summary(f"{why}\n")
    return 1


def _do(options: argparse.Namespace) -> str:
    """Do one step; give what was done."""
    if options.step == "record":
        record(shlex.split(options.arguments), options.against, options.select, options.reason)
        return "Recorded."
    if options.step == "pack":
        return f"Packed: {', '.join(pack(options.baselines, options.recording))}"
    request, api = read_request(event.read()), Api.from_environment()
    pull = require_allowed(api, request, approver=options.approver or options.step != "request")
    if options.step == "request":
        _output(sha=request.sha, against=f"origin/{decides(pull)}")
        return f"#{request.number} at {request.sha}, asked for by {request.by}"
    if options.step == "unpack":
        require_same_remote(api, pull)
        names = unpack(options.baselines, options.recording)
        _output(names=" ".join(names))
        return f"Taken: {', '.join(names)}"
    names = options.names.split()
    commit = publish(names, options.baselines, options.remote, request, pull["head"]["ref"], api.token)
    try:
        return conclude(api, pull, names, commit, options.start)
    except ApiError as error:
        raise ApiError(
            f"Approved {', '.join(names)} in {commit}, and pushed; but the checks don't run: {error}"
        ) from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
