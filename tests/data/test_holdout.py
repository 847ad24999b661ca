"""Rows that are judged once: of a file, of which a condition is true, after a date; and what names none."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.candidates.artifact import Artifact
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import dataset, splits
from pytest_model_check.data.splits import Split
from pytest_model_check.errors import DataError, PromiseError
from sklearn.linear_model import LogisticRegression

ROWS = pd.DataFrame(
    {
        "size": np.arange(8.0),
        "day": [f"2024-01-0{day}" for day in range(1, 9)],
        "who": list("aabbccdd"),
        "y": [0, 1] * 4,
    }
)


def split(folder: Path, candidate: Any = None, files: int = 1, **promise: Any) -> tuple[Split, str]:
    """Split eight rows in one file or two, as a check says; return the split and its words."""
    names = [f"{number}.csv" for number in range(files)]
    for name, part in zip(names, np.array_split(np.arange(8), files), strict=True):
        ROWS.iloc[part].to_csv(folder / name, index=False)
    given = LogisticRegression() if candidate is None else candidate
    check = make_check(given, name="check", data=names, target="y", **promise)
    cv = splits.make_cross_validation(check, dataset.read(check, folder, lambda path: "0" * 32))
    (only,) = cv.splits
    return only, cv.splitter


@pytest.mark.parametrize(
    ("promise", "held_out", "words"),
    [
        ({"holdout": "size >= 5"}, [5, 6, 7], "holdout: size >= 5"),
        ({"holdout": "1.csv", "files": 2}, [4, 5, 6, 7], "holdout: the rows of 1.csv"),
        ({"holdout": Path("1.csv"), "files": 2}, [4, 5, 6, 7], "holdout: the rows of 1.csv"),
        ({"holdout": datetime.date(2024, 1, 6), "time": "day"}, [6, 7], "holdout: after 2024-01-06"),
        (
            {"holdout": pd.Timestamp("2024-01-06T12:00Z"), "time": "day"},
            [6, 7],
            "holdout: after 2024-01-06T12:00:00+00:00",
        ),
    ],
)
def test_rows_are_held_out_once(promise: dict, held_out: list[int], words: str, tmp_path: Path) -> None:
    found, said = split(tmp_path, **promise)
    assert (found.test.tolist(), said) == (held_out, words)
    assert found.train.tolist() == [row for row in range(8) if row not in held_out]


def test_what_is_loaded_may_be_judged_on_all_rows(tmp_path: Path) -> None:
    for holdout in (True, "0.csv"):
        found, said = split(tmp_path, Artifact("model.onnx"), holdout=holdout)
        assert (found.test.tolist(), said) == (list(range(8)), "holdout: every row")
    with pytest.raises(PromiseError, match="nobody knows which rows it has not seen"):
        split(tmp_path, Artifact("model.onnx"))


@pytest.mark.parametrize(
    ("promise", "error", "message"),
    [
        ({"holdout": "size >"}, PromiseError, "holdout='size >' is no condition on the data"),
        ({"holdout": "colour == 1"}, PromiseError, "is no condition on the data: name 'colour' is not defined"),
        ({"holdout": "size + 1"}, PromiseError, "is not true or false for each row"),
        ({"holdout": "size > 99"}, DataError, "holdout: size > 99: no row of 0.csv is such"),
        ({"holdout": "other.csv"}, PromiseError, "holdout= names other.csv, which is none of data="),
        ({"holdout": datetime.date(2024, 1, 6)}, PromiseError, "holdout=2024-01-06 needs time="),
        ({"holdout": datetime.date(2024, 1, 6), "time": "size"}, PromiseError, "and time='size' holds numbers"),
        ({"holdout": 3}, PromiseError, "holdout=3 names no rows"),
        ({"holdout": True}, PromiseError, "no row is left to fit the candidate on"),
        ({"holdout": "size < 3", "time": "day"}, PromiseError, "it is fitted on later rows than it predicts"),
        ({"holdout": "size > 4", "groups": "who"}, PromiseError, "1 of the groups are both fitted on and predicted"),
        ({"holdout": "size > 4", "cv": 5}, PromiseError, "cv= and holdout= both say which rows are held out"),
        ({"holdout": "1.csv", "files": 2, "load": lambda paths: ROWS}, PromiseError, "load= does not say which rows"),
    ],
)
def test_what_names_no_rows_is_refused(promise: dict, error: type, message: str, tmp_path: Path) -> None:
    with pytest.raises(error) as raised:
        split(tmp_path, **promise)
    assert message in str(raised.value)
