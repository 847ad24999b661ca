"""The progress line."""

from __future__ import annotations

from pytest_model_check.session import progress


def test_the_progress_line_fits_into_its_room() -> None:
    full = "churn: fitting 3/30, 9.0 s left"
    assert progress.line("churn", "fitting", 3, 30, 1.0, 80) == full
    assert progress.line("churn", "fitting", 0, 30, 1.0, 80) == "churn: fitting 0/30"
    for room in range(-2, 40):
        text = progress.line("churn", "fitting", 3, 30, 1.0, room)
        assert len(text) <= max(room, 0)
        assert full.endswith(text) or text == "3/30"
