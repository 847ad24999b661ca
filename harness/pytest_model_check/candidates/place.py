"""Place: where a candidate's files lie, who says which version they are, and what may be loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Trust:
    """What may be loaded, although loading it can run code: said by the merge base or typed, never by a branch.

    Parameters
    ----------
    types : frozenset of str
        The types that a skops file may hold, beside those that skops trusts itself.
    digests : callable
        Returns the md5 of the files that the merge base's ``.dvc`` files name; a pickle that is one of them may run.
    paths : frozenset of Path
        What was typed after ``--model-check-trust``.
    decides : str
        Whose word it is, in words.
    """

    types: frozenset[str] = frozenset()
    digests: Callable[[], frozenset[str]] = frozenset
    paths: frozenset[Path] = frozenset()
    decides: str = "HEAD"


@dataclass(frozen=True)
class Place:
    """Where a check is made.

    Parameters
    ----------
    root : Path
        Where paths and programs start: pytest's rootdir.
    version : callable
        Returns the md5 of a file or folder, after making sure that it is what DVC says where DVC tracks it.
    target : str
        The column that is predicted.
    trust : Trust
        What may be loaded.
    data : tuple of Path
        The files that are judged.
    made_by : callable
        Returns what is known of who made a file: words, and the files that it was made from; or None.
    """

    root: Path
    version: Callable[[Path], str]
    target: str = ""
    trust: Trust = field(default_factory=Trust)
    data: tuple[Path, ...] = ()
    made_by: Callable[[Path], tuple[str, tuple[Path, ...]] | None] = field(default=lambda path: None)
