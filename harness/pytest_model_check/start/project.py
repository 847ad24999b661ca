"""The project that a check comes into: what of git, DVC and pytest is there, what is missing, and its being brought."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_model_check import git
from pytest_model_check.atomic import write_text
from pytest_model_check.data import dvc_files, dvc_setup, dvc_trackers
from pytest_model_check.errors import DataError, ModelCheckError
from pytest_model_check.paths import quoted, show
from pytest_model_check.start.undo import all_or_nothing

CONFIGURED = ("pytest.ini", ".pytest.ini", "pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg")
MOST_BYTES = 50_000_000  # of data that a remote inside the repository should hold: git keeps them for ever
PYTEST_INI = "[pytest]\n# The folder of this file is where data= and the folder baselines/ are looked for.\n"


class TakenError(ModelCheckError):
    """A file that would be written is there already."""


@dataclass(frozen=True)
class Project:
    """Where a check is brought, and what is missing there.

    Parameters
    ----------
    root : Path
        pytest's rootdir: where the paths of a check start.
    top : Path
        The repository's top.
    data : Path
        The table.
    has_git, has_dvc, has_pytest, is_tracked : bool
        What is there: repositories, an ini file of pytest's, DVC's word for the table.
    remote : str
        ``there``, ``inside`` (to be made), or ``none`` (the data is too large for one inside).
    """

    root: Path
    top: Path
    data: Path
    has_git: bool
    has_dvc: bool
    has_pytest: bool
    is_tracked: bool
    remote: str

    @property
    def name(self) -> str:
        """The data's path, as a check names it."""
        return self.data.relative_to(self.root).as_posix()

    def steps(self) -> list[str]:
        """Return what will be done to the repository, in words."""
        folder = show(self.top)
        steps = [] if self.has_git else [f"git init ({folder})"]
        steps += [] if self.has_dvc else [f"dvc init ({folder})"]
        if self.remote == "inside":
            steps.append(f"a DVC remote in {dvc_setup.REMOTE}, which git keeps: a clone has everything")
        steps += [] if self.is_tracked else [f"dvc add {quoted(self.data)}: git keeps its fingerprint"]
        return steps

    def settings(self) -> dict[Path, str]:
        """Return the files of settings that will be written, with their content."""
        files = {} if self.has_pytest else {self.root / "pytest.ini": PYTEST_INI}
        if self.remote == "inside":
            path = self.top / ".gitattributes"
            old = path.read_text(encoding="utf-8") if path.is_file() else ""
            files[path] = old + ("\n" if old and not old.endswith("\n") else "") + dvc_setup.ATTRIBUTES
        return files

    def touched(self) -> list[Path]:
        """Return what git and DVC write by themselves."""
        beside = self.data.parent / ".gitignore"
        paths = [self.top / ".git" if not self.has_git else self._index()]
        paths += [] if self.has_dvc else [self.top / ".dvc", self.top / ".dvcignore"]
        return [*paths, *([] if self.is_tracked else [self.tracker, beside])]

    def to_commit(self, name: str) -> list[Path]:
        """Return what git has to keep beside the files that were written: data, baseline and settings."""
        baselines = self.root / "baselines"
        paths = [self.tracker, self.data.parent / ".gitignore", self.top / ".dvc", self.top / ".dvcignore"]
        paths += [baselines / f"{name}.json", baselines / f"{name}.parquet.dvc", baselines / ".gitignore"]
        return [path for path in paths if path.exists()]

    @property
    def tracker(self) -> Path:
        """The file that says which version of the table is meant."""
        return self.data.with_name(f"{self.data.name}.dvc")

    def _index(self) -> Path:
        return self.top / git.call(self.top, "rev-parse", "--git-path", "index").strip()

    def bring(self) -> None:
        """Set up what is missing, and track the data."""
        if not self.has_git:
            git.call(self.top, "init", "--quiet", "--initial-branch=main")
        if not self.has_dvc:
            dvc_setup.set_up(self.top, remote=self.remote == "inside")
        if not self.is_tracked:
            dvc_files.add(self.data)


