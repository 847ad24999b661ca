"""A Python that starts warm: its processes are forked from a server that has imported the libraries.

Importing pandas, scikit-learn and DVC is most of what a process takes otherwise. What is started with ``-m MODULE`` or
``-c CODE`` is warm; it looks at PYTHONPATH, but at no other variable of Python's, and signals to its process group do
not reach it: tests of just that take `sys.executable`.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import NoReturn

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
CLIENT = """#!{python} -IS
import json, os, socket, sys
if sys.argv[1:2] not in (["-m"], ["-c"], ["-P"], ["-I"]) or sys.argv[2:3] == ["-I"]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    order = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(order).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(order)
    code = int(server.recv(16) or b"1")
os._exit(code) if code >= 0 else os.kill(os.getpid(), -code)
"""
COMMAND = """#!/bin/sh
exec {python} -m {module} "$@"
"""


@cache
def folder() -> Path:
    """Return a folder for PATH that holds python, pytest and dvc: they start warm where a process can be forked."""
    if sys.platform != "linux":
        return Path(sys.executable).parent
    path = Path(tempfile.mkdtemp(prefix="warm-"))
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path / "server"))
    listening.listen(64)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-P", __file__, str(listening.fileno()), str(path)]
    server = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, pass_fds=[listening.fileno()], start_new_session=True
    )
    listening.close()
    atexit.register(_stop, server)
    _write(path / "python", CLIENT.format(python=sys.executable, address=str(path / "server")))
    for module in ("pytest", "dvc"):
        _write(path / module, COMMAND.format(python=path / "python", module=module))
    return path


def python() -> str:
    """Return the path of the Python that starts warm where a process can be forked."""
    return str(folder() / "python") if sys.platform == "linux" else sys.executable


def run(module: str, *arguments: str, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``python -m MODULE ARGUMENTS``, which must succeed."""
    command = [python(), "-m", module, *arguments]
    return subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True, encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.communicate()
    server.wait()


# -- the server --------------------------------------------------------------------------------------------------------


def _serve(listening: socket.socket) -> None:
    """Fork a process for every order, until the process that started this one is gone."""
    for library in [*LIBRARIES, "dvc.cli.parser", "pytest"]:
        importlib.import_module(library)
    _start_forkserver()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while listening in select.select([listening, sys.stdin], [], [])[0]:
        connection, _ = listening.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            _obey(connection)
        connection.close()


def _start_forkserver() -> None:
    """Start what the fits of all processes are forked from, as `fitting.local_engine` does: it is theirs to import."""
    before = dict(os.environ)
    os.environ |= {"PYTHONSAFEPATH": "1", "OPENBLAS_NUM_THREADS": "1"}
    forkserver.set_forkserver_preload(["pytest_model_check.fitting.preload"])
    forkserver.ensure_running()
    os.environ.clear()
    os.environ.update(before)


def _obey(connection: socket.socket) -> NoReturn:
    size, descriptors, *_ = socket.recv_fds(connection, 4, 3)
    with connection.makefile("rb") as stream:
        arguments, cwd, environment = json.loads(stream.read(int.from_bytes(size, "big")))
    process = os.fork()
    if process == 0:
        connection.close()
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
            os.close(descriptor)
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(environment)
        forkserver.ensure_running = forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]
        os._exit(_execute(arguments))
    _, status = os.waitpid(process, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _execute(arguments: list[str]) -> int:
    """Do what ``python ARGUMENTS`` does, and return its exit code."""
    import numpy as np

    np.random.seed()  # or all would draw the same
    isolated = arguments[0] in ("-P", "-I")
    how, what, *rest = arguments[isolated:]
    sys.argv = [what if how == "-m" else how, *rest]
    sys.path[:0] = [*([] if isolated else [""]), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    if how == "-m" and not isolated:
        sys.path[0] = str(Path.cwd())
    code = 0
    try:
        if how == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(what, {"__name__": "__main__"})
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 - Python's own last words, too
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
    shutil.rmtree(sys.argv[2])  # here, because the other process may have been killed
