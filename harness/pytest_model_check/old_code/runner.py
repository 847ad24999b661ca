"""Run the approved commit's code on the new data, in a temporary worktree and a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_model_check import bounded, git
from pytest_model_check.baselines import store
from pytest_model_check.baselines.baseline_json import from_json
from pytest_model_check.baselines.json_reader import MalformedError
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.baselines.store import Approved
from pytest_model_check.errors import OldCodeError
from pytest_model_check.fitting.engine import FitProgress
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.git import GitError
from pytest_model_check.old_code import import_roots
from pytest_model_check.old_code.job import Job
from pytest_model_check.settings import Settings

if TYPE_CHECKING:
    from pytest_model_check.data.dataset import Dataset


PATIENCE = 12 * 3600.0  # seconds for the old code to be fitted with all its seeds
TICK = 0.5  # seconds
LAST_LINES = 8  # of what a process said before it died
ERROR = re.compile(r"(E +)?([\w.]*Error|.*\berror): ", re.IGNORECASE)
NOT_INHERITED = re.compile(r"PYTEST_(ADDOPTS|CURRENT_TEST|XDIST_.*)|COV_CORE_.*|GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)")


@dataclass(frozen=True)
class Remeasured:
    """The approved model, measured on the new data.

    Parameters
    ----------
    baseline : Baseline
        As `baselines.measure` records it; name, node id, generation and entropy are the approved one's.
    approved : Approved
        Its predictions, without anchors.
    """

    baseline: Baseline
    approved: Approved


def remeasure(
    baseline: Baseline,
    predictions: Predictions,
    data: Dataset,
    *,
    commit: str,
    old_root: Path,
    settings: Settings,
    progress: FitProgress = lambda done, total: None,
) -> Remeasured:
    """Measure the approved model on the new data, by its own code.

    Parameters
    ----------
    baseline, predictions : Baseline, Predictions
        What is approved, and its predictions on the old data: a fold of them is the control.
    data : Dataset
        The new data, verified.
    commit : str
        Of the code of the approved baseline.
    old_root : Path
        Where the paths of the old data start.
    settings : Settings
        Where the paths of the new data start, the interpreter (or the folder of a virtual environment), how many fits
        at a time, and a place outside the project for temporary files.
    progress : callable
        Is told how many fits of how many are done.

    Raises
    ------
    OldCodeError
        Saying why it can't be done; then nothing can be compared.
    """
    files = dict(data.files)
    with workplace(baseline, commit, settings, files=files, old_root=old_root) as (job, interpreter):
        first_fold = predictions.first(1).head(int((predictions.split == 0).sum()))
        first_fold.to_frame().to_parquet(job.control, index=False)
        job.result.mkdir()
        _run(interpreter, job, progress)
        return _result(job, data)


@contextmanager
def workplace(
    baseline: Baseline,
    commit: str,
    settings: Settings,
    *,
    files: Mapping[str, str] | None = None,
    old_root: Path | None = None,
) -> Generator[tuple[Job, str]]:
    """Lay the code of a commit out, with this tool beside it, as long as this lasts.

    Parameters
    ----------
    baseline : Baseline
        Knows the test.
    commit : str
        Whose code it is.
    settings : Settings
        As in `remeasure`.
    files : mapping of str to str or None
        The data that it reads: path and md5.
    old_root : Path or None
        Where the paths of the old data start.

    Yields
    ------
    job : Job
        Where everything lies.
    interpreter : str
        What runs the code.
    """
    folder = Path(tempfile.mkdtemp(prefix="old-code-", dir=settings.scratch)).resolve()
    try:
        top = git.toplevel(settings.root)
        if top is None:
            raise OldCodeError(f"{settings.root} is in no git repository")
        interpreter = _interpreter(settings.python)
        job = Job(
            folder,
            baseline,
            commit,
            files=files or {},
            root=settings.root.resolve(),
            old_root=(old_root or folder).resolve(),
            top=top.resolve(),
            import_roots=(),
            n_jobs=settings.jobs,
        )
        with git.worktree(top, commit, job.code):
            _add_submodules(job.code)
            if not job.rootdir.is_dir():
                raise OldCodeError(f"there is no folder {job.rootdir.relative_to(job.code).as_posix()}")
            job = replace(job, import_roots=_import_roots(job))
            _copy_tool(job.tool)
            yield job, interpreter
    except GitError as error:
        raise OldCodeError(error.message, error.advice) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def named(baseline: Baseline, commit: str, what: str) -> Generator[None]:
    """Say what the code of a commit was run for, where it can't be run."""
    try:
        yield
    except OldCodeError as error:
        raise OldCodeError(
            f"{baseline.name}: {what} {commit[:7]}, and its code can't be run: {error.message}", error.advice
        ) from error


