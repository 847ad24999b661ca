"""The files of a project that some of its modules can reach by importing, and what in them no import shows.

Read from the source, never by importing: imports inside functions, optional ones and those of type checkers count too.
It is always too much, never a call graph. Where a file does something whose reach the source does not show, its words
are kept, for the fingerprint to let the whole project count.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from pytest_model_check.fitting.installed import OURS, is_installed

# What imports or reads something that the source does not name: then every file of the project counts.
DYNAMIC = frozenset((
    "__import__", "import_module", "importorskip", "reload", "exec", "eval", "compile", "execfile", "runpy", "run_path",
    "run_module", "entry_points", "iter_entry_points", "find_spec", "spec_from_file_location", "module_from_spec",
    "exec_module", "load_module", "walk_packages", "iter_modules", "meta_path", "path_hooks", "modules", "addsitedir",
    "pytest_plugins", "open", "fdopen", "glob", "rglob", "iglob", "iterdir", "listdir", "scandir", "walk", "read_text",
    "read_bytes", "read_csv", "fromfile", "genfromtxt", "loadtxt", "files", "get_data", "load", "loads",
    "load_pickle", "read_pickle", "read_parquet", "read_json", "read_excel", "read_table", "read_feather",
    "ConfigParser", "safe_load", "load_model", "load_dataset", "exists", "is_file", "is_dir", "isfile", "isdir",
))  # fmt: skip
# What asks the world something that neither a file nor a watch tells: a fit that reaches it is not kept.
UNSEEN = frozenset((
    "exists", "lexists", "is_file", "is_dir", "isfile", "isdir", "is_symlink", "islink", "stat", "lstat", "access",
    "getmtime", "getctime", "getatime", "getsize", "now", "utcnow", "today", "time_ns", "urandom", "getrandom",
    "token_bytes", "token_hex", "randbits", "uuid1", "uuid4", "SystemRandom", "gethostname", "getpid", "getuser",
    "getlogin", "disk_usage", "virtual_memory",
))  # fmt: skip
# Libraries that read files by code of their own, which no audit hook sees.
UNWATCHED = frozenset((
    "polars", "pyarrow", "h5py", "netCDF4", "tables", "duckdb", "lance", "rasterio", "cffi", "fsspec",
))  # fmt: skip
TEXT = 1 << 20  # bytes; what is larger is no source
NAME = re.compile(rb"\b[A-Z][A-Z0-9_]+\b")
# What changes other modules, whoever imports them.
REACHING = frozenset(("setattr", "setitem", "delattr", "patch", "sys_modules", "monkeypatch", "__setattr__", "exec"))


@dataclass(frozen=True)
class Source:
    """What a file of Python says.

    Parameters
    ----------
    sha256 : str
        Of its content.
    imports : tuple of (level, module, names)
        As written: how many dots, the module, and the names that are taken from it.
    strings : tuple of str
        What may be a path.
    dynamic, unseen : str
        The first word of `DYNAMIC`, and of `UNSEEN`, with its line; empty if there is none.
    reaching : bool
        Whether it may change other modules.
    """

    sha256: str
    imports: tuple[tuple[int, str, tuple[str, ...]], ...] = ()
    strings: tuple[str, ...] = ()
    dynamic: str = ""
    unseen: str = ""
    reaching: bool = False


@dataclass
class Closure:
    """The files that some modules reach.

    Parameters
    ----------
    files : dict of str to str
        By path, the digest of the content.
    missing : set of str
        The modules that are imported, and not there.
    external : set of str
        The top levels of installed modules that are imported.
    dynamic, unseen, extension : str
        Where the first word that says so stands; empty if there is none.
    """

    files: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    external: set[str] = field(default_factory=set)
    dynamic: str = ""
    unseen: str = ""
    extension: str = ""


def closure(roots: Iterable[tuple[str, str]], folders: Iterable[Path], known: Mapping[str, str]) -> Closure:
    """Follow the imports of files.

    Parameters
    ----------
    roots : iterable of (path, package)
        Where to begin; relative imports of a file start at its package.
    folders : iterable of Path
        Where a path in the source may start, beside the folder of its file.
    known : mapping of str to str
        The digests of files that need not be read again.
    """
    found, folders = Closure(), list(folders)
    waiting = [(os.path.realpath(path), package) for path, package in roots]
    while waiting:
        path, package = waiting.pop()
        if path in found.files or path.startswith(OURS):
            continue
        if path.endswith(tuple(EXTENSION_SUFFIXES)):
            found.files[path] = digest_of(path) or ""
            found.extension = found.extension or path
            continue
        source = read(path)
        found.files[path] = source.sha256
        found.dynamic = found.dynamic or _where(path, source.dynamic)
        found.unseen = found.unseen or _where(path, source.unseen)
        for file in _named(source.strings, [Path(path).parent, *folders]):
            if file not in found.files:
                found.files[file] = known.get(file) or digest_of(file) or ""
        for level, module, names in source.imports:
            for target in _targets(level, module, names, package):
                waiting += _resolve(target, found)
    return found


def reaching(files: Iterable[str]) -> list[str]:
    """Return those of some files that may change other modules."""
    return [file for file in files if read(file).reaching]


def _where(path: str, words: str) -> str:
    return f"{path}: {words}" if words else ""


def digest_of(path: str) -> str | None:
    """Return the digest of a file's content; None where it can't be read."""
    content = _content(path)
    return None if content is None else content.sha256


def mentions(path: str) -> frozenset[str]:
    """Return the words of a file that might be names of environment variables."""
    content = _content(path)
    return frozenset() if content is None else content.names


def read(path: str) -> Source:
    """Read a file of Python; what is none is dynamic."""
    try:
        return _source(path, *_state(path))
    except OSError as error:
        return Source("", dynamic=f"can't be read ({error.strerror})")


@dataclass(frozen=True)
class _Content:
    sha256: str
    names: frozenset[str]


def _state(path: str) -> tuple[int, int, int]:
    status = os.stat(path)  # noqa: PTH116 - there may be thousands
    return status.st_mtime_ns, status.st_size, status.st_ino


def _content(path: str) -> _Content | None:
    try:
        return _digested(path, *_state(path))
    except OSError:
        return None


@cache
def _digested(path: str, *state: int) -> _Content:
    """Read a file, once for each state of it."""
    digest, names = hashlib.sha256(), frozenset[str]()
    with open(path, "rb") as file:  # noqa: PTH123
        while block := file.read(1 << 20):
            if state[1] < TEXT:
                names = frozenset(name.decode() for name in NAME.findall(block))
            digest.update(block)
    return _Content(digest.hexdigest(), names)


@cache
def _source(path: str, *_state: int) -> Source:
    with open(path, "rb") as file:  # noqa: PTH123
        content = file.read()
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return Source(sha256, dynamic="is no Python")
    imports: list[tuple[int, str, tuple[str, ...]]] = []
    strings: dict[str, None] = {}
    found = _Words()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [(0, alias.name, ()) for alias in node.names]
            found.imported([alias.name for alias in node.names], node.lineno)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            imports.append((node.level, node.module or "", names))
            found.imported([node.module or ""] if not node.level else [], node.lineno)
            found.words(names, node.lineno)
            found.special(node.module or "", names, node.lineno)
        elif isinstance(node, ast.Name):
            found.words((node.id,), node.lineno)
        elif isinstance(node, ast.Attribute):
            found.words((node.attr,), node.lineno)
            if isinstance(node.value, ast.Name):
                found.special(node.value.id, (node.attr,), node.lineno)
            if isinstance(node.ctx, ast.Store | ast.Del) and not _is_own(node.value):
                found.reaching = True
        elif isinstance(node, ast.arg) and node.arg == "monkeypatch":
            found.reaching = True
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _like_a_path(node.value):
            strings[node.value] = None
    return Source(sha256, tuple(imports), tuple(strings), found.dynamic, found.unseen, found.reaching)


class _Words:
    """The first words of each kind in a file."""

    def __init__(self) -> None:
        self.dynamic = self.unseen = ""
        self.reaching = False

    def words(self, words: Iterable[str], line: int) -> None:
        for word in words:
            if word in DYNAMIC and not self.dynamic:
                self.dynamic = f"{word} in line {line}"
            if word in UNSEEN and not self.unseen:
                self.unseen = f"{word} in line {line}"
            self.reaching = self.reaching or word in REACHING

    def imported(self, modules: Iterable[str], line: int) -> None:
        for module in modules:
            top = module.partition(".")[0]
            if top in ("runpy", "imp", "pkgutil", "zipimport") and not self.dynamic:
                self.dynamic = f"{top} in line {line}"
            if top in UNWATCHED and not self.unseen:
                self.unseen = f"{top} in line {line}"

    def special(self, module: str, names: Iterable[str], line: int) -> None:
        """Take in words that mean something in their module only."""
        for name in names:
            if (module, name) in (("time", "time"), ("time", "localtime"), ("time", "gmtime"), ("time", "ctime")):
                self.unseen = self.unseen or f"{module}.{name} in line {line}"
            if (module, name) == ("sys", "path"):
                self.dynamic = self.dynamic or f"sys.path in line {line}"


def _is_own(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _like_a_path(text: str) -> bool:
    return 0 < len(text) < 200 and "\n" not in text and "\0" not in text and ("." in text or "/" in text)


def _named(strings: Iterable[str], folders: list[Path]) -> Iterator[str]:
    """Yield the files that strings in a source name."""
    for text in strings:
        for folder in folders:
            path = os.path.join(folder, text)  # noqa: PTH118
            try:
                if os.path.isfile(path):  # noqa: PTH113
                    yield os.path.realpath(path)
            except ValueError:
                continue


def _targets(level: int, module: str, names: tuple[str, ...], package: str) -> Iterator[str]:
    """Yield the modules that an import may mean."""
    if level:
        parents = package.split(".") if package else []
        kept = parents[: len(parents) - (level - 1)] if level > 1 else parents
        module = ".".join([*kept, module] if module else kept)
    if module:
        yield module
    for name in names:
        if name != "*":
            yield f"{module}.{name}" if module else name


def _resolve(name: str, found: Closure) -> list[tuple[str, str]]:
    """Return the project's files that importing a module runs, with the packages they are in."""
    files: list[tuple[str, str]] = []
    path: list[str] | None = None
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        whole = ".".join(parts[:depth])
        if depth == 1 and (whole in sys.stdlib_module_names or whole in sys.builtin_module_names):
            return files
        spec = _spec(whole, path)
        if spec is None:
            if depth == 1:
                found.missing.add(whole)
            return files  # a name inside the module, most likely
        if spec.origin is not None and spec.has_location:
            real = os.path.realpath(spec.origin)
            if is_installed(real) or is_installed(spec.origin):
                if not real.startswith(OURS):
                    found.external.add(parts[0])
                return files
            inside = whole if spec.submodule_search_locations is not None else ".".join(parts[: depth - 1])
            files.append((os.path.realpath(spec.origin), inside))
        if spec.submodule_search_locations is None:
            return files
        path = list(spec.submodule_search_locations)
        if spec.origin is None and any(map(is_installed, path)):
            found.external.add(parts[0])
            return files
    return files


def _finds(finder: Any) -> bool:
    """Whether a finder is asked: not that of pytest, which only finds what another one finds too."""
    return hasattr(finder, "find_spec") and not type(finder).__module__.startswith("_pytest.")


def _spec(name: str, path: list[str] | None) -> ModuleSpec | None:
    """Find a module without importing it."""
    loaded = sys.modules.get(name)
    spec = getattr(loaded, "__spec__", None)
    if isinstance(spec, ModuleSpec):
        return spec
    finders: list[Any] = [PathFinder] if path is not None else [each for each in sys.meta_path if _finds(each)]
    for finder in finders:
        try:
            spec = finder.find_spec(name, path)
        except (ImportError, ValueError, AttributeError, OSError):
            continue
        if isinstance(spec, ModuleSpec):
            return spec
    return None
