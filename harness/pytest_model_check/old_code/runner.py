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
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest_model_check
from pytest_model_check import git
from pytest_model_check.baselines import store
from pytest_model_check.baselines.baseline_json import MalformedError, from_json, to_json
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.baselines.store import Approved
from pytest_model_check.errors import OldCodeError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.git import GitError
from pytest_model_check.old_code import import_roots

if TYPE_CHECKING:
    from pytest_model_check.data.dataset import Dataset


PATIENCE = 12 * 3600.0  # seconds for the old code to be fitted with all its seeds
LAST_LINES = 8  # of what a process said before it died
ERROR = re.compile(r"(E +)?([\w.]*Error|.*\berror): ", re.IGNORECASE)
NOT_INHERITED = re.compile(r"PYTEST_(ADDOPTS|CURRENT_TEST|XDIST_.*)|COV_CORE_.*|GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)")


@dataclass(frozen=True)
class Remade:
    """The approved model, measured on the new data.

    Parameters
    ----------
    baseline : Baseline
        As `recording.record` gives it; name, node id, generation and entropy are the approved one's.
    approved : Approved
        Its predictions, without anchors.
    """

    baseline: Baseline
    approved: Approved


def remake(
    baseline: Baseline,
    approved: Predictions,
    *,
    data: Dataset,
    root: Path,
    old_root: Path,
    scratch: Path,
    commit: str,
    python: str,
    jobs: int,
) -> Remade:
    """Measure the approved model on the new data, by its own code.

    Parameters
    ----------
    baseline : Baseline
        What is approved.
    approved : Predictions
        Its predictions on the data of before: a fold of them is the control.
    data : Dataset
        The new data, verified.
    root, old_root : Path
        Where the paths of the new data and of the data of before start.
    scratch : Path
        For temporary files, outside the project.
    commit : str
        Of the code of the approved baseline.
    python : str
        The interpreter, or the folder of a virtual environment.
    jobs : int
        How many fits at a time.

    Raises
    ------
    OldCodeError
        Saying why it can't be done; then nothing can be compared.
    """
    work = Path(tempfile.mkdtemp(prefix="remake-", dir=scratch)).resolve()
    try:
        top = git.toplevel(root)
        if top is None:
            raise OldCodeError(f"{root} is in no git repository")
        interpreter = _interpreter(python)
        with git.worktree(top, commit, work / "code") as code:
            _add_submodules(code)
            where = code / root.resolve().relative_to(top.resolve())
            if not where.is_dir():
                raise OldCodeError(f"there is no folder {where.relative_to(code).as_posix()}")
            _run(
                interpreter,
                _order(baseline, approved, data, root, old_root, top, code, where, work, commit, jobs),
                work,
            )
        return _answer(work, baseline, data)
    except GitError as error:
        raise OldCodeError(error.message, error.advice) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _interpreter(python: str) -> str:
    """Give the interpreter that a path means, once it has proved to be one."""
    named = Path(python)
    inside = [named / "bin" / "python", named / "Scripts" / "python.exe"] if named.is_dir() else [named]
    found = next((str(path.absolute()) for path in inside if path.is_file()), None) or shutil.which(python)
    if found is None:
        raise OldCodeError(f"there is no Python at {python}")
    if found == sys.executable:
        return found
    try:
        asked = [found, "-I", "-c", "import sys; print('python', sys.version_info >= (3, 11))"]
        said = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False).stdout.split()  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OldCodeError(f"{python} is no Python: {' '.join(str(error).split())}") from error
    if said[:1] != ["python"]:
        raise OldCodeError(f"{python} is no Python")
    if said != ["python", "True"]:
        raise OldCodeError(f"{python} is older than Python 3.11")
    return found


def _add_submodules(code: Path) -> None:
    if (code / ".gitmodules").exists():
        try:
            git.call(code, "submodule", "update", "--init", "--recursive")
        except GitError as error:
            raise OldCodeError(f"its submodules can't be had: {error.message}", error.advice) from error


