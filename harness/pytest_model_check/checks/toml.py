"""``model_checks.toml`` -> what each of its tables promises, with the line of every key. Pure."""

from __future__ import annotations

import datetime
import inspect
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_model_check.checks.model_check import ModelCheck
from pytest_model_check.checks.reader_options import OPTIONS
from pytest_model_check.errors import PromiseError, did_you_mean

FILE = "model_checks.toml"
DEFAULT = "default"  # in place of a margin, where TOML has no None
KINDS = ("import", "program", "artifact", "service", "results")  # of candidates that are no standard pipeline

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string", "minLength": 1}
_TEXTS: Schema = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_ABOVE_0: Schema = {"type": "number", "exclusiveMinimum": 0}


@dataclass(frozen=True)
class _Kind:
    """What the value of a key may be: a test of it, the words for it, and a JSON Schema."""

    holds: Callable[[Any], bool]
    words: str
    schema: Schema


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _is_metrics(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(_is_number(margin) or margin == DEFAULT for margin in value.values())
    return _is_texts(value)


def _is_candidate(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and len(value.keys() & set(KINDS)) == 1)


TEXT = _Kind(lambda value: isinstance(value, str), "text", _TEXT)
TEXTS = _Kind(_is_texts, "text, or a list of texts", _TEXTS)
WHOLE = _Kind(_is_whole, "a whole number", {"type": "integer", "minimum": 1})
NUMBER = _Kind(_is_number, "a number", _ABOVE_0)
KEYS: Mapping[str, _Kind] = {
    "candidate": _Kind(
        _is_candidate,
        f"a standard pipeline's name, package.module:name, or a table with one of {', '.join(KINDS)}",
        {
            "anyOf": [
                _TEXT,
                *({"type": "object", "properties": {kind: _TEXT}, "required": [kind]} for kind in KINDS),
            ]
        },
    ),
    "task": _Kind(
        lambda value: value in ("classification", "regression"),
        "classification or regression",
        {"enum": ["classification", "regression"]},
    ),
    "data": TEXTS,
    "target": TEXT,
    "metrics": _Kind(
        _is_metrics,
        f'a metric, a list of them, or a table from metrics to margins (numbers, or "{DEFAULT}")',
        {
            "anyOf": [
                *_TEXTS["anyOf"],
                {"type": "object", "additionalProperties": {"anyOf": [_ABOVE_0, {"const": DEFAULT}]}},
            ]
        },
    ),
    "margin": NUMBER,
    "cv": _Kind(
        lambda value: _is_whole(value) or isinstance(value, str),
        "a number of folds, or a splitter in scikit-learn's words",
        {"anyOf": [{"type": "integer", "minimum": 2}, _TEXT]},
    ),
    "holdout": _Kind(
        lambda value: value is True or isinstance(value, str | datetime.date),
        "a file, a condition, a date, or true",
        {"anyOf": [_TEXT, {"const": True}]},
    ),
    "features": TEXTS,
    "groups": TEXT,
    "time": TEXT,
    "season": WHOLE,
    "sample_weight": TEXT,
    "slices": TEXTS,
    "seeds": WHOLE,
    "read": _Kind(
        lambda value: isinstance(value, dict),
        'a table of reader options, as {sep = ";"}',
        {"type": "object", "properties": dict.fromkeys(OPTIONS, True), "additionalProperties": False},
    ),
    "description": TEXT,
    "caveats": TEXTS,
    "timeout": NUMBER,
    "baseline": TEXT,
}
OWN = {
    "candidate": "The name of a standard pipeline (dummy, logistic, ridge, neighbors, forest, boosting), an import "
    "path (package.module:name), or a table: {import = ...}, {program = ...}, {artifact = ...}, {service = ...} or "
    "{results = ...}, beside which stand its other arguments.",
    "task": "What a standard pipeline is for, where there is one of its name for both.",
}


@dataclass(frozen=True)
class DeclaredCheck:
    """One table of the file.

    Parameters
    ----------
    name : str
        The check's.
    candidate : str or mapping
        What is written for it.
    task : str
        As written; empty: it is not.
    promise : mapping
        The other keys, as `make_check` takes them.
    where : mapping of str to int
        The line of every key; of the table's header under the empty name.
    """

    name: str
    candidate: str | Mapping[str, Any]
    task: str
    promise: Mapping[str, Any]
    where: Mapping[str, int]

    def located(self, message: str) -> str:
        """Let a message about an argument begin with its line in the file."""
        named = [key for key in re.findall(r"\b(\w+)=", message) if key in self.where]
        named += [key for key, value in self.promise.items() if any(repr(text) in message for text in _texts(value))]
        return f"{FILE}:{self.where.get(named[0] if named else '', 1)}: {message}"


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list | dict) else []


