"""Code -> the reference pages of the site (options, commands, API, JSON), so that none of them can drift."""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest_model_check
from pytest_model_check import plugin
from pytest_model_check.cli import parser
from pytest_model_check.commands.schema import SCHEMAS

ROOT = Path(__file__).resolve().parents[1]
WIDTH = "88"  # of the help, in characters
ANYTHING = "anything"


def write(folder: Path) -> None:
    """Write every page; what says the same already is left alone, for Sphinx builds by time."""
    folder.mkdir(exist_ok=True)
    pages = {"options.md": _options(), "commands.md": _commands(), "api.rst": _api()}
    for name, lines in (pages | {f"json-{name}.md": _schema(name) for name in SCHEMAS}).items():
        path, text = folder / name, "\n".join(lines) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def adapt(app: Any, page: str, source: list[str]) -> None:
    """Make a page of the repository one of the site, which stands alone: links to files that are no pages are names."""
    if re.fullmatch(r"examples/[a-z-]+", page):
        source[0] = f"---\norphan: true\n---\n{source[0]}"  # its place is in examples/README
    folder = (Path(app.srcdir) / page).parent

    def link(found: re.Match[str]) -> str:
        path = (folder / found[2]).resolve()
        outside = not path.is_relative_to(app.srcdir) or path.suffix not in (".md", ".png", ".svg")
        return found[1] if outside and path.exists() else found[0]

    source[0] = re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", link, source[0])


def _options() -> Iterator[str]:
    command = [sys.executable, "-m", "pytest", "--help", "-p", "no:cacheprovider"]
    told = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"COLUMNS": WIDTH}, capture_output=True, text=True, check=True
    )
    (group,) = re.findall(r"^model checks: .*\n((?:  .*\n)+)", told.stdout, re.MULTILINE)
    yield "# Options and ini keys"
    yield "\nOf pytest, on the command line:\n"
    yield f"```text\n{group.rstrip()}\n```"
    yield "\nIn `pytest.ini` or `pyproject.toml`, beside pytest's own; the command line wins:\n"
    yield from ("| key | meaning | type | default |", "|---|---|---|---|")
    for key, (meaning, kind, default) in plugin.INI.items():
        yield f"| `{key}` | {_cell(meaning)} | {kind} | {f'`{default}`' if default not in ('', []) else ''} |"


def _commands() -> Iterator[str]:
    os.environ["COLUMNS"] = WIDTH
    whole = parser()
    (commands,) = (action for action in whole._actions if isinstance(action, argparse._SubParsersAction))
    yield "# Commands\n"
    yield "`model-check` brings a first check, compares candidates, and looks after baselines and reports."
    for name, command in commands.choices.items():
        yield f"\n## model-check {name}\n\n```text\n{command.format_help().rstrip()}\n```"


def _api() -> Iterator[str]:
    exported = {name: getattr(pytest_model_check, name) for name in pytest_model_check.__all__}
    classes = [name for name, value in exported.items() if isinstance(value, type)]
    errors = [name for name in classes if issubclass(exported[name], Exception)]
    modules = [exported.pop(name) for name in ("strategies", "properties", "statistics")]
    groups = {
        "The fixture": ["ModelCheck"],
        "Candidates that are no estimators": ["Artifact", "Program", "Results", "Service", "caret", "weka"],
        "A run, read": ["read_report", "Run", "Verdict", "MetricVerdict"],
    }
    named = {*errors, *(name for names in groups.values() for name in names)}
    groups |= {"The parts of a verdict": [name for name in classes if name not in named], "Errors": errors}
    yield from _title("Python", "=")
    yield "What ``pytest_model_check`` exports; everything else may change."
    for title, names in groups.items():
        yield from _title(title, "-")
        yield from (_documented(f"pytest_model_check.{name}", exported[name]) for name in names)
    for module in modules:
        yield from _title(f"pytest_model_check.{module.__name__.rpartition('.')[2]}", "-")
        yield (inspect.getdoc(module) or "").splitlines()[0]
        values = ((name, getattr(module, name)) for name in module.__all__)
        for name, value in values:
            if inspect.isfunction(value) or isinstance(value, type):
                yield _documented(f"{module.__name__}.{name}", value)


def _title(text: str, line: str) -> tuple[str, ...]:
    return ("", text, line * len(text), "")


def _documented(path: str, value: Any) -> str:
    kind = "function" if inspect.isfunction(value) else "exception" if issubclass(value, Exception) else "class"
    called = "\n   :special-members: __call__" if getattr(value, "_is_protocol", False) else ""
    return f"\n.. auto{kind}:: {path}{called}"


def _schema(name: str) -> Iterator[str]:
    path = Path(pytest_model_check.__file__).parent / "schemas" / f"{name}.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    title = "model_checks.toml" if name == "model-checks" else f"JSON: {name}"
    yield f"# {title}\n\n{schema['description']} The schema itself: `model-check schema {name}`."
    whole = schema if "properties" in schema else schema["additionalProperties"]  # of a TOML file: its tables
    for title, part in [("", whole), *schema.get("$defs", {}).items()]:
        if title:
            yield f"\n({name}-{title.lower()})=\n## {title.removesuffix('Keys')}\n\n{part['description']}"
        yield from ("", "| key | holds | meaning |", "|---|---|---|")
        for key, value in part["properties"].items():
            absent = "" if key in part["required"] else " (may be absent)"
            yield f"| `{key}` | {_kind(name, value)}{absent} | {_cell(value.get('description', ''))} |"


def _kind(name: str, value: dict[str, Any] | bool) -> str:
    if isinstance(value, bool):  # JSON Schema's `true`
        return ANYTHING
    if "$ref" in value:
        title = value["$ref"].rpartition("/")[2]
        return f"[{title.removesuffix('Keys')}](#{name}-{title.lower()})"
    if "anyOf" in value:
        return " or ".join(_kind(name, each) for each in value["anyOf"])
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"])
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    if value.get("type") == "array":
        if "prefixItems" in value:
            return f"[{', '.join(_kind(name, each) for each in value['prefixItems'])}]"
        return f"list of {_kind(name, value['items'])}"
    if value.get("type") == "object" and "properties" in value:
        kinds = {key: _kind(name, each) for key, each in value["properties"].items()}
        return f"{{{', '.join(key if kind == ANYTHING else f'{key} = {kind}' for key, kind in kinds.items())}}}"
    if value.get("type") == "object":
        inside = value.get("additionalProperties")
        return f"object of {_kind(name, inside)} by name" if isinstance(inside, dict) else "object"
    return {"null": "null", "boolean": "true or false"}.get(value.get("type", ""), value.get("type", ANYTHING))


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
