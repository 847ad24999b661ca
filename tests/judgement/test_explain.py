"""Numbers as people read them, and sentences that say the right direction."""

import re
from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.judgement.compared import ChangedRows, Compared, DataVersion
from pytest_model_check.judgement.explain import advice, changed_rows, sentence
from pytest_model_check.judgement.numbers import decimals, duration, fold_label, interval, number
from pytest_model_check.judgement.verdicts import Drift, MetricVerdict

fast = settings(deadline=None, derandomize=True, max_examples=100)
BASIC = {"baseline": 0.994, "candidate": 0.9733, "margin": 0.005, "resolution": 0.009, "dummy": 0.5}


def found(verdict, *, metric="roc_auc", **numbers) -> MetricVerdict:
    return MetricVerdict(metric, verdict, **{**BASIC, **numbers})


def rows(count, **protocol) -> Compared:
    return Compared(DataVersion("d.csv", "0" * 32, count), protocol=protocol)


@pytest.mark.parametrize(
    ("value", "places", "plain", "signed"),
    [
        (0.02149, 3, "0.021", "+0.021"),
        (-0.02149, 3, "-0.021", "-0.021"),
        (0.0, 3, "0.000", "0.000"),
        (-0.0004, 3, "0.000", "0.000"),
        (0.0005001, 3, "0.001", "+0.001"),
        (1234567.8, 0, "1,234,568", "+1,234,568"),
        (-0.4, 0, "0", "0"),
        (1e-9, 12, "1.000e-09", "+1.000e-09"),
        (-2.1e-11, 12, "-2.1e-11", "-2.1e-11"),
        (0.0, 12, "0.000000000", "0.000000000"),
        (-3e21, 0, "-3.000000e+21", "-3.000000e+21"),
        (None, 3, "-", "-"),
        (nan, 3, "-", "-"),
        (-inf, 3, "-", "-"),
    ],
)
def test_a_number(value, places, plain, signed):
    assert number(value, places) == plain
    assert number(value, places, sign=True) == signed


@given(st.floats(-1e18, 1e18), st.integers(0, 30))
@fast
def test_a_number_is_right_to_its_last_place(value, places):
    written = number(value, places, sign=True)
    assert float(written.replace(",", "")) == pytest.approx(value, rel=1e-6, abs=0.5000001 * 10 ** -min(places, 9))
    assert written[0] == (
        "-" if float(written.replace(",", "")) < 0 else "+" if float(written.replace(",", "")) else "0"
    )


@pytest.mark.parametrize(
    ("margin", "places"), [(0.005, 4), (0.05, 3), (0.021, 3), (1.0, 1), (20.0, 0), (2e4, 0), (2e-11, 12), (0.00999, 4)]
)
def test_two_digits_of_the_margin_are_shown(margin, places):
    assert decimals(found("held", margin=margin)) == places
    assert len(re.sub(r"^[0.]+|\.|e.*", "", number(margin, decimals(found("held", margin=margin))))) >= 2


def test_tiny_metrics_do_not_turn_into_zeros():
    tiny = found("worse", baseline=-1e-9, candidate=-1.4e-9, delta=-4e-10, low=-5e-10, high=-3e-10, margin=2e-11)
    assert sentence("x", [tiny]) == "x: roc_auc is worse by 4.00e-10 (3.00e-10 to 5.00e-10), margin 2.0e-11"


