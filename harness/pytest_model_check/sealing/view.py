"""What a sealed fit sees: the project's code, the Python environment, the system's programs. All else is not there.

Whatever git does not know is no code, and stays out: data that DVC tracks, its cache, the cache of fits, reports.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_model_check import git
from pytest_model_check.errors import EngineError, one_line

BWRAP = (
    "bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session",
    "--hostname", "sealed", "--cap-drop", "ALL", "--clearenv",
)  # fmt: skip
SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")  # beside /usr
SETTINGS = (
    "R", "alternatives", "fonts", "group", "hosts", "java", "java-17-openjdk", "java-21-openjdk", "ld.so.cache",
    "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "passwd", "ssl", "timezone",
)  # fmt: skip
HOME = "/tmp"  # noqa: S108 - its own, and empty
# DVC's own files, and the objects of a remote that lies in the repository
DVC = re.compile(r"(^|/)\.dvc/|\.dvc$|(^|/)dvc\.lock$|(^|/)[0-9a-f]{2}/[0-9a-f]{30}(\.dir)?$")
INSTALL = "apt-get install bubblewrap (0.8 or later)"


def problem() -> str:
    """Describe why no sandbox can be had here, and what to do; empty if one can."""
    if sys.platform != "linux":
        return "fits are sealed on Linux alone"
    if shutil.which("bwrap") is None:
        return f"bubblewrap is not installed: {INSTALL}"
    done = subprocess.run(  # noqa: S603 - its arguments are a list, no shell
        [*BWRAP, *_system(), "true"], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode == 0:
        return ""
    said = one_line(OSError(done.stderr.strip().rpartition("\n")[2]))
    if "unknown option" in done.stderr.lower():
        return f"this bubblewrap is too old ({said}): {INSTALL}"
    return (
        f"no sandbox can be had here ({said}): user namespaces must be allowed "
        "(sysctl kernel.apparmor_restrict_unprivileged_userns=0; in a container, --security-opt seccomp=unconfined "
        "--security-opt systempaths=unconfined)"
    )


@dataclass(frozen=True)
class View:
    """A copy of a project's code, and how a sandbox is made around it.

    Parameters
    ----------
    top : Path
        Of the project: where its code is seen.
    copy : Path
        Where its code lies.
    hidden : tuple of Path
        What is never seen, wherever it lies.
    """

    top: Path
    copy: Path
    hidden: tuple[Path, ...]

    def hide(self, paths: Iterable[Path]) -> None:
        """Take files out of the copy: git may track data, too."""
        for path in paths:
            if path.is_relative_to(self.top):
                (self.copy / path.relative_to(self.top)).unlink(missing_ok=True)

    def command(self, import_path: Iterable[str], folder: str) -> tuple[str, ...]:
        """Return the command that makes a sandbox, up to the program that runs in it.

        Parameters
        ----------
        import_path : iterable of str
            Where modules are imported from.
        folder : str
            The current folder.
        """
        environment = _environment(import_path, self.top, self.hidden)
        around = [path for path in environment if not path.is_relative_to(self.top)]
        inside = [path for path in environment if path.is_relative_to(self.top)]
        for path in (*inside, *([Path(folder)] if Path(folder).is_relative_to(self.top) else [])):
            (self.copy / path.relative_to(self.top)).mkdir(parents=True, exist_ok=True)
        return (
            *BWRAP,
            *_system(),
            *(word for path in around for word in ("--ro-bind", str(path), str(path))),
            *("--ro-bind", str(self.copy), str(self.top)),
            *(word for path in inside for word in ("--ro-bind", str(path), str(path))),
            *_masks(self.hidden, (Path("/usr"), *environment)),
            *("--remount-ro", "/", "--chdir", "/"),
        )


def make(root: Path, folder: Path, hidden: Iterable[Path], *, tracked: bool = False) -> View:
    """Copy the code of a project.

    Parameters
    ----------
    root : Path
        pytest's rootdir.
    folder : Path
        Where to, which does not exist yet.
    hidden : iterable of Path
        Files and folders that no fit may see: baselines, reports, caches.
    tracked : bool
        Files that git does not track are no code either: in a fresh checkout they are data, whatever is ignored.

    Raises
    ------
    EngineError
        If git can't tell what is code, or the disk does not take it.
    """
    top = git.toplevel(root)
    if top is None:
        raise EngineError(
            f"fits can't be sealed: {root} lies in no git repository, and git says which files are code", "git init"
        )
    if top in (Path(sys.prefix), Path(sys.base_prefix)):
        raise EngineError(
            f"fits can't be sealed: the virtual environment {top} is the project's own folder",
            "Make it in a folder of its own: python -m venv .venv",
        )
    kept_out = [path for path in hidden if path != top]
    try:
        folder.mkdir(parents=True)
        names = git.tracked(top) if tracked else git.known(top)
        kept_out += [top / name.removesuffix(".dvc") for name in names if name.endswith(".dvc")]  # whatever git ignores
        for name in names:
            source, target = top / name, folder / name
            is_hidden = DVC.search(name) or any(source.is_relative_to(path) for path in kept_out)
            if is_hidden or not (source.is_file() or source.is_symlink()):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    except OSError as error:
        raise EngineError(f"the project's code can't be copied for sealed fits: {one_line(error)}") from error
    return View(top, folder, (*kept_out, top / ".git", *_git_folders(top)))


def _git_folders(top: Path) -> Iterator[Path]:
    for which in ("--git-dir", "--git-common-dir"):
        yield Path(os.path.abspath(top / git.call(top, "rev-parse", which).strip()))  # noqa: PTH100 - links as written


def _system() -> tuple[str, ...]:
    words = ["--ro-bind", "/usr", "/usr"]
    for name in SYSTEM:
        if os.path.islink(name):  # noqa: PTH114
            words += ["--symlink", os.readlink(name), name]  # noqa: PTH115
        else:
            words += ["--ro-bind-try", name, name]
    for name in SETTINGS:
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return (*words, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/var/tmp")  # noqa: S108


def _environment(import_path: Iterable[str], top: Path, hidden: Iterable[Path]) -> list[Path]:
    """Return the folders of the Python environment, each once, the outer before the inner."""
    python = Path(sys.executable)
    named: list[str | Path] = [
        sys.prefix,
        sys.exec_prefix,
        sys.base_prefix,
        sys.base_exec_prefix,
        python.resolve().parents[1],
    ]
    places = {Path(path) for path in named} | {Path(path).resolve() for path in named}
    for entry in filter(None, import_path):
        path = Path(entry)
        if path.exists() and not path.is_relative_to(top):
            places.add(path)
    forbidden = (top, *hidden)
    kept = [path for path in places if path != top and not any(other.is_relative_to(path) for other in forbidden)]
    return sorted(
        path
        for path in kept
        if not any(path.is_relative_to(other) and path != other for other in (Path("/usr"), *kept))
    )


def _masks(hidden: Iterable[Path], seen: Iterable[Path]) -> Iterator[str]:
    """Cover what would be seen although it is hidden."""
    for path in hidden:
        if path.exists() and any(path.is_relative_to(place) for place in seen):
            yield from ("--tmpfs", str(path)) if path.is_dir() else ("--ro-bind", "/dev/null", str(path))
