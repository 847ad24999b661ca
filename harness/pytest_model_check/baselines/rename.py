"""Rename a baseline: its files move, its history stays. A kill leaves one name usable."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from pytest_model_check.atomic import copy_file, write_text
from pytest_model_check.baselines import history, store
from pytest_model_check.baselines.baseline_json import to_text
from pytest_model_check.baselines.files import files_of, ignore, locked, remove, reported_as, to_commit
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.checks.check import file_name
from pytest_model_check.data.dvc_cache import file_md5
from pytest_model_check.errors import BaselineError


def rename(folder: Path, old: str, new: str) -> tuple[Path, ...]:
    """Rename a baseline; what DVC keeps stays the same object.

    Everything of the new name is written first, its JSON last; then what bore the old name goes, its JSON first. Done
    again, it finishes what a killed run left.

    Returns
    -------
    tuple of Path
        What git has to commit, what is gone included.

    Raises
    ------
    BaselineError
        If there is no such baseline, the name is taken or none, or a file can't be written: then all is as it was.
    """
    _require_name(new)
    if old.lower() == new.lower():
        raise BaselineError(
            f"{old} and {new} are one name on many file systems",
            f"Go by a third: model-check rename {old} {old}-2, commit, then model-check rename {old}-2 {new}.",
        )
    taken = next((known for known in store.names(folder) if known.lower() == new.lower()), None)
    if taken is None:
        history.names(folder, [old])
    elif taken != new or not _left_by_a_killed_rename(folder, old, new):
        raise BaselineError(
            f"there is a baseline {taken} already",
            f'Take another name, or give that one up first: model-check retire {taken} "why"',
        )
    with locked(folder, old) as baseline:
        if taken is None:
            assert baseline is not None
            _write(folder, baseline, new)
        remove(folder, old)
    return to_commit(folder, *files_of(folder, old), *files_of(folder, new))


def _require_name(new: str) -> None:
    if file_name(new) != new:
        raise BaselineError(
            f"{new!r} can't be a file's name on every system", f"Use letters, digits, . _ -: {file_name(new)}"
        )


def _left_by_a_killed_rename(folder: Path, old: str, new: str) -> bool:
    """Whether the new name is the old baseline's already."""
    before, after = store.read(folder, old), store.read(folder, new)
    assert after is not None
    back = replace(after, name=old, formerly=after.formerly[:-1])
    return after.formerly[-1:] == (old,) and before in (None, back)


def _write(folder: Path, baseline: Baseline, new: str) -> None:
    """Write all that bears the new name, the JSON last; on a failure nothing of it stays."""
    old = baseline.name
    _, tracker, parquet = files_of(folder, old)
    path, new_tracker, new_parquet = files_of(folder, new)
    text = _tracked_as(tracker, old, new) if tracker.is_file() else None
    _require_free(new_tracker, new_parquet, baseline, text)
    try:
        with reported_as(f"{old} could not be renamed"):
            if parquet.is_file():
                copy_file(parquet, new_parquet)
            if text is not None:
                ignore(folder, new)
                write_text(new_tracker, text)
            write_text(path, to_text(replace(baseline, name=new, formerly=(*baseline.formerly, old))))
    except BaseException:
        remove(folder, new)
        raise


def _require_free(tracker: Path, parquet: Path, baseline: Baseline, text: str | None) -> None:
    """Refuse to write over files that no killed run of ours left."""
    foreign = tracker.exists() and tracker.read_text(encoding="utf-8", errors="replace") != text
    if not foreign and parquet.exists():
        foreign = file_md5(parquet) != baseline.predictions_md5
    if foreign:
        raise BaselineError(
            f"{(tracker if tracker.exists() else parquet).name} is there already, and is not {baseline.name}'s",
            "Remove it if nobody needs it, or take another name.",
        )


def _tracked_as(tracker: Path, old: str, new: str) -> str:
    """Format the `.dvc` file with the other path in it; all else in it stays."""
    text = tracker.read_text(encoding="utf-8")
    line = rf"""(?m)^([ \t]*(?:-[ \t]+)?path:[ \t]*)(["']?){re.escape(old)}\.parquet\2[ \t]*$"""
    changed, times = re.subn(line, rf"\g<1>{new}.parquet", text)
    if times != 1:
        raise BaselineError(
            f"{tracker.name} does not track {old}.parquet once", f"Bring it back: git checkout -- {tracker}"
        )
    return changed if changed.endswith("\n") else f"{changed}\n"