def test_huge_metrics_have_no_decimals():
    huge = found("better", baseline=-1.5e6, candidate=-1.2e6, delta=3e5, low=1e5, high=5e5, margin=2e4)
    assert sentence("x", [huge]) == "x: roc_auc is better by 300,000 (+100,000 to +500,000)"


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (
            found("worse", delta=-0.0207, low=-0.0251, high=-0.0163),
            "c: roc_auc is worse by 0.0207 (0.0163 to 0.0251), margin 0.0050",
        ),
        (
            found("worse", delta=-0.2, low=-0.25, high=-0.1, baseline=-0.3, candidate=-0.5, margin=0.05),
            "c: roc_auc is worse by 0.200 (0.100 to 0.250), margin 0.050",
        ),
        (
            found("held", delta=-0.001, low=-0.004, high=0.002),
            "c: roc_auc held: -0.0010 (-0.0040 to +0.0020), margin 0.0050",
        ),
        (found("better", delta=0.01, low=0.003, high=0.02), "c: roc_auc is better by 0.0100 (+0.0030 to +0.0200)"),
        (
            found("inconclusive", delta=-0.004, low=-0.009, high=0.003),
            "c: roc_auc is inconclusive: -0.0040 (-0.0090 to +0.0030), margin 0.0050",
        ),
        (found("identical", delta=0.0, low=0.0, high=0.0), "c: identical to the baseline"),
        (found("recorded"), "c: recorded, roc_auc 0.9733"),
        (found("missing", reason="a promise was dropped"), "c: roc_auc is missing: a promise was dropped"),
        (found("incomparable", reason="other clip"), "c: roc_auc is incomparable: other clip"),
        (found("error", reason="broken"), "c: roc_auc is error: broken"),
    ],
)
def test_a_sentence_says_verdict_and_direction(metric, said):
    assert sentence("c", [metric]) == said


def test_the_worst_metric_speaks_and_counts_its_like():
    worse = found("worse", delta=-0.0207, low=-0.0251, high=-0.0163)
    held = found("held", metric="accuracy", delta=0.0, low=-0.001, high=0.001)
    other = found("worse", metric="f1", delta=-0.1, low=-0.2, high=-0.05)
    assert sentence("c", [held, worse]).startswith("c: roc_auc is worse by")
    assert sentence("c", [held, other, worse]).startswith("c: f1 is worse by 0.1000")
    assert sentence("c", [held, other, worse]).endswith(" (and 1 more)")
    assert "more" not in sentence("c", [held, worse])


@given(st.floats(1e-7, 1e4), st.floats(1.001, 9), st.floats(1.001, 9))
@fast
def test_the_loss_lies_between_its_bounds(loss, less, more):
    metric = found("worse", delta=-loss, low=-loss * more, high=-loss / less, margin=loss / 10)
    said = sentence("c", [metric]).replace(",", "")
    by, low, high = map(float, re.match(r"c: roc_auc is worse by (\S+) \((\S+) to (\S+)\)", said).groups())
    assert 0 < low <= by <= high


def test_an_interval_has_signs():
    assert interval(found("held", low=-0.012, high=0.003)) == "-0.0120 to +0.0030"
    assert interval(found("missing")) == "-"


def test_advice_names_the_numbers():
    lost = advice([found("worse", delta=-0.02, low=-0.03, high=-0.01)], rows(569))
    assert "roc_auc: 0.9940 -> 0.9733." in lost
    weak = advice([found("inconclusive", delta=0.0, low=-0.009, high=0.009, resolution=0.0125)], rows(569))
    assert "margin 0.0050, resolution 0.0125" in weak
    assert "about 3,600 rows" in weak  # 569 * (0.0125 / 0.005)^2 = 3556
    assert advice([found("held", delta=0.0, low=0.0, high=0.0), found("better", delta=1.0)], rows(569)) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.97, "10 s"),
        (59.4, "59 s"),
        (59.7, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.9, "1 h 00 min"),
        (7261, "2 h 01 min"),
    ],
)
def test_a_duration(seconds, said):
    assert duration(seconds) == said


WEAK = {"delta": 0.0, "low": -0.009, "high": 0.009, "resolution": 0.0125, "probability_inconclusive": 0.46}


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (found("worse", delta=-0.02, low=-0.03, high=-0.01), "Find what the change lost"),
        (found("inconclusive", **WEAK, floor=0.008), "Underpowered: margin 0.0050, resolution 0.0125, so that 46% of"),
        (found("inconclusive", **WEAK, floor=0.008, metric="accuracy"), "neg_brier_score, which sees more"),
        (found("inconclusive", **WEAK, floor=0.004), "as two learners would: resolution 0.0125, margin 0.0050"),
        (found("inconclusive", **{**WEAK, "resolution": 0.004}), "The data can't tell"),
        (found("inconclusive", **WEAK, floor=0.004), "a baseline of more repeats or of about 3,600 rows"),
        (found("inconclusive", **{**WEAK, "candidate": 0.4}), "A dummy that looks at no feature does as well"),
        (
            found("worse", delta=0.0, low=-0.001, high=0.001, drift=Drift(3, 1.0, -0.03, -0.04, -0.02, 0.005)),
            "small losses have added up",
        ),
    ],
)
def test_advice_fits_the_trouble(metric, said):
    assert said in advice([metric], rows(569))


