"""The files that DVC tracks: held against what git says, pulled where missing, added.

The way of a check: what git says (`dvc_trackers`), what lies on the disk (`dvc_workspace`), what has to be brought
(`dvc_remote`). DVC trusts itself: it checks out a corrupt object as it is, and a checkout that fails removes the whole
output, edits included. So everything is hashed here, before and after; DVC only fetches into its cache, and from there
only files that are missing are put in place. A file that is there is never written.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pytest_model_check.data import dvc_cache, dvc_manifests, dvc_remote, dvc_repository, dvc_trackers, dvc_workspace
from pytest_model_check.data.dvc_failures import failed
from pytest_model_check.data.dvc_output import Output, is_digest, keep_or_revert
from pytest_model_check.data.dvc_repository import locked
from pytest_model_check.errors import DataError
from pytest_model_check.paths import absolute, clipped, quoted, show

_BROUGHT: dict[str, int] = {}  # files that were missing when this process asked for them, and when they were written


def verified(path: Path) -> str:
    """Make sure that a file or folder is here and is exactly what git says; pull it where it is missing.

    Parameters
    ----------
    path : Path
        A tracked file or folder, or one inside a tracked folder. Only what lies under it is pulled and hashed.

    Returns
    -------
    str
        Its md5; a folder's ends in `.dir`.

    Raises
    ------
    DataError
        If it can't be had, or differs.
    """
    path = absolute(path)
    root = dvc_trackers.require_root(path)
    try:
        output = dvc_trackers.require_output(root, path)
        expected, md5 = _expected(output, path, _manifest(root, output))
        missing = dvc_workspace.compare(root, output, path, expected)
        if missing:
            dvc_remote.pull(root, output, path, missing)
            dvc_workspace.require_sound(root, output, missing)
            _BROUGHT.update({os.path.realpath(file): file.stat().st_mtime_ns for file in missing})
    except OSError as error:
        raise failed(show(path), error) from error
    return md5


def was_brought(path: str, written: int) -> bool:
    """Whether `verified` put a file, by its real path, where none was: nothing can have read another content before.

    Parameters
    ----------
    path : str
        The file.
    written : int
        When it was last written, in nanoseconds since the epoch.
    """
    return _BROUGHT.get(path) == written


def version(path: Path) -> str:
    """Return the md5 of a file or folder that need not be tracked; where DVC tracks it, it is made sure of and pulled.

    Raises
    ------
    DataError
        If it is not there, or differs from what DVC says.
    """
    path = absolute(path)
    root = dvc_trackers.find_root(path)
    if root is not None and dvc_trackers.find_output(root, path) is not None:
        return verified(path)
    if not path.exists():
        raise DataError(
            f"{show(path)} does not exist, and DVC does not track it",
            "Check the path: it starts at pytest's rootdir. A file that is too large for git: dvc add it.",
        )
    if path.is_file():
        return dvc_cache.file_md5(path)
    files = {
        file.relative_to(path).as_posix(): dvc_cache.file_md5(file)
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }
    return dvc_manifests.folder_md5(files)


def version_as_in(path: Path, project: Path) -> str:
    """Return the md5 of a file or folder of a worktree, brought by way of the project where DVC tracks it.

    Parameters
    ----------
    path : Path
        In the worktree, which has neither the project's cache nor its local settings.
    project : Path
        The same path in the project.

    Raises
    ------
    DataError
        If it can't be had.
    """
    path = absolute(path)
    root = dvc_trackers.find_root(path)
    output = None if root is None else dvc_trackers.find_output(root, path)
    if output is None or output.path != path or path.exists():
        return version(path)
    fetch(project, output.md5, path)
    return output.md5


def add(path: Path) -> str:
    """Track a file or folder with DVC, as `dvc add` does.

    Parameters
    ----------
    path : Path
        The file or folder, inside a DVC repository.

    Returns
    -------
    str
        Its md5; a folder's ends in `.dir`.

    Raises
    ------
    DataError
        If DVC can't track it.
    """
    path = absolute(path)
    root = dvc_trackers.require_root(path)
    if not path.exists():
        raise DataError(
            f"{show(path)} does not exist, so DVC can't track it", "Check the path, or write the file first"
        )
    dvc_remote.add(root, path)
    return verified(path)


def is_another_version(path: Path) -> bool:
    """Whether a file is here in another version than the tracked one, as after a switch of branches.

    That version is in DVC's cache, so nothing is lost if it is replaced.
    """
    path = absolute(path)
    root = dvc_trackers.find_root(path)
    output = dvc_trackers.find_output(root, path) if root and path.is_file() else None
    if root is None or output is None or output.path != path or dvc_cache.is_sound(path, output.md5, output):
        return False
    md5 = dvc_cache.file_md5(path, legacy=output.legacy)
    return dvc_cache.is_sound(dvc_cache.object_of(root, output, md5), md5, output)


def fetch(path: Path, md5: str, target: Path) -> None:
    """Copy an earlier version of a tracked file, or folder, from DVC's cache, or else its remote, to another place.

    Parameters
    ----------
    path : Path
        Where the file is, or was, tracked: tells the repository, its remote, and what to call it.
    md5 : str
        The version; a folder's ends in `.dir`.
    target : Path
        Where to copy it.

    Raises
    ------
    DataError
        If it can't be had.
    """
    path = absolute(path)
    root = dvc_trackers.require_root(path)
    if not is_digest(md5):
        raise DataError(f"{show(path)}: {clipped(md5)} is no md5", "A version is named by its md5, 32 digits")
    output = _version(root, path, md5)
    try:
        wanted = {path: md5}
        if output.is_folder:
            manifest = _cached_manifest(root, output) or dvc_remote.fetch_manifest(root, output)
            wanted = {path / name: digest for name, digest in manifest.items()}
        stored = {file: dvc_cache.object_of(root, output, digest) for file, digest in wanted.items()}
        if absent := {
            file: wanted[file] for file in wanted if not dvc_cache.is_sound(stored[file], wanted[file], output)
        }:
            stored |= dvc_remote.fetch_objects(root, output, absent)
        for file, place in stored.items():
            copy = target / file.relative_to(path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place, copy)
    except OSError as error:
        raise failed(show(path), error) from error


def versioned_by(path: Path) -> list[Path]:
    """Name the files that say, in git, which version of a data file is meant; DVC's own settings with them."""
    path = absolute(path)
    root = dvc_trackers.require_root(path)
    output = dvc_trackers.require_output(root, path)
    settings = [root / name for name in (".dvcignore", ".dvc/config", ".dvc/.gitignore")]
    return [output.tracker, output.tracker.with_name(".gitignore"), *settings]


