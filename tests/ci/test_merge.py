"""The action merge: the verdict of all shards, shown, and a shard that left no report is red."""

from __future__ import annotations

from pathlib import Path

import merge
import pytest
from pytest_model_check.judgement.verdicts import Run, Verdict
from pytest_model_check.report import json_report


@pytest.mark.parametrize(("left", "count", "code"), [(2, 2, 0), (1, 2, 2), (2, 3, 1)])
def test_the_verdict_of_all_shards_is_shown(
    left: int, count: int, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary, shards = tmp_path / "summary.md", tmp_path / "shards"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    for number in range(2):
        (shards / f"model-check-{number}").mkdir(parents=True)
        if number < left:
            name = f"model{number}"
            check = Verdict(name, f"t.py::test_{name}", "held", True, f"{name}: held")
            report = json_report.render(Run((check,), True, collected=(check.nodeid,)))
            (shards / f"model-check-{number}" / "report.json").write_text(report, encoding="utf-8")
    arguments = [str(shards), str(tmp_path / "reports"), f"--count={count}", "--formats=json"]
    assert merge.main(arguments) == code
    shown = summary.read_text(encoding="utf-8") if summary.exists() else ""
    assert ("May ship: 2 of 2 model checks passed" in shown) is (code == 0)
    assert (tmp_path / "reports" / "report.json").exists() is (code != 2)
