"""The YAML of DVC: `.dvc` files, `dvc.lock` and `dvc.yaml`, read within bounds."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

from pytest_model_check import bounded
from pytest_model_check.errors import DataError, one_line
from pytest_model_check.paths import quoted, show

LIMIT = 5_000_000  # bytes: some 200 kB are parsed a second, at the worst 30
VALUES = 1_000_000  # with aliases written out, as `<<` and DVC do: each line may stand for many times the one before
DEEPEST = 100  # in one another: each value takes the longer to parse, the deeper it lies
CONFLICT = re.compile(r"^(<<<<<<<|>>>>>>>)( |$)", re.MULTILINE)


def read(file: Path) -> dict[str, Any]:
    """Read a `.dvc` file, `dvc.lock` or `dvc.yaml`.

    Raises
    ------
    DataError
        If it has merge conflict markers, is beyond all bounds, or is no YAML mapping.
    """
    text = bounded_text(file)
    if CONFLICT.search(text):
        raise DataError(
            f"{show(file)} has merge conflict markers (<<<<<<<)",
            f"Decide which version of the data is meant, then save {show(file)} without the markers, "
            f"or take one side: git checkout --ours {quoted(file)} (or --theirs), then dvc checkout",
        )
    try:
        return _parsed(text)
    except ValueError as error:
        raise unreadable(file, str(error)) from error


def bounded_text(file: Path) -> str:
    """Read a file that DVC parses, as text; parsed, it takes neither too long nor too much memory.

    Raises
    ------
    DataError
        If it would.
    """
    try:
        text = bounded.read_bytes(file, LIMIT).decode("utf-8")
    except (ValueError, OSError) as error:
        raise unreadable(file, getattr(error, "strerror", None) or str(error)) from error
    may_grow, may_be_deep = "&" in text and "*" in text, text.count("[") + text.count("{") > DEEPEST
    if (may_grow or may_be_deep) and (reason := _why_immodest(text)):
        raise unreadable(file, reason)
    return text


@lru_cache(maxsize=32)
def _parsed(text: str) -> dict[str, Any]:
    """Parse a document, once for all the checks whose data it names; nobody changes what it returns.

    Raises
    ------
    ValueError
        If it is no YAML mapping; says why.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an anchor that is used twice
            document = YAML(typ="safe").load(text)
    except RecursionError as error:
        raise ValueError("it is nested deeper than can be read") from error
    except (YAMLError, ValueError, LookupError, TypeError, AttributeError) as error:  # of odd tags, not all in words
        reason = one_line(error, str(getattr(error, "problem", None) or ""))
        raise ValueError(reason if reason.isprintable() else ascii(reason)) from error
    if not isinstance(document, dict):
        raise ValueError("it is empty or no mapping")
    return document


def unreadable(file: Path, why: str) -> DataError:
    """Describe a file of git's that can't be read."""
    return DataError(
        f"{show(file)} can't be read: {why}",
        f"Restore it: git checkout -- {quoted(file)} (what changed: git diff {quoted(file)})",
    )


def _why_immodest(text: str) -> str:
    """Return why a document is too much to load, empty if it is not; what is no YAML is left to who loads it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent

    sizes: dict[str | None, int] = {}
    begun: list[tuple[str | None, int]] = []
    total = 0
    try:
        for event in YAML(typ="safe").parse(text):
            if isinstance(event, CollectionEndEvent):
                anchor, before = begun.pop()
                sizes[anchor] = total - before
            elif isinstance(event, NodeEvent):
                total += sizes.get(event.anchor, 1) if isinstance(event, AliasEvent) else 1
            if isinstance(event, CollectionStartEvent):
                begun.append((event.anchor, total - 1))
            if total > VALUES:
                return f"its aliases (*) stand for more than {VALUES:,} values"
            if len(begun) > DEEPEST:
                return f"it is nested deeper than {DEEPEST} levels"
    except (YAMLError, ValueError):
        pass
    return ""
