"""What lies on the disk of the files under DVC: held against what git says, and where more may be put."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from pytest_model_check.data import dvc_cache, dvc_manifests, dvc_repository
from pytest_model_check.data.dvc_output import Output, keep_or_revert
from pytest_model_check.errors import DataError
from pytest_model_check.paths import quoted, show


def require_folder(output: Output) -> None:
    """Refuse anything else in the place of a tracked folder.

    Raises
    ------
    DataError
        If a file, a pipe or a device is there.
    """
    if output.path.exists() and not output.path.is_dir():
        raise _edited(output, [output.path], [])


def manifest(root: Path, output: Output) -> dict[str, str] | None:
    """Make the manifest of a tracked folder from what lies here, if that hashes to what git says."""
    if not output.path.is_dir() or any(map(_is_link, _on_the_way(root, output.path))):
        return None
    files = {file: dvc_cache.file_md5(file, legacy=output.legacy) for file in _files_in(output.path) if file.is_file()}
    for keep in (list, partial(dvc_repository.not_ignored, root)):
        listed = {file.relative_to(output.path).as_posix(): files[file] for file in keep(files)}
        if dvc_manifests.folder_md5(listed) == output.md5:
            return listed
    return None


def is_empty(folder: Path) -> bool:
    """Whether there is no file in a folder, or no folder."""
    return next(_files_in(folder), None) is None


def compare(root: Path, output: Output, path: Path, expected: Mapping[Path, str]) -> dict[Path, str]:
    """Hold what is here against what should be.

    Parameters
    ----------
    root : Path
        The repository's.
    output : Output
        What git says.
    path : Path
        What is asked for: the output, or something in it.
    expected : mapping of Path to str
        The files at or under `path`, with their md5.

    Returns
    -------
    dict of Path to str
        What is missing; nothing is in the way of it.

    Raises
    ------
    DataError
        If a file differs or is new, or what is missing can't be put in its place.
    """
    missing = {file: md5 for file, md5 in expected.items() if not file.exists()}
    changed = _changed(output, {file: md5 for file, md5 in expected.items() if file not in missing})
    new = []
    if path not in expected:
        _require_way(root, [path])  # a link might lead to all of the disk
        new = [file for file in _files_in(path) if file not in expected]
    if new:
        new = dvc_repository.not_ignored(root, new)
    if changed or new:
        raise _blame_cache(root, output, changed) or _edited(output, list(changed), new)
    _require_way(root, {file.parent for file in missing})
    return missing


def require_sound(root: Path, output: Output, files: Mapping[Path, str]) -> None:
    """Make sure that files are here and are what they should be.

    Raises
    ------
    DataError
        If one is not.
    """
    if changed := _changed(output, files):
        raise _blame_cache(root, output, changed) or _edited(output, list(changed), [])


def _changed(output: Output, files: Mapping[Path, str]) -> dict[Path, str]:
    return {file: md5 for file, md5 in files.items() if not dvc_cache.is_sound(file, md5, output)}


def _files_in(folder: Path) -> Iterator[Path]:
    """Yield what is no folder in a folder, however deep; links to folders are not followed."""
    return (file for file in folder.rglob("*") if not file.is_dir())


def _require_way(root: Path, folders: Iterable[Path]) -> None:
    """Refuse links, and what is no folder, on the way to files that are looked for, or have to be put there."""
    for folder in dict.fromkeys(folder for end in folders for folder in _on_the_way(root, end)):
        if _is_link(folder):
            raise DataError(
                f"{show(folder)} is a link, and DVC tracks nothing behind a link to a folder",
                f"Put a folder in its place: rm {quoted(folder)} (who brought it: git log -- {quoted(folder)})\n"
                "To have the data on another disk: dvc cache dir PATH && dvc config cache.type symlink",
            )
        if folder.exists() and not folder.is_dir():
            raise DataError(
                f"{show(folder)} is no folder, and a tracked file lies in a folder of that name",
                "Move it away, then run again",
            )


def _on_the_way(root: Path, path: Path) -> list[Path]:
    """List the folders from the repository's root to a path, and the path."""
    return [folder for folder in (*reversed(path.parents), path) if folder != root and folder.is_relative_to(root)]


def _is_link(path: Path) -> bool:
    return path.is_symlink() or (sys.version_info >= (3, 12) and path.is_junction())


def _blame_cache(root: Path, output: Output, changed: Mapping[Path, str]) -> DataError | None:
    """Return an error if a file differs because it was made from a corrupt object of the cache."""
    for file, md5 in changed.items():
        stored = dvc_cache.object_of(root, output, md5)
        if file.is_file() and stored.is_file() and not dvc_cache.is_sound(stored, md5, output):
            return dvc_cache.corrupt(stored, file)
    return None


def _edited(output: Output, changed: list[Path], new: list[Path]) -> DataError:
    if changed == [output.path]:
        what = _instead(output)
    else:
        groups = {"changed": changed, "new": new}
        what = "; ".join(
            f"{len(files)} {kind}: {', '.join(file.relative_to(output.path).as_posix() for file in files[:3])}"
            + (", ..." if len(files) > 3 else "")
            for kind, files in groups.items()
            if files
        )
    return DataError(f"{show(output.path)} differs from {show(output.tracker)} ({what})", keep_or_revert(output))


def _instead(output: Output) -> str:
    """Describe what lies in an output's place."""
    if output.path.is_file():
        return f"md5 {dvc_cache.file_md5(output.path, legacy=output.legacy)}, tracked {output.md5}"
    if output.is_folder:
        return "not a folder"
    return "a folder, not a file" if output.path.is_dir() else "not a regular file"
