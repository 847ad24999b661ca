"""Rows like those of the historical data are drawn, and a model's behaviour on them is held to properties."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from pytest_model_check import properties, strategies
from pytest_model_check.errors import DataError, ModelCheckError, PromiseError

CALM = settings(database=None, max_examples=60, deadline=None)
N = 200


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "size": rng.normal(5, 2, N),
            "rooms": rng.integers(1, 4, N),
            "count": rng.integers(-1000, 1000, N),
            "income": np.where(rng.random(N) < 0.1, np.nan, rng.uniform(0, 9, N)),
            "kind": rng.choice(["flat", "house"], N),
            "sold": rng.random(N) < 0.5,
            "note": np.where(rng.random(N) < 0.5, None, "x"),
            "day": pd.date_range("2024", periods=N),
            "price": rng.normal(size=N),
        }
    )
    table["kind"] = table["kind"].astype("category")
    file = tmp_path_factory.mktemp("data") / "a.parquet"
    table.to_parquet(file)
    return file


def test_rows_are_like_those_of_the_data(path: Path) -> None:
    data = pd.read_parquet(path).drop(columns="price")
    seen = []

    @CALM
    @given(strategies.rows(path, target="price", max_size=5))
    def draw(rows: pd.DataFrame) -> None:
        assert 1 <= len(rows) <= 5
        assert rows.dtypes.to_dict() == data.dtypes.to_dict()
        for column in ("size", "count", "income", "day"):
            known = rows[column].dropna()
            assert known.between(data[column].min(), data[column].max()).all()
        for column in ("rooms", "kind", "sold", "note"):
            assert set(rows[column].dropna()) <= set(data[column].dropna())
        seen.append(rows)

    draw()
    missing = pd.concat(seen).isna().any()
    assert missing[missing].index.tolist() == ["income", "note"], "values are missing where the data lacks them"


def test_a_failure_shrinks_to_the_smallest_row(path: Path) -> None:
    tables = strategies.rows(path, features=["size", "rooms", "kind"])
    smallest = find(tables, lambda rows: bool((rows["rooms"] > 1).any()), settings=CALM)
    assert smallest.to_dict("list")["rooms"] == [2]
    assert len(smallest) == 1
    assert smallest["size"][0] == int(smallest["size"][0]), "a simple number"


class Model:
    """Answers by a formula; what is wrong with it is named."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault

    def predict(self, rows: pd.DataFrame) -> Any:
        found = rows["size"] * 2 + rows["rooms"]
        if self.fault == "order":
            found = found + np.arange(len(rows))
        if self.fault == "batch":
            found = found - rows["size"].mean()
        if self.fault == "infinite":
            found = found.where(rows["rooms"] < 3, np.inf)
        if self.fault == "falls":
            found = -found
        if self.fault == "column":
            found = found + (rows["kind"] == "flat")
        if self.fault == "rounding":
            found = found + (rows["size"] > rows["size"].round(1))
        return found.to_numpy()


PROPERTIES = {
    "order": properties.unmoved_by_order,
    "batch": properties.unmoved_by_batches,
    "infinite": properties.finite,
    "falls": lambda model, rows: properties.monotone(model, rows, "size", 1.0),
    "column": lambda model, rows: properties.unmoved_by_column(model, rows, "kind"),
    "rounding": lambda model, rows: properties.unmoved_by_rounding(model, rows, 1, tolerance=0.2),
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_each_property_holds_of_a_good_model_and_fails_of_one_without_it(path: Path, name: str) -> None:
    drawn = strategies.rows(path, features=["size", "rooms", "kind"], max_size=4)

    @CALM
    @given(drawn)
    def holds(rows: pd.DataFrame) -> None:
        PROPERTIES[name](Model(), rows)

    @settings(CALM, phases=[Phase.generate])
    @given(drawn)
    def fails(rows: pd.DataFrame) -> None:
        PROPERTIES[name](Model(name), rows)

    holds()
    with pytest.raises(AssertionError, match="row "):
        fails()


class Unsure:
    """Answers probabilities of two classes."""

    def predict_proba(self, rows: pd.DataFrame) -> Any:
        return np.column_stack([1 - rows["p"], rows["p"]])


def test_probabilities_are_those_of_the_second_class_and_lie_between_0_and_1() -> None:
    rows = pd.DataFrame({"p": [0.2, 0.7]})
    properties.finite(Unsure(), rows)
    assert properties.answers(Unsure(), rows).tolist() == [0.2, 0.7]
    with pytest.raises(AssertionError, match=r"row 1: 1\.2, which is not finite, from 0, up to 1"):
        properties.finite(Unsure(), rows + 0.5)
    with pytest.raises(AssertionError, match=r"row 0: the answer rises from 0\.2 to 0\.3 where p is 0\.1 more"):
        properties.monotone(Unsure(), rows, "p", 0.1, increasing=False)
    properties.unmoved_by_column(lambda rows: np.array(["a"] * len(rows)), rows, "p", to=0)
    with pytest.raises(AssertionError, match="no answer"):
        properties.finite(lambda rows: np.array(["a", None], dtype=object), rows)
    with pytest.raises(PromiseError, match="one number a row"):
        properties.monotone(lambda rows: np.zeros((2, 3)), rows, "p", 0.1)


@pytest.mark.parametrize("read", [None, {"sep": ","}])
def test_what_can_not_be_drawn_is_said_in_words(tmp_path: Path, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,\n")
    assert find(strategies.rows(tmp_path / "a.csv", read=read), lambda rows: True).columns.tolist() == ["a", "b"]
    with pytest.raises(DataError, match="has no column 'c'\n"):
        find(strategies.rows(tmp_path / "a.csv", target="c"), lambda rows: True)
    with pytest.raises(PromiseError, match="are no sizes"):
        strategies.rows("a.csv", min_size=3, max_size=2)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ModelCheckError, match=r"not installed\n.*pytest-model-check\[behaviour\]"):
        strategies.rows("a.csv")


@given(st.lists(st.floats(allow_nan=True), max_size=5))
def test_the_same_answers_are_the_same(numbers: list[float]) -> None:
    properties.unmoved_by_order(lambda rows: rows["x"].to_numpy(), pd.DataFrame({"x": numbers}, dtype=float))