def test_rows_that_nobody_has_counted_are_not_multiplied():
    metric = found("inconclusive", **WEAK, floor=0.008)
    assert "a margin of 0.0125, or a baseline of more repeats or of more rows." in advice([metric], rows(0))


def test_a_dummy_is_no_drift():
    metric = found(
        "worse", delta=0.0, low=-0.001, high=0.001, candidate=0.5, drift=Drift(3, 1.0, -0.5, -0.6, -0.4, 0.005)
    )
    assert not metric.drifted
    assert "dummy" in advice([metric], rows(569))


def test_drift_is_said_with_its_anchor():
    drift = Drift(3, 1.0, -0.03, -0.04, -0.02, 0.005)
    metric = found("worse", delta=0.0, low=-0.001, high=0.001, drift=drift)
    assert sentence("c", [metric]) == (
        "c: roc_auc is worse: -0.0300 (-0.0400 to -0.0200) since recording 3 scored 1.0000, margin in all 0.0050"
    )


def test_where_a_loss_sits_is_told_once_for_the_whole():
    whole = found("worse", delta=-0.02, low=-0.03, high=-0.01, folds=((0.99, 0.98), (0.99, 0.95), (0.99, 0.995)))
    south = found("worse", slice="region=south", delta=-0.05, low=-0.06, high=-0.04)
    told = advice([whole, south], rows(569), ChangedRows(7, 2, (3, 5, 8, 13, 21))).splitlines()
    assert told == [
        "roc_auc: 0.9940 -> 0.9733; lower in 2 of 3 folds, most in fold 2 (-0.0400); most on region=south (-0.0500).",
        "7 rows are wrong now that were right, 2 the other way round: rows 3, 5, 8, 13, 21, ... (counted from 0).",
        "Find what the change lost (-v explains every metric), or keep the released model.",
    ]
    held = found("held", delta=0.0, low=-0.001, high=0.001)
    assert advice([held, south], rows(569)).startswith("roc_auc [region=south]: ")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (ChangedRows(1, 0, (4,)), "1 row is wrong now that was right, 0 the other way round: row 4 (counted from 0)."),
        (ChangedRows(0, 3), "0 rows are wrong now that were right, 3 the other way round."),
    ],
)
def test_changed_rows_are_counted(changed, said):
    assert changed_rows(changed) == said


@pytest.mark.parametrize(
    ("protocol", "units"),
    [
        ({"time": "departure"}, "days, or other periods of departure"),
        ({"groups": "patient"}, "groups (patient)"),
        ({"groups": "patient", "time": "visit"}, "groups (patient)"),
    ],
)
def test_what_depends_on_each_other_needs_more_units_and_no_repeats(protocol, units):
    undecided = advice([found("inconclusive", **{**WEAK, "resolution": 0.004})], rows(569, **protocol))
    weak = advice([found("inconclusive", **WEAK, floor=0.008)], rows(569, **protocol))
    assert undecided.endswith(f"below the margin of 0.0050: more {units} would.")
    assert weak.endswith(f"Use a margin of 0.0125, or a baseline of about 6.3 times as many {units}.")  # (.0125/.005)^2
    assert "repeat" not in undecided + weak


def test_a_fold_of_a_repeat_is_named_by_both():
    assert [fold_label(place, (10, 10)) for place in (0, 9, 10, 19)] == [
        "1 of repeat 1", "10 of repeat 1", "1 of repeat 2", "10 of repeat 2",
    ]  # fmt: skip
    assert [fold_label(10, (11,)), fold_label(10)] == ["11", "11"]
    lost = found("worse", delta=-0.02, low=-0.03, high=-0.01, folds=((0.99, 0.98),) * 3 + ((0.99, 0.9),))
    assert "most in fold 2 of repeat 2 (-0.0900)" in advice([lost], replace(rows(569), folds=(2, 2)))
