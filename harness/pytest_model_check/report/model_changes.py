"""Two models -> the parameters, and the columns they look at, that differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_model_check.judgement.compared import Compared

OPENING, CLOSING = "([{", ")]}"
NAMED = re.compile(r"[A-Za-z_]\w*=")
STEP = re.compile(r"\('([\w-]+)', (.*)\)", re.DOTALL)
ENTRY = re.compile(r"'(\w+)': ")
MOST = 12  # changes: more are another model


@dataclass(frozen=True)
class Change:
    """One parameter of a model, and both its values: "default" where it is left out, "absent" where a step is."""

    parameter: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.parameter}: {self.before} -> {self.now}"


def changes(released: str, candidate: str) -> tuple[Change, ...]:
    """Compare two models, as `checks.describe` describes them; empty where they are not of one kind.

    Parameters
    ----------
    released, candidate : str
        Such as ``Pipeline(steps=[('scale', StandardScaler()), ('svc', SVC(C=2.0))])``; the difference of two of them is
        ``svc.C``.
    """
    found = tuple(_changes(released, candidate, ""))
    return found if len(found) <= MOST and all(change.parameter for change in found) else ()


def changed_features(compared: Compared) -> tuple[Change, ...]:
    """Name the columns that only one of both models looks at; empty where they look at the same."""
    before, now = compared.released_features, compared.protocol.get("features")
    if not compared.released or (before is None and now is None) or set(before or ()) == set(now or ()):
        return ()
    if before is None or now is None:
        shown = ["every column" if names is None else ", ".join(names) for names in (before, now)]
        return (Change("features", *shown),)
    only = [", ".join(name for name in mine if name not in other) for mine, other in ((before, now), (now, before))]
    return (Change("features", only[0] or "absent", only[1] or "absent"),)


def in_words(compared: Compared) -> str:
    """Say which parameters, and which columns, differ; empty where none does, or the models are of two kinds."""
    return "; ".join(map(str, (*changes(compared.released, compared.candidate), *changed_features(compared))))


def _changes(before: str, now: str, place: str) -> Iterator[Change]:
    if before == now:
        return
    (old_head, old), (new_head, new) = _parts(before), _parts(now)
    if old is None or new is None or old_head != new_head or (not old_head and _are_values(old.keys() ^ new.keys())):
        yield Change(place, before, now)
        return
    lacking = "default" if old_head else "absent"
    for key in dict.fromkeys([*old, *new]):
        inner = key if not place or key.startswith("[") else f"{place}.{key}"
        if key == "steps" and old_head == "Pipeline":  # as scikit-learn calls the parameters of its steps
            inner = place
        elif key.startswith("["):
            inner = f"{place}{key}"
        if key in old and key in new:
            yield from _changes(old[key], new[key], inner)
        else:
            yield Change(inner, old.get(key, lacking), new.get(key, lacking))


def _are_values(keys: Iterable[str]) -> bool:
    """Whether these are items of a list of values, which have no names."""
    return any(key.startswith("[") for key in keys)


def _parts(text: str) -> tuple[str, dict[str, str] | None]:
    """Split a call or a collection into its name and its items, by name or place; None: it is neither."""
    start = next((i for i, character in enumerate(text) if character in OPENING), len(text))
    if start == len(text) or not re.fullmatch(r"[\w.]*", text[:start]) or _end(text, start) != len(text) - 1:
        return text, None
    items = {}
    for i, item in enumerate(_split(text[start + 1 : -1])):
        step = STEP.fullmatch(item)
        if step is not None and text[start] == "[":
            items[step[1]] = step[2] if len(_split(step[2])) == 1 else f"({step[2]})"
        elif text[start] == "{" and (entry := ENTRY.match(item)):
            items[entry[1]] = item[entry.end() :]
        elif (named := NAMED.match(item)) and text[start] == "(":
            items[item[: named.end() - 1]] = item[named.end() :]
        else:
            items[f"[{i}]"] = item
    return text[:start], items


def _split(text: str) -> list[str]:
    """Split at the commas that stand in no bracket and no quotes."""
    items, start, i = [], 0, 0
    while i < len(text):
        if text[i] in OPENING or text[i] in "'\"":
            i = _end(text, i)
        elif text[i] == ",":
            items.append(text[start:i].strip())
            start = i + 1
        i += 1
    return [*items, last] if (last := text[start:].strip()) else items


def _end(text: str, start: int) -> int:
    """Return where a bracket or a quote that opens is closed; the end of the text where it is not."""
    depth, quote, i = 0, "", start
    while i < len(text):
        character = text[i]
        if quote:
            if character == "\\":
                i += 1
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character in OPENING:
            depth += 1
        elif character in CLOSING:
            depth -= 1
        if not depth and not quote:
            return i
        i += 1
    return len(text)
