"""The process beside a sealed fit: has its sandbox made, goes into it, forks the fit, hears it out, and ends it all.

It runs nothing of a project. What the fit prints goes through it: an open file would be shared with other fits.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import selectors
import signal
import subprocess
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import NoReturn

from pytest_model_check.sealing import fit, namespaces

WRITING = 0.3  # seconds for a fit that takes too long to write where it is
TRACE = 1_000_000  # bytes
HOLD = ("/bin/sh", "-c", "echo; read _")  # keeps the sandbox, until its input ends
CHUNK = 1 << 16
HEAD = len(fit.BEGUN) + fit.FRAME
CHILD = (1, 2, 3, 4, 5)  # the descriptors of a fit: output, errors, the task, the reply, the trace


@dataclass(frozen=True)
class Order:
    """What the engine asks for, beside descriptors.

    Parameters
    ----------
    sandbox : tuple of str
        The command that makes the sandbox, up to the program that runs in it.
    loading : float
        How many seconds a candidate may take to be imported.
    timeout : float or None
        How many its fit.
    limit : int
        The most bytes of a reply.
    modules : tuple of str
        Installed libraries that the fit will import.
    """

    sandbox: tuple[str, ...]
    loading: float
    timeout: float | None
    limit: int
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class End:
    """How a sealed fit ended; the reply, where there is one, comes after it.

    Parameters
    ----------
    code : int or None
        Its exit code, a signal negative; None: it was ended.
    replied : bool
        Whether a reply follows.
    late : bool
        Whether its time was over.
    long : bool
        Whether its reply was too long.
    trace : str
        What it wrote of where it was.
    unmade : str
        Why there was no sandbox; then there was no fit.
    """

    code: int | None = None
    replied: bool = False
    late: bool = False
    long: bool = False
    trace: str = ""
    unmade: str = ""


def guard(order: Order, engine: int, task: int, outputs: Sequence[int]) -> NoReturn:
    """Make one fit, tell the engine how it ended, and end.

    Parameters
    ----------
    order : Order
        The engine's.
    engine : int
        A socket: it closes where the fit is abandoned.
    task : int
        The open file of the fit's `Task`.
    outputs : sequence of int
        Where what it prints goes.
    """
    try:
        sandbox = _Sandbox(order.sandbox)
        namespaces.enter(sandbox.init)
    except OSError as error:
        end, reply = End(unmade=str(error)), b""
    else:
        end, reply = _Fit(order, engine, task, outputs, sandbox).hear()
    with contextlib.suppress(OSError):  # nobody waits for it any more
        connection = Connection(engine)
        connection.send_bytes(json.dumps(asdict(end)).encode())
        if end.replied:
            connection.send_bytes(reply)
    os._exit(0)


class _Sandbox:
    """A sandbox that bubblewrap has made, with nothing in it yet but what keeps it."""

    def __init__(self, command: Sequence[str]) -> None:
        told, tells = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 - its arguments are a list, no shell
            [*command, "--info-fd", str(tells), "--", *HOLD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[tells],
        )
        os.close(tells)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"\n":
            said = self._process.communicate()[1].decode("utf-8", errors="replace").strip()
            raise OSError(said.rpartition("\n")[2] or f"bwrap ended with exit code {self._process.returncode}")
        with open(told, "rb") as file:  # noqa: PTH123 - a descriptor
            self.init = int(json.loads(file.read())["child-pid"])
        self._handle = os.pidfd_open(self.init)

    def end(self, child: int) -> int:
        """Let the kernel end all that runs in it; return how a child of this process that is in it has ended."""
        signal.pidfd_send_signal(self._handle, signal.SIGKILL)  # its init: nothing in it outlives that
        _, status = os.waitpid(child, 0)
        self._process.communicate()
        return os.waitstatus_to_exitcode(status)


class _Fit:
    """A fit in a sandbox, and what is heard of it."""

    def __init__(self, order: Order, engine: int, task: int, outputs: Sequence[int], sandbox: _Sandbox) -> None:
        self._order, self._engine, self._sandbox = order, engine, sandbox
        self._reply, self._trace = bytearray(), bytearray()
        ours, theirs = zip(*(os.pipe() for _ in range(4)), strict=True)
        self._child = os.fork()
        if self._child == 0:
            _shut_in((*theirs[:2], task, *theirs[2:]))
        for descriptor in (*theirs, task):
            os.close(descriptor)
        self._streams = dict(zip(ours, (*outputs, None, None), strict=True))
        self._answers, self._traces = ours[2:]
        self._handle = os.pidfd_open(self._child)
        self._deadline = math.inf if order.timeout is None else time.monotonic() + order.loading

    def hear(self) -> tuple[End, bytes]:
        """Take in what it says until it is done, is late, says too much, or nobody wants it any more."""
        late = long = ended = False
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._engine, self._handle, *self._streams):
                selector.register(descriptor, selectors.EVENT_READ)
            while not (late or long or ended or self._is_done()):
                ready = {key.fd for key, _ in selector.select(self._patience())}
                if self._engine in ready:
                    self._sandbox.end(self._child)
                    os._exit(0)
                for descriptor in ready & self._streams.keys():
                    if not self._take(descriptor):
                        selector.unregister(descriptor)
                late = time.monotonic() >= self._deadline
                long = len(self._reply) > self._order.limit
                ended = ready == {self._handle}  # and all that it has said was heard
        code = self._sandbox.end(self._child)
        for descriptor in self._streams:
            while self._take(descriptor):
                pass
        done = self._is_done() and not long
        trace = self._trace.decode("utf-8", errors="replace")
        return End(code, done, late and not done, long, trace), bytes(self._reply[HEAD:])

    def _take(self, descriptor: int) -> bool:
        """Take in a piece of what it says; False: that was all."""
        piece = os.read(descriptor, CHUNK)
        if descriptor == self._answers:
            if piece and not self._reply:
                self._begin()
            self._reply += piece
        elif descriptor == self._traces:
            self._trace += piece
            del self._trace[:-TRACE]
        else:
            with contextlib.suppress(OSError):  # nobody reads it
                os.write(self._streams[descriptor], piece)
        return bool(piece)

    def _patience(self) -> float | None:
        return None if self._deadline == math.inf else max(0.0, self._deadline - time.monotonic())

    def _begin(self) -> None:
        timeout = self._order.timeout
        self._deadline = math.inf if timeout is None else time.monotonic() + timeout + WRITING

    def _is_done(self) -> bool:
        return len(self._reply) >= HEAD and len(self._reply) >= HEAD + int.from_bytes(self._reply[1:HEAD], "little")


def _shut_in(descriptors: Sequence[int]) -> NoReturn:
    """Become a fit that has nothing but its descriptors, and no rights."""
    try:
        kept = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 100) for descriptor in descriptors]
        for target, descriptor in zip(CHILD, kept, strict=True):
            os.dup2(descriptor, target)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.closerange(max(CHILD) + 1, os.sysconf("SC_OPEN_MAX"))
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        namespaces.give_up_rights()
        fit.serve(*CHILD[2:])
    except BaseException:  # noqa: BLE001 - ours, not the candidate's
        traceback.print_exc()
    finally:
        os._exit(1)
