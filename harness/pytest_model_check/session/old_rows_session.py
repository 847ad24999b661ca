"""A process of approved code that loads the data: its test has the `load=`, and the rows go to whoever judges.

`old_code.rows` runs this module in a worktree of the approved code, with the path of a `Job`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_model_check.atomic import write_bytes
from pytest_model_check.data import dataset
from pytest_model_check.errors import OldCodeError, one_line
from pytest_model_check.old_code.job import Job
from pytest_model_check.session.old_code_session import OldCodeSession, require_old_code, run_old_test

if TYPE_CHECKING:
    from pytest_model_check.checks.check import Check


def write(check: Check, job: Job) -> None:
    """Write the rows down, as numbers and text.

    Raises
    ------
    ModelCheckError
        If this is not the code that was approved, or there are no rows that can be written.
    """
    require_old_code(job)
    if check.load is None:
        raise OldCodeError("the approved test has no load=", "A branch that brings one is judged by pytest alone.")
    frame, _ = dataset.load(check, [job.root / path for path in job.files])
    try:
        content = frame.to_parquet()
    except Exception as error:  # pyarrow has errors of its own, for columns of several types
        raise OldCodeError(f"the rows of load= can't be written as Parquet: {one_line(error)}") from error
    write_bytes(job.rows, content, durable=False)


def main(path: Path) -> None:
    """Run the approved test."""
    run_old_test(OldCodeSession(Job.from_json(json.loads(path.read_text(encoding="utf-8"))), write))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
