"""The job of a process that runs old code: measure the approved model on the new data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_model_check.baselines import baseline_json
from pytest_model_check.baselines.record import Baseline


@dataclass(frozen=True)
class Job:
    """What `old_code.runner` asks of `session.old_code_session`, and where the two exchange files.

    Parameters
    ----------
    folder : Path
        Holds everything else of the job: the code, this tool, what is handed over and what comes back.
    baseline : Baseline
        The approved record.
    commit : str
        Of the approved model's code.
    files : mapping of str to str
        The new data: path and md5.
    root, old_root : Path
        Where the paths of the new and of the old data start.
    top : Path
        Git's toplevel of the project as it is now.
    import_roots : tuple of Path
        The folders of the worktree that modules are imported from.
    n_jobs : int
        How many fits at a time.
    """

    folder: Path
    baseline: Baseline
    commit: str
    files: Mapping[str, str]
    root: Path
    old_root: Path
    top: Path
    import_roots: tuple[Path, ...]
    n_jobs: int

    @property
    def code(self) -> Path:
        """The worktree of the approved commit."""
        return self.folder / "code"

    @property
    def rootdir(self) -> Path:
        """The folder of the worktree that stands for `root`."""
        return self.code / self.root.relative_to(self.top)

    @property
    def tool(self) -> Path:
        """The folder that this tool is imported from."""
        return self.folder / "tool"

    @property
    def control(self) -> Path:
        """The approved predictions of seed 0 in the first split."""
        return self.folder / "control.parquet"

    @property
    def result(self) -> Path:
        """The folder of what was measured: the baseline's JSON and its predictions."""
        return self.folder / "result"

    @property
    def rows(self) -> Path:
        """The file of the rows that `load=` makes."""
        return self.folder / "rows.parquet"

    @property
    def progress(self) -> Path:
        """The file that says how many fits of how many are done."""
        return self.folder / "progress.txt"

    def report_progress(self, done: int, total: int) -> None:
        """Write how many fits of how many are done."""
        self.progress.write_text(f"{done} {total}", encoding="ascii")

    def reported_progress(self) -> tuple[int, int]:
        """Read how many fits of how many are done; (0, 0) where none has begun, or it is being written."""
        try:
            done, total = map(int, self.progress.read_text(encoding="ascii").split())
        except (OSError, ValueError):
            return 0, 0
        return done, total

    @property
    def error(self) -> Path:
        """The file that says why there is no result."""
        return self.folder / "error.json"

    def to_json(self) -> dict[str, Any]:
        """Return the job in plain types."""
        return {
            "folder": str(self.folder),
            "baseline": baseline_json.to_json(self.baseline),
            "commit": self.commit,
            "files": dict(self.files),
            "root": str(self.root),
            "old_root": str(self.old_root),
            "top": str(self.top),
            "import_roots": [str(path) for path in self.import_roots],
            "n_jobs": self.n_jobs,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Job:
        """Read what `to_json` returns."""
        return cls(
            folder=Path(plain["folder"]),
            baseline=baseline_json.from_json(plain["baseline"]),
            commit=plain["commit"],
            files=plain["files"],
            root=Path(plain["root"]),
            old_root=Path(plain["old_root"]),
            top=Path(plain["top"]),
            import_roots=tuple(map(Path, plain["import_roots"])),
            n_jobs=plain["n_jobs"],
        )
