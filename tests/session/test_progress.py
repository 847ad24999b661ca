"""The progress of the fits: on a terminal, and in a log."""

from __future__ import annotations

import pytest
from pytest_model_check.session import progress
from support.project import LOGISTIC, Project
from support.runs import K


def test_the_progress_line_fits_into_its_room() -> None:
    full = "churn: fitting 3/30, 3 a second, 9.0 s left"
    assert progress.line("churn", "fitting", 3, 30, 1.0) == full
    assert progress.line("churn", "fitting", 0, 30, 1.0) == "churn: fitting 0/30"
    assert progress.line("churn", "fitting", 3, 30, 1.0, 35) == "churn: fitting 3/30, 9.0 s left"
    for room in range(-2, 50):
        text = progress.line("churn", "fitting", 3, 30, 1.0, room)
        assert len(text) <= max(room, 0)
        assert full.replace(" 3 a second,", "").endswith(text) or text in (full, "3/30")


def test_a_log_has_a_line_now_and_then_and_says_with_v_where_the_time_went(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.source(f"def test_churn(model_check):\n    model_check({LOGISTIC}, {K})\n")
    assert "fitting" not in project.run("--update-baselines").stdout.str()
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    result = project.run("-vv", "-p", "no:randomly")
    result.stdout.re_match_lines(
        [
            r"churn: fitting 0/3",
            r"churn: fitting 3/3, .* a second, 0.0 s left",
            r"time: 3 fits in .* s: data .* s, waiting for fits .* s, judging .* s; in the fits: fitting .* predicting",
        ]
    )
