"""A file of a baseline -> whether it may be committed as it lies there: nothing is fitted, fetched or repaired."""

from __future__ import annotations

from pathlib import Path

from pytest_model_check.baselines import store
from pytest_model_check.baselines.record import RETIRED
from pytest_model_check.data import dvc_trackers
from pytest_model_check.errors import BaselineError, DataError
from pytest_model_check.judgement.verdicts import is_reason
from pytest_model_check.paths import absolute, quoted


def require_sound(path: Path) -> None:
    """Refuse a baseline that no run could use: torn, edited, without a reason, or parted from its predictions.

    Parameters
    ----------
    path : Path
        Its JSON; one in the folder of retired baselines has no predictions any more.

    Raises
    ------
    BaselineError
        Naming what is wrong.
    """
    anew = f"Take it back (git checkout -- {quoted(path)}), or record it: pytest --update-baselines"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BaselineError(
            f"{path.as_posix()} can't be read: {error.strerror}", "Name a JSON of a baseline."
        ) from error
    baseline = store.parse(content, path.stem, path.as_posix(), anew)
    for acceptance in baseline.history:
        if not is_reason(acceptance.reason):
            raise BaselineError(
                f"{path.as_posix()}: recording {acceptance.generation} was accepted without a reason", anew
            )
    if path.parent.name == RETIRED:
        return
    predictions = absolute(path.with_suffix(".parquet"))
    try:
        root = dvc_trackers.find_root(predictions)
        output = None if root is None else dvc_trackers.find_output(root, predictions)
    except DataError as error:
        raise BaselineError(f"{path.as_posix()}: {error.message}", error.advice) from error
    if output is None or output.md5 != baseline.predictions_md5:
        dvc = path.with_suffix(".parquet.dvc")
        problem = "is not there" if output is None else "is of another recording"
        raise BaselineError(
            f"{dvc.as_posix()} {problem}: it must be of the one that {path.name} names",
            f"Commit both of the same run: git add {quoted(path)} {quoted(dvc)}",
        )
