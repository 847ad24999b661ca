"""The scorers of the commit that decides, in a process of their own: whoever judges runs none of the project's code."""

from __future__ import annotations

import json
import pickle
import struct
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import IO, Any

from pytest_model_check.baselines.record import Baseline
from pytest_model_check.old_code import runner
from pytest_model_check.scoring.remote_scorer import Question, scorer_as_told
from pytest_model_check.settings import Settings

LARGEST = 1 << 20  # bytes of an answer: it is a number, or why there is none
MODULE = "pytest_model_check.session.old_scorers_session"


def send(stream: IO[bytes], message: bytes) -> None:
    """Write a message with its length."""
    stream.write(struct.pack("<Q", len(message)) + message)
    stream.flush()


def receive(stream: IO[bytes], most: int | None = None) -> bytes | None:
    """Read a message; None where the other side is gone, or its message is longer than it may be."""
    header = stream.read(8)
    if len(header) < 8:
        return None
    (length,) = struct.unpack("<Q", header)
    if most is not None and length > most:
        return None
    message = stream.read(length)
    return message if len(message) == length else None


class _Asked:
    """The other process: questions go there, numbers come back; nothing of it is unpickled."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._questions, self._answers = process.stdin, process.stdout

    def __call__(self, question: Question) -> float:
        with suppress(OSError):  # it is gone: so is its answer
            send(self._questions, pickle.dumps(question))
        answer = self.read()
        if answer is None or not isinstance(answer.get("score"), int | float):
            error = "its process ended" if answer is None else str(answer.get("error"))
            raise ValueError(error)
        return float(answer["score"])

    def read(self) -> Any:
        """Read what it says next; None where it says nothing more."""
        message = receive(self._answers, LARGEST)
        return None if message is None else json.loads(message)


@contextmanager
def running(baseline: Baseline, commit: str, settings: Settings) -> Generator[dict[str, Any]]:
    """Let the approved test of a commit name its scorers, and run them as long as this lasts.

    Parameters
    ----------
    baseline : Baseline
        Knows the test.
    commit : str
        Whose code it is.
    settings : Settings
        Where the project is, and which Python runs the code.

    Yields
    ------
    dict of str to scorer
        By metric: scikit-learn's anew, and those of the project as `RemoteScorer`.

    Raises
    ------
    OldCodeError
        If the code can't be run.
    """
    with (
        runner.named(baseline, commit, "scorers of the project's are those of"),
        runner.workplace(baseline, commit, settings) as (job, python),
        runner.started(python, job, MODULE, pipes=True) as process,
    ):
        asked = _Asked(process)
        told = asked.read()
        if not isinstance(told, dict):
            process.wait()
            raise runner.silent(job, process.returncode)
        yield {name: scorer_as_told(name, each, asked) for name, each in told.items()}


def described(error: BaseException) -> bytes:
    """Return an answer that says why there is no number."""
    words = " ".join(str(error).split()) or type(error).__name__
    return json.dumps({"error": words[:1000]}).encode()
