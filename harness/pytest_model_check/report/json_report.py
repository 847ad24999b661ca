"""A run -> JSON: the contract that machines read. Keys may be added, never changed."""

from __future__ import annotations

import json

from pytest_model_check.judgement.verdict_json import to_dict
from pytest_model_check.judgement.verdicts import Run

SCHEMA = 1


def render(run: Run) -> str:
    """Write the report of a run."""
    report = {
        "schema": SCHEMA,
        "passed": run.passed,
        "against": run.against,
        "problems": list(run.problems),
        "retired": list(run.retired),
        "checks": [to_dict(verdict) for verdict in run.checks],
    }
    return json.dumps(report, indent=2, allow_nan=False) + "\n"
