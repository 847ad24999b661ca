"""Several candidates of one check, fitted in the same folds and compared; nothing is recorded."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pytest_model_check.checks.check import Check
from pytest_model_check.data import dataset, splits
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.errors import CandidateError, ModelCheckError
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.engine import CheckEngine, Engine
from pytest_model_check.scoring.spot_check import SpotCheck, spot_check

Progress = Callable[[str, int, int], None]  # the candidate, fits done, fits in all


@dataclass(frozen=True)
class Trial:
    """What came of it.

    Parameters
    ----------
    check : Check
        What is promised: by its metrics they are compared.
    found : SpotCheck
        The comparison.
    seconds : mapping of str to float
        What the fits of each candidate took, added up over processes.
    rows, folds : int
        How much data, and how many times it was split.
    splitter : str
        By what.
    """

    check: Check
    found: SpotCheck
    seconds: Mapping[str, float]
    rows: int
    folds: int
    splitter: str


def run(
    check: Check,
    candidates: Mapping[str, Any],
    root: Path,
    engine: Engine,
    progress: Progress = lambda name, done, total: None,
    *,
    data: Dataset | None = None,
) -> Trial:
    """Fit each candidate once in every fold of the check, and compare them.

    Parameters
    ----------
    check : Check
        What is promised.
    candidates : mapping of str to estimator
        By name; the check's own is not among them by itself.
    root : Path
        Where relative paths start: pytest's rootdir.
    engine : Engine
        Makes the fits.
    progress : callable
        Is told how many fits of how many of which candidate are done.
    data : Dataset or None
        The rows, where they have been read already; None: they are what git says they are, and read.

    Raises
    ------
    ModelCheckError
        If the data can't be read or split, or fewer than two candidates can be compared.
    """
    cv = splits.make_cross_validation(check, engine.share(dataset.read(check, root) if data is None else data))
    entropy = crossval.entropy_of(cv.dataset.target_digest, cv.splitter, 0)
    predictions, seconds = {}, {}
    failed: dict[str, ModelCheckError] = {}
    for name, candidate in candidates.items():
        counting = CheckEngine(engine, check.timeout)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a project that makes them errors wants that of what it ships
                predictions[name] = crossval.predict(
                    candidate, cv, seeds=1, entropy=entropy, engine=counting,
                    progress=partial(progress, name),
                )  # fmt: skip
        except CandidateError as error:
            failed[name] = error
        seconds[name] = counting.fit + counting.predict
    found = spot_check(predictions, check.metrics, cv.dataset.truth) if predictions else SpotCheck(())
    failed |= found.failed
    if len(candidates) - len(failed) < 2:
        raise _nothing_to_compare(failed)
    return Trial(check, replace(found, failed=failed), seconds, cv.dataset.rows, len(cv.splits), cv.splitter)


def _nothing_to_compare(failed: Mapping[str, ModelCheckError]) -> CandidateError:
    why = "\n".join(f"{name}: {error.message}" for name, error in failed.items())
    return CandidateError("fewer than two candidates can be compared", f"{why}\nCompare two that can be fitted.")
