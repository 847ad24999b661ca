"""The files that DVC tracks: held against what git says, pulled where missing, added.

DVC trusts itself: it checks out a corrupt object as it is, and a checkout that fails removes the whole output, edits
included. So everything is hashed here, before and after; DVC only fetches into its cache, and from there only files
that are missing are put in place. A file that is there is never written.
"""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from pytest_model_check.data import dvc_remote
from pytest_model_check.data.dvc_trackers import (
    Output,
    absolute,
    cache_folder,
    corrupt,
    file_md5,
    files_in,
    find_output,
    find_root,
    folder_md5,
    is_sound,
    object_in,
    quoted,
    read_manifest,
    show,
)
from pytest_model_check.errors import DataError


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
    root = _root(path)
    try:
        output = find_output(root, path) or dvc_remote.find_output(root, path)
        if output is None:
            raise _untracked(path)
        if not output.md5:
            raise _unrecorded(output)
        expected, digest = _expected(root, output, path)
        missing = _compare(root, output, path, expected)
        if missing:
            dvc_remote.pull(root, output, path, missing)
            _compare(root, output, path, expected)
    except OSError as error:
        raise dvc_remote.failed(show(path), error) from error
    return digest


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
    root = _root(path)
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
    root = find_root(path)
    output = find_output(root, path) if root and path.is_file() else None
    if root is None or output is None or output.path != path or is_sound(path, output.md5, output):
        return False
    mine = file_md5(path, legacy=output.legacy)
    return is_sound(object_in(cache_folder(root), mine, legacy=output.legacy), mine, output)


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
    root = _root(path)
    try:
        now = find_output(root, path)
    except DataError:  # a tracker that is broken, or in conflict, now: the version that is asked for is not its concern
        now = None
    output = Output(
        tracker=path.with_name(path.name + ".dvc"),
        path=path,
        md5=md5,
        legacy=now is not None and now.legacy,
        remote=None if now is None else now.remote,
    )
    try:
        if not output.is_folder:
            _copy(_object(root, output), target)
            return
        for name, digest in dvc_remote.fetch_manifest(root, output).items():
            _copy(_object(root, replace(output, path=path / name, md5=digest)), target / name)
    except OSError as error:
        raise dvc_remote.failed(show(path), error) from error


def _object(root: Path, output: Output) -> Path:
    stored = object_in(cache_folder(root), output.md5, legacy=output.legacy)
    return stored if is_sound(stored, output.md5, output) else dvc_remote.fetch_object(root, output)


