"""What travels between the controller and the workers of pytest-xdist, as plain types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_model_check.session.results import Found

if TYPE_CHECKING:
    from pytest_model_check.judgement.verdicts import Verdict
from collections.abc import Mapping

from pytest_model_check.pull_requests.merge_base import Against


def to_plain(verdict: Verdict, pending: Any) -> Found:
    """Give what was found as plain types; by way of JSON, so that no numpy number or text is left in it."""
    from pytest_model_check.baselines.baseline_json import to_json
    from pytest_model_check.judgement import verdict_json

    found = {
        "verdict": verdict_json.to_dict(verdict),
        "pending": pending
        and {
            "baseline": to_json(pending.baseline),
            "predictions": str(pending.predictions),
            "replaces": pending.replaces,
        },
    }
    plain: Found = json.loads(json.dumps(found, allow_nan=False))
    return plain


def scalar(value: object) -> object:
    """Give a numpy number as Python's: pytest-xdist breaks off where a test records one, and exits with 0."""
    return value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value


def to_worker(against: Against | None) -> dict[str, Any]:
    """Give plain types for pytest-xdist's channel."""
    return {"against": None if against is None else [against.sha, against.target, against.source]}


def from_controller(told: Mapping[str, Any]) -> Against | None:
    """Rebuild what `to_worker` gave."""
    return None if told["against"] is None else Against(*told["against"])
