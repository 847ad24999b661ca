"""A process of approved code that scores answers: its test names the scorers, and whoever judges asks them.

`old_code.scorers` runs this module in a worktree of the approved code, with the path of a `Job`. What goes in is
questions, what goes out numbers.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pytest_model_check.old_code import scorers
from pytest_model_check.old_code.job import Job
from pytest_model_check.session.old_code_session import OldCodeSession, require_old_code, run_old_test

if TYPE_CHECKING:
    from pytest_model_check.checks.check import Check


def serve(check: Check, job: Job, questions: IO[bytes], answers: IO[bytes]) -> None:
    """Say which scorers there are, then answer until nobody asks any more.

    Raises
    ------
    OldCodeError
        If this is not the code that was approved.
    """
    from pytest_model_check.scoring.probes import tell

    require_old_code(job)
    known = {metric.name: metric for metric in check.metrics}
    scorers.send(answers, json.dumps({name: tell(metric) for name, metric in known.items()}).encode())
    while (message := scorers.receive(questions)) is not None:
        question = pickle.loads(message)  # noqa: S301 - from the process that has started this one
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = json.dumps({"score": question.ask(known[question.metric].scorer)}).encode()
        except Exception as error:  # noqa: BLE001 - a function of the project's raises what it likes
            answer = scorers.described(error)
        scorers.send(answers, answer)


def main(path: Path) -> None:
    """Run the approved test, with the streams of this process for the questions alone."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what the code prints is no answer
    job = Job.from_json(json.loads(path.read_text(encoding="utf-8")))
    run_old_test(OldCodeSession(job, lambda check, job: serve(check, job, questions, answers)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
