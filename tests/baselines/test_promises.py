"""The terms of a check: what is promised less, in a run as in a diff of two baselines."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.baselines.promises import (
    protocol_of,
    terms_of_baseline,
    terms_of_check,
    weakened,
)
from pytest_model_check.baselines.terms import Protocol, Terms
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.margins import Margin, MarginKind
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.verdicts import Term, Weakening
from pytest_model_check.settings import Rules
from sklearn.linear_model import LogisticRegression
from support.lives import baseline, metric, protocol

fast = settings(deadline=None, derandomize=True, max_examples=200)
names = st.sampled_from(["a", "b", "c"])
margins = st.one_of(
    st.builds(Margin, st.floats(0.001, 1), st.sampled_from(["named", "skill_share", "noise_floor"])),
    st.just(Margin(None, "single_row")),
)
terms = st.builds(
    Terms,
    protocol=st.builds(
        Protocol,
        cv=names,
        target=names,
        groups=st.none() | names,
        time=st.none() | names,
        slices=st.sets(names).map(sorted).map(tuple),
        seeds=st.none() | st.integers(1, 3),
        rules=st.builds(Rules, st.booleans(), st.booleans()),
    ),
    margins=st.dictionaries(names, margins, max_size=3),
)


def checked(**changes):
    promise = {"metrics": {"roc_auc": 0.02}, "slices": ["region"], "seeds": 10, **changes}
    return make_check(LogisticRegression(), data="data/churn.csv", target="churned", name="churn", **promise)


def of_check(check, rules=Rules(), approved=None, cv="KFold(5)") -> Terms:  # noqa: B008
    return terms_of_check(check, protocol_of(check, cv, rules), baseline() if approved is None else approved)


@pytest.mark.parametrize(
    ("check", "rules", "recorded", "words"),
    [
        (checked(), Rules(), {}, []),
        (
            checked(metrics={"roc_auc": 0.03}),
            Rules(),
            {"metrics": {"roc_auc": metric(0.9, margin=0.03)}},
            ["the margin of roc_auc is 0.03, was 0.02"],
        ),
        (
            checked(metrics={"accuracy": 0.03}),
            Rules(),
            {"metrics": {"accuracy": metric(0.9)}},
            ["the metric roc_auc was dropped"],
        ),
        (checked(slices=[]), Rules(), {"protocol": protocol(slices=())}, ["the slice region was dropped"]),
        (checked(seeds=9), Rules(), {"protocol": protocol(seeds=9)}, ["seeds= is 9, was 10"]),
        (
            checked(groups="shop"),
            Rules(),
            {"protocol": protocol(groups="shop")},
            ["groups= is shop, was not named"],
        ),
        (checked(time="day"), Rules(), {"protocol": protocol(time="day")}, ["time= is day, was not named"]),
        (
            checked(),
            Rules(inconclusive_passes=True),
            {"protocol": protocol(rules=Rules(inconclusive_passes=True))},
            ["model_check_inconclusive is pass, was fail"],
        ),
        (
            checked(),
            Rules(folds_suffice=True),
            {"protocol": protocol(rules=Rules(folds_suffice=True))},
            ["model_check_without_predictions is folds, was fail"],
        ),
        (checked(features=["age"]), Rules(), {"protocol": protocol(features=("age",))}, []),
        (checked(slices=["region", "age"]), Rules(), {"protocol": protocol(slices=("region", "age"))}, []),
    ],
)
def test_a_run_and_a_diff_find_the_same(check, rules, recorded, words):
    old = terms_of_baseline(baseline())
    of_run = weakened(old, of_check(check, rules))
    assert of_run == weakened(old, terms_of_baseline(baseline(**recorded)))
    assert list(map(explain.weakening, of_run)) == words


def test_a_margin_that_is_not_named_any_more_is_the_default_one():
    narrow = baseline(metrics={"roc_auc": metric(0.9, margin=0.001)})
    wide = baseline(metrics={"roc_auc": metric(0.9, margin=0.1)})
    check = checked(metrics=["roc_auc"])
    assert weakened(terms_of_baseline(narrow), of_check(check, approved=narrow)) == (
        Weakening("margin", "roc_auc", 0.001, 0.02 * 0.4),
    )
    assert weakened(terms_of_baseline(wide), of_check(check, approved=wide)) == ()


def test_a_default_margin_may_be_named_and_no_wider():
    floor = NoiseReference(0.5, 0.001, 9.5, 10, 0.03)
    default = baseline(metrics={"roc_auc": metric(0.9, margin=0.03, margin_kind="noise_floor", noise_reference=floor)})
    of_baseline = terms_of_baseline(default)
    assert of_check(checked(metrics=["roc_auc"]), approved=default).margins == of_baseline.margins
    assert weakened(of_baseline, of_check(checked(), approved=default)) == ()
    assert weakened(of_baseline, of_check(checked(metrics={"roc_auc": 0.04}), approved=default)) == (
        Weakening("margin", "roc_auc", 0.03, 0.04),
    )


def test_a_metric_that_is_new_or_only_reported_promised_nothing():
    reported = baseline(metrics={"neg_max_error": metric(-9.0, margin=None, margin_kind="single_row")})
    both = checked(metrics=["neg_max_error", "accuracy"])
    found = of_check(both, approved=reported)
    assert found.margins == {"neg_max_error": Margin(None, "single_row"), "accuracy": Margin(None, "skill_share")}
    assert weakened(terms_of_baseline(reported), found) == ()


def test_a_season_that_need_not_be_beaten_any_more_is_a_weaker_promise_and_a_new_one_is_not():
    weekly, yearly, plain = (Terms(protocol(time="day", season=season), {}) for season in (7, 365, None))
    assert [explain.weakening(weaker) for weaker in weakened(weekly, plain)] == ["season= is not named, was 7"]
    assert [explain.weakening(weaker) for weaker in weakened(weekly, yearly)] == ["season= is 365, was 7"]
    assert weakened(plain, weekly) == ()


def test_other_sample_weights_are_another_promise():
    weighted, others, plain = (Terms(protocol(sample_weight=column), {}) for column in ("exposure", "age", None))
    assert [explain.weakening(weaker) for weaker in weakened(weighted, plain)] == [
        "sample_weight= is not named, was exposure"
    ]
    assert [explain.weakening(weaker) for weaker in weakened(weighted, others)] == [
        "sample_weight= is age, was exposure"
    ]
    assert weakened(plain, weighted) == (Weakening("sample_weight", before=None, after="exposure"),)
    assert weakened(weighted, weighted) == ()


@given(terms)
@fast
def test_nothing_is_weaker_than_itself(one):
    assert weakened(one, one) == ()


@given(terms, terms)
@fast
def test_what_became_weaker_is_said_once_in_words_of_its_own(one, other):
    found = weakened(one, other)
    assert len({explain.weakening(weaker) for weaker in found}) == len(found)


@given(terms, terms)
@fast
def test_margins_seeds_and_rules_can_not_become_weaker_both_ways(one, other):
    ordered = ("margin", "seeds", "rule")
    there, back = (
        {(weaker.term, weaker.name) for weaker in weakened(*pair) if weaker.term in ordered}
        for pair in ((one, other), (other, one))
    )
    assert not there & back


@given(terms, st.data())
@fast
def test_every_term_of_a_protocol_is_compared_but_the_models_own_business(one, data):
    other = data.draw(terms)
    for field in fields(Protocol):
        changed = replace(one, protocol=replace(one.protocol, **{field.name: getattr(other.protocol, field.name)}))
        both = (*weakened(one, changed), *weakened(changed, one))
        known = field.name == "seeds" and None in (one.protocol.seeds, changed.protocol.seeds)
        assert bool(both) == (changed != one and not known) or field.name == "features"


def test_every_kind_of_margin_and_of_weaker_promise_has_words():
    for kind in get_args(MarginKind):
        assert explain.margin_reason(kind, rows=9, skill_share=0.1, seeds=3)
    said = [explain.weakening(Weakening(term, "name", 1.0, 2.0)) for term in get_args(Term)]
    assert len(set(said)) == len(said)
