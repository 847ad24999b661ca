"""What travels between the controller of pytest-xdist and its workers: plain types, made of records and read back here.

Reports of tests carry plain types without pytest-xdist too: whoever serializes a report takes its attributes as they
are, and a numpy scalar among them ends pytest-xdist with an internal error and the exit code 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_model_check.judgement import verdict_json
from pytest_model_check.pull_requests.merge_base import Against
from pytest_model_check.session.results import CheckResult, ItemResult

if TYPE_CHECKING:
    from pytest_model_check.baselines.store import Pending


def item_to_plain(item: ItemResult) -> dict[str, Any]:
    """Convert what a test found; by way of JSON, so that no numpy number or text is left in it."""
    plain = {
        "name": item.name,
        "broken": item.broken,
        "checks": [
            {"verdict": verdict_json.to_dict(check.verdict), "pending": check.pending and _to_plain(check.pending)}
            for check in item.checks
        ],
    }
    result: dict[str, Any] = json.loads(json.dumps(plain, allow_nan=False))
    return result


def item_from_plain(plain: Mapping[str, Any]) -> ItemResult:
    """Rebuild what `item_to_plain` converted."""
    checks = tuple(
        CheckResult(verdict_json.from_dict(check["verdict"]), check["pending"] and _from_plain(check["pending"]))
        for check in plain["checks"]
    )
    return ItemResult(plain["name"], checks, plain["broken"])


def _to_plain(pending: Pending) -> dict[str, Any]:
    from pytest_model_check.baselines.baseline_json import to_json

    return {
        "baseline": to_json(pending.baseline),
        "predictions": str(pending.predictions),
        "replaces": pending.replaces,
    }


def _from_plain(plain: Mapping[str, Any]) -> Pending:
    from pytest_model_check.baselines.baseline_json import from_json
    from pytest_model_check.baselines.store import Pending

    return Pending(from_json(plain["baseline"]), Path(plain["predictions"]), plain["replaces"])


def scalar(value: object) -> object:
    """Return a numpy number as Python's, anything else as it is."""
    return value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value


def worker_input(scratch: Path, against: Against | None) -> dict[str, Any]:
    """Convert what a worker has to know: where to leave its files, and against what to judge."""
    decides = None if against is None else [against.sha, against.target, against.source]
    return {"scratch": str(scratch), "against": decides}


def scratch_from(plain: Mapping[str, Any]) -> Path:
    """Read where a worker leaves its files, from what `worker_input` converted."""
    return Path(plain["scratch"])


def against_from(plain: Mapping[str, Any]) -> Against | None:
    """Read against what a worker judges, from what `worker_input` converted."""
    return None if plain["against"] is None else Against(*plain["against"])
