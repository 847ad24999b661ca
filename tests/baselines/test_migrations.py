"""The words of earlier schemas become values, whatever somebody wrote there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.baselines.baseline_json import from_json, to_json
from pytest_model_check.baselines.json_reader import MalformedError
from pytest_model_check.baselines.migrations import ratio_of_splitter
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.judgement.verdicts import Acceptance, Loss, Weakening

fast = settings(deadline=None, derandomize=True, max_examples=200)
RECORDED = Path(__file__).parent / "recorded"


def plain(schema: int) -> dict[str, Any]:
    """Return the JSON of a baseline that was recorded with a schema."""
    content: dict[str, Any] = json.loads((RECORDED / str(schema) / "breast_cancer.json").read_text(encoding="utf-8"))
    return content


def migrated(schema: int, change: Callable[[dict[str, Any]], object]) -> Baseline:
    content = plain(schema)
    change(content)
    return from_json(content)


@pytest.mark.parametrize(
    ("value", "reason", "kind"),
    [
        (0.02, "named in the check", "named"),
        (0.02, "named in the check; seed noise not measured (one seed)", "named"),
        (0.02, "the noise floor of 9 rows; 2% of the skill above a dummy would be 0.01", "noise_floor"),
        (0.02, "the noise floor of 9 rows; there is no dummy to beat", "noise_floor"),
        (0.02, "2% of the skill above a dummy", "skill_share"),
        (None, "reported, not judged: it hangs on a single row", "single_row"),
        (None, "reported, not judged: there are 3 rows of class malignant, and it takes 10", "few_rows"),
    ],
)
@pytest.mark.parametrize("schema", [1, 2])
def test_the_reason_of_a_margin_becomes_its_kind(schema, value, reason, kind):
    margin = {"value": value, "reason": reason}
    metric = migrated(schema, lambda content: content["metrics"]["roc_auc"].update(margin=margin)).metrics["roc_auc"]
    assert (metric.margin, metric.margin_kind) == (value, kind)


def test_a_season_stays():
    assert migrated(2, lambda content: content["protocol"].update(time="day", season=7)).protocol.season == 7
    assert migrated(2, lambda content: None).protocol.season is None


@pytest.mark.parametrize(
    ("learner", "reason", "seeds"),
    [
        ("deterministic", "named in the check", None),
        ("deterministic", "named in the check; seed noise not measured (one seed)", 1),
        ("random", "named in the check", 7),
        ("nondeterministic", "named in the check", 7),
    ],
)
def test_schema_1_tells_the_seeds_as_far_as_it_knows_them(learner, reason, seeds):
    def change(content: dict[str, Any]) -> None:
        content["learner"] = learner
        content["predictions"]["seeds"] = 7
        content["metrics"]["roc_auc"]["margin"]["reason"] = reason

    assert migrated(1, change).protocol.seeds == seeds


@pytest.mark.parametrize(
    ("message", "metrics", "weakened", "expected"),
    [
        (
            "breast_cancer: roc_auc is worse by 0.02 (0.01 to 0.03), margin 0.01",
            ["roc_auc"],
            ["the slice a was dropped"],
            Acceptance(
                2,
                "why",
                "loss",
                (Loss("roc_auc"),),
                (Weakening("said", "the slice a was dropped"),),
                "roc_auc is worse by 0.02 (0.01 to 0.03), margin 0.01",
            ),
        ),
        (
            "tumours: the promise was weakened: the slice a was dropped",
            [],
            ["the slice a was dropped"],
            Acceptance(2, "why", "promise", (), (Weakening("said", "the slice a was dropped"),)),
        ),
        (
            "tumours: load= or target= give other rows than the baseline's (9, not 8)",
            [],
            [],
            Acceptance(
                2, "why", "incomparable", said="load= or target= give other rows than the baseline's (9, not 8)"
            ),
        ),
        ("retired: the check was given up", ["roc_auc"], [], Acceptance(2, "why", "retired")),
    ],
)
def test_the_words_of_an_acceptance_become_its_kind(message, metrics, weakened, expected):
    entry = {"generation": 2, "reason": "why", "closed": None, "message": message}
    changes = {"history": [entry | {"metrics": metrics, "weakened": weakened}], "formerly": ["tumours"]}
    assert migrated(2, lambda content: content.update(changes)).history == (expected,)


leaves = st.none() | st.booleans() | st.integers(-3, 10**30) | st.floats() | st.text(max_size=9)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


@given(st.sampled_from([1, 2]), st.data())
@fast
def test_whatever_somebody_writes_into_an_earlier_baseline_is_read_or_refused_in_words(schema, data):
    content = plain(schema)
    inside: Any = content
    while True:
        keys = sorted(inside) if isinstance(inside, dict) else range(len(inside))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inside[key], dict | list) or not inside[key] or data.draw(st.booleans()):
            break
        inside = inside[key]
    inside[key] = schema if key == "schema" else data.draw(values)
    refusal = "the key"
    try:
        from_json(content)
    except MalformedError as error:
        refusal = str(error)
    assert "the key" in refusal or "is no object" in refusal


@given(
    st.text(max_size=60) | st.from_regex(r"\w*ShuffleSplit\(n_splits=\d+, test_size=0?\.\d+\)"), st.integers(1, 1000)
)
@fast
def test_the_ratio_is_a_number_whatever_the_splitter_is_called(cv, splits):
    assert 0 <= ratio_of_splitter(cv, splits) < 1e10


def test_weights_and_repeats_are_kept_where_there_are_any():
    plain_one = from_json(plain(3))
    assert (plain_one.protocol.sample_weight, plain_one.effective_rows, plain_one.folds) == (None, None, ())
    assert not {"sample_weight", "folds"} & to_json(plain_one)["protocol"].keys()
    assert "effective_rows" not in to_json(plain_one)["data"]
    weighted = replace(
        plain_one,
        protocol=replace(plain_one.protocol, sample_weight="exposure"),
        effective_rows=366.4,
        folds=(10, 10),
    )
    assert from_json(to_json(weighted)) == weighted
    with pytest.raises(MalformedError, match="folds"):
        from_json({**to_json(weighted), "protocol": to_json(weighted)["protocol"] | {"folds": [0]}})
