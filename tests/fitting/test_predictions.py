"""Predictions survive the file they are kept in, and two of them are equal to rounding only."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pytest_model_check.fitting.predictions import Predictions

fast = settings(deadline=None, derandomize=True, max_examples=40)
numbers = st.floats(-1e12, 1e12)
LABELS = [None, ["no", "yes"], [0, 1], [False, True], [-1.0, 1.0], ["a", "b", "c"], ["ä", "Zürich", "ø", ""]]


@st.composite
def predictions(draw) -> Predictions:
    """Any model's answers: one or more seeds, splits of any size, rows in any order."""
    slots, seeds = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    labels = draw(st.sampled_from(LABELS))
    answers = {}
    if labels is None:
        answers["predict"] = draw(hnp.arrays(float, (seeds, slots), elements=numbers))
        classes = None
    else:
        classes = np.array(labels, dtype=object if isinstance(labels[0], str) else None)
        answers["predict"] = classes[draw(hnp.arrays(int, (seeds, slots), elements=st.integers(0, len(labels) - 1)))]
        if draw(st.booleans()):
            shape = (seeds, slots, len(labels))
            answers["predict_proba"] = draw(hnp.arrays(float, shape, elements=st.floats(0, 1)))
        if draw(st.booleans()):
            shape = (seeds, slots) if len(labels) == 2 else (seeds, slots, len(labels))
            answers["decision_function"] = draw(hnp.arrays(float, shape, elements=numbers))
    counts = hnp.arrays(np.int64, slots, elements=st.integers(0, 1000))
    return Predictions(draw(counts), draw(counts), draw(counts), answers, classes)


def simple(seeds=2, slots=6, **answers) -> Predictions:
    row = np.arange(slots)
    if not answers:
        p = np.linspace(0.1, 0.9, seeds * slots * 3).reshape(seeds, slots, 3)
        answers = {"predict": np.full((seeds, slots), "a", dtype=object), "predict_proba": p}
    return Predictions(row, row * 0, row % 3, answers, np.array(["a", "b", "c"], dtype=object))


@given(predictions())
@fast
def test_a_round_trip_through_a_file_changes_nothing(before):
    file = io.BytesIO()
    before.to_frame().to_parquet(file, compression="zstd", index=False)
    after = Predictions.from_frame(pd.read_parquet(file), before.classes)
    assert after.same_slots(before)
    assert after.agrees(before, rtol=0)
    assert after.seeds == before.seeds
    for name, answers in before.responses.items():
        np.testing.assert_array_equal(after.responses[name], answers)
        assert after.responses[name].dtype == answers.dtype


@given(predictions(), st.floats(1e-6, 1e-3))
@fast
def test_agreement_is_to_rounding_and_both_ways(one, change):
    float_names = [name for name, answers in one.responses.items() if answers.dtype.kind == "f"]

    def times(factor) -> Predictions:
        answers = {name: v * factor if name in float_names else v for name, v in one.responses.items()}
        return Predictions(one.row, one.repeat, one.fold, answers, one.classes)

    rounded, other = times(1 + 3e-10), times(1 + change)
    assert one.agrees(rounded)
    assert rounded.agrees(one)
    sizes = [abs(one.responses[name]).max() for name in float_names]
    assume(not any(0 < size < 1e-290 for size in sizes))  # where floats are too coarse to be multiplied
    moved = any(size > 0 for size in sizes)
    assert one.agrees(other) == other.agrees(one) == (not moved)


def test_answers_next_to_zero_are_no_finer_than_the_others():
    p = np.tile([1 - 1e-6] + [1e-7] * 9, (1, 20, 1)) + np.zeros((1, 20, 10))  # a sure classifier of ten digits
    sure = simple(1, 20, predict_proba=p)
    assert sure.agrees(simple(1, 20, predict_proba=p + 1e-13))  # permuted columns of logistic regression
    assert not sure.agrees(simple(1, 20, predict_proba=p + 1e-8))
    half_zero = np.array([[0.0, 0, 0, 0, 5, 7]])
    assert simple(1, predict=half_zero).agrees(simple(1, predict=half_zero + 1e-12))


@pytest.mark.parametrize(
    "other",
    [
        simple(seeds=1),
        simple(predict=np.full((2, 6), "a", dtype=object)),
        simple(**{**simple().responses, "predict": np.full((2, 6), "b", dtype=object)}),
        simple(**{**simple().responses, "predict_proba": simple().responses["predict_proba"][..., :2]}),
        simple(**{**simple().responses, "predict_proba": np.full((2, 6, 3), np.nan)}),
    ],
)
def test_other_answers_do_not_agree(other):
    assert simple().agrees(simple())
    assert not simple().agrees(other)
    assert not other.agrees(simple())


