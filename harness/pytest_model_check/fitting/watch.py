"""What a fit asks the world: an audit hook notes the files it reads, and what no key can hold.

It stays for the life of the process, and what it has noted counts for every later fit there: a module reads its
configuration once, and a cached function its table. So it is installed before a candidate arrives.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from types import FrameType
from typing import Any

from pytest_model_check.candidates.notes import Kind, Note
from pytest_model_check.fitting.closure import digest_of
from pytest_model_check.fitting.installed import OURS, PACKAGES, is_installed, stdlib

# By event, what a fit that causes it does, in words.
UNREPEATABLE = {
    "socket.connect": "opens a connection",
    "socket.bind": "opens a socket",
    "socket.sendto": "sends over a socket",
    "socket.getaddrinfo": "asks for an address",
    "socket.gethostbyname": "asks for an address",
    "subprocess.Popen": "starts another process",
    "os.system": "starts another process",
    "os.exec": "starts another process",
    "os.posix_spawn": "starts another process",
    "os.fork": "starts another process",
    "os.forkpty": "starts another process",
    "os.spawn": "starts another process",
    "pty.spawn": "starts another process",
}
LISTING = ("os.listdir", "os.scandir", "glob.glob")
METADATA = os.path.dirname(metadata.__file__)  # noqa: PTH120 - it lists whatever may be installed
CODE = (".py", ".pyc", *EXTENSION_SUFFIXES)
SYSTEM = ("/proc/", "/sys/", "/dev/null", "/dev/shm/joblib")  # noqa: S108 - where joblib keeps the data of its tasks


class _Watch:
    """The hook, and what it has noted."""

    def __init__(self) -> None:
        self.installed = False
        self.fitting = 0
        self.notes: dict[tuple[Kind, str, str], None] = {}
        self.digests: dict[str, tuple[object, str | None]] = {}
        self.written: set[str] = set()
        self.by = ""
        self.busy = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS or self.busy:
            return
        self.busy = True
        try:
            self._note(event, arguments)
        except Exception as error:  # noqa: BLE001 - an exception would stop what is watched
            self.refuse(f"can't be watched ({error!r})")
        finally:
            self.busy = False

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        whose, self.by = _caller()
        if whose in ("ours", "nobody") and not self.fitting:
            return
        importing = whose == "import"
        if event == "open":
            self._open(arguments[0], arguments[2], importing=importing)
        elif event == "sqlite3.connect":
            self._open(arguments[0], os.O_RDONLY, importing=False)
        elif event == "ctypes.dlopen":
            self._library(arguments[0])
        elif event in LISTING:
            if not importing and not _is_known(_absolute(arguments[0] or ".")):
                self.refuse(f"lists the folder {arguments[0]}")
        else:
            self.refuse(UNREPEATABLE[event])

    def _open(self, path: Any, flags: int, *, importing: bool) -> None:
        if isinstance(path, int):  # of what is open already
            return
        name = _absolute(path)
        if importing:
            if name.endswith(CODE) and not _is_known(name):
                self.notes["module", _source(name), ""] = None
            return
        if _is_known(name) or name.startswith(SYSTEM):
            return
        if name in ("/dev/urandom", "/dev/random"):
            self.refuse("draws random numbers from the system")
        elif flags & os.O_WRONLY or flags & (os.O_TRUNC | os.O_EXCL):
            self._writes(name)
        elif name in self.written:
            return
        elif flags & os.O_RDWR:
            self.refuse(f"changes the file {name}")
        else:
            self._reads(name)

    def _reads(self, name: str) -> None:
        self.notes["file", name, self.by] = None

    def _writes(self, name: str) -> None:
        if any((kind, what) == ("file", name) for kind, what, _ in self.notes):
            self.refuse(f"reads and writes the file {name}")
        self.written.add(name)

    def _library(self, path: Any) -> None:
        if path is None:
            return
        name = os.fsdecode(path)
        if os.sep not in name:
            if not _is_system_library(name):
                self.refuse(f"loads the library {name}")
        elif not _is_known(name) and not name.startswith(("/lib", "/usr/lib")):
            self._reads(_absolute(name))

    def refuse(self, what: str) -> None:
        self.notes["refused", what, self.by] = None

    def settled(self) -> tuple[Note, ...]:
        """Return the notes with the digests of the files; one that has changed since it was read is refused."""
        self.busy = True
        try:
            for kind, what, by in list(self.notes):
                self.by = by
                if kind != "refused" and self._digest(what) != self.digests[what][1]:
                    self.refuse(f"reads the file {what}, which changes meanwhile")
            return tuple(
                Note(kind, what, by, self.digests[what][1] if what in self.digests else None)
                for kind, what, by in self.notes
            )
        finally:
            self.busy = False

    def _digest(self, path: str) -> str | None:
        try:
            status = os.stat(path)  # noqa: PTH116 - for every fit
            state: object = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            state = None
        known = self.digests.get(path)
        if known is not None and known[0] == state:
            return known[1]
        now = digest_of(path)
        self.digests.setdefault(path, (state, now))
        return now


_EVENTS = frozenset((*UNREPEATABLE, *LISTING, "open", "sqlite3.connect", "ctypes.dlopen"))
_watch = _Watch()


def install() -> None:
    """Begin to note what this process asks the world; once is enough."""
    if not _watch.installed:
        _watch.installed = True
        sys.addaudithook(_watch)


@contextmanager
def fitting() -> Iterator[None]:
    """Note whatever is asked while a candidate is fitted, by installed code too."""
    _watch.fitting += 1
    try:
        yield
    finally:
        _watch.fitting -= 1


def notes() -> tuple[Note, ...] | None:
    """Return what was noted since the process began; None: nobody watched."""
    return _watch.settled() if _watch.installed else None


def _caller() -> tuple[str, str]:
    """Return whose code asks, 'import', 'ours', 'project' or 'nobody', and the nearest file of the project's."""
    frame: FrameType | None = sys._getframe(3)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(("<frozen importlib", METADATA)):
            return "import", ""
        if file.startswith(OURS):
            return "ours", ""
        if not file.startswith("<") and not is_installed(file):
            return "project", os.path.realpath(file)
        frame = frame.f_back
    return "nobody", ""


def _absolute(path: Any) -> str:
    return os.path.realpath(os.fsdecode(path))


def _source(name: str) -> str:
    """Return the source that a file of compiled code was made from."""
    if name.endswith(".pyc") and f"{os.sep}__pycache__{os.sep}" in name:
        folder, _, file = name.rpartition(f"{os.sep}__pycache__{os.sep}")
        return os.path.join(folder, f"{file.partition('.')[0]}.py")  # noqa: PTH118
    return name


def _is_known(name: str) -> bool:
    """Whether a path is told by a version: of what is installed."""
    if name.startswith((*stdlib(), OURS)):
        return True
    return any(f"{os.sep}{part}" in name for part in PACKAGES)


def _is_system_library(name: str) -> bool:
    return name.startswith(("libc.", "libc-", "libm.", "libpthread", "libdl", "libgomp", "libiomp", "libomp"))