def find(data: Path) -> Project:
    """Look at what is there.

    Raises
    ------
    ModelCheckError
        If a check of this table can't be brought here.
    """
    here = Path.cwd()
    data = Path(os.path.abspath(data))  # noqa: PTH100 - DVC may have made it a link
    if not data.is_file():
        raise DataError(f"{show(data)} is not there, or is no file", "Name a table: model-check init customers.csv")
    top = git.toplevel(here)
    top = None if top is None else top.resolve()
    places = [here, *(folder for folder in here.parents if top and folder.resolve().is_relative_to(top))]
    configured = next((folder for folder in places if any((folder / name).is_file() for name in CONFIGURED)), None)
    root = configured or here
    if not data.is_relative_to(root):
        raise DataError(
            f"{show(data)} lies outside {root}, where the project is",
            f"Bring it here: mkdir -p data && cp {quoted(data)} data/",
        )
    repository = dvc_trackers.find_root(data)
    tracked = repository is not None and dvc_trackers.find_output(repository, data) is not None
    if top is not None and not tracked and git.call(top, "ls-files", "--", str(data.resolve())):
        raise DataError(
            f"{show(data)} is kept in git itself: DVC can't track it, too",
            f"Take it out of git, and keep the file: git rm --cached {quoted(data)}",
        )
    if repository is not None:
        remote = "there" if dvc_files.remote_url(data.parent) else "none"
    else:
        remote = "inside" if data.stat().st_size <= MOST_BYTES else "none"
    return Project(
        root=root,
        top=repository or (top and _as_spelt(top, here)) or root,
        data=data,
        has_git=top is not None,
        has_dvc=repository is not None,
        has_pytest=configured is not None,
        is_tracked=tracked,
        remote=remote,
    )


def _as_spelt(top: Path, here: Path) -> Path:
    """Return the top of the repository as the working directory is spelt: links stay."""
    return next((folder for folder in (here, *here.parents) if folder.resolve() == top), top)


def require_free(paths: Iterable[Path]) -> None:
    """Refuse to write over what is there.

    Raises
    ------
    TakenError
        Naming the first file that is.
    """
    for path in paths:
        if path.exists():
            raise TakenError(
                f"{show(path)} is there already, and nothing is written over", "Choose another: --name NAME"
            )


def write(
    project: Project, files: Mapping[Path, str], nodeid: str, name: str, page: Path, then: Callable[[], None]
) -> None:
    """Bring everything, and record the first baseline; or leave all as it was.

    Parameters
    ----------
    project : Project
        Where.
    files : mapping of Path to str
        What is written, beside what git, DVC and the recording write.
    nodeid, name : str
        The test's, and the check's.
    page : Path
        What `then` writes.
    then : callable
        Is called once the baseline is there.

    Raises
    ------
    ModelCheckError
        If the baseline can't be recorded: then nothing is left.
    """
    baselines = project.root / "baselines"
    recorded = [baselines / f"{name}{ending}" for ending in (".json", ".parquet", ".parquet.dvc")]
    folders = [path.parent for path in files if not path.parent.exists()]
    made = [baselines, baselines / ".gitignore", project.root / ".pytest_cache"]
    with all_or_nothing([*project.touched(), *files, *recorded, *folders, *made, page]):
        project.bring()
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, text)
        _record(project, nodeid)
        if not recorded[0].is_file():
            raise ModelCheckError(f"{name}: pytest recorded no baseline in {show(baselines)}", "Is it another folder?")
        then()
        if project.remote != "none":
            dvc_setup.push(project.top, [project.data, recorded[1]])


def _record(project: Project, nodeid: str) -> None:
    command = [sys.executable, "-m", "pytest", "--update-baselines", nodeid]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(  # noqa: S603 - its arguments are a list, no shell
        command, cwd=project.root, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise ModelCheckError("the first baseline could not be recorded", "\n".join(said[-25:]))
