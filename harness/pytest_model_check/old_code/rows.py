"""The rows that the deciding commit's `load=` makes of data: whoever judges runs none of the project's code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_model_check import bounded
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.old_code import runner
from pytest_model_check.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

MODULE = "pytest_model_check.session.old_rows_session"


def loaded(baseline: Baseline, commit: str, paths: Sequence[Path], settings: Settings) -> pd.DataFrame:
    """Let the approved test of a commit load data, in a process of its own.

    Parameters
    ----------
    baseline : Baseline
        Knows the test.
    commit : str
        Whose code it is.
    paths : sequence of Path
        The data's files, of which the caller has made sure.
    settings : Settings
        Where the project is, and which Python runs the code.

    Raises
    ------
    OldCodeError
        If the code can't be run, or its rows can't be written down.
    """
    with (
        runner.named(baseline, commit, "its rows are those of load= at"),
        runner.workplace(baseline, commit, settings, files=dict.fromkeys(map(str, paths), "")) as (job, python),
    ):
        job.result.mkdir()
        with runner.started(python, job, MODULE) as process:
            exit_code = runner.wait(process, lambda: None)
        if not job.rows.exists():
            raise runner.silent(job, exit_code)
        return bounded.read_parquet(job.rows)