def parse(text: str) -> tuple[DeclaredCheck, ...]:
    """Read the file.

    Raises
    ------
    PromiseError
        With the line and the key of what is wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PromiseError(f"{FILE} is no TOML: {error}") from error
    checks = []
    for name, table in document.items():
        where = lines(text, name)
        if not isinstance(table, dict):
            raise PromiseError(
                f"{FILE}:{where['']}: {name} stands outside of a check", "Begin each check with its name: [churn]"
            )
        checks.append(_declared(name, table, where))
    return tuple(checks)


def _declared(name: str, table: Mapping[str, Any], where: Mapping[str, int]) -> DeclaredCheck:
    for key, value in table.items():
        place = f"{FILE}:{where.get(key, where[''])}: [{name}]"
        if key not in KEYS:
            raise PromiseError(
                f"{place} has no key {key!r}{did_you_mean(key, [*KEYS])}",
                f"It takes: {', '.join(KEYS)}.",
            )
        if not KEYS[key].holds(value):
            raise PromiseError(
                f"{place} {key} is {KEYS[key].words}, not {value!r}", "docs/first-hour.md says what each key may be."
            )
    if "candidate" not in table:
        raise PromiseError(f"{FILE}:{where['']}: [{name}] has no candidate", 'Name one: candidate = "logistic"')
    promise = {key: value for key, value in table.items() if key not in OWN}
    if isinstance(metrics := promise.get("metrics"), dict):
        promise["metrics"] = {metric: None if margin == DEFAULT else margin for metric, margin in metrics.items()}
    return DeclaredCheck(name, table["candidate"], table.get("task", ""), promise, where)


def lines(text: str, name: str) -> dict[str, int]:
    """Return the line of each key of a table, and of its header; Python's parser keeps none.

    A line is taken for what it looks like, outside of texts of several lines.
    """
    found, header, quoted = {"": 1}, [""], ""
    for number, line in enumerate(text.splitlines(), start=1):
        inside = bool(quoted)
        for mark in ('"""', "'''"):
            if quoted in ("", mark) and line.count(mark) % 2:
                quoted = "" if quoted else mark
        if inside:
            continue
        if match := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$", line):
            header = _parts(match[1])
            if header[0] == name:
                found.setdefault(header[1] if len(header) > 1 else "", number)
                if header == [name]:
                    found[""] = number
        elif match := re.match(r"\s*([^=#]+?)\s*=", line):
            parts = _parts(match[1])
            path = parts if header == [""] else [*header, *parts]
            if path[0] == name:
                found.setdefault(path[1] if len(path) > 1 else "", number)
                if path == [name]:
                    found[""] = number
    return found


def _parts(key: str) -> list[str]:
    return [quoted or bare for quoted, bare in re.findall(r"""["']([^"']*)["']|([^."'\s]+)""", key)] or [""]


def schema() -> Schema:
    """Return the JSON Schema of the file, for editors; what the keys mean is what `ModelCheck` says."""
    meanings = {**_meanings(), **OWN}
    keys = {key: {**kind.schema, "description": meanings[key]} for key, kind in KEYS.items()}
    check = {"type": "object", "properties": keys, "required": ["candidate"], "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FILE,
        "description": "Model checks without code: each table is one, and its name the baseline's.",
        "type": "object",
        "additionalProperties": check,
    }


def _meanings() -> dict[str, str]:
    text = inspect.getdoc(ModelCheck.__call__) or ""
    parameters = text.partition("Parameters\n----------\n")[2].partition("\nReturns\n")[0]
    found = re.findall(r"^(\w+) :[^\n]*\n((?:    [^\n]*\n?)+)", parameters, flags=re.MULTILINE)
    return {name: " ".join(meaning.split()) for name, meaning in found}
