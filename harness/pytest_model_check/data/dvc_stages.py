"""The stage of a pipeline that made a file, as ``dvc.lock`` has it: from what, and whether that is still the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_model_check.data import dvc_files, dvc_trackers, dvc_yaml
from pytest_model_check.errors import DataError
from pytest_model_check.paths import absolute, show


@dataclass(frozen=True)
class Stage:
    """A stage that made a file.

    Parameters
    ----------
    name : str
        Of the stage.
    dependencies : tuple of Path
        The files and folders that it read: code, data.
    changed : tuple of Path
        Those that lie here in another version now, or not at all.
    """

    name: str
    dependencies: tuple[Path, ...]
    changed: tuple[Path, ...]

    @property
    def words(self) -> str:
        """What a report says of it."""
        sources = ", ".join(map(show, self.dependencies)) or "nothing that it names"
        made = f"dvc.lock says that the stage {self.name} made it from {sources}"
        if self.changed:
            return f"{made}, and {', '.join(map(show, self.changed))} changed since"
        return f"{made}, as they are here"


def made_by(path: Path) -> Stage | None:
    """Find the stage that made a file; None where no ``dvc.lock`` says so.

    Raises
    ------
    DataError
        If the ``dvc.lock`` can't be read.
    """
    path = absolute(path)
    root = dvc_trackers.find_root(path)
    output = None if root is None else dvc_trackers.find_output(root, path)
    if output is None or output.tracker.name != "dvc.lock":
        return None
    document = dvc_yaml.read(output.tracker)
    stages = document.get("stages", document)
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        if any(absolute(output.tracker.parent / out) == output.path for out, _ in _entries(stage, "outs")):
            read = [(absolute(output.tracker.parent / name), md5) for name, md5 in _entries(stage, "deps")]
            changed = tuple(file for file, md5 in read if _version(file) != md5)
            return Stage(str(name), tuple(file for file, _ in read), changed)
    return None


def _entries(stage: Any, key: str) -> Iterator[tuple[str, str]]:
    listed = stage.get(key) if isinstance(stage, dict) else None
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("path"), str):
            yield entry["path"], str(entry.get("md5", ""))


def _version(path: Path) -> str:
    try:
        return dvc_files.version(path)
    except DataError:
        return ""
