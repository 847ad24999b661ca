"""Results made elsewhere as the candidate: predictions, or finished scores, a line an item (docs/results.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_model_check.candidates import answer_table, evaluation_logs
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.checks.declared import Declared, Origin
from pytest_model_check.checks.item_score import NEGATED, SCORE
from pytest_model_check.errors import CandidateError, PromiseError
from pytest_model_check.paths import clipped

if TYPE_CHECKING:
    import pandas as pd

    from pytest_model_check.candidates.candidate import Fold
    from pytest_model_check.candidates.place import Place

ENDINGS = (".parquet", ".csv", ".jsonl", ".json", ".eval")


@dataclass(frozen=True)
class Results(Declared):
    """Results that were made elsewhere: a file with one line an item, and run; or a file for each run.

    Parameters
    ----------
    path : str, Path or sequence of them
        From pytest's rootdir: Parquet, CSV or JSONL with a column ``prediction`` or ``probability_LABEL``, or with
        finished scores; the samples of lm-evaluation-harness (``--log_samples``); a log of Inspect's. Several files, or
        a pattern (``"runs/seed-*.parquet"``): each holds a run, or several, of the same items.
    id : str
        The column that names the item, in the data too.
    score : str or sequence of str
        Columns of finished scores, judged by their mean; ``neg_`` before a name: less is better. No target is needed.
    run : str or None
        The column that tells runs apart (seeds, samples, epochs); None: there is one.
    task : {'classification', 'regression'}
        What ``prediction`` holds: labels, or numbers.
    filter : str or None
        Of lm-evaluation-harness, where a task has several: whose answers are meant.
    """

    path: str | Path | Sequence[str | Path]
    id: str = "id"
    score: str | Sequence[str] = ()
    run: str | None = None
    task: str = "classification"
    filter: str | None = None
    provenance: tuple[str, ...] = field(default=(), init=False, repr=False)
    _table: Table | None = field(default=None, init=False, repr=False, compare=False)

    origin: ClassVar[Origin] = "elsewhere"

    def __post_init__(self) -> None:
        if self.task not in ("classification", "regression"):
            raise PromiseError(f"task={self.task!r}: it is classification or regression", "Name it.")
        if not self._named:
            raise PromiseError("Results([]) names no file", 'Write e.g. Results("runs/answers.parquet").')
        if not all(isinstance(name, str) and name and ":" not in name for name in self._scores):
            raise PromiseError(f"score={self.score!r} names no columns", 'Write e.g. score=["exact_match"].')
        if self._scores:
            object.__setattr__(self, "task", "regression")

    @property
    def _scores(self) -> tuple[str, ...]:
        return (self.score,) if isinstance(self.score, str) else tuple(self.score)

    @property
    def scores(self) -> tuple[str, ...]:  # type: ignore[override]
        """The finished scores, as metrics are called."""
        return self._scores

    @property
    def _named(self) -> list[str]:
        given = [self.path] if isinstance(self.path, str | Path) else self.path
        return [Path(path).as_posix() for path in given]

    @property
    def _known(self) -> Table:
        if self._table is None:
            raise CandidateError(f"{self._named[0]} has not been read", "Results(...) is for model_check(...).")
        return self._table

    @property
    def items(self) -> pd.DataFrame | None:  # type: ignore[override]
        """A line an item, for a check of finished scores without data of its own."""
        return self._known.items if self._scores else None

    @property
    def has_probabilities(self) -> bool:  # type: ignore[override]
        """Whether it holds probabilities."""
        return any(str(column).startswith(answer_table.PROBABILITY) for column in self._known.runs[0].columns)

    @property
    def runs(self) -> int:  # type: ignore[override]
        """How many runs it holds."""
        return len(self._known.runs)

    @property
    def description(self) -> str:
        """The files and their version."""
        return f"Results({', '.join(self._named)}, md5 {self._known.md5})"

    def bound(self, place: Place) -> Results:
        """Read the files."""
        files = [self._file(place, path) for path in _paths(self._named, place.root)]
        versions = [file.md5 for file in files]
        for file, md5 in zip(files[1:], versions[1:], strict=True):
            first = files[versions.index(md5)]
            if first is not file:
                raise CandidateError(
                    f"{file.where} holds the same as {first.where}, to the byte: it is no other run",
                    "Leave one of them out: a run that is counted twice makes the noise look smaller than it is.",
                )
        bound = replace(self, id=files[0].id)
        object.__setattr__(bound, "_table", _table(files))
        made = dict.fromkeys(words for file in files for words in file.made)
        object.__setattr__(bound, "provenance", tuple(made))
        return bound

    def _file(self, place: Place, path: Path) -> File:
        where = path.relative_to(place.root).as_posix() if path.is_relative_to(place.root) else path.as_posix()
        if path.suffix not in ENDINGS:
            raise CandidateError(f"{where}: results are {', '.join(ENDINGS)}", "Write them as one of these.")
        md5 = place.version(path)
        if path.suffix == ".jsonl":
            table, identity, run = evaluation_logs.read_jsonl(path, where, self.filter)
        elif path.suffix in (".json", ".eval"):
            table, identity, run = evaluation_logs.read_inspect(path, where)
        else:
            table, identity, run = answer_table.read(path, where), None, None
        columns = tuple(name.removeprefix(NEGATED) for name in self._scores)
        runs = _runs(table, where, identity or self.id, self.run or run, columns)
        made = place.made_by(path)
        return File(where, md5, identity or self.id, runs, columns, () if made is None else (made[0],))

    def answer(self, fold: Fold) -> Answers:
        """Look the rows up."""
        known = self._known
        where, table = known.of(fold.seed, fold.test().index)
        names = table.index
        if not self._scores:
            found = answer_table.responses(table, fold.classes, where, lambda row: f"{self.id} {names[row]}")
            return Answers(found, ())
        return Answers({f"{SCORE}{name}": table[name].to_numpy(dtype=float) for name in known.columns}, ())


@dataclass(frozen=True)
class File:
    """A file of results, read.

    Parameters
    ----------
    where, md5 : str
        How messages call it, and its version.
    id : str
        The column of ids.
    runs : tuple of DataFrame
        Each with the ids as its index, sorted.
    columns : tuple of str
        Of finished scores.
    made : tuple of str
        What is known of how it was made.
    """

    where: str
    md5: str
    id: str
    runs: tuple[pd.DataFrame, ...]
    columns: tuple[str, ...]
    made: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """What the files of results hold, checked: the same items in each run, each once.

    Parameters
    ----------
    md5 : str
        The version of the file; of several, a digest of theirs.
    where : tuple of str
        How messages call the file of each run.
    runs : tuple of DataFrame
        By id, in the order of the ids.
    columns : tuple of str
        Of finished scores.
    items : DataFrame
        A line an item, with the columns beside its scores: of the first run.
    """

    md5: str
    where: tuple[str, ...]
    runs: tuple[pd.DataFrame, ...]
    columns: tuple[str, ...]
    items: pd.DataFrame

    def of(self, run: int, ids: pd.Index[Any]) -> tuple[str, pd.DataFrame]:
        """Return the lines of these items, in their order, and the file that they are of.

        Raises
        ------
        CandidateError
            If it does not have the same items.
        """
        where, table, asked = self.where[run], self.runs[run], ids.map(_name)
        lacking, foreign = asked[~asked.isin(table.index)], table.index[~table.index.isin(asked)]
        if len(lacking):
            raise CandidateError(
                f"{where} has no answer for {_some(lacking, len(asked))}",
                "Every item that is judged needs one: evaluate these too, in the same way.",
            )
        if len(foreign):
            raise CandidateError(
                f"{where} answers {_some(foreign, len(table))} that the check does not judge",
                "Both must be about the same items: is it the right version of the data, or does holdout= leave them "
                "out?",
            )
        return where, table.loc[asked]


def _paths(named: Sequence[str], root: Path) -> list[Path]:
    """Find the files that are named, or match a pattern.

    Raises
    ------
    CandidateError
        If a pattern matches none, or a file is named twice.
    """
    found: list[Path] = []
    for name in named:
        if not any(sign in name for sign in "*?[") or (root / name).exists():
            found.append(root / name)
            continue
        anchor = Path(name).anchor
        places = Path(anchor or root).glob(name.removeprefix(anchor))
        matches = sorted(path for path in places if path.suffix in ENDINGS)
        if not matches:
            raise CandidateError(
                f"{name} matches no file of results", "Are they here? dvc pull brings what DVC tracks."
            )
        found += matches
    twice = next((path for path in found if found.count(path) > 1), None)
    if twice is not None:
        raise CandidateError(f"Results(...) names {twice.name} twice", "Each run counts once.")
    return found


def _table(files: Sequence[File]) -> Table:
    """Hold all runs against the first: the same items."""
    runs = [(file, run) for file in files for run in file.runs]
    first_file, first = runs[0]
    for number, (file, run) in enumerate(runs[1:], start=2):
        odd = first.index.symmetric_difference(run.index)
        if len(odd):
            several = len(files) > 1 and file is not first_file
            other = f"{file.where} has other items than {first_file.where}"
            raise CandidateError(
                f"{other if several else f'{file.where}: run {number} has other items than the first'}: "
                f"{_some(odd, len(first))} in one of them only",
                "Every run answers the same items.",
            )
    md5 = files[0].md5
    if len(files) > 1:
        md5 = hashlib.md5(" ".join(file.md5 for file in files).encode(), usedforsecurity=False).hexdigest()
    columns = files[0].columns
    return Table(
        md5,
        tuple(file.where for file, _ in runs),
        tuple(run for _, run in runs),
        columns,
        first.drop(columns=list(columns)),
    )


def _runs(
    table: pd.DataFrame, where: str, identity: str, run: str | None, columns: Sequence[str]
) -> tuple[pd.DataFrame, ...]:
    """Read the runs of a file, each sorted by id: what is judged does not depend on the order of the lines."""
    import pandas as pd

    for what, column in (("id", identity), ("run", run), *(("score", column) for column in columns)):
        if column is not None and column not in table.columns:
            raise CandidateError(
                f"{where} has no column {column!r}, which {what}= names",
                f"Its columns are: {', '.join(map(str, table.columns))}.",
            )
    empty = (table[identity].isna() | (table[identity].astype(str) == "")).to_numpy()
    if empty.any():
        raise CandidateError(f"{where} has no {identity} in line {int(empty.argmax()) + 1}", "Every item needs one.")
    ids = pd.Index(table[identity].map(_name), name=identity)
    table = table.assign(
        **{
            column: answer_table.numbers(table[column], where, lambda row: f"{identity} {ids[row]}")
            for column in columns
        }
    ).set_axis(ids, axis=0)
    if run is not None and pd.to_numeric(table[run], errors="coerce").notna().all():
        table = table.assign(**{run: pd.to_numeric(table[run])})  # 9 before 10, in CSV too
    parts = [table] if run is None else [part for _, part in table.groupby(run, sort=True, dropna=False)]
    for part in parts:
        twice = part.index[part.index.duplicated()]
        if len(twice):
            raise CandidateError(
                f"{where} answers {_some(pd.Index(twice), len(part))} twice" + ("" if run is None else " in one run"),
                "Several runs (seeds, samples) are told apart by a column, run='seed'; or each has a file of its own.",
            )
    return tuple(part.sort_index() for part in parts)


def _name(identity: Any) -> str:
    """Write an id as text; a number that went through pandas may have become 1.0."""
    return str(int(identity)) if isinstance(identity, float) and identity.is_integer() else str(identity)


def _some(ids: pd.Index[Any], of: int) -> str:
    shown = ", ".join(clipped(str(each)) for each in ids[:3])
    return f"{len(ids):,} of {of:,} items ({shown}{', ...' if len(ids) > 3 else ''})"
