"""A program as the candidate: each call fits and predicts one fold, in whatever language (docs/programs.md)."""

from __future__ import annotations

import json
import math
import os
import shlex
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from pytest_model_check.candidates import answer_table, process_group
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.checks.declared import Declared, Origin
from pytest_model_check.errors import CandidateError, PromiseError
from pytest_model_check.paths import clipped

if TYPE_CHECKING:
    import pandas as pd

    from pytest_model_check.candidates.candidate import Fold
    from pytest_model_check.candidates.place import Place

PROTOCOL = 1
ROW = "row_id"  # the column that names the rows of a fold
WEIGHT = "sample_weight"  # the column of weights in the training file
TOLD = ("train", "test", "output", "target", "task", "seed", "run", "repeat", "fold")  # by the environment too
LAST_LINES = 12  # of what a program said, in a failure
SINGLE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Program(Declared):
    """A program that fits and predicts one fold a call, in any language.

    It reads a request in JSON on its standard input: the paths of a training file and of a test file without the
    target, the seed, the names of the columns; and writes a file with a line for each row of the test file.

    Parameters
    ----------
    command : str or sequence of str
        What is run: a line as a shell would split it (no shell runs it), or its words.
    task : {'classification', 'regression'}
        What it predicts.
    probabilities : bool
        Whether it writes ``probability_LABEL`` for each label: then the default metric is ``neg_brier_score``.
    sample_weight : bool
        Whether it takes weights: its training file then has the column ``sample_weight``, where the check names one.
    format : {'csv', 'parquet'}
        Of the files.
    timeout : float
        Seconds for one fold.
    environment : mapping of str to str
        Variables that it gets beside those of pytest.
    name : str
        What baselines and reports call it. Default: the command.
    """

    command: str | Sequence[str]
    task: str = "classification"
    probabilities: bool = False
    sample_weight: bool = False
    format: Literal["csv", "parquet"] = "csv"
    timeout: float = 600.0
    environment: Mapping[str, str] = field(default_factory=dict)
    name: str = field(default="", kw_only=True)
    root: Path = field(default_factory=Path.cwd, kw_only=True, repr=False)
    target: str = field(default="target", kw_only=True, repr=False)

    origin: ClassVar[Origin] = "refitted"
    runs = None
    id = None

    def __post_init__(self) -> None:
        if not self.words:
            raise PromiseError(f"Program({self.command!r}) names no program", 'Write e.g. Program("Rscript model.R").')
        if self.task not in ("classification", "regression"):
            raise PromiseError(f"task={self.task!r}: a program's task is classification or regression", "Name it.")
        if self.format not in ("csv", "parquet"):
            raise PromiseError(f"format={self.format!r}: files are csv or parquet", "Name one of them.")
        if isinstance(self.timeout, bool) or not 0 < self.timeout < math.inf:
            raise PromiseError(f"timeout={self.timeout!r} is no number of seconds", "Name the seconds for one fold.")

    @property
    def words(self) -> list[str]:
        """The command, split."""
        return shlex.split(self.command) if isinstance(self.command, str) else [str(word) for word in self.command]

    @property
    def has_probabilities(self) -> bool:  # type: ignore[override]
        """Whether it writes probabilities."""
        return self.probabilities

    @property
    def takes_weights(self) -> bool:  # type: ignore[override]
        """Whether it takes sample weights."""
        return self.sample_weight

    @property
    def description(self) -> str:
        """The name, or the command, as it would be typed."""
        return self.name or f"Program({shlex.join(self.words)})"

    def bound(self, place: Place) -> Program:
        """Return it as it runs from a place."""
        return replace(self, root=place.root, target=place.target)

    def answer(self, fold: Fold) -> Answers:
        """Run it for one fold."""
        with tempfile.TemporaryDirectory(prefix="model-check-program-") as name:
            folder = Path(name)
            test = fold.test()
            request = self._request(fold, test, folder)
            began = time.perf_counter()
            log = folder / "log.txt"
            try:
                code = process_group.run(
                    self.words,
                    cwd=self.root,
                    environment=self._environment(request),
                    stdin=folder / "request.json",
                    log=log,
                    timeout=self.timeout,
                )
            except process_group.LoggedTooMuchError as error:
                printed = f"the program printed more than {process_group.LARGEST_LOG // 10**6} MB, and was ended"
                raise _with_log(CandidateError(printed, "Print less."), self, log, name) from error
            except OSError as error:
                raise CandidateError(
                    f"{clipped(self.words[0])} can't be started: {error.strerror or error}",
                    "Is it installed, on the PATH, and may it be executed? A path starts at pytest's rootdir.",
                ) from error
            try:
                if code is None:
                    raise CandidateError(f"the program was not done after {self.timeout:g} s", "Give it timeout=.")
                if code:
                    ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
                    raise CandidateError(f"the program {ended}")
                table = self._read(Path(request["output"]), len(test))
                found = answer_table.responses(table, fold.classes, "the program's output", lambda row: f"{ROW} {row}")
            except CandidateError as error:
                raise _with_log(error, self, log, name) from error
        return Answers(found, (), (time.perf_counter() - began, 0.0))

    def _request(self, fold: Fold, held_out: pd.DataFrame, folder: Path) -> dict[str, Any]:
        """Write the files of a fold, and return what the program is told of them."""
        X, y = fold.train()
        weight = None if fold.sample_weight is None else WEIGHT
        reserved = {self.target: "target", ROW: "row", **({} if weight is None else {weight: "weight"})}
        for name, what in reserved.items():
            if name in X.columns:
                raise CandidateError(
                    f"a feature is called {name!r}, as the {what} is in the files of a program",
                    "Give the column another name where the data is made, or in load=.",
                )
        train, test, output = (folder / f"{name}.{self.format}" for name in ("train", "test", "output"))
        weights = {} if fold.sample_weight is None else {WEIGHT: fold.sample_weight}
        self._write(X.assign(**weights, **{self.target: y}), train)
        numbered = held_out.copy()
        numbered.insert(0, ROW, np.arange(len(numbered)))
        self._write(numbered, test)
        request = {
            "protocol": PROTOCOL,
            "task": self.task,
            "target": self.target,
            "features": list(map(str, X.columns)),
            "sample_weight": weight,
            "classes": None if fold.classes is None else fold.classes.tolist(),
            "train": str(train),
            "test": str(test),
            "output": str(output),
            "seed": int(fold.random_state.generate_state(1)[0] >> 1),  # 31 bits: R's integers are signed
            "run": fold.seed,
            "repeat": fold.repeat,
            "fold": fold.fold,
        }
        (folder / "request.json").write_text(json.dumps(request, default=str), encoding="utf-8")
        return request

    def _write(self, frame: pd.DataFrame, path: Path) -> None:
        if self.format == "parquet":
            frame.to_parquet(path, index=False)
        else:
            frame.to_csv(path, index=False)

    def _environment(self, request: Mapping[str, Any]) -> dict[str, str]:
        told = {f"MODEL_CHECK_{key.upper()}": str(request[key]) for key in TOLD}
        told["MODEL_CHECK_SAMPLE_WEIGHT"] = request["sample_weight"] or ""
        # one thread a fit: the sums of a program then run in one order too
        return {**os.environ, **dict.fromkeys(SINGLE_THREAD, "1"), **self.environment, **told}

    def _read(self, output: Path, rows: int) -> pd.DataFrame:
        """Read the output, and put it in the order of the test file."""
        where = "the program's output"
        if not output.is_file():
            raise CandidateError("the program ended with exit code 0, and wrote no output", "It writes to `output`.")
        table = answer_table.read(output, where)
        if ROW not in table.columns:
            raise CandidateError(
                f"{where} has no column {ROW}: its columns are {', '.join(map(str, table.columns)) or 'none'}",
                f"Copy {ROW} from the test file: it says which row each line is about.",
            )
        given = answer_table.numbers(table[ROW], where, lambda line: f"line {line + 2}")
        odd = (given != np.round(given)) | (given < 0) | (given >= rows)
        if odd.any():
            raise CandidateError(f"{where} names {ROW} {given[odd.argmax()]:g}, which the test file does not have")
        counts = np.bincount(given.astype(int), minlength=rows)
        if (counts != 1).any():
            first = int((counts != 1).argmax())
            how = "twice" if counts[first] else "never"
            raise CandidateError(
                f"{where} answers {ROW} {first} {how}: it has {len(table)} lines, the test file {rows} rows",
                "It answers each row of the test file once, in any order.",
            )
        return table.iloc[np.argsort(given)].reset_index(drop=True)


def _with_log(error: CandidateError, program: Program, log: Path, folder: str) -> CandidateError:
    """Show what the program said at last, without the folder that is gone."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 20_000))
        text = stream.read().decode("utf-8", errors="replace").replace(f"{folder}{os.sep}", "")
    lines = [line.rstrip()[:160] for line in text.splitlines() if line.strip()][-LAST_LINES:]
    said = ["It said at last:", *(f"  {line}" for line in lines)] if lines else ["It said nothing."]
    advice = [error.advice] if error.advice else []
    return CandidateError(error.message, "\n".join([*advice, f"It was: {shlex.join(program.words)}", *said]))
