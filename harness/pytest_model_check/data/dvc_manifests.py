"""A manifest: the list of a tracked folder's files, which anyone may have written; read so, and hashed as DVC does."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pytest_model_check.data.dvc_output import MD5
from pytest_model_check.errors import DataError
from pytest_model_check.paths import clipped, quoted, show

LIMIT = 64_000_000  # bytes: some 800,000 files
DEEPEST = 100  # folders in one another
LONGEST = 1_000  # bytes of a path; one name in it: 255

OUT = re.compile(r"(?:^|/)(?:\.{0,2}(?:/|\Z)|[A-Za-z]:)|\\")  # a part that is empty, ., .. or a drive; a backslash
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# What lies there DVC never tracks, and git runs. Windows takes blanks and dots at the end for nothing, macOS what is
# invisible.
KEPT = re.compile(r"(?:^|/)(?:\.(?:git|dvc|hg)|git~\d)[ .]*(?:[:/]|\Z)", re.IGNORECASE)
INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def parse(content: bytes, tracker: Path, folder: Path) -> dict[str, str]:
    """Read the manifest of a folder: relative path -> md5.

    Parameters
    ----------
    content : bytes
        The manifest, as DVC stores it.
    tracker, folder : Path
        What names the folder, and the folder: for messages.

    Raises
    ------
    DataError
        If it is no list of files, or names a file that would not lie in the folder.
    """
    try:
        listed = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _refused(tracker, folder, "is malformed: it is no JSON, or nested too deeply") from error
    return entries(listed, tracker, folder)


def entries(listed: object, tracker: Path, folder: Path) -> dict[str, str]:
    """Read the entries of a manifest.

    Raises
    ------
    DataError
        As `parse`.
    """
    if not isinstance(listed, list):
        raise _refused(tracker, folder, "is malformed: it is no list")
    files: dict[str, str] = {}
    for entry in listed:
        name = entry.get("relpath") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            raise _refused(tracker, folder, f"is malformed: {clipped(entry)} names no file")
        if reason := _why_unsafe(name):
            raise _refused(tracker, folder, f"names {clipped(name)}, {reason}")
        md5 = entry.get("md5")
        if not isinstance(md5, str) or not MD5.fullmatch(md5):
            raise _refused(tracker, folder, f"has no md5 for {clipped(name)}, but {clipped(md5)}")
        if name in files:
            raise _refused(tracker, folder, f"names {clipped(name)} twice")
        files[name] = md5
    if both := sorted(_folders(files) & files.keys()):
        raise _refused(tracker, folder, f"names {clipped(both[0])} as a file and as a folder")
    return files


def is_kept(name: str) -> bool:
    """Whether a path, with `/`, leads into what git or DVC keep for themselves, on any system."""
    return KEPT.search(INVISIBLE.sub("", name)) is not None


def _why_unsafe(name: str) -> str:
    """Return why a file of that name may not lie in the folder on every system; empty if it does."""
    if OUT.search(name):
        return "which leads out of the folder, or may on another system"
    if CONTROL.search(name):
        return "which has control characters"
    if is_kept(name):
        return "which git or DVC keep for themselves"
    length = len(name.encode())
    if length > LONGEST or (length > 255 and any(len(part.encode()) > 255 for part in name.split("/"))):
        return f"which is longer than {LONGEST:,} bytes, or 255 in one name"
    return f"which lies deeper than {DEEPEST} folders" if name.count("/") > DEEPEST else ""


def _folders(names: Iterable[str]) -> set[str]:
    folders: set[str] = set()
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return folders


def too_large(tracker: Path, folder: Path) -> DataError:
    """Describe a manifest that is beyond all bounds."""
    return _refused(tracker, folder, f"is larger than {LIMIT // 10**6} MB")


def _refused(tracker: Path, folder: Path, why: str) -> DataError:
    return DataError(
        f"{show(tracker)}: the list of files of {show(folder)} {why}",
        f"None of it was fetched. See who brought it: git log -- {quoted(tracker)}\n"
        f"Then, where the data is whole, track it anew: dvc add {quoted(folder)} && dvc push {quoted(folder)}",
    )


def folder_md5(files: Mapping[str, str]) -> str:
    """Hash a folder, from the md5 of each file in it, as DVC does."""
    listed = [{"md5": md5, "relpath": name} for name, md5 in sorted(files.items())]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
