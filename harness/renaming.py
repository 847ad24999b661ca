"""Give a baseline another name, or put it aside: its files move, its history stays. A kill leaves one name usable."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness import baselines, dvcfiles, git, history
from harness.baselinejson import Baseline, to_text
from harness.baselines import write_text
from harness.check import file_name
from harness.dvctrackers import file_md5
from harness.errors import BaselineError, DataError
from harness.history import GIVEN_UP, RETIRED, is_retirement
from harness.verdicts import Acceptance


def rename(folder: Path, old: str, new: str) -> tuple[Path, ...]:
    """Give a baseline another name; what DVC keeps stays the same object.

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
    taken = next((known for known in baselines.names(folder) if known.lower() == new.lower()), None)
    if taken is None:
        history.names(folder, [old])
    elif taken != new or not _left_by_a_killed_rename(folder, old, new):
        raise BaselineError(
            f"there is a baseline {taken} already",
            f'Take another name, or give that one up first: model-check retire {taken} "why"',
        )
    with _alone(folder, old) as baseline:
        if taken is None:
            assert baseline is not None
            _write(folder, baseline, new)
        _remove(folder, old)
    return _changed(folder, *_files(folder, old), *_files(folder, new))


def retire(folder: Path, name: str, reason: str) -> tuple[Path, ...]:
    """Put the baseline of a check that is given up aside, with the reason; its predictions go.

    Returns
    -------
    tuple of Path
        What git has to commit, what is gone included.

    Raises
    ------
    BaselineError
        If there is no such baseline or no reason, or a file can't be written.
    """
    if not reason.strip():
        raise BaselineError(
            f"{name} can't be retired without a reason", f'Say why: model-check retire {name} "the shop was closed"'
        )
    shelved = folder / RETIRED / f"{name}.json"
    with _alone(folder, name) as baseline:
        if baseline is not None:
            given_up = Acceptance(baseline.generation, reason.strip(), GIVEN_UP, tuple(baseline.metrics))
            with _in_words(f"{name} could not be retired"):
                shelved.parent.mkdir(exist_ok=True)
                write_text(shelved, to_text(replace(baseline, history=(*baseline.history, given_up))))
        elif not _left_by_a_killed_retirement(folder, name):
            raise history.unknown(folder, name)
        _remove(folder, name)
    return _changed(folder, *_files(folder, name), shelved)


def _require_name(new: str) -> None:
    if file_name(new) != new:
        raise BaselineError(
            f"{new!r} can't be a file's name on every system", f"Use letters, digits, . _ -: {file_name(new)}"
        )


def _left_by_a_killed_rename(folder: Path, old: str, new: str) -> bool:
    """Whether the new name is the old baseline's already."""
    before, after = baselines.read(folder, old), baselines.read(folder, new)
    assert after is not None
    back = replace(after, name=old, formerly=after.formerly[:-1])
    return after.formerly[-1:] == (old,) and before in (None, back)


def _left_by_a_killed_retirement(folder: Path, name: str) -> bool:
    """Whether it was retired, and something of it is still there."""
    left = any(path.exists() for path in _files(folder, name)) or _ignored(name) in _ignores(folder)
    shelved = baselines.read(folder / RETIRED, name)
    return left and shelved is not None and any(map(is_retirement, shelved.history))


@contextlib.contextmanager
def _alone(folder: Path, name: str) -> Iterator[Baseline | None]:
    """Give a baseline while no other run can write one."""
    state = baselines.state(folder, name)
    baseline = baselines.read(folder, name)  # puts right what a killed run left, and takes the lock for it
    try:
        with dvcfiles.writing(folder):
            if baselines.state(folder, name) != state:
                raise BaselineError(f"{name}.json was changed by another run meanwhile", "Run this command again.")
            yield baseline
    except DataError as error:
        raise BaselineError(f"{name} can't be moved: {error.message}", error.advice) from error


def _files(folder: Path, name: str) -> tuple[Path, Path, Path]:
    return folder / f"{name}.json", folder / f"{name}.parquet.dvc", folder / f"{name}.parquet"


def _write(folder: Path, baseline: Baseline, new: str) -> None:
    """Write all that bears the new name, the JSON last; on a failure nothing of it stays."""
    old = baseline.name
    _, tracker, parquet = _files(folder, old)
    path, new_tracker, new_parquet = _files(folder, new)
    text = _tracked_as(tracker, old, new) if tracker.is_file() else None
    _require_free(new_tracker, new_parquet, baseline, text)
    try:
        with _in_words(f"{old} could not be renamed"):
            if parquet.is_file():
                shutil.copyfile(parquet, new_parquet)
            if text is not None:
                _ignore(folder, new)
                write_text(new_tracker, text)
            write_text(path, to_text(replace(baseline, name=new, formerly=(*baseline.formerly, old))))
    except BaseException:
        _remove(folder, new)
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
    """Give the text of the `.dvc` file with the other path in it; all else in it stays."""
    text = tracker.read_text(encoding="utf-8")
    line = rf"""(?m)^([ \t]*(?:-[ \t]+)?path:[ \t]*)(["']?){re.escape(old)}\.parquet\2[ \t]*$"""
    changed, times = re.subn(line, rf"\g<1>{new}.parquet", text)
    if times != 1:
        raise BaselineError(
            f"{tracker.name} does not track {old}.parquet once", f"Bring it back: git checkout -- {tracker}"
        )
    return changed if changed.endswith("\n") else f"{changed}\n"


def _remove(folder: Path, name: str) -> None:
    """Remove what bears a name, the JSON first: without it the rest is nobody's."""
    with _in_words(f"what was {name} could not be removed"):
        for path in _files(folder, name):
            path.unlink(missing_ok=True)
        _ignore(folder, name, ignored=False)


def _ignore(folder: Path, name: str, *, ignored: bool = True) -> None:
    """Keep git's eyes off a parquet file, as DVC does, or no longer."""
    path, line, before = folder / ".gitignore", _ignored(name), _ignores(folder)
    after = [one for one in before if one != line] + [line] * ignored
    if after and after != before:
        write_text(path, "\n".join(after) + "\n")
    elif before and not after:
        path.unlink()


def _ignores(folder: Path) -> list[str]:
    path = folder / ".gitignore"
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _ignored(name: str) -> str:
    return f"/{name}.parquet"


def _changed(folder: Path, *paths: Path) -> tuple[Path, ...]:
    """Keep what git has to commit: what is there now, and what it knew; never the predictions."""
    files = [path for path in (*paths, folder / ".gitignore") if path.suffix != ".parquet"]
    return tuple(path for path in files if path.exists() or _known(path))


def _known(path: Path) -> bool:
    return git.toplevel(path.parent) is not None and git.asks(path.parent, "ls-files", "--error-unmatch", path.name)


@contextlib.contextmanager
def _in_words(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BaselineError(f"{what}: {error}", "What is there is whole; run the same command again.") from error
