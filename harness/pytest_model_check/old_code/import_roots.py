"""Where modules come from: the import roots of a project, and modules that are not of its old code."""

from __future__ import annotations

import json
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

PACKAGES = {"site-packages", "dist-packages"}


@dataclass(frozen=True)
class Stray:
    """A module that is not the old code's.

    Parameters
    ----------
    name : str
        Its dotted name.
    path : Path
        Where it came from.
    """

    name: str
    path: Path


def roots(top: Path, path: Iterable[str], modules: Mapping[str, ModuleType]) -> tuple[Path, ...]:
    """Find the folders of a repository that its modules are imported from, relative to its top.

    Parameters
    ----------
    top : Path
        Git's toplevel.
    path : iterable of str
        Such as `sys.path`.
    modules : mapping of str to module
        Such as `sys.modules`: an editable install need not be on the path.
    """
    folders = [Path(entry).resolve() for entry in path]
    for name, module in dict(modules).items():
        file = _file(module)
        if file is not None and "." not in name:
            folders.append(file.parents[1 if file.stem == "__init__" else 0])
    inside = [folder for folder in folders if folder.is_relative_to(top.resolve()) and not _installed(folder)]
    return tuple(dict.fromkeys(folder.relative_to(top.resolve()) for folder in inside))


def stray(
    modules: Mapping[str, ModuleType], *, top: Path, code: Path, paths: Iterable[Path], tool: Path
) -> Stray | None:
    """Find a module that should have come from the old code, and did not.

    Parameters
    ----------
    modules : mapping of str to module
        Such as `sys.modules`.
    top : Path
        The project as it is now: nothing may come from there.
    code : Path
        The worktree that holds the old code.
    paths : iterable of Path
        Its import roots: what they hold must not come from elsewhere (a copy in site-packages).
    tool : Path
        Where this tool was imported from.
    """
    top, code, tool = top.resolve(), code.resolve(), tool.resolve()
    paths, copied = list(paths), _copied(top)
    for name, module in dict(modules).items():
        file, first = _file(module), name.partition(".")[0]
        if file is None or first in sys.stdlib_module_names or first in ("__main__", "__mp_main__"):
            continue
        if file.is_relative_to(code) or file.is_relative_to(tool):
            continue
        inside = file.is_relative_to(top) and not _installed(file)
        if inside or first in copied or any(_holds(folder, name) for folder in paths):
            return Stray(name, file)
    return None


def _file(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if isinstance(file, str) else None


def _installed(path: Path) -> bool:
    """Whether a path is of a Python environment, which may lie inside the project."""
    stdlib = Path(sysconfig.get_path("stdlib")).resolve()
    return not PACKAGES.isdisjoint(path.parts) or path.is_relative_to(stdlib)


def _holds(folder: Path, name: str) -> bool:
    place = folder.joinpath(*name.split("."))
    return place.with_name(f"{place.name}.py").is_file() or (place / "__init__.py").is_file()


def _copied(top: Path) -> set[str]:
    """Return the modules that ``pip install FOLDER`` has copied from the project into this environment."""
    return {name for copy in distributions() if _came_from(copy, top) for name in _top_levels(copy)}


def _came_from(distribution: Distribution, top: Path) -> bool:
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    url = urlsplit(origin.get("url", ""))
    if url.scheme != "file" or origin.get("dir_info", {}).get("editable"):  # what is editable comes from the project
        return False
    from urllib.request import url2pathname  # which brings http.client

    return Path(url2pathname(url.path)).resolve().is_relative_to(top)


def _top_levels(distribution: Distribution) -> Iterator[str]:
    for file in distribution.files or ():
        if file.suffix == ".py" and ".." not in file.parts:
            yield file.parts[0].removesuffix(".py")
