"""A report goes to other tools with every number it has, and what they do not take is said in words."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from pytest_model_check.cli import main
from pytest_model_check.errors import ModelCheckError
from pytest_model_check.exports import flat
from pytest_model_check.judgement.verdicts import Run
from pytest_model_check.report import json_report
from ruamel.yaml import YAML
from support import pages
from support.project import git

CHURN = pages.check("churn", pages.metric(), pages.metric("held", "accuracy"), pages.metric(part="region=north"))
PRICES = pages.check("prices", pages.metric("held", "r2", low=math.nan), passed=True)


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "report.json"
    path.write_text(json_report.render(Run((CHURN, PRICES), False, "main")), encoding="utf-8")
    return path


def test_a_tracker_gets_every_number_by_check_metric_and_slice():
    metrics, params = flat.metrics(Run((CHURN, PRICES), False)), flat.params(Run((CHURN, PRICES), False, "main"))
    assert metrics["passed"] == metrics["churn/passed"] == 0
    assert metrics["prices/passed"] == 1
    assert metrics["churn/roc_auc/delta"] == -0.02
    assert metrics["churn/roc_auc/region_north/candidate"] == 0.91
    assert "prices/r2/low" not in metrics
    assert params["churn/verdict"] == "worse"
    assert params["against"] == "main"


def test_two_names_that_a_tracker_can_not_tell_apart_are_an_error():
    with pytest.raises(ModelCheckError, match="two names of this report are a_b/passed"):
        flat.metrics(Run((pages.check("a=b"), pages.check("a:b")), False))


def test_the_hub_gets_a_file_for_each_check(report: Path):
    assert main(["export", str(report), "prices", "--to", "hf", "--dataset", "me/prices"]) == 0
    assert main(["export", str(report), "churn", "--to", "hf", "--dataset", "me/x", "--metric", "accuracy"]) == 0
    assert sorted(path.name for path in Path(".eval_results").iterdir()) == ["churn.yaml", "prices.yaml"]
    assert YAML(typ="safe", pure=True).load(Path(".eval_results/churn.yaml")) == [
        {
            "dataset": {"id": "me/x", "task_id": "churn"},
            "value": 0.91,
            "notes": "accuracy, worse by pytest-model-check on 4000 rows",
        }
    ]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--to", "hf"], "Name it: --dataset OWNER/NAME"),
        (
            ["churn", "--to", "hf", "--dataset", "me/x"],
            "churn has 2 metrics that are judged; scores: roc_auc, accuracy",
        ),
        (["churn", "--to", "hf", "--dataset", "me/x", "--metric", "f1"], "churn has no score f1"),
        (["nothing", "--to", "mlflow"], "has no check nothing\nIt has: churn, prices."),
        (["--to", "mlflow", "--out", "x"], "--out says nothing to mlflow"),
        (["--to", "mlflow"], "mlflow is not installed\nInstall it: python -m pip install mlflow"),
        (["--to", "dvclive"], "dvclive is not installed"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_written(report, typed, said, monkeypatch, capsys):
    for package in ("mlflow", "dvclive"):
        monkeypatch.setitem(sys.modules, package, None)
    assert main(["export", str(report), *typed]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in report.parent.iterdir()] == ["report.json"]


def test_a_report_without_checks_is_nothing_to_publish(tmp_path, capsys):
    (tmp_path / "report.json").write_text(json_report.render(Run((), False)), encoding="utf-8")
    assert main(["export", str(tmp_path / "report.json"), "--to", "hf", "--dataset", "me/x"]) == 2
    assert "the report has no checks" in capsys.readouterr().err


@pytest.mark.integration
def test_dvclive_takes_it(report: Path):
    pytest.importorskip("dvclive", reason="pip install --group integration")
    for typed in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "a"]):
        git(report.parent, *typed)
    assert main(["export", str(report), "--to", "dvclive", "--out", "live"]) == 0
    metrics = json.loads((report.parent / "live/metrics.json").read_text(encoding="utf-8"))
    assert metrics["churn"]["roc_auc"]["candidate"] == 0.91


def test_mlflow_gets_one_run_with_the_report(report: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """A stand-in, for the real one takes 90 MB; it took the same when it was tried, in version 3.17."""
    mlflow = MagicMock()
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    assert main(["export", str(report), "--to", "mlflow"]) == 0
    mlflow.log_metrics.assert_called_once_with(flat.metrics(Run((CHURN, PRICES), False)))
    mlflow.log_params.assert_called_once_with(flat.params(Run((CHURN, PRICES), False, "main")))
    mlflow.log_artifact.assert_called_once_with(str(report))
    mlflow.log_metrics.side_effect = ValueError("the server\nsays no")
    assert main(["export", str(report), "--to", "mlflow"]) == 2
    assert "mlflow does not take the report: the server says no" in capsys.readouterr().err
