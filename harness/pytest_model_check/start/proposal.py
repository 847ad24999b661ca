"""A profiled table and a target -> the check that is proposed, with the reason of every choice. Pure but for numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_model_check.data.leaks import known_answers
from pytest_model_check.data.profile import LEFT_OUT, Column, groups_of
from pytest_model_check.errors import DataError, PromiseError
from pytest_model_check.judgement.numbers import count
from pytest_model_check.report.text import visible

if TYPE_CHECKING:
    import pandas as pd

TARGETS = (
    "target", "label", "labels", "class", "outcome", "response", "y", "churn", "churned", "survived", "default",
    "defaulted", "fraud", "is_fraud", "diagnosis", "species", "result", "quality", "price",
)  # fmt: skip
FOLDS, FEWER_FOLDS, MANY_ROWS = 10, 5, 5000
MOST_CLASSES = 10  # that whole numbers may be: more are taken for an amount


@dataclass(frozen=True)
class Choice:
    """One argument of the check: what it is, and why."""

    key: str
    value: Any
    reason: str


@dataclass(frozen=True)
class Proposal:
    """The check that is proposed.

    Parameters
    ----------
    target, task : str
        What is predicted.
    choices : tuple of Choice
        The arguments, in their order.
    left_out : tuple of (str, str)
        Columns that the model may not look at, and why.
    """

    target: str
    task: str
    choices: tuple[Choice, ...]
    left_out: tuple[tuple[str, str], ...]

    def arguments(self) -> dict[str, Any]:
        """Return what `make_check` takes."""
        return {choice.key: choice.value for choice in self.choices}

    def value(self, key: str) -> Any:
        """Return an argument; None where it is left at its default."""
        return self.arguments().get(key)


def guess_target(columns: Sequence[Column]) -> tuple[str, str]:
    """Return the column that is probably to be predicted, and why.

    Raises
    ------
    DataError
        If no column can be it.
    """
    possible = [column for column in columns if column.kind in ("number", "whole number", "words", "truth")]
    complete = [column for column in possible if not column.missing]
    for name in TARGETS:
        for column in complete:
            if column.name.casefold() == name:
                return column.name, "it is called so"
    if not complete:
        raise DataError(
            "no column can be the target: each has missing values, is the same in every row, or names rows",
            "Drop the rows whose target is missing, and name it: --target COLUMN.",
        )
    return complete[-1].name, "it is the last column"


def propose(
    table: pd.DataFrame,
    columns: Sequence[Column],
    data: str,
    target: str,
    why: str,
    task: str,
    read: dict[str, Any] | None = None,
) -> Proposal:
    """Choose the arguments of a check.

    Parameters
    ----------
    table : DataFrame
        The rows.
    columns : sequence of Column
        Its profile.
    data : str
        The file, from rootdir.
    target, why : str
        What is predicted, and why that.
    task : {'classification', 'regression', ''}
        What it is; empty: as its values say.
    read : dict or None
        The reader options that it was read with.

    Raises
    ------
    DataError, PromiseError
        If this can't be predicted.
    """
    column = _target(columns, target)
    y = table[target].to_numpy()
    task, kind = (task, "it was asked for") if task else _task(column, len(y))
    if task == "regression" and column.kind not in ("number", "whole number"):
        raise PromiseError(f"the target {target!r} holds no numbers: it is no regression", "Leave --task out.")
    if task == "classification" and column.kind in ("text", "id", "date", "number"):
        raise PromiseError(
            f"the target {target!r} has {column.distinct} different values: it is no classification",
            "Name another target: --target COLUMN." if column.kind != "number" else "Leave --task out.",
        )
    time = next((c for c in columns if c.kind == "date" and not c.missing and c.distinct > FOLDS), None)
    groups = None if time else groups_of(tuple(columns), len(y), target)
    roles = {target, *(c.name for c in (time, groups) if c)}
    left_out = [(c.name, LEFT_OUT[c.kind]) for c in columns if c.name not in roles and c.kind in LEFT_OUT]
    features = [c.name for c in columns if c.name not in roles and c.kind not in LEFT_OUT]
    known = known_answers(table, features, y, task)
    left_out += [(name, f"it alone tells {target} almost perfectly: is it known in time?") for name in known]
    features = [name for name in features if name not in known]
    if not features:
        raise DataError(
            f"{data} has no column to learn from beside {target!r}",
            "\n".join(f"{name}: {reason}." for name, reason in left_out) or "Add one.",
        )
    choices = [
        Choice("data", data, f"{count(len(y), 'row')}, {count(len(columns), 'column')}"),
        *([Choice("read", read, "so its values are parted, and its numbers written")] if read else []),
        Choice("target", target, f"{why}; {task}: {kind}"),
        _metrics(task),
        _folds(y, task, column, time is not None, groups),
    ]
    if time:
        choices.append(Choice("time", time.name, "rows have a date: folds go forward in time, a day counts as one"))
    if groups:
        reason = f"{count(groups.distinct, 'group')} of rows: no fold parts them, and each counts as one"
        choices.append(Choice("groups", groups.name, reason))
    if left_out:
        reason = "left out: " + "; ".join(f"{name} ({why_not})" for name, why_not in left_out)
        choices.append(Choice("features", features, reason))
    described = f"Predict {visible(target)} from {visible(data)}."
    choices.append(Choice("description", described, "say what it is for: a write-up begins with it"))
    doubled = int(table.duplicated().sum())
    if doubled:
        words = "1 row is a copy of another" if doubled == 1 else f"{doubled:,} rows are copies of others"
        caveat = f"{words}: on both sides of a fold, copies flatter the model."
        choices.append(Choice("caveats", [caveat], "found in the table; a write-up repeats it"))
    return Proposal(target, task, tuple(choices), tuple(left_out))


def _target(columns: Sequence[Column], target: str) -> Column:
    column = next((column for column in columns if column.name == target), None)
    if column is None:
        raise PromiseError(
            f"there is no column {target!r} to predict", f"There are: {', '.join(c.name for c in columns)}."
        )
    if column.missing:
        raise DataError(
            f"the target {target!r} is missing in {count(column.missing, 'row')}",
            "Nobody knows what is right there: drop these rows from the file first.",
        )
    if column.kind == "constant":
        raise DataError(f"the target {target!r} is the same in every row", "There is nothing to predict.")
    return column


def _task(column: Column, rows: int) -> tuple[str, str]:
    if column.kind in ("words", "truth", "text", "id", "date"):
        return "classification", f"{column.distinct} different values, no numbers"
    if column.distinct == 2 or (
        column.kind == "whole number" and column.distinct <= min(MOST_CLASSES, rows / MOST_CLASSES)
    ):
        return "classification", f"{column.distinct} different whole numbers"
    return "regression", f"{column.distinct:,} different numbers"


def _metrics(task: str) -> Choice:
    if task == "regression":
        return Choice("metrics", ["r2"], "the share of the target's variance that is explained: 1 is perfect")
    return Choice(
        "metrics", ["neg_brier_score"], "sees how sure each answer was, and right or wrong is not all: 0 is perfect"
    )


def _folds(y: Any, task: str, target: Column, forward: bool, groups: Column | None) -> Choice:
    folds, reason = FOLDS, "each fold is fitted on nine tenths of the rows"
    if len(y) > MANY_ROWS:
        folds, reason = FEWER_FOLDS, f"of {len(y):,} rows, four fifths teach a model nearly all that nine tenths do"
    if forward:
        return Choice("cv", folds, "each fold is fitted on what came before it")
    if groups:
        return Choice("cv", min(folds, groups.distinct), reason)
    if task == "classification":
        labels, counts = np.unique(y.astype(str), return_counts=True)
        rarest = int(counts.min())
        if rarest < 2:
            alone = str(labels[counts.argmin()])
            raise DataError(
                f"only one row has the {target.name} {alone!r}: no fold can hold it out and learn it",
                "Drop it from the file, merge it with another class, or name another target: --target COLUMN.",
            )
        if rarest < folds:
            return Choice("cv", rarest, f"the rarest class has {count(rarest, 'row')}, one for each fold")
    elif len(y) < folds:
        raise DataError(f"there are {count(len(y), 'row')} only", "Ten are the fewest that say anything.")
    return Choice("cv", folds, reason)
