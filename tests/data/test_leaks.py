"""What may flatter a model is found, and what only looks like it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import dataset, repeated_rows, splits
from pytest_model_check.data.leaks import known_answers, leaks
from pytest_model_check.judgement.compared import Leak
from sklearn.linear_model import LogisticRegression

ROWS = 400


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, ROWS))
    return pd.DataFrame({"x": x, "z": rng.normal(3, 2, ROWS), "y": (x + noise > 0).astype(int)})


def found(folder: Path, rows: pd.DataFrame, **promise: Any) -> tuple[Leak, ...]:
    rows.to_parquet(folder / "a.parquet")
    check = make_check(LogisticRegression(), data="a.parquet", target="y", name="a", **promise)
    cv = splits.make_cross_validation(check, dataset.read(check, folder, lambda path: "0" * 32))
    return leaks(check, cv, repeated_rows.count(cv))


def test_a_plain_table_has_none(tmp_path: Path) -> None:
    assert found(tmp_path, table()) == ()


@pytest.mark.parametrize(
    ("values", "leak"),
    [
        (lambda t: t.y * 5 + t.z / 100, True),
        (lambda t: np.where(t.y, "paid", "open"), True),
        (lambda t: np.where(t.y, "paid", None), True),
        (lambda t: t.y.where(t.index > 30, 1 - t.y), False),  # 31 rows of it are wrong
        (lambda t: np.arange(ROWS) % 200, False),  # two rows a value
        (lambda t: [f"row {k}" for k in range(ROWS)], False),
        (lambda t: 1.0, False),
    ],
)
def test_a_feature_that_alone_tells_the_target(tmp_path: Path, values: Any, leak: bool) -> None:
    rows = table()
    rows["state"] = values(rows)
    expected = (Leak("feature", ("state",)),) if leak else ()
    assert found(tmp_path, rows) == expected
    assert found(tmp_path, rows, caveats="The state is known when the bill is sent.") == ()
    assert found(tmp_path, rows, features=["x", "z"]) == ()


def test_a_number_is_told_by_its_neighbours() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 3, ROWS)
    rows = pd.DataFrame({"exact": x, "near": x + rng.normal(0, 0.3, ROWS), "group": (x * 3).astype(int)})
    assert known_answers(rows, rows.columns, np.exp(x), "regression") == ["exact"]
    heavy = np.exp(np.exp(x))  # the same order, whatever the distances
    assert known_answers(rows, ["exact"], heavy**3, "regression") == ["exact"]
    assert known_answers(rows, ["group"], (x * 3).astype(int) * 7.0, "regression") == ["group"]
    pounds = np.r_[np.round(rng.normal(119, 5, ROWS - 3)), 23, 200, 271]  # values that repeat, and lone extremes
    rows = pd.DataFrame({"ounces": pounds / 16, "near": np.round(pounds / 10)})
    assert known_answers(rows, rows.columns, pounds, "regression") == ["ounces"]


def test_few_rows_prove_nothing() -> None:
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(ROWS, 300)))
    rare = np.arange(ROWS) == 7
    assert known_answers(rows, rows.columns, rare, "classification") == []


def test_what_was_scaled_on_all_rows_is_known_by_its_last_digits(tmp_path: Path) -> None:
    rows = table()
    rows = rows.assign(x=(rows.x - rows.x.mean()) / rows.x.std(ddof=0), z=(rows.z - rows.z.mean()) / rows.z.std())
    assert found(tmp_path, rows) == (Leak("scaled", ("x", "z")),)
    assert found(tmp_path, rows[:300]) == ()  # a sample of them


def test_copies_on_both_sides_of_a_fold_are_counted_from_one_in_a_hundred(tmp_path: Path) -> None:
    rows = table()
    doubled = pd.concat([rows, rows[:40]], ignore_index=True)
    (leak,) = found(tmp_path, doubled)
    assert (leak.kind, 60 < leak.rows <= 80) == ("rows", True)
    assert found(tmp_path, pd.concat([rows, rows[:1]], ignore_index=True)) == ()


@pytest.mark.parametrize("features", [None, ["x", "z"]])
def test_units_and_dates_that_the_check_does_not_name(tmp_path: Path, features: list[str] | None) -> None:
    rows = table().assign(
        patient_id=np.arange(ROWS) % 40,
        visit=pd.date_range("2024", periods=ROWS).strftime("%Y-%m-%d"),
        other=pd.date_range("2024", periods=ROWS),
        code=np.arange(ROWS) % 40,
        shop_id=np.arange(ROWS),
    )
    assert set(found(tmp_path, rows, features=features)) == {
        Leak("time", ("visit", "other")), Leak("groups", ("patient_id",), ROWS)
    }  # fmt: skip
    assert found(tmp_path, rows, features=["x", "z"], groups="patient_id") == ()
    assert found(tmp_path, rows, features=["x", "z"], time="visit") == ()
    assert found(tmp_path, rows, features=features, caveats=["visit, other and patient_id play no part"]) == ()