def _copy(stored: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(stored, target)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Let one process at a time write baselines; the system frees the lock of a process that dies.

    Raises
    ------
    DataError
        If `folder` lies in no DVC repository, or that can't be locked.
    """
    with dvc_remote.locked(_root(absolute(folder) / "_"), "model-check-baselines.lock"):
        yield


def _root(path: Path) -> Path:
    if root := find_root(path):
        return root
    if here := find_root(Path.cwd() / "_"):
        raise DataError(
            f"{show(path)} lies outside the DVC repository {here.as_posix()}",
            f"Copy it into the repository and track it there: dvc add {quoted(here / path.name)}",
        )
    raise DataError(
        f"{show(path)}: there is no DVC repository here, nor in any folder above",
        "Make one, and track the data in it: "
        f"git init && dvc init && dvc add {quoted(path)} && git add . && git commit -m 'Track the data'",
    )


def _expected(root: Path, output: Output, path: Path) -> tuple[dict[Path, str], str]:
    """Say which files must be at or under `path`, with their md5, and the md5 of the whole."""
    if not output.is_folder:
        if path != output.path:
            raise DataError(
                f"{show(path)} can't be: {show(output.tracker)} says that {show(output.path)} is a file",
                f"Check the path, or what is tracked: dvc list . {quoted(output.path)}",
            )
        return {path: output.md5}, output.md5
    if output.path.is_file():
        raise _edited(output, [output.path], [])
    manifest = _manifest(root, output)
    inside = path.relative_to(output.path).as_posix()
    if inside in manifest:
        return {path: manifest[inside]}, manifest[inside]
    prefix = "" if path == output.path else f"{inside}/"
    under = {name.removeprefix(prefix): md5 for name, md5 in manifest.items() if name.startswith(prefix)}
    if prefix and not under:
        raise _not_inside(output, path, manifest)
    return {path / name: md5 for name, md5 in under.items()}, folder_md5(under) if prefix else output.md5


def _manifest(root: Path, output: Output) -> Mapping[str, str]:
    """Get the list of a tracked folder's files, from where it costs least."""
    if output.files is not None:
        return output.files
    stored = object_in(cache_folder(root), output.md5, legacy=output.legacy)
    if (manifest := read_manifest(stored, output.md5)) is not None:
        return manifest
    # Not in the cache, at least not where we look: what lies here proves itself if it hashes to what git says.
    present = {file: file_md5(file, legacy=output.legacy) for file in files_in(output.path).values()}
    for keep in (list, partial(dvc_remote.not_ignored, root)):
        listed = {file.relative_to(output.path).as_posix(): present[file] for file in keep(present)}
        if folder_md5(listed) == output.md5:
            return listed
    try:
        return dvc_remote.fetch_manifest(root, output)
    except DataError as error:
        if not present:
            raise
        raise DataError(
            f"{show(output.path)} differs from {show(output.tracker)}, and its list of files can't be had",
            f"{_keep_or_revert(output)}\nWhy there is no list to compare with: {error}",
        ) from error


def _compare(root: Path, output: Output, path: Path, expected: Mapping[Path, str]) -> dict[Path, str]:
    """Hold what is here against what should be: returns what is missing, raises for what differs."""
    missing = {file: md5 for file, md5 in expected.items() if not file.exists()}
    wrong = {file: md5 for file, md5 in expected.items() if file not in missing and not is_sound(file, md5, output)}
    new = [] if path in expected else [file for file in files_in(path).values() if file not in expected]
    if new:
        new = dvc_remote.not_ignored(root, new)
    if wrong or new:
        _blame_cache(root, output, wrong)
        raise _edited(output, list(wrong), new)
    return missing


def _blame_cache(root: Path, output: Output, wrong: Mapping[Path, str]) -> None:
    """Raise if a file differs because it was made from a corrupt object of the cache."""
    for file, md5 in wrong.items():
        stored = object_in(cache_folder(root), md5, legacy=output.legacy)
        if file.is_file() and stored.is_file() and not is_sound(stored, md5, output):
            raise corrupt(stored, file)


def _edited(output: Output, wrong: list[Path], new: list[Path]) -> DataError:
    if wrong == [output.path]:
        actual = file_md5(output.path, legacy=output.legacy) if output.path.is_file() else ""
        what = f"md5 {actual}, tracked {output.md5}" if actual else "a folder, not a file"
    else:
        groups = {"changed": wrong, "new": new}
        what = "; ".join(
            f"{len(files)} {kind}: {', '.join(file.relative_to(output.path).as_posix() for file in files[:3])}"
            + (", ..." if len(files) > 3 else "")
            for kind, files in groups.items()
            if files
        )
    return DataError(f"{show(output.path)} differs from {show(output.tracker)} ({what})", _keep_or_revert(output))


def _keep_or_revert(output: Output) -> str:
    path = quoted(output.path)
    if not output.cached:
        return f"To keep the change: dvc commit {path}\nTo go back: git checkout -- {path}"
    keep = "commit" if output.tracker.name == "dvc.lock" else "add"
    return (
        f"To keep the change, as a new version: dvc {keep} {path} && git add {quoted(output.tracker)}\n"
        f"To go back to the tracked version: dvc fetch {path} && dvc checkout --force {path}"
    )


def _untracked(path: Path) -> DataError:
    if path.exists():
        tracker = path.with_name(path.name + ".dvc")
        inside = sorted(path.glob("*.dvc"))
        return DataError(
            f"{show(path)} is not tracked by DVC: nothing says which version of it is meant",
            f"Name the tracked files in it instead: {show(inside[0].with_suffix(''))}"
            if inside
            else f"Track it: dvc add {quoted(path)} && git add {quoted(tracker)}",
        )
    names = {entry.name.removesuffix(".dvc") for entry in path.parent.glob("*")} if path.parent.is_dir() else set()
    return DataError(
        f"{show(path)} does not exist, and DVC tracks no such file" + _similar(path.name, names - {""}),
        "Check the path. If the data is elsewhere, copy it there, then track it: "
        f"dvc add {quoted(path)}. If a colleague tracks it: git pull",
    )


def _not_inside(output: Output, path: Path, manifest: Mapping[str, str]) -> DataError:
    if path.exists():
        return DataError(
            f"{show(path)} is not in the tracked version of {show(output.path)} ({show(output.tracker)})",
            _keep_or_revert(output),
        )
    inside = path.relative_to(output.path).as_posix()
    return DataError(
        f"{show(path)} does not exist, and the tracked folder {show(output.path)} has no such file"
        + _similar(inside, manifest),
        f"Check the path; what the folder has: dvc list . {quoted(output.path)} --recursive",
    )


def _similar(name: str, names: Mapping[str, str] | set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(names), n=3)
    return f" (similar: {', '.join(near)})" if near else ""


def _unrecorded(output: Output) -> DataError:
    return DataError(
        f"{show(output.tracker)} records no md5 for {show(output.path)} yet",
        f"Record it: dvc commit {quoted(output.path)} (the output of a stage: dvc repro; an import: "
        f"dvc update {quoted(output.tracker)}), then commit {show(output.tracker)} to git",
    )
