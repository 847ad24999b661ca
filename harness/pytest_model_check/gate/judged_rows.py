"""The rows that a judge reads: the data as git and DVC name it now, and none of the branch's code to read it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_model_check.baselines.record import Baseline
from pytest_model_check.checks.check import Check
from pytest_model_check.data import dataset, dvc_files
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.errors import DataError, EvidenceError, IncomparableError
from pytest_model_check.evidence.record import Evidence
from pytest_model_check.gate.needs_code import BY_PYTEST, NeedsCodeError
from pytest_model_check.gate.paired import require_same_rows
from pytest_model_check.old_code import rows
from pytest_model_check.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


def read(
    check: Check, evidence: Evidence, reference: Baseline, settings: Settings, *, is_new: bool
) -> tuple[Check, Dataset]:
    """Read the rows that the evidence is of; where it takes that, by the base commit's `load=`.

    Parameters
    ----------
    check : Check
        What is promised.
    evidence, reference : Evidence, Baseline
        What the branch's run has left, and what it is held against.
    settings : Settings
        Where the data lies, and which commit decides.
    is_new : bool
        Whether nothing is approved yet: then the reference is the branch's own.

    Returns
    -------
    check : Check
        With the `load=` that made the rows.
    data : Dataset
        The rows.

    Raises
    ------
    DataError, IncomparableError
        If there are no such rows, or they take code of the branch's.
    """
    moved = dict(evidence.data) != dict(reference.data)
    if moved and is_new:
        raise IncomparableError(
            f"{check.name}: its new baseline is of other data than the branch's",
            "Record it anew: pytest --model-check --update-baselines",
        )
    verified = _verified(check, evidence, settings)
    loading = replace(check, load=None if is_new else partial(_loaded, reference, settings))
    if moved and evidence.promise.loads:
        return loading, dataset.read(loading, settings.root, verified)
    try:
        data = dataset.read(check, settings.root, verified)
        if not moved:
            require_same_rows(check, reference, data)
    except (DataError, IncomparableError) as error:
        if not evidence.promise.loads:
            raise
        if is_new:
            raise NeedsCodeError(
                f"{check.name}: its rows come from load=, and the base commit has no code that reads them",
                f"Code of the branch is not run here. {BY_PYTEST}",
            ) from error
        data = dataset.read(loading, settings.root, verified)
        require_same_rows(check, reference, data)
        return loading, data
    return check, data


def _verified(check: Check, evidence: Evidence, settings: Settings) -> Callable[[Path], str]:
    """Return what makes sure that a file is the version that the evidence is of."""
    versions = {os.path.normpath(settings.root / path): md5 for path, md5 in evidence.data}

    def verified(path: Path) -> str:
        md5 = dvc_files.verified(path)
        if md5 != versions[os.path.normpath(path)]:
            raise EvidenceError(
                f"{check.name}: the evidence is of another version of {os.path.relpath(path, settings.root)} than this "
                "commit's",
                "Run the checks again, on this commit: pytest --model-check --model-check-evidence DIR",
            )
        return md5

    return verified


def _loaded(reference: Baseline, settings: Settings, paths: list[Path]) -> pd.DataFrame:
    assert settings.revision is not None
    return rows.loaded(reference, settings.revision, paths, settings)
