"""What was compared, and how the answers of the two models differ beside their scores. Records only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

LeakKind = Literal["feature", "scaled", "rows", "groups", "time"]


@dataclass(frozen=True)
class ScoreGrid:
    """One metric of the 2 x 2 table: both models on both versions of the data; None where one can't run there.

    Parameters
    ----------
    old_old, old_new : float or None
        The approved model's score on the old data, and on the new.
    new_old, new_new : float or None
        The candidate's.
    """

    metric: str
    old_old: float | None
    old_new: float | None
    new_old: float | None
    new_new: float | None


@dataclass(frozen=True)
class Moved:
    """The data is another version than the baseline's, so the approved model was measured anew on it.

    Parameters
    ----------
    before, after : str
        The versions: which file, its md5, how many rows.
    commit : str
        Whose code the approved model is.
    score_grids : tuple of ScoreGrid
        By metric: whether the data got harder, or the model worse.
    reason : str
        Why a number is missing.
    repeated_before, repeated_after : int
        How many rows of either version are predicted by a fit that has seen the same row.
    """

    before: str
    after: str
    commit: str
    score_grids: tuple[ScoreGrid, ...]
    reason: str = ""
    repeated_before: int = 0
    repeated_after: int = 0


@dataclass(frozen=True)
class ChangedRows:
    """The rows that one model answers right and the other wrong.

    Parameters
    ----------
    lost, won : int
        How many the candidate gets wrong that the baseline had right, and the other way round.
    examples : tuple of int
        The first that were lost, by their position in the data, counted from 0.
    lost_weight, won_weight : float or None
        Their share of all sample weight; None: all rows count the same.
    """

    lost: int
    won: int
    examples: tuple[int, ...] = ()
    lost_weight: float | None = None
    won_weight: float | None = None

    @property
    def count(self) -> int:
        """How many changed, either way."""
        return self.lost + self.won


@dataclass(frozen=True)
class Differences:
    """How the answers of the two models differ, beside their scores.

    Parameters
    ----------
    changed_rows : ChangedRows or None
        None for regression, where the baseline's predictions can't be had, and where the check passes.
    moved : Moved or None
        Both models on both versions of the data, where it is another than the baseline's.
    charts : mapping
        What the page draws, counted and binned: no row's content is in it (`pytest_model_check.scoring.charts`).
    """

    changed_rows: ChangedRows | None = None
    moved: Moved | None = None
    charts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DataVersion:
    """Which version of the data the models were compared on: its files, their md5, and how many rows it has.

    Parameters
    ----------
    effective_rows : float or None
        How many rows of equal weight would say as much; None: there are no weights.
    repeated : int
        How many rows are predicted by a fit that has seen the same row.
    """

    path: str = ""
    md5: str = ""
    rows: int = 0
    effective_rows: float | None = None
    repeated: int = 0


@dataclass(frozen=True)
class Leak:
    """What may flatter the model: answers that it should not know.

    Parameters
    ----------
    kind : {'feature', 'scaled', 'rows', 'groups', 'time'}
        A feature that alone tells the target almost perfectly; features that were scaled with the rows to predict; rows
        that stand on both sides of a fold; rows of one unit that do; dates that folds go across.
    columns : tuple of str
        Which ones.
    rows : int
        How many rows are predicted by a fit that has seen them, or another one of their unit.
    """

    kind: LeakKind
    columns: tuple[str, ...] = ()
    rows: int = 0


@dataclass(frozen=True)
class Compared:
    """What was compared, and on what.

    Parameters
    ----------
    data : DataVersion
        Which rows.
    released, candidate : str
        Both models, as scikit-learn prints them.
    protocol : mapping
        Splitter, seeds and the columns with a part to play, in words.
    recording : int
        Which recording of the baseline the candidate was held against, counted from 1; 0: none.
    reused : int
        How often the baseline has been replaced on this version of the data.
    environment : tuple of (str, str, str)
        What computes other versions than when the baseline was recorded: package, then, now.
    learner : str
        Whether the model draws random numbers: "deterministic", "random", or "nondeterministic" where even the same
        seed gives other predictions; empty: there is no baseline yet that knows.
    folds : tuple of int
        How many folds each repeat of the cross-validation has.
    origin : str
        Where the candidate's answers come from: "refitted" in every fold; "loaded" from a file of something fitted;
        "asked" of a service; made "elsewhere", where this run can't repeat it.
    provenance : tuple of str
        What is known of how they were made, in words, the first one the most important.
    sealed : str
        Whose word it is that no fit could see an answer: that of the "run", which has run the project's code, or of the
        "judge", who has made the fits; empty: they could.
    leaks : tuple of Leak
        What may flatter the candidate.
    released_features : tuple of str or None
        The columns that the released model looks at; None: every one. The candidate's are the protocol's.
    """

    data: DataVersion = DataVersion()
    released: str = ""
    candidate: str = ""
    protocol: Mapping[str, Any] = field(default_factory=dict)
    recording: int = 0
    reused: int = 0
    environment: tuple[tuple[str, str, str], ...] = ()
    learner: str = ""
    folds: tuple[int, ...] = ()
    origin: str = "refitted"
    provenance: tuple[str, ...] = ()
    sealed: str = ""
    leaks: tuple[Leak, ...] = ()
    released_features: tuple[str, ...] | None = None
