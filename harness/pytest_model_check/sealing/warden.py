"""The process beside sealed fits of one split: has a sandbox made, goes into it, forks what fits, and ends it all.

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
CHILD = (1, 2, 3, 4, 5, 6)  # the descriptors of a fit: output, errors, the rows, tasks, replies, the trace


@dataclass(frozen=True)
class Order:
    """What a fit may take.

    Parameters
    ----------
    loading : float
        How many seconds a candidate may take to be imported.
    timeout : float or None
        How many its fit; None: neither is limited.
    limit : int
        The most bytes of a reply.
    """

    loading: float
    timeout: float | None
    limit: int


@dataclass(frozen=True)
class End:
    """How a sealed fit ended; the reply, where there is one, comes after it.

    Parameters
    ----------
    code : int or None
        The exit code of its process, a signal negative; None: it lives, or was ended.
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


def guard(command: Sequence[str], engine: int, rows: int, outputs: Sequence[int]) -> NoReturn:
    """Have fits made on some rows, until the engine wants no more or one has spoilt its process.

    Parameters
    ----------
    command : sequence of str
        What makes the sandbox, up to the program that runs in it.
    engine : int
        A socket: for each fit, an `Order` and the `fit.Task` come from it, an `End` and perhaps a reply go back. It
        closes where the fit is abandoned.
    rows : int
        The open file of the `fit.Rows`.
    outputs : sequence of int
        Where what fits print goes.
    """
    connection = Connection(engine)
    with contextlib.suppress(OSError, EOFError):  # nobody waits for it any more
        try:
            sandbox = _Sandbox(command)
            namespaces.enter(sandbox.init)
        except OSError as error:
            connection.send_bytes(_plain(End(unmade=str(error))))
        else:
            _Fits(connection, rows, outputs, sandbox).serve()
    os._exit(0)


def _plain(end: End) -> bytes:
    return json.dumps(asdict(end)).encode()


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


class _Fits:
    """Fits in a sandbox, one after another, and what is heard of them."""

    def __init__(self, connection: Connection, rows: int, outputs: Sequence[int], sandbox: _Sandbox) -> None:
        self._connection, self._sandbox = connection, sandbox
        said, told = zip(*(os.pipe() for _ in range(4)), strict=True)  # output, errors, replies, trace
        asked, self._tasks = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            _shut_in((*told[:2], rows, asked, *told[2:]))
        for descriptor in (*told, asked, rows):
            os.close(descriptor)
        os.set_blocking(self._tasks, False)
        self._streams = dict(zip(said, (*outputs, None, None), strict=True))
        self._answers, self._traces = said[2:]
        self._handle = os.pidfd_open(self._child)
        self._task, self._reply, self._trace = memoryview(b""), bytearray(), bytearray()
        self._timeout: float | None = None
        self._deadline = math.inf

    def serve(self) -> None:
        """Have one fit after another made."""
        code: int | None = None
        try:
            while code is None and self._is_wanted():
                order = Order(**json.loads(self._connection.recv_bytes()))
                end, reply = self._fit(order, self._connection.recv_bytes())
                code = end.code
                self._connection.send_bytes(_plain(end))
                if end.replied:
                    self._connection.send_bytes(reply)
        finally:
            if code is None:
                self._sandbox.end(self._child)

    def _is_wanted(self) -> bool:
        """Wait for the next order; False: the process does not wait as it should."""
        while (ready := self._listen(math.inf)) != {self._connection.fileno()}:
            if self._handle in ready or self._reply:
                return False
        return True

    def _fit(self, order: Order, task: bytes) -> tuple[End, bytes]:
        """Have a fit made, and take in what it says until it is done, is late, says too much, or has ended."""
        self._task = memoryview(len(task).to_bytes(fit.FRAME, "little") + task)
        self._timeout, self._trace = order.timeout, bytearray()
        self._deadline = math.inf if order.timeout is None else time.monotonic() + order.loading
        late = long = ended = False
        while not (late or long or ended or self._is_done()):
            ready = self._listen(self._deadline)
            if self._connection.fileno() in ready:
                raise EOFError  # abandoned: it has no more to say before it hears
            late = time.monotonic() >= self._deadline
            long = max(len(self._reply), self._length()) > order.limit
            ended = ready == {self._handle}  # and all that it has said was heard
        done = self._is_done() and not long
        if done:
            reply, self._reply = bytes(self._reply[HEAD:]), bytearray()
            return End(replied=True), reply
        code = self._sandbox.end(self._child)
        for descriptor in self._streams:
            while self._take(descriptor):
                pass
        return End(code, late=late, long=long, trace=self._trace.decode("utf-8", errors="replace")), b""

    def _listen(self, deadline: float) -> set[int]:
        """Wait until something is said, and take it in; return what there was."""
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._connection.fileno(), self._handle, *self._streams):
                selector.register(descriptor, selectors.EVENT_READ)
            if self._task:
                selector.register(self._tasks, selectors.EVENT_WRITE)
            patience = None if deadline == math.inf else max(0.0, deadline - time.monotonic())
            ready = {key.fd for key, _ in selector.select(patience)}
        if self._tasks in ready:
            try:
                self._task = self._task[os.write(self._tasks, self._task[:CHUNK]) :]
            except BrokenPipeError:  # its process has ended
                self._task = memoryview(b"")
        for descriptor in ready & self._streams.keys():
            if not self._take(descriptor):
                del self._streams[descriptor]
        return ready

    def _take(self, descriptor: int) -> bool:
        """Take in a piece of what it says; False: that was all."""
        piece = os.read(descriptor, CHUNK)
        if descriptor == self._answers:
            if piece and not self._reply and self._timeout is not None:
                self._deadline = time.monotonic() + self._timeout + WRITING
            self._reply += piece
        elif descriptor == self._traces:
            self._trace += piece
            del self._trace[:-TRACE]
        else:
            output = self._streams[descriptor]
            assert output is not None
            with contextlib.suppress(OSError):  # nobody reads it
                os.write(output, piece)
        return bool(piece)

    def _is_done(self) -> bool:
        return len(self._reply) >= HEAD and len(self._reply) >= HEAD + self._length()

    def _length(self) -> int:
        """Return how long the reply is to be; 0: not known yet."""
        return int.from_bytes(self._reply[1:HEAD], "little") if len(self._reply) >= HEAD else 0


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
