"""Predictions: the out-of-fold answers, the centre of the design. Everything after them is a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.candidates.responses import RESPONSES
from pytest_model_check.checks.item_score import SCORE
from pytest_model_check.errors import CandidateError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Predictions:
    """Out-of-fold answers of one model: every slot is a row that a split held out.

    Parameters
    ----------
    row : ndarray of int, shape (n_slots,)
        The row's position in the data set. A row has a slot per repeat.
    repeat, fold : ndarray of int, shape (n_slots,)
        In which fold of which repeat it was held out.
    responses : mapping of str to ndarray, shape (n_seeds, n_slots) or (n_seeds, n_slots, n_classes)
        What ``predict``, ``predict_proba`` and ``decision_function`` answered, as far as the model has them; or
        ``score:NAME``, the finished scores of results made elsewhere.
    classes : ndarray or None
        The labels, in the order of the columns; None for regression.
    """

    row: NDArray[np.int64]
    repeat: NDArray[np.int64]
    fold: NDArray[np.int64]
    responses: Mapping[str, NDArray[Any]]
    classes: NDArray[Any] | None

    @property
    def seeds(self) -> int:
        """How many seeds answered."""
        return int(next(iter(self.responses.values())).shape[0])

    @cached_property
    def split(self) -> NDArray[np.int64]:
        """The number of each slot's split, counted over folds and repeats, from 0."""
        pairs = self.repeat * (self.fold.max() + 1) + self.fold
        present = np.bincount(pairs) > 0  # not np.unique, which sorts: there may be millions of slots
        return np.asarray(np.cumsum(present)[pairs] - 1, dtype=np.int64)

    @cached_property
    def split_of_row(self) -> NDArray[np.integer]:
        """The first split that held each predicted row out, in as few bytes as it takes: there may be millions."""
        first = np.full(int(self.row.max()) + 1, -1, dtype=np.min_scalar_type(-1 - int(self.split.max())))
        first[self.row[::-1]] = self.split[::-1]
        return first[first >= 0]

    def first(self, seeds: int) -> Predictions:
        """Keep the answers of the first `seeds` seeds."""
        kept = {name: answers[:seeds] for name, answers in self.responses.items()}
        return Predictions(self.row, self.repeat, self.fold, kept, self.classes)

    def and_seeds(self, more: Predictions) -> Predictions:
        """Add the answers of other seeds to the same slots.

        Raises
        ------
        CandidateError
            If the other seeds answer otherwise.
        """
        if self.responses.keys() != more.responses.keys():
            raise CandidateError(
                f"the candidate has {', '.join(self.responses)} with one seed, {', '.join(more.responses)} with another"
            )
        kept = {name: np.concatenate([mine, more.responses[name]]) for name, mine in self.responses.items()}
        return Predictions(self.row, self.repeat, self.fold, kept, self.classes)

    def head(self, slots: int) -> Predictions:
        """Keep the first slots."""
        kept = {name: answers[:, :slots] for name, answers in self.responses.items()}
        return Predictions(self.row[:slots], self.repeat[:slots], self.fold[:slots], kept, self.classes)

    def of_rows(self, keep: NDArray[np.bool_]) -> Predictions:
        """Keep the rows of the data set for which `keep` is true."""
        slots = keep[self.row]
        kept = {name: answers[:, slots] for name, answers in self.responses.items()}
        return Predictions(self.row[slots], self.repeat[slots], self.fold[slots], kept, self.classes)

    def same_slots(self, other: Predictions) -> bool:
        """Whether both predict the same rows in the same folds and repeats, of the same classes."""
        return (
            np.array_equal(self.row, other.row)
            and np.array_equal(self.repeat, other.repeat)
            and np.array_equal(self.fold, other.fold)
            and list(self.classes if self.classes is not None else ())
            == list(other.classes if other.classes is not None else ())
        )

    def agrees(self, other: Predictions, rtol: float = 1e-9) -> bool:
        """Whether all answers are the same to rounding, seed by seed (never bit by bit: sums depend on row order)."""
        return self.responses.keys() == other.responses.keys() and all(
            _close(answers, other.responses[name], rtol) for name, answers in self.responses.items()
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the long table that is stored: row, repeat, seed, fold, and a column per response (and class)."""
        import pandas as pd

        seeds, slots = self.seeds, len(self.row)
        columns: dict[str, Any] = {
            "row": np.tile(self.row, seeds),
            "repeat": np.tile(self.repeat, seeds),
            "seed": np.repeat(np.arange(seeds), slots),
            "fold": np.tile(self.fold, seeds),
        }
        for name, answers in self.responses.items():
            if answers.ndim == 2:
                columns[name] = answers.reshape(-1)
            else:
                for k in range(answers.shape[2]):
                    columns[f"{name}:{k}"] = answers[:, :, k].reshape(-1)
        return pd.DataFrame(columns)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, classes: NDArray[Any] | None) -> Predictions:
        """Read the table that `to_frame` returns.

        Raises
        ------
        ValueError
            If a column is missing, an answer is no number, or the seeds do not hold the same slots.
        """
        lacking = [name for name in ("row", "repeat", "seed", "fold") if name not in frame.columns]
        if lacking or len(frame) == 0:
            raise ValueError(f"the table of predictions lacks {', '.join(lacking) or 'rows'}")
        slot = {name: _counts(frame, name) for name in ("row", "repeat", "seed", "fold")}
        seeds = int(slot["seed"].max()) + 1
        slots, rest = divmod(len(frame), seeds)
        if rest or not np.array_equal(slot.pop("seed"), np.repeat(np.arange(seeds), slots)):
            raise ValueError("the table of predictions does not hold the same rows for every seed")
        for name, numbers in slot.items():
            if not np.array_equal(numbers, np.tile(numbers[:slots], seeds)):
                raise ValueError(f"the table of predictions does not hold the same {name}s for every seed")
        responses: dict[str, NDArray[Any]] = {}
        scores = [column for column in frame.columns if column.startswith(SCORE)]
        for name in (*RESPONSES, *scores):
            columns = [column for column in frame.columns if column.startswith(f"{name}:")]
            expected = [f"{name}:{k}" for k in range(len(columns))]
            if sorted(columns) != sorted(expected) or (
                name == "predict_proba" and columns and len(columns) != len(() if classes is None else classes)
            ):
                raise ValueError(f"the table of predictions lacks columns of {name}, it has {', '.join(columns)}")
            if name in frame.columns:
                responses[name] = _plain(frame[name]).reshape(seeds, slots)
            elif columns:
                responses[name] = np.stack([_plain(frame[column]).reshape(seeds, slots) for column in expected], axis=2)
        if not responses:
            raise ValueError("the table of predictions holds no response")
        row, repeat, fold = (slot[name][:slots] for name in ("row", "repeat", "fold"))
        return cls(row, repeat, fold, responses, classes)


def _counts(frame: pd.DataFrame, name: str) -> NDArray[np.int64]:
    numbers = frame[name].to_numpy()
    if numbers.dtype.kind not in "iu" or numbers.min() < 0:
        raise ValueError(f"the table of predictions holds something else than counts in its column {name}")
    return numbers.astype(np.int64)


def _plain(column: pd.Series[Any]) -> NDArray[Any]:
    """Numbers as numbers, everything else as Python objects, whatever extension type the file gave."""
    values = column.to_numpy()
    if column.isna().any() or (values.dtype.kind == "f" and not np.isfinite(values).all()):
        raise ValueError(f"the table of predictions holds NaN or infinity in its column {column.name}")
    return values if values.dtype.kind in "biuf" else column.to_numpy(dtype=object)


def _close(mine: NDArray[Any], other: NDArray[Any], rtol: float) -> bool:
    if mine.shape != other.shape:
        return False
    if mine.dtype.kind == "f" and other.dtype.kind == "f":
        # relative to the usual size too: an answer that happens to lie near zero is no finer than the others (the mean,
        # because the median of what a sure classifier gives to ten classes is itself next to zero)
        size = np.maximum(np.abs(mine), np.abs(other))
        return bool((np.abs(mine - other) <= rtol * (size + size.mean())).all())
    return bool(np.array_equal(mine, other))
