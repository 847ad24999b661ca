"""Run a GitHub workflow here: every ``run:`` step, in order, in a fresh clone, with GitHub's environment imitated.

``python tests/support/run_workflow.py .github/workflows/model-check.yml --base main`` tries a committed workflow
without GitHub. The steps are executed for real, by bash; what is imitated is named in `ACTIONS`: checkout clones,
setup-python gives this Python, artifacts are folders, the cache is empty. A composite action of the repository is
expanded. What the imitation does not know (a foreign action, an unknown key) is an error, never skipped in silence.

It leaves out: all but the first combination of a matrix, permissions, concurrency, timeouts, and the services and
images of GitHub's runners.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from support.workflow_expressions import UnsupportedError, condition, fill, hash_files, to_text

SHELLS = {
    None: ["bash", "-e"],
    "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"],
    "sh": ["sh", "-e"],
    "python": [sys.executable],
}
WORKFLOW_KEYS = {"name", "on", "permissions", "concurrency", "env", "jobs", "run-name"}
JOB_KEYS = {"name", "runs-on", "timeout-minutes", "permissions", "needs", "if", "env", "steps", "outputs",
            "concurrency", "environment", "strategy"}  # fmt: skip
STEP_KEYS = {"name", "id", "if", "uses", "with", "run", "shell", "env", "working-directory", "continue-on-error",
             "timeout-minutes"}  # fmt: skip
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "PYTHONPATH", "DVC_SITE_CACHE_DIR", "SYSTEMROOT")


@dataclass(frozen=True)
class Event:
    """What a workflow is run for.

    Parameters
    ----------
    origin : Path
        The repository that stands for GitHub's.
    name : str
        pull_request, push, workflow_dispatch or workflow_run.
    head : str
        The branch that was pushed, or a commit.
    base : str
        The target branch of a pull request.
    payload : mapping
        The event, as far as the workflow looks at it.
    inputs : mapping
        Of a workflow_dispatch.
    actor : str
        Who did it.
    """

    origin: Path
    name: str = "pull_request"
    head: str = "HEAD"
    base: str = "main"
    payload: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    actor: str = "someone"


@dataclass
class Step:
    """What came of a step: success, failure or skipped, and what it printed."""

    name: str
    outcome: str = "skipped"
    conclusion: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""


@dataclass
class Job:
    """What came of a job."""

    steps: list[Step] = field(default_factory=list)
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    result: str = "success"

    @property
    def log(self) -> str:
        """What all its steps printed."""
        return "".join(step.log for step in self.steps)


@dataclass(frozen=True)
class Hub:
    """What stands for GitHub's copy of the repository.

    Parameters
    ----------
    path : Path
        A bare repository with the branches of the event.
    branch : str
        The branch that the workflow runs on.
    head, sha : str
        Its commit, and the one that is checked out: for a pull request, GitHub's merge of both.
    """

    path: Path
    branch: str
    head: str
    sha: str


def make_hub(event: Event, path: Path) -> Hub:
    """Push what the event is about to a new bare repository."""
    _git(event.origin, "init", "-q", "--bare", str(path))
    head = _git(event.origin, "rev-parse", f"{event.head}^{{commit}}")
    base = _git(event.origin, "rev-parse", f"{event.base}^{{commit}}")
    named = subprocess.run(
        ["git", "show-ref", "--verify", "-q", f"refs/heads/{event.head}"], cwd=event.origin, check=False
    )
    branch = event.head if named.returncode == 0 else "candidate"
    branches = {event.base: base, branch: head}
    _git(event.origin, "push", "-q", str(path), *(f"{sha}:refs/heads/{name}" for name, sha in branches.items()))
    _git(path, "symbolic-ref", "HEAD", f"refs/heads/{event.base}")
    if event.name != "pull_request":
        return Hub(path, branch, head, head)
    with tempfile.TemporaryDirectory() as folder:
        _git(path, "worktree", "add", "-q", "--detach", folder, base)
        _git(Path(folder), "merge", "-q", "--no-ff", "-m", f"Merge {head} into {base}", head)
        sha = _git(Path(folder), "rev-parse", "HEAD")
        _git(path, "update-ref", "refs/pull/1/merge", sha)
        _git(path, "worktree", "remove", "--force", folder)
    return Hub(path, branch, head, sha)


@dataclass(frozen=True)
class Runner:
    """Where a workflow runs, and what may be changed about it.

    Parameters
    ----------
    event : Event
        What it is run for.
    hub : Hub
        What is cloned.
    work : Path
        An empty folder for clones and temporary files.
    artifacts : Path
        Where uploads go, one folder each.
    override : mapping
        Inputs of composite actions to set instead of what the workflow says: installing, say.
    secrets : mapping
        What the run may know.
    env : mapping
        Variables that the machine sets: GITHUB_API_URL, say.
    python : Path
        The folder of the Python that setup-python brings.
    """

    event: Event
    hub: Hub
    work: Path
    artifacts: Path
    override: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    python: Path = Path(sys.executable).parent

    def own(self, path: str) -> Path:
        """Return a folder of the repository at the commit that runs, which needs no checkout."""
        folder = self.work / "own"
        if not folder.exists():
            _git(self.hub.path, "worktree", "add", "-q", "--detach", str(folder), self.hub.sha)
        return folder / path

    def run(self, workflow: str, done: Mapping[str, Job] | None = None) -> dict[str, Job]:
        """Run every job of a workflow as it is committed, those that need others after them; `done` has run already."""
        content = _read(self.own(workflow))
        _known(content, WORKFLOW_KEYS, workflow)
        done = dict(done or {})
        waiting = {name: job for name, job in content["jobs"].items() if name not in done}
        while waiting:
            ready = [name for name, job in waiting.items() if set(_list(job.get("needs"))) <= set(done)]
            if not ready:
                raise UnsupportedError(f"{workflow}: the jobs {', '.join(waiting)} wait for one another")
            for name in ready:
                job = waiting.pop(name)
                done[name] = _JobRun(self, name, job, content.get("env") or {}, done).run()
        return done


class _JobRun:
    """One job: a workspace, and steps that change its environment."""

    def __init__(
        self, runner: Runner, name: str, job: Mapping[str, Any], env: Mapping[str, Any], done: Mapping[str, Job]
    ) -> None:
        _known(job, JOB_KEYS, f"job {name}")
        self.runner, self.job, self.name = runner, job, name
        self.needs = {need: done[need] for need in _list(job.get("needs"))}
        self.workspace = runner.work / name / "workspace"
        self.temp = runner.work / name / "temp"
        self.result = Job()
        self.path: list[str] = []
        self.env = {key: to_text(value) for key, value in env.items()}

    def run(self) -> Job:
        functions = _status(all(need.result == "success" for need in self.needs.values()))
        if not condition(self.job.get("if", "true"), self._context({}, {}), functions):
            self.result.result = "skipped"
            return self.result
        self.workspace.mkdir(parents=True)
        self.temp.mkdir()
        context = self._context({}, {})
        self.env |= {
            key: fill(to_text(value), context, functions) for key, value in (self.job.get("env") or {}).items()
        }
        steps: dict[str, Any] = {}
        ok = self._steps(self.job["steps"], steps, self._context(steps, {}), None)
        self.result.result = "success" if ok else "failure"
        context = self._context(steps, {})
        self.result.outputs = {
            key: fill(to_text(value), context, _status(ok)) for key, value in (self.job.get("outputs") or {}).items()
        }
        return self.result

    def _steps(self, steps: list[Any], outcomes: dict[str, Any], context: dict[str, Any], action: Path | None) -> bool:
        """Run steps; True where none failed. In a composite action, `action` is its folder."""
        ok = True
        for number, step in enumerate(steps):
            title = str(step.get("name") or step.get("uses") or str(step.get("run", "")).partition("\n")[0])
            _known(step, STEP_KEYS, f"step {title!r}")
            functions = _status(ok) | {"hashfiles": hash_files(self.workspace)}
            scope = context | {"env": self.env, "github": self._github(action)}
            record = Step(fill(title, scope, functions))
            self.result.steps.append(record)
            if condition(step.get("if", "true"), scope, functions):
                try:
                    self._step(step, record, scope, functions, action)
                    record.outcome = "success"
                except subprocess.CalledProcessError as error:
                    record.outcome = "failure"
                    record.log += f"{error.stderr or ''}\nError: exit code {error.returncode}\n"
                forgiven = fill(str(step.get("continue-on-error", False)).lower(), scope, functions) == "true"
                record.conclusion = "success" if forgiven else record.outcome
            ok = ok and record.conclusion != "failure"
            outcomes[str(step.get("id") or f"__{number}")] = {
                "outcome": record.outcome,
                "conclusion": record.conclusion,
                "outputs": record.outputs,
            }
        return ok

    def _step(
        self,
        step: Mapping[str, Any],
        record: Step,
        scope: dict[str, Any],
        functions: Mapping[str, Callable[..., Any]],
        action: Path | None,
    ) -> None:
        env = {key: fill(to_text(value), scope, functions) for key, value in (step.get("env") or {}).items()}
        scope = scope | {"env": self.env | env}
        if "run" in step:
            folder = fill(step.get("working-directory", "."), scope, functions)
            self._shell(step.get("shell"), fill(step["run"], scope, functions), folder, env, record, action)
            return
        inputs = {key: fill(to_text(value), scope, functions) for key, value in (step.get("with") or {}).items()}
        uses = str(step["uses"])
        if uses.startswith("$/"):
            self._composite(self.runner.own(uses[2:]), inputs, record)
            return
        known = ACTIONS.get(uses.partition("@")[0])
        if known is None:
            raise UnsupportedError(f"the action {uses} is not imitated here")
        record.outputs |= known(self, inputs) or {}

    def _shell(
        self, shell: str | None, script: str, folder: str, env: Mapping[str, str], record: Step, action: Path | None
    ) -> None:
        if shell not in SHELLS or (action is not None and shell is None):
            raise UnsupportedError(f"shell {shell!r} of the step {record.name!r}")
        files = {name: self.temp / f"{name.lower()}-{len(self.result.steps)}" for name in _FILES}
        for file in files.values():
            file.write_text("", encoding="utf-8")
        source = self.temp / f"step-{len(self.result.steps)}"
        source.write_text(script, encoding="utf-8")
        variables = self._machine(action) | self.env | dict(env) | {name: str(file) for name, file in files.items()}
        variables["PATH"] = os.pathsep.join([*reversed(self.path), variables["PATH"]])
        done = subprocess.run(
            [*SHELLS[shell], str(source)],
            cwd=self.workspace / folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        record.log += done.stdout
        self.env |= _assignments(files["GITHUB_ENV"])
        record.outputs |= _assignments(files["GITHUB_OUTPUT"])
        self.path += files["GITHUB_PATH"].read_text(encoding="utf-8").split("\n")[:-1]
        self.result.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        done.check_returncode()

    def _composite(self, folder: Path, inputs: Mapping[str, str], record: Step) -> None:
        content = _read(folder / "action.yml")
        declared = content.get("inputs") or {}
        unknown = set(inputs) - set(declared)
        if unknown or content["runs"]["using"] != "composite":
            raise UnsupportedError(f"{folder.name}: inputs {sorted(unknown)}, runs with {content['runs']['using']}")
        functions = _status(True)
        github = {"github": self._github(folder), "runner": self._runner()}
        values = {
            name: fill(to_text((one or {}).get("default", "")), github, functions) for name, one in declared.items()
        }
        values |= inputs
        values |= {key: value for key, value in self.runner.override.items() if key in declared}
        required = [name for name, one in declared.items() if (one or {}).get("required") and not values[name]]
        if required:
            raise UnsupportedError(f"{folder.name}: the inputs {required} are required")
        steps: dict[str, Any] = {}
        ok = self._steps(content["runs"]["steps"], steps, self._context(steps, values), folder)
        context = self._context(steps, values)
        for name, one in (content.get("outputs") or {}).items():
            record.outputs[name] = fill(one["value"], context, functions)
        if not ok:
            raise subprocess.CalledProcessError(1, folder.name)

    # -- what steps see --------------------------------------------------------------------------------------------

    def _context(self, steps: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, Any]:
        return {
            "github": self._github(None),
            "env": self.env,
            "inputs": inputs or dict(self.runner.event.inputs),
            "steps": steps,
            "needs": {name: {"result": job.result, "outputs": job.outputs} for name, job in self.needs.items()},
            "secrets": {"GITHUB_TOKEN": "a-token", **self.runner.secrets},
            "runner": self._runner(),
            "job": {"status": self.result.result},
            "matrix": self._matrix(),
        }

    def _matrix(self) -> dict[str, Any]:
        """Return the first combination; what GitHub would include beside the product is left out."""
        matrix = (self.job.get("strategy") or {}).get("matrix") or {}
        return {key: values[0] for key, values in matrix.items() if key not in ("include", "exclude")}

    def _github(self, action: Path | None) -> dict[str, Any]:
        event, hub = self.runner.event, self.runner.hub
        ref = f"refs/heads/{hub.branch}" if event.name != "pull_request" else "refs/pull/1/merge"
        return {
            "event_name": event.name,
            "event": dict(event.payload),
            "repository": "owner/project",
            "ref": ref,
            "ref_name": ref.split("/", 2)[2],
            "sha": hub.sha,
            "base_ref": event.base if event.name == "pull_request" else "",
            "head_ref": hub.branch if event.name == "pull_request" else "",
            "actor": event.actor,
            "workspace": str(self.workspace),
            "action_path": str(action or ""),
            "run_id": "1",
            "run_attempt": "1",
            "job": self.name,
            "token": "a-token",
            "workflow": "workflow",
            "server_url": "https://github.com",
            "api_url": self.runner.env.get("GITHUB_API_URL", "https://api.github.com"),
        }

    def _runner(self) -> dict[str, str]:
        return {"os": "Linux", "temp": str(self.temp), "arch": "X64"}

    def _machine(self, action: Path | None) -> dict[str, str]:
        """Return the variables that GitHub sets."""
        github = self._github(action)
        event = self.temp / "event.json"
        event.write_text(json.dumps(github["event"]), encoding="utf-8")
        shown = ("event_name", "repository", "ref", "ref_name", "sha", "base_ref", "head_ref", "actor", "workspace",
                 "run_id", "run_attempt", "job", "workflow", "server_url", "api_url")  # fmt: skip
        variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        variables |= {f"GITHUB_{name.upper()}": github[name] for name in shown}
        variables |= {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event)}
        variables |= {"RUNNER_TEMP": str(self.temp), "RUNNER_OS": "Linux"}
        if action is not None:
            variables["GITHUB_ACTION_PATH"] = str(action)
        return variables | dict(self.runner.env)


# -- the actions that are imitated -------------------------------------------------------------------------------------


def _checkout(run: _JobRun, inputs: Mapping[str, str]) -> None:
    """Fetch from the hub and check out, as the real one does."""
    _known(inputs, {"ref", "path", "fetch-depth", "persist-credentials"}, "actions/checkout")
    folder = run.workspace / inputs.get("path", ".")
    folder.mkdir(parents=True, exist_ok=True)
    hub, event = run.runner.hub, run.runner.event
    _git(folder, "init", "-q")
    _git(folder, "remote", "add", "origin", hub.path.as_uri())
    depth, branches = ["--depth=1"], []
    if inputs.get("fetch-depth") == "0":
        depth, branches = ["--tags"], ["+refs/heads/*:refs/remotes/origin/*"]
    reference = inputs.get("ref", "")
    if not reference and event.name == "pull_request":
        _git(folder, "fetch", "-q", *depth, "origin", *branches, f"+{hub.sha}:refs/remotes/pull/1/merge")
        _git(folder, "checkout", "-q", "--detach", "refs/remotes/pull/1/merge")
    elif re.fullmatch(r"[0-9a-f]{40}", reference):
        _git(folder, "fetch", "-q", *depth, "origin", *branches, reference)
        _git(folder, "checkout", "-q", "--detach", reference)
    else:
        name = reference or hub.branch
        _git(folder, "fetch", "-q", *depth, "origin", *branches, f"+refs/heads/{name}:refs/remotes/origin/{name}")
        _git(folder, "checkout", "-q", "-B", name, f"refs/remotes/origin/{name}")


def _setup_python(run: _JobRun, inputs: Mapping[str, str]) -> dict[str, str]:
    """Put this Python first on the path."""
    run.path.append(str(run.runner.python))
    return {"python-version": inputs.get("python-version", "")}


def _upload(run: _JobRun, inputs: Mapping[str, str]) -> None:
    """Copy files, without hidden ones, as upload-artifact leaves them out."""
    target = run.runner.artifacts / inputs.get("name", "artifact")
    if target.exists() and inputs.get("overwrite") != "true":
        raise UnsupportedError(f"there is an artifact of the name {target.name} already")
    shutil.rmtree(target, ignore_errors=True)
    found = False
    for line in inputs["path"].split("\n"):
        source = run.workspace / line.strip() if line.strip() else None
        if source is None or not source.exists():
            continue
        hidden = None if inputs.get("include-hidden-files") == "true" else shutil.ignore_patterns(".*")
        if source.is_dir():
            shutil.copytree(source, target, ignore=hidden, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        found = found or any(target.rglob("*"))
    if not found and inputs.get("if-no-files-found") == "error":
        raise subprocess.CalledProcessError(1, "actions/upload-artifact: no file was found")


def _download(run: _JobRun, inputs: Mapping[str, str]) -> None:
    """Copy what was uploaded."""
    _known(inputs, {"name", "path", "pattern"}, "actions/download-artifact")
    if "pattern" in inputs:  # each into a folder of its own; none is no error
        for source in sorted(run.runner.artifacts.glob(inputs["pattern"])):
            shutil.copytree(source, run.workspace / inputs.get("path", ".") / source.name, dirs_exist_ok=True)
        return
    source = run.runner.artifacts / inputs["name"]
    if not source.is_dir():
        raise subprocess.CalledProcessError(1, "actions/download-artifact: no such artifact")
    shutil.copytree(source, run.workspace / inputs.get("path", "."), dirs_exist_ok=True)


def _cache(run: _JobRun, inputs: Mapping[str, str]) -> dict[str, str]:
    """Find nothing, keep nothing."""
    return {"cache-hit": "false"}


ACTIONS: Mapping[str, Callable[[_JobRun, Mapping[str, str]], dict[str, str] | None]] = {
    "actions/checkout": _checkout,
    "actions/setup-python": _setup_python,
    "actions/upload-artifact": _upload,
    "actions/download-artifact": _download,
    "actions/cache": _cache,
    "actions/cache/restore": _cache,
    "actions/cache/save": _cache,
}
_FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")


def _read(path: Path) -> Any:
    if not path.is_file():
        raise UnsupportedError(f"{path.name} is not in the commit that runs")
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def _known(content: Mapping[str, Any], keys: set[str], where: str) -> None:
    unknown = set(content) - keys
    if unknown:
        raise UnsupportedError(f"{where}: the keys {', '.join(sorted(unknown))} are not imitated here")


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _status(ok: bool) -> dict[str, Callable[..., Any]]:
    return {"success": lambda: ok, "failure": lambda: not ok, "always": lambda: True, "cancelled": lambda: False}


def _assignments(file: Path) -> dict[str, str]:
    """Read NAME=VALUE, and NAME<<END ... END."""
    found: dict[str, str] = {}
    lines = iter(file.read_text(encoding="utf-8").splitlines())
    for line in lines:
        heredoc = re.fullmatch(r"([^=<]+)<<(.+)", line)
        if heredoc:
            body: list[str] = []
            while (inner := next(lines)) != heredoc[2]:
                body.append(inner)
            found[heredoc[1]] = "\n".join(body)
        else:
            name, _, value = line.partition("=")
            found[name] = value
    return found


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=GitHub", "-c", "user.email=noreply@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def main() -> int:
    """Run a workflow of this repository for the commit that is checked out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workflow", help="from the root of the repository")
    parser.add_argument("--job", help="only this job, as if those that it needs had passed")
    parser.add_argument("--event", default="pull_request")
    parser.add_argument("--head", default="HEAD", help="the commit to try")
    parser.add_argument("--base", default="main", help="the target branch of the pull request")
    parser.add_argument("--set", action="append", default=[], metavar="INPUT=VALUE", help="set an action's input")
    parser.add_argument("--artifacts", type=Path, help="keep the uploads in this folder")
    options = parser.parse_args()
    origin = Path(_git(Path.cwd(), "rev-parse", "--path-format=absolute", "--git-common-dir"))
    event = Event(origin, options.event, _git(Path.cwd(), "rev-parse", options.head), options.base)
    with tempfile.TemporaryDirectory() as work:
        override = dict(one.partition("=")[::2] for one in options.set)
        hub = make_hub(event, Path(work) / "hub.git")
        runner = Runner(event, hub, Path(work), options.artifacts or Path(work) / "artifacts", override)
        content = _read(runner.own(options.workflow))
        if options.job and options.job not in content["jobs"]:
            parser.error(f"{options.workflow} has no job {options.job}; it has {', '.join(content['jobs'])}")
        jobs = runner.run(
            options.workflow, {name: Job() for name in content["jobs"] if options.job not in (None, name)}
        )
        for name, job in jobs.items():
            for step in job.steps:
                print(f"--- {name}: {step.name}: {step.outcome}\n{step.log}")
            print(f"=== {name}: {job.result}\n{job.summary}")
    return any(job.result == "failure" for job in jobs.values())


if __name__ == "__main__":
    sys.exit(main())
