"""What a notebook shows of a verdict: the table of the page, alone, and nothing that a name could make it do."""

from __future__ import annotations

from pathlib import Path

import pytest_model_check
from pytest_model_check.judgement.verdicts import Concessions, Run
from pytest_model_check.report import json_report
from support import pages


def test_a_notebook_shows_each_verdict_of_a_report_as_a_table(tmp_path: Path):
    written = pages.check("churn", pages.metric(), pages.metric("held", "accuracy"))
    (tmp_path / "report.json").write_text(json_report.render(Run((written,), False)), encoding="utf-8")
    (verdict,) = pytest_model_check.read_report(tmp_path / "report.json").checks
    shown = verdict._repr_html_()
    assert shown.startswith('<div class="model-check">')
    assert "http" not in shown
    assert "<script" not in shown
    for word in ("churn", "roc_auc", "accuracy", "-0.020", "worse, in one sentence"):
        assert word in shown


def test_an_accepted_loss_is_not_shown_green():
    verdict = pages.check("churn", pages.metric(), passed=True, concessions=Concessions("we had to"))
    shown = verdict._repr_html_()
    assert "badge accepted" in shown
    assert "we had to" in shown


def test_no_name_is_markup():
    verdict = pages.check("<script>x</script>", pages.metric(name="<img src=x onerror=y>"))
    shown = verdict._repr_html_()
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;script&gt;" in shown
