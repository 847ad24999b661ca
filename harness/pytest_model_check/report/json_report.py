"""A run <-> JSON: the contract that machines read. Keys may be added, never changed."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path

from pytest_model_check import bounded
from pytest_model_check.errors import ModelCheckError, one_line
from pytest_model_check.judgement.verdict_json import from_dict, to_dict
from pytest_model_check.judgement.verdicts import Run
from pytest_model_check.paths import clipped

SCHEMA = 1
LARGEST = 1 << 30  # bytes


def render(run: Run) -> str:
    """Write the report of a run."""
    report = {
        "schema": SCHEMA,
        "passed": run.passed,
        "against": run.against,
        "problems": list(run.problems),
        "retired": list(run.retired),
        "silent": dict(run.silent),
        "collected": list(run.collected),
        "checks": [to_dict(verdict) for verdict in run.checks],
    }
    return json.dumps(report, indent=2, allow_nan=False) + "\n"


def read_report(path: str | PathLike[str]) -> Run:
    """Read the JSON report of a run: its `checks` are the verdicts, and a notebook shows each as a table.

    Parameters
    ----------
    path : str or path-like
        What ``--model-check-report FILE.json`` has written.

    Raises
    ------
    ModelCheckError
        If it can't be read, is none, or of another version.
    """
    path = Path(path)
    try:
        content = bounded.read_bytes(path, LARGEST)
    except (OSError, ValueError) as error:
        raise ModelCheckError(
            f"{path} can't be read: {one_line(error, getattr(error, 'strerror', '') or '')}",
            "A run without a report proves nothing: its log says why it has written none.",
        ) from error
    return parse(content, path.as_posix())


def parse(content: bytes, name: str) -> Run:
    """Read the report of a run.

    Raises
    ------
    ModelCheckError
        If it is none, or of another version.
    """
    advice = "It must be what --model-check-report FILE.json of this version has written."
    try:
        plain = json.loads(content)
        if plain["schema"] != SCHEMA:
            raise ModelCheckError(
                f"{name}: its schema is {clipped(plain['schema'])}, and this version reads {SCHEMA}", advice
            )
        return Run(
            checks=tuple(from_dict(check) for check in plain["checks"]),
            passed=plain["passed"] is True,
            against=plain["against"],
            problems=tuple(plain["problems"]),
            retired=tuple(plain["retired"]),
            silent=dict(plain["silent"]),
            collected=tuple(plain["collected"]),
        )
    except KeyError as error:
        raise ModelCheckError(f"{name}: the report lacks {error}", advice) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelCheckError(f"{name} is no report of model checks: {one_line(error)}", advice) from error
