"""What a process of old code is asked to do."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_model_check.baselines.baseline_json import from_json
from pytest_model_check.baselines.record import Baseline

if TYPE_CHECKING:
    pass


@dataclasses.dataclass(frozen=True)
class Order:
    """What is asked of this process.

    Parameters
    ----------
    baseline : Baseline
        The approved record.
    commit : str
        Of its code.
    files : mapping of str to str
        The new data: path and md5.
    root, old_root : Path
        Where the paths of the new and of the old data start.
    top, code, where : Path
        The project as it is now, the worktree, and the folder in it that stands for `root`.
    paths : tuple of Path
        The worktree's import roots.
    tool : Path
        Where this tool is imported from.
    control : Path
        The approved predictions of seed 0 in the first split.
    answer, refusal : Path
        The folder for the answer, and the file that says why there is none.
    jobs : int
        How many fits at a time.
    """

    baseline: Baseline
    commit: str
    files: Mapping[str, str]
    root: Path
    old_root: Path
    top: Path
    code: Path
    where: Path
    paths: tuple[Path, ...]
    tool: Path
    control: Path
    answer: Path
    refusal: Path
    jobs: int

    @classmethod
    def read(cls, path: Path) -> Order:
        """Read it from a file."""
        plain = json.loads(path.read_text(encoding="utf-8"))
        folders = ("root", "old_root", "top", "code", "where", "tool", "control", "answer", "refusal")
        return cls(
            **plain
            | {name: Path(plain[name]) for name in folders}
            | {"baseline": from_json(plain["baseline"]), "paths": tuple(map(Path, plain["paths"]))}
        )
