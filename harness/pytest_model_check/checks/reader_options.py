"""Reader options: how the files of a check are read, where their ending does not say it. Pure.

They are plain values: a baseline keeps them, and whoever judges without the project's code reads the same rows.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Literal

from pytest_model_check.errors import PromiseError, did_you_mean

Format = Literal["text", "workbook", "Parquet"]
ENDINGS: dict[str, Format] = {
    ".csv": "text",
    ".tsv": "text",
    ".csv.gz": "text",
    ".tsv.gz": "text",
    ".xlsx": "workbook",
    ".parquet": "Parquet",
}
_BOTH: tuple[Format, ...] = ("text", "workbook")
# pandas' own names. What drops lines in silence, calls a function or reads another place is for load=.
OPTIONS: dict[str, tuple[Format, ...]] = {
    "columns": ("Parquet",),
    "comment": _BOTH,
    "date_format": _BOTH,
    "dayfirst": ("text",),
    "decimal": _BOTH,
    "doublequote": ("text",),
    "dtype": _BOTH,
    "encoding": ("text",),
    "escapechar": ("text",),
    "false_values": _BOTH,
    "header": _BOTH,
    "keep_default_na": _BOTH,
    "na_values": _BOTH,
    "names": _BOTH,
    "nrows": _BOTH,
    "parse_dates": _BOTH,
    "quotechar": ("text",),
    "sep": ("text",),
    "sheet_name": ("workbook",),
    "skipinitialspace": ("text",),
    "skiprows": _BOTH,
    "thousands": _BOTH,
    "true_values": _BOTH,
    "usecols": _BOTH,
}
SPACES = r"\s+"  # the one pattern: others might take for ever
THOUSANDS = re.compile(r"-?\d{1,3}((,\d{3})+(\.\d+)?|(\.\d{3}){2,}|( \d{3})+)")
DECIMAL_COMMA = re.compile(r"-?\d+,\d+")


def format_of(name: str) -> Format | None:
    """Return how a file of this name is written; None: its ending does not say."""
    return next((kind for ending, kind in ENDINGS.items() if name.lower().endswith(ending)), None)


def reader_options(read: Any) -> dict[str, Any] | None:
    """Return the options as JSON has them; None: there are none.

    Raises
    ------
    PromiseError
        Naming the option that is wrong, and what it may be.
    """
    if read is None:
        return None
    if not isinstance(read, Mapping):
        raise PromiseError(f"read={read!r} is no dict of options", 'Write them as pandas has them: read={"sep": ";"}')
    for option, value in read.items():
        if option not in OPTIONS:
            raise PromiseError(
                f"read= has no option {option!r}{did_you_mean(str(option), [*OPTIONS])}",
                f"It takes these of pandas' readers: {', '.join(OPTIONS)}. load= reads your own way.",
            )
        if not _is_plain(value):
            raise PromiseError(
                f"read={{{option!r}: {value!r}}} is no text, number, list or dict of them",
                'A baseline keeps it: write a type by its name ("float64"), or pass load= to read your own way.',
            )
    separator = read.get("sep", ",")
    if not isinstance(separator, str) or (len(separator) != 1 and separator != SPACES):
        raise PromiseError(
            f"read={{'sep': {separator!r}}} is no separator", 'It is one character, or r"\\s+" for any spaces.'
        )
    if isinstance(read.get("header"), list) or read.get("sheet_name", "") is None:
        raise PromiseError("read= names several headers or sheets", "A table has one of each; load= joins others.")
    if read.get("header") is False:  # as TOML has it, which knows no None
        read = {**read, "header": None}
    options: dict[str, Any] = json.loads(json.dumps(dict(read)))  # as a baseline will have them: lists, no tuples
    return options or None


def for_format(read: Mapping[str, Any] | None, kind: Format, name: str) -> dict[str, Any]:
    """Return the options for a file of this format.

    Raises
    ------
    PromiseError
        Naming an option that says nothing of such a file.
    """
    for option in read or ():
        if kind not in OPTIONS[option]:
            raise PromiseError(
                f"read= names {option!r}, which says nothing of {name}",
                f"Of {kind} it may name: {', '.join(known for known, kinds in OPTIONS.items() if kind in kinds)}.",
            )
    return dict(read or {})


def hint(value: str) -> str:
    """Return the option by which a value would be a number; empty where none would do."""
    if THOUSANDS.fullmatch(value):
        mark = next(character for character in value if not character.isdigit() and character != "-")
        return f'If these are numbers, say so: read={{"thousands": "{mark}"}}'
    if DECIMAL_COMMA.fullmatch(value):
        return 'If these are numbers, say so: read={"decimal": ","}'
    return ""


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
