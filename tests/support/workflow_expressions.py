"""GitHub's expressions, ``${{ ... }}``, as far as this repository's workflows use them; anything else is an error."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<sign>==|!=|<=|>=|<|>|&&|\|\||!|\(|\)|\[|\]|\.|,))"
)
_PLACE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_LITERALS = {"true": True, "false": False, "null": None}
STATUS = ("success", "failure", "always", "cancelled")


class UnsupportedError(Exception):
    """What GitHub may know and this imitation does not."""


def evaluate(expression: str, context: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """Return the value of an expression, without its ``${{ }}``."""
    return _Parser(expression, context, {**FUNCTIONS, **functions}).all()


def fill(text: Any, context: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """Replace every ``${{ }}`` in a text; other scalars stay what they are."""
    if not isinstance(text, str):
        return text
    return _PLACE.sub(lambda place: to_text(evaluate(place[1], context, functions)), text)


def condition(text: Any, context: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> bool:
    """Decide an ``if:``; it also asks for success(), unless it speaks of the status itself."""
    whole = _PLACE.fullmatch(str(text).strip())
    expression = whole[1] if whole else str(text)
    if not any(re.search(rf"\b{name}\s*\(", expression) for name in STATUS) and not functions["success"]():
        return False
    return truthy(evaluate(expression, context, functions))


def truthy(value: Any) -> bool:
    """Tell what GitHub takes for true."""
    return not (value is None or value is False or value == "" or (value == 0 and not isinstance(value, str)))


def to_text(value: Any) -> str:
    """Write a value as GitHub does."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def _same(a: Any, b: Any) -> bool:
    """Compare as GitHub does: texts without regard to case, values of two kinds as numbers."""
    if isinstance(a, str) and isinstance(b, str):
        return a.casefold() == b.casefold()
    if isinstance(a, (dict, list)) or isinstance(b, (dict, list)):
        return a is b
    return _number(a) == _number(b)


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except ValueError:
        return math.nan


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(_same(item, what) for item in where)
    return to_text(what).casefold() in to_text(where).casefold()


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "contains": _contains,
    "startswith": lambda text, start: to_text(text).casefold().startswith(to_text(start).casefold()),
    "endswith": lambda text, end: to_text(text).casefold().endswith(to_text(end).casefold()),
    "format": lambda form, *values: re.sub(r"\{(\d+)\}", lambda m: to_text(values[int(m[1])]), form),
    "tojson": lambda value: json.dumps(value, indent=2),
    "fromjson": json.loads,
}


def hash_files(folder: Path) -> Callable[..., str]:
    """Return hashFiles() of a workspace."""

    def hashed(*patterns: str) -> str:
        files = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
        whole = hashlib.sha256()
        for path in files:
            whole.update(hashlib.sha256(path.read_bytes()).digest())
        return whole.hexdigest() if files else ""

    return hashed


class _Parser:
    """Recursive descent: or, and, comparison, not, operand with its properties."""

    def __init__(self, source: str, context: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> None:
        self.source, self.context, self.functions = source, context, functions
        self.tokens: list[tuple[str, str]] = []
        rest = source.strip()
        while rest:
            token = _TOKEN.match(rest)
            if token is None:
                raise UnsupportedError(f"can't read {rest!r} in the expression {source!r}")
            kind = str(token.lastgroup)
            self.tokens.append((kind, token[kind]))
            rest = rest[token.end() :].strip()

    def all(self) -> Any:
        value = self._or()
        if self.tokens:
            raise UnsupportedError(f"can't read {self.tokens[0][1]!r} in the expression {self.source!r}")
        return value

    def _take(self, *signs: str) -> str | None:
        if self.tokens and self.tokens[0][0] == "sign" and self.tokens[0][1] in signs:
            return self.tokens.pop(0)[1]
        return None

    def _or(self) -> Any:
        value = self._and()
        while self._take("||"):
            other = self._and()
            value = value if truthy(value) else other
        return value

    def _and(self) -> Any:
        value = self._equal()
        while self._take("&&"):
            other = self._equal()
            value = other if truthy(value) else value
        return value

    def _equal(self) -> Any:
        value = self._not()
        while sign := self._take("==", "!="):
            value = _same(value, self._not()) is (sign == "==")
        return value

    def _not(self) -> Any:
        return not truthy(self._not()) if self._take("!") else self._operand()

    def _operand(self) -> Any:
        if self._take("("):
            value = self._or()
            self._expect(")")
            return value
        kind, text = self.tokens.pop(0) if self.tokens else ("end", "")
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind != "name":
            raise UnsupportedError(f"the expression {self.source!r} breaks off or has an unknown sign {text!r}")
        if self._take("("):
            return self._call(text)
        if text in _LITERALS:
            return _LITERALS[text]
        if text not in self.context:
            raise UnsupportedError(f"no context {text!r} in the expression {self.source!r}")
        return self._properties(self.context[text])

    def _call(self, name: str) -> Any:
        if name.casefold() not in self.functions:
            raise UnsupportedError(f"no function {name!r} in the expression {self.source!r}")
        arguments = []
        if not self._take(")"):
            arguments.append(self._or())
            while self._take(","):
                arguments.append(self._or())
            self._expect(")")
        return self.functions[name.casefold()](*arguments)

    def _properties(self, value: Any) -> Any:
        while sign := self._take(".", "["):
            if sign == ".":
                key = self.tokens.pop(0)[1] if self.tokens else ""
            else:
                key = self._or()
                self._expect("]")
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise UnsupportedError(f"{sign!r} is missing in the expression {self.source!r}")
