"""A table of another tool's, a line an item -> responses: matched with the labels; a fault is named by its row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check import bounded
from pytest_model_check.candidates.responses import aligned
from pytest_model_check.errors import CandidateError
from pytest_model_check.paths import clipped

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 8 * 10**9  # bytes of a file
PREDICTION = "prediction"
PROBABILITY = "probability_"  # begins the name of a column; its label follows

COLUMNS = (
    f"It needs a column {PREDICTION}, or for a classifier a column {PROBABILITY}LABEL for each label of the target."
)


def responses(
    table: pd.DataFrame, classes: NDArray[Any] | None, where: str, name_row: Callable[[int], str]
) -> dict[str, NDArray[Any]]:
    """Read what a model answered: ``prediction``, and ``probability_LABEL`` for each label.

    Parameters
    ----------
    table : DataFrame of shape (n, columns)
        As text or typed, in the order of the rows that were asked about.
    classes : ndarray or None
        The labels of the data; None for regression.
    where : str
        How a message calls the table.
    name_row : callable
        Names the nth row in a message.

    Raises
    ------
    CandidateError
        Naming the column and the row that are wrong.
    """
    found: dict[str, NDArray[Any]] = {}
    columns = [column for column in table.columns if str(column).startswith(PROBABILITY)]
    if classes is None:
        if columns:
            raise CandidateError(f"{where} holds probabilities, and the check is of a regression", COLUMNS)
    elif columns:
        known = labels([str(column).removeprefix(PROBABILITY) for column in columns], classes)
        unknown = next((column for column, label in zip(columns, known, strict=True) if label is None), None)
        if unknown is not None:
            raise CandidateError(
                f"{where} has the column {clipped(unknown)}, and the target has no such label",
                f"Its labels are {_listed(classes)}.",
            )
        answers = np.column_stack([numbers(table[column], where, name_row) for column in columns])
        found["predict_proba"] = aligned("predict_proba", answers, [each[0] for each in known if each], classes)
    if PREDICTION in table.columns:
        found["predict"] = (
            numbers(table[PREDICTION], where, name_row)
            if classes is None
            else _labelled(table[PREDICTION], classes, where, name_row)
        )
    elif "predict_proba" in found and classes is not None:
        found["predict"] = classes[found["predict_proba"].argmax(axis=1)]
    if not found:
        raise CandidateError(
            f"{where} holds no predictions: its columns are {', '.join(map(str, table.columns))}", COLUMNS
        )
    return dict(sorted(found.items()))


def numbers(column: pd.Series[Any], where: str, name_row: Callable[[int], str]) -> NDArray[np.float64]:
    """Read a column of finite numbers."""
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    bad = ~np.isfinite(values)
    if bad.any():
        first = int(bad.argmax())
        others = f" (and {int(bad.sum()) - 1} more)" if bad.sum() > 1 else ""
        raise CandidateError(
            f"{where} holds {clipped(column.iloc[first])} in its column {clipped(str(column.name))} for "
            f"{name_row(first)}{others}: no finite number",
            "Every item needs an answer that can be scored.",
        )
    return values


def labels(texts: Sequence[Any], classes: NDArray[Any]) -> list[tuple[Any] | None]:
    """Match texts with the labels that they mean: (label,), or None where there is no such label.

    Tools write numbers and truth values each in their own way: 1, 1.0, "1"; True, TRUE, "true".
    """
    meant: dict[str, Any] = {}
    for label in classes.tolist():
        meant.update(dict.fromkeys(_spellings(label), label))
    return [(meant[str(text)],) if str(text) in meant else None for text in texts]


def _spellings(label: Any) -> list[str]:
    if isinstance(label, bool):
        return [str(label), str(label).upper(), str(label).lower(), str(int(label)), str(float(label))]
    if isinstance(label, float) and label.is_integer():
        return [str(label), str(int(label))]
    if isinstance(label, int):
        return [str(label), str(float(label))]
    return [str(label)]


def _labelled(
    column: pd.Series[Any], classes: NDArray[Any], where: str, name_row: Callable[[int], str]
) -> NDArray[Any]:
    codes, distinct = column.factorize(use_na_sentinel=False)
    known = labels(list(distinct), classes)
    bad = np.array([label is None for label in known])[codes]
    if bad.any():
        first = int(bad.argmax())
        raise CandidateError(
            f"{where} answers {clipped(column.iloc[first])} for {name_row(first)}: the target has no such label",
            f"Its labels are {_listed(classes)}.",
        )
    places = [int(np.flatnonzero(classes == label[0])[0]) for label in known if label]
    return np.asarray(classes[np.array(places)[codes]])


def _listed(classes: NDArray[Any]) -> str:
    shown = [clipped(label) for label in classes.tolist()]
    return ", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else "")


def read(path: Any, where: str) -> pd.DataFrame:
    """Read a CSV or Parquet file whose cells are to be matched, not guessed: CSV as text.

    Raises
    ------
    CandidateError
        If it is no such file.
    """
    import pandas as pd

    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 10**9} GB")
        if path.suffix == ".parquet":
            table = bounded.read_parquet(path)
        else:
            table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True, encoding="utf-8-sig")
    except Exception as error:  # pandas' and pyarrow's own trees, bad encodings
        raise CandidateError(
            f"{where} can't be read: {' '.join(str(error).replace(str(path), where).split())[:120]}", COLUMNS
        ) from error
    if not isinstance(table.index, pd.RangeIndex):
        raise CandidateError(f"{where} has more values in a line than columns in its header", COLUMNS)
    return table