def _order(
    baseline: Baseline,
    approved: Predictions,
    data: Dataset,
    root: Path,
    old_root: Path,
    top: Path,
    code: Path,
    where: Path,
    work: Path,
    commit: str,
    jobs: int,
) -> dict[str, Any]:
    """Say what is asked of the process, as `remaking.Order` reads it."""
    control = work / "control.parquet"
    slots = int((approved.split == 0).sum())
    approved.first(1).head(slots).to_frame().to_parquet(control, index=False)
    answer = work / "answer"
    answer.mkdir()
    known = import_roots.roots(top, sys.path, sys.modules)
    below = where.relative_to(code)
    likely = (Path(), Path("src"), below, below / "src")
    paths = [code / folder for folder in dict.fromkeys((*known, *likely)) if (code / folder).is_dir()]
    return {
        "baseline": to_json(baseline),
        "commit": commit,
        "files": dict(data.files),
        "root": str(root.resolve()),
        "old_root": str(old_root.resolve()),
        "top": str(top),
        "code": str(code),
        "where": str(where),
        "paths": [str(path) for path in paths],
        "tool": str(_tool(work)),
        "control": str(control),
        "answer": str(answer),
        "refusal": str(work / "refusal.json"),
        "jobs": jobs,
    }


def _tool(work: Path) -> Path:
    """Put a copy of this tool, and of nothing else, into a folder that can be first on the path.

    Otherwise the fitting processes would import the tool that the old code may hold, or another version that the
    interpreter has installed, or with it everything else that is installed beside it.
    """
    tool, name = work / "tool", "pytest-model-check"
    shutil.copytree(
        Path(pytest_model_check.__file__).parent,
        tool / "pytest_model_check",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    info = tool / f"{name.replace('-', '_')}-{version(name)}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version(name)}\n", encoding="utf-8")
    return tool


def _run(python: str, order: dict[str, Any], work: Path) -> None:
    """Run the old code; what it found lies in the folder of the answer.

    Raises
    ------
    OldCodeError
        With the process's own words.
    """
    asked, said, top = work / "order.json", work / "said.txt", Path(order["top"])
    asked.write_text(json.dumps(order), encoding="utf-8")
    inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    outside = [entry for entry in inherited if not Path(entry).resolve().is_relative_to(top.resolve())]
    environment = {key: value for key, value in os.environ.items() if not NOT_INHERITED.fullmatch(key)} | {
        # the fitting processes get it too
        "PYTHONPATH": os.pathsep.join([order["tool"], *order["paths"], *outside]),
        "PYTHONWARNINGS": "ignore",
    }
    command = [python, "-P", "-m", "pytest_model_check.session.old_code_session", str(asked)]
    with said.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - its arguments are a list, no shell
            command,
            cwd=order["where"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise OldCodeError(f"it was not done after {PATIENCE / 3600:.0f} hours") from error
        finally:
            _stop(process)
    answer, refusal = Path(order["answer"]), Path(order["refusal"])
    hidden = (order["where"], str(work))
    if refusal.exists():
        refused = json.loads(refusal.read_text(encoding="utf-8"))
        raise OldCodeError(" ".join(_shown(refused["why"], hidden).split()), _shown(refused["advice"], hidden))
    if not (answer / f"{order['baseline']['name']}.json").exists():
        lines = _lines(_shown(said.read_bytes()[-20_000:].decode("utf-8", errors="replace"), hidden))
        errors = [line.removeprefix("E ").strip() for line in lines if ERROR.match(line)]
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise OldCodeError(
            ": ".join([f"its process {ended}, without an answer", *errors[-1:]]),
            "\n".join(["It said at last:", *(f"  {line}" for line in lines[-LAST_LINES:])]) if lines else "",
        )


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


def _answer(work: Path, baseline: Baseline, data: Dataset) -> Remade:
    """Read what the process found.

    Raises
    ------
    OldCodeError
        If it is torn, or of other rows than the check's now.
    """
    import pandas as pd

    path = work / "answer" / f"{baseline.name}.json"
    parquet = path.with_suffix(".parquet")
    try:
        found = from_json(json.loads(path.read_text(encoding="utf-8")))
        md5 = hashlib.md5(parquet.read_bytes(), usedforsecurity=False).hexdigest()
        if md5 != found.predictions_md5:
            raise ValueError(f"{parquet.name} is not the file that {path.name} names")
        predictions = Predictions.from_frame(pd.read_parquet(parquet), store.classes_of(found))
    except (OSError, ValueError, MalformedError) as error:
        raise OldCodeError(f"its answer can't be read: {error}") from error
    if (found.rows, found.target_digest) != (data.rows, data.target_digest):
        raise OldCodeError(
            f"it reads other rows or another target of the new data than the check does now "
            f"({found.rows:,} rows, not {data.rows:,})",
            "load= or target= have changed: the two models do not answer the same question.",
        )
    return Remade(found, Approved(predictions, {}))
