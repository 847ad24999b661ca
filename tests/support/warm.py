"""Python programs in processes of their own that start warm: forked from a server that has imported the libraries.

What takes most of such a process's time otherwise is importing pandas, scikit-learn and DVC.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

LIBRARIES = [
    "configobj", "dulwich.ignore", "dulwich.index", "dulwich.trailers", "dulwich.worktree",
    "dvc.cachemgr", "dvc.data_cloud", "dvc.dirs", "dvc.repo", "dvc.repo.artifacts", "dvc.repo.datasets",
    "dvc.repo.graph", "dvc.repo.index", "dvc.repo.metrics", "dvc.repo.params", "dvc.repo.plots", "dvc.repo.stage",
    "dvc.repo.trie", "dvc.rwlock", "dvc.scm", "dvc_data.hashfile._progress", "dvc_data.hashfile.db.local",
    "dvc_data.hashfile.status", "filelock", "narwhals._interchange.dataframe", "networkx",
    "pandas.core.arrays.arrow.extension_types", "pyarrow.dataset", "pyarrow.parquet", "rich._emoji_codes",
    "rich.status", "ruamel.yaml", "sklearn.compose", "sklearn.dummy", "sklearn.ensemble", "sklearn.linear_model",
    "sklearn.model_selection", "sklearn.pipeline", "sklearn.preprocessing", "sklearn.svm", "sklearn.tree",
]  # fmt: skip


def run(module: str, *arguments: str, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``python -m MODULE ARGUMENTS``, as `subprocess.run` would."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*LIBRARIES, "dvc.cli.parser", "pytest"])
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        given = (module, list(arguments), str(cwd), dict(env), _path(), str(out), str(err))
        process = context.Process(target=_main, args=given)
        process.start()
        process.join()
        return subprocess.CompletedProcess(
            [sys.executable, "-m", module, *arguments],
            process.exitcode or 0,
            out.read_text(encoding="utf-8"),
            err.read_text(encoding="utf-8"),
        )


@cache
def _path() -> list[str]:
    """Return `sys.path` as an interpreter has it at first: pytest has added folders to this process's."""
    command = [sys.executable, "-P", "-c", "import sys; print(*sys.path, sep='\\n')"]
    alone = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(command, env=alone, check=True, capture_output=True, text=True).stdout.splitlines()


def _main(
    module: str, arguments: Sequence[str], cwd: str, env: Mapping[str, str], path: Sequence[str], out: str, err: str
) -> None:
    for descriptor, file in ((1, out), (2, err)):
        target = os.open(file, os.O_WRONLY | os.O_CREAT)
        os.dup2(target, descriptor)
        os.close(target)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = [module, *arguments]
    sys.path[:] = [cwd, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep)), *path]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # of joblib, logging and the like: a forked process leaves them out
