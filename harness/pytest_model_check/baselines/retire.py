"""Retire a baseline: it is put aside, with a reason, and its history stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytest_model_check.atomic import write_text
from pytest_model_check.baselines import history, store
from pytest_model_check.baselines.baseline_json import to_text
from pytest_model_check.baselines.files import files_of, is_ignored, locked, remove, reported_as, to_commit
from pytest_model_check.baselines.record import RETIRED
from pytest_model_check.errors import BaselineError
from pytest_model_check.judgement.verdicts import Acceptance, is_reason


def retire(folder: Path, name: str, reason: str) -> tuple[Path, ...]:
    """Put the baseline of a check that is given up aside, with the reason; its predictions go.

    Returns
    -------
    tuple of Path
        What git has to commit, what is gone included.

    Raises
    ------
    BaselineError
        If there is no such baseline or no reason, or a file can't be written.
    """
    if not is_reason(reason):
        raise BaselineError(
            f"{name} can't be retired without a reason", f'Say why: model-check retire {name} "the shop was closed"'
        )
    shelved = folder / RETIRED / f"{name}.json"
    with locked(folder, name) as baseline:
        if baseline is not None:
            given_up = Acceptance(baseline.generation, reason.strip(), "retired")
            with reported_as(f"{name} could not be retired"):
                shelved.parent.mkdir(exist_ok=True)
                write_text(shelved, to_text(replace(baseline, history=(*baseline.history, given_up))))
        elif not _left_by_a_killed_retirement(folder, name):
            raise history.unknown(folder, name)
        remove(folder, name)
    return to_commit(folder, *files_of(folder, name), shelved)


def _left_by_a_killed_retirement(folder: Path, name: str) -> bool:
    """Whether it was retired, and something of it is still there."""
    left = any(path.exists() for path in files_of(folder, name)) or is_ignored(folder, name)
    shelved = store.read(folder / RETIRED, name)
    return left and shelved is not None and any(acceptance.kind == "retired" for acceptance in shelved.history)
