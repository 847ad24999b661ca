"""What a table's columns are, and the check that follows from them."""

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.data.profile import profile
from pytest_model_check.errors import DataError, PromiseError
from pytest_model_check.start.proposal import guess_target, propose

ROWS = 120
RNG = np.random.default_rng(0)
NUMBER = RNG.normal(size=ROWS)
TABLE = pd.DataFrame(
    {
        "customer_id": np.arange(ROWS) + 1000,
        "amount": NUMBER,
        "visits": RNG.integers(0, 90, ROWS),
        "region": RNG.choice(["north", "south", None], ROWS),
        "member": RNG.random(ROWS) < 0.5,
        "since": pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d"),
        "comment": [f"words of row {k}" for k in range(ROWS)],
        "code": [f"k{k}" for k in range(ROWS)],
        "country": "nowhere",
        "churned": np.where(NUMBER + RNG.normal(size=ROWS) > 0, "yes", "no"),
    }
)


def proposed(table=TABLE, target="churned", task=""):
    return propose(table, profile(table), "data/t.csv", target, "it was named", task)


def test_each_kind_of_column_is_recognised():
    kinds = {column.name: column.kind for column in profile(TABLE)}
    assert kinds == {
        "customer_id": "id",
        "amount": "number",
        "visits": "whole number",
        "region": "words",
        "member": "truth",
        "since": "date",
        "comment": "text",
        "code": "id",
        "country": "constant",
        "churned": "words",
    }


def test_what_names_rows_or_says_nothing_is_left_out_with_its_reason():
    found = proposed()
    assert found.value("features") == ["amount", "visits", "region", "member"]
    assert dict(found.left_out).keys() == {"customer_id", "comment", "code", "country"}
    reason = next(choice.reason for choice in found.choices if choice.key == "features")
    assert "customer_id (it names the row" in reason


def test_dates_make_folds_go_forward():
    assert (proposed().value("time"), proposed().value("cv")) == ("since", 10)
    assert proposed().value("groups") is None


def test_rows_of_one_patient_stay_together():
    table = TABLE.drop(columns="since").assign(patient=np.arange(ROWS) // 4)
    assert proposed(table).value("groups") == "patient"
    few = TABLE.drop(columns="since").assign(patient=np.arange(ROWS) // 40)
    assert proposed(few).value("groups") is None


@pytest.mark.parametrize(
    ("task", "leak"),
    [("classification", {"churned": "fate", "of": lambda t: t["churned"].map({"yes": "gone", "no": "here"})}),
     ("regression", {"churned": "twice", "of": lambda t: np.exp(t["amount"])})],
)  # fmt: skip
def test_a_column_that_knows_too_much_is_left_out(task, leak):
    target = "churned" if task == "classification" else "amount"
    table = TABLE.assign(**{leak["churned"]: leak["of"](TABLE)})
    found = proposed(table, target)
    assert found.task == task
    assert leak["churned"] not in found.value("features")
    assert f"it alone tells {target} almost perfectly" in dict(found.left_out)[leak["churned"]]


@pytest.mark.parametrize(
    ("columns", "target", "why"),
    [
        (["a", "Target", "b"], "Target", "it is called so"),
        (["a", "b"], "b", "it is the last column"),
        (["a", "b", "id"], "b", "it is the last column"),
    ],
)
def test_the_target_is_guessed_with_a_reason(columns, target, why):
    table = pd.DataFrame({name: np.arange(ROWS) if name == "id" else RNG.normal(size=ROWS) for name in columns})
    assert guess_target(profile(table)) == (target, why)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"], "classification"),
        ([0, 1], "classification"),
        ([0.0, 1.0], "classification"),
        ([True, False], "classification"),
        ([1, 2, 3], "classification"),
        (list(range(40)), "regression"),
        ([0.5, 1.5, 2.5], "regression"),
    ],
)
def test_the_task_follows_from_the_target(values, task):
    table = pd.DataFrame({"x": RNG.normal(size=ROWS), "y": (values * ROWS)[:ROWS]})
    assert proposed(table, "y").task == task


def test_the_task_can_be_named():
    table = pd.DataFrame({"x": RNG.normal(size=ROWS), "y": ([1, 2, 3] * ROWS)[:ROWS]})
    assert proposed(table, "y", "regression").value("metrics") == ["r2"]
    with pytest.raises(PromiseError, match="holds no numbers: it is no regression"):
        proposed(task="regression")


def test_the_rarest_class_decides_the_folds():
    table = TABLE.drop(columns="since").assign(churned=["rare"] * 4 + ["no"] * (ROWS - 4))
    assert proposed(table).value("cv") == 4
    with pytest.raises(DataError, match="only one row has the churned 'rare'"):
        proposed(table.iloc[3:])


def test_doubled_rows_are_a_caveat():
    table = pd.concat([TABLE, TABLE.head(3)])
    assert proposed(table).value("caveats")[0].startswith("3 rows are copies of others")


@pytest.mark.parametrize(
    ("table", "target", "words"),
    [
        (TABLE, "nothing", "there is no column 'nothing' to predict"),
        (TABLE, "region", "the target 'region' is missing in"),
        (TABLE, "country", "the target 'country' is the same in every row"),
        (TABLE, "comment", "has 120 different values: it is no classification"),
        (TABLE[["code", "churned"]], "churned", "no column to learn from beside 'churned'"),
    ],
)
def test_what_can_not_be_predicted_is_refused_in_words(table, target, words):
    with pytest.raises((DataError, PromiseError), match=words):
        proposed(table, target)