def remote_url(folder: Path) -> str:
    """Return where ``dvc push`` goes to, a folder as its absolute path; empty where there is no remote.

    Raises
    ------
    DataError
        If DVC can't tell.
    """
    with dvc_repository.opened(dvc_trackers.require_root(folder), show(folder)) as (repo, _):
        name = repo.config["core"].get("remote")
        return str(repo.config["remote"].get(name, {}).get("url", "")) if name else ""


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Let one process at a time write baselines; the system frees the lock of a process that dies.

    Raises
    ------
    DataError
        If `folder` lies in no DVC repository, or that can't be locked.
    """
    with locked(dvc_trackers.require_root(absolute(folder) / "_"), "model-check-baselines.lock"):
        yield


def _manifest(root: Path, output: Output) -> Mapping[str, str]:
    """Read the list of a tracked folder's files from where it costs least; a file has none."""
    if not output.is_folder:
        return {}
    dvc_workspace.require_folder(output)
    if output.files is not None:
        return output.files
    if (manifest := _cached_manifest(root, output)) is not None:
        return manifest
    if (manifest := dvc_workspace.manifest(root, output)) is not None:  # what lies there proves itself
        return manifest
    try:
        return dvc_remote.fetch_manifest(root, output)
    except DataError as error:
        if dvc_workspace.is_empty(output.path):
            raise
        raise DataError(
            f"{show(output.path)} differs from {show(output.tracker)}, and its list of files can't be had",
            f"{keep_or_revert(output)}\nWhy there is no list to compare with: {error}",
        ) from error


def _cached_manifest(root: Path, output: Output) -> dict[str, str] | None:
    return dvc_cache.read_manifest(dvc_cache.object_of(root, output, output.md5), output)


def _expected(output: Output, path: Path, manifest: Mapping[str, str]) -> tuple[dict[Path, str], str]:
    """List which files must be at or under `path`, with their md5; and the md5 of the whole."""
    if not output.is_folder:
        if path != output.path:
            raise DataError(
                f"{show(path)} can't be: {show(output.tracker)} says that {show(output.path)} is a file",
                f"Check the path, or what is tracked: dvc list . {quoted(output.path)}",
            )
        return {path: output.md5}, output.md5
    inside = path.relative_to(output.path).as_posix()
    if inside in manifest:
        return {path: manifest[inside]}, manifest[inside]
    prefix = "" if path == output.path else f"{inside}/"
    under = {name.removeprefix(prefix): md5 for name, md5 in manifest.items() if name.startswith(prefix)}
    if prefix and not under:
        raise _not_inside(output, path, manifest)
    md5 = dvc_manifests.folder_md5(under) if prefix else output.md5
    return {path / name: md5 for name, md5 in under.items()}, md5


def _not_inside(output: Output, path: Path, manifest: Mapping[str, str]) -> DataError:
    if path.exists():
        return DataError(
            f"{show(path)} is not in the tracked version of {show(output.path)} ({show(output.tracker)})",
            keep_or_revert(output),
        )
    inside = path.relative_to(output.path).as_posix()
    return DataError(
        f"{show(path)} does not exist, and the tracked folder {show(output.path)} has no such file"
        + dvc_trackers.similar(inside, manifest),
        f"Check the path; what the folder has: dvc list . {quoted(output.path)} --recursive",
    )


def _version(root: Path, path: Path, md5: str) -> Output:
    """Describe a version of what is, or was, tracked at `path`."""
    try:
        now = dvc_trackers.find_output(root, path)
    except DataError:  # a tracker that is broken, or in conflict, now: the version that is asked for is not its concern
        now = None
    return Output(
        tracker=path.with_name(f"{path.name}.dvc"),
        path=path,
        md5=md5,
        legacy=now is not None and now.legacy,
        remote=None if now is None else now.remote,
    )