def _interpreter(python: str) -> str:
    """Return the interpreter that a path means, once it has proved to be one."""
    named = Path(python)
    inside = [named / "bin" / "python", named / "Scripts" / "python.exe"] if named.is_dir() else [named]
    interpreter = next((str(path.absolute()) for path in inside if path.is_file()), None) or shutil.which(python)
    if interpreter is None:
        raise OldCodeError(f"there is no Python at {python}")
    if interpreter == sys.executable:
        return interpreter
    try:
        command = [interpreter, "-I", "-c", "import sys; print('python', sys.version_info >= (3, 11))"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout.split()  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OldCodeError(f"{python} is no Python: {' '.join(str(error).split())}") from error
    if answer[:1] != ["python"]:
        raise OldCodeError(f"{python} is no Python")
    if answer != ["python", "True"]:
        raise OldCodeError(f"{python} is older than Python 3.11")
    return interpreter


def _add_submodules(code: Path) -> None:
    if (code / ".gitmodules").exists():
        try:
            git.call(code, "submodule", "update", "--init", "--recursive")
        except GitError as error:
            raise OldCodeError(f"its submodules can't be had: {error.message}", error.advice) from error


def _import_roots(job: Job) -> tuple[Path, ...]:
    """Find the folders of the worktree that the project's modules are imported from."""
    here = import_roots.roots(job.top, sys.path, sys.modules)
    rootdir = job.rootdir.relative_to(job.code)
    likely = (Path(), Path("src"), rootdir, rootdir / "src")
    return tuple(job.code / path for path in dict.fromkeys((*here, *likely)) if (job.code / path).is_dir())


def _copy_tool(tool: Path) -> None:
    """Put a copy of this tool, and of nothing else, into a folder that can be first on the path.

    Otherwise the fitting processes would import the tool that the old code may hold, or another version that the
    interpreter has installed, or with it everything else that is installed beside it.
    """
    name = "pytest-model-check"
    shutil.copytree(
        Path(git.__file__).parent,
        tool / "pytest_model_check",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    info = tool / f"{name.replace('-', '_')}-{version(name)}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version(name)}\n", encoding="utf-8")


def _run(python: str, job: Job, progress: FitProgress) -> None:
    """Run the old code; what it measured lies in `job.result`.

    Raises
    ------
    OldCodeError
        With the process's own words.
    """
    with started(python, job, "pytest_model_check.session.old_code_session") as process:
        exit_code = wait(process, lambda: progress(*job.reported_progress()))
    if job.error.exists() or not (job.result / f"{job.baseline.name}.json").exists():
        raise silent(job, exit_code)


@contextmanager
def started(python: str, job: Job, module: str, *, pipes: bool = False) -> Generator[subprocess.Popen[bytes]]:
    """Run a module of this tool over the old code; with `pipes`, its standard streams can be written and read."""
    path = job.folder / "job.json"
    path.write_text(json.dumps(job.to_json()), encoding="utf-8")
    with _output(job).open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - its arguments are a list, no shell
            [python, "-P", "-m", module, str(path)],
            cwd=job.rootdir,
            env=_environment(job),
            stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipes else stream,
            stderr=stream if pipes else subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _stop(process)
            for pipe in filter(None, (process.stdin, process.stdout)):
                with suppress(OSError):
                    pipe.close()


def _output(job: Job) -> Path:
    return job.folder / "output.txt"


def silent(job: Job, exit_code: int) -> OldCodeError:
    """Return why a process gave no answer, in its own words."""
    hidden = (str(job.rootdir), str(job.folder))
    if job.error.exists():
        reported = json.loads(job.error.read_text(encoding="utf-8"))
        return OldCodeError(" ".join(_shown(reported["message"], hidden).split()), _shown(reported["advice"], hidden))
    lines = _lines(_shown(_output(job).read_bytes()[-20_000:].decode("utf-8", errors="replace"), hidden))
    errors = [line.removeprefix("E ").strip() for line in lines if ERROR.match(line)]
    ended = f"was killed by signal {-exit_code}" if exit_code < 0 else f"ended with exit code {exit_code}"
    return OldCodeError(
        ": ".join([f"its process {ended}, without an answer", *errors[-1:]]),
        "\n".join(["It said at last:", *(f"  {line}" for line in lines[-LAST_LINES:])]) if lines else "",
    )


def wait(process: subprocess.Popen[bytes], tick: Callable[[], None]) -> int:
    """Wait for a process to end; `tick` is called meanwhile."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(TICK)
        tick()
    raise OldCodeError(f"it was not done after {PATIENCE / 3600:.0f} hours")


def _environment(job: Job) -> dict[str, str]:
    """Return the environment of the process; those that fit for it get it too."""
    inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    outside = [entry for entry in inherited if not Path(entry).resolve().is_relative_to(job.top)]
    return {key: value for key, value in os.environ.items() if not NOT_INHERITED.fullmatch(key)} | {
        "PYTHONPATH": os.pathsep.join([str(job.tool), *map(str, job.import_roots), *outside]),
        "PYTHONWARNINGS": "ignore",
    }


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and those that fit for it, where it is still running."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _shown(text: str, hidden: tuple[str, ...]) -> str:
    """Leave out folders that will be gone, and passwords in addresses."""
    for folder in hidden:
        text = text.replace(f"{folder}{os.sep}", "")
    return re.sub(r"(?<=://)[^\s'\"]*@", "***@", text)


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines() if line.strip(" =_-!")]
    return [line if len(line) <= 160 else f"{line[:157]}..." for line in lines]


def _result(job: Job, data: Dataset) -> Remeasured:
    """Read what the process measured.

    Raises
    ------
    OldCodeError
        If it is torn, or of other rows than the check's now.
    """
    path = job.result / f"{job.baseline.name}.json"
    parquet = path.with_suffix(".parquet")
    try:
        baseline = from_json(bounded.parse_json(bounded.read_bytes(path, store.LIMIT).decode("utf-8")))
        md5 = hashlib.md5(parquet.read_bytes(), usedforsecurity=False).hexdigest()
        if md5 != baseline.predictions_md5:
            raise ValueError(f"{parquet.name} is not the file that {path.name} names")
        predictions = Predictions.from_frame(bounded.read_parquet(parquet), store.classes_of(baseline))
    except (OSError, ValueError, MalformedError) as error:
        raise OldCodeError(f"its answer can't be read: {error}") from error
    if (baseline.rows, baseline.target_digest) != (data.rows, data.target_digest):
        raise OldCodeError(
            f"it reads other rows or another target of the new data than the check does now "
            f"({baseline.rows:,} rows, not {data.rows:,})",
            "load= or target= have changed: the two models do not answer the same question.",
        )
    return Remeasured(baseline, Approved(predictions, {}))