def test_nan_agrees_with_nothing():
    nothing = simple(1, predict=np.full((1, 6), np.nan))
    assert not nothing.agrees(nothing)


def test_the_first_seeds_are_compared_seed_by_seed():
    many = simple(seeds=3)
    assert many.first(2).agrees(Predictions(many.row, many.repeat, many.fold, many.first(2).responses, many.classes))
    swapped = {name: answers[::-1] for name, answers in many.responses.items()}
    assert not many.agrees(Predictions(many.row, many.repeat, many.fold, swapped, many.classes))


@pytest.mark.parametrize("change", ["row", "repeat", "fold"])
def test_other_slots_are_not_the_same(change):
    one = simple()
    slots = {"row": one.row, "repeat": one.repeat, "fold": one.fold}
    assert one.same_slots(Predictions(**slots, responses={}, classes=one.classes))
    slots[change] = slots[change][::-1] + 1
    assert not one.same_slots(Predictions(**slots, responses={}, classes=one.classes))


@pytest.mark.parametrize("classes", [None, np.array(["a", "b"]), np.array(["a", "c", "b"]), np.array([0, 1, 2])])
def test_other_classes_are_not_the_same(classes):
    one = simple()
    assert one.same_slots(Predictions(one.row, one.repeat, one.fold, {}, np.array(["a", "b", "c"])))  # of another dtype
    assert not one.same_slots(Predictions(one.row, one.repeat, one.fold, {}, classes))


def test_splits_are_counted_over_repeats():
    one = Predictions(np.arange(6), np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 1, 0, 0, 1]), {}, None)
    assert one.split.tolist() == [0, 1, 1, 2, 2, 3]


def _set(frame, column, place, value):
    frame = frame.astype({column: object})
    frame.loc[place, column] = value
    return frame.infer_objects()


TORN = {
    "no seed": (lambda f: f.drop(columns="seed"), "lacks seed"),
    "no slots": (lambda f: f.drop(columns=["row", "fold"]), "lacks row, fold"),
    "no rows": (lambda f: f.iloc[:0], "lacks rows"),
    "no answers": (lambda f: f[["row", "repeat", "seed", "fold"]], "holds no response"),
    "half a table": (lambda f: f.iloc[:9], "same rows for every seed"),
    "a seed less": (lambda f: f[f.seed != 0], "same rows for every seed"),
    "seeds mixed": (lambda f: f.sample(frac=1, random_state=1), "same rows for every seed"),
    "rows mixed": (lambda f: _set(_set(f, "row", 6, 1), "row", 7, 0), "same rows for every seed"),
    "folds mixed": (lambda f: _set(f, "fold", 8, 0), "same folds for every seed"),
    "negative seed": (lambda f: f.assign(seed=-1), "something else than counts in its column seed"),
    "half a row": (lambda f: f.assign(row=f.row + 0.5), "something else than counts in its column row"),
    "a row unknown": (lambda f: _set(f, "row", 3, None), "something else than counts in its column row"),
    "a class less": (lambda f: f.drop(columns="predict_proba:2"), "lacks columns of predict_proba"),
    "the middle class": (lambda f: f.drop(columns="predict_proba:1"), "lacks columns of predict_proba"),
    "another column": (lambda f: f.rename(columns={"predict_proba:1": "predict_proba:b"}), "lacks columns of"),
    "a NaN": (lambda f: _set(f, "predict_proba:1", 3, np.nan), "NaN or infinity in its column predict_proba:1"),
    "infinity": (lambda f: _set(f, "predict_proba:1", 3, np.inf), "NaN or infinity in its column predict_proba:1"),
    "no label": (lambda f: _set(f, "predict", 3, None), "NaN or infinity in its column predict"),
}


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_table_says_what_is_wrong(torn):
    tear, words = TORN[torn]
    whole = simple()
    assert Predictions.from_frame(whole.to_frame(), whole.classes).agrees(whole)
    with pytest.raises(ValueError, match=words):
        Predictions.from_frame(tear(whole.to_frame()), whole.classes)


def test_probabilities_of_other_classes_are_refused():
    with pytest.raises(ValueError, match="predict_proba"):
        Predictions.from_frame(simple().to_frame(), np.array(["a", "b"]))
