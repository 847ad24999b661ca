"""The rules that `gate_quality.py` compares: each says of trials which pass.

What people do: one run of the candidate is held against one run of the baseline, on the same folds. Only ours has more
to go by: a baseline of ten seeds (or refits), and up to five of the candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from baycomp import CorrelatedTTest
from gate_trials import Key, Trials
from numpy.typing import NDArray
from scipy import stats

ALLOWED = 0.006  # false alarms, as a share: at most 12 of 2000 certifies 1% with 95% confidence
UNCOMPARED = ("neg_mean_squared_error",)  # a tolerance of .01 means nothing in its unit; r2 stands for it
Passes = NDArray[np.bool_]


@dataclass(frozen=True)
class Rule:
    """A rule by name, and a short one for the figure."""

    name: str
    short: str
    passes: Callable[[Key, Trials], Passes]


def tolerance(of: Callable[[Key], float]) -> Callable[[Key, Trials], Passes]:
    """Pass what scores no less than the baseline less a tolerance."""
    return lambda key, trials: trials.candidate >= trials.baseline - of(key) - 1e-12


def relative(share: float) -> Callable[[Key, Trials], Passes]:
    """Pass what scores no less than the baseline less a share of it (mlflow.validate_evaluation_results)."""
    return lambda key, trials: trials.candidate >= trials.baseline - share * np.abs(trials.baseline) - 1e-12


def change(absolute: float, share: float) -> Callable[[Key, Trials], Passes]:
    """Pass what loses less than both (tensorflow_model_analysis.GenericChangeThreshold)."""

    def passes(_: Key, trials: Trials) -> Passes:
        lost = trials.baseline - trials.candidate
        return (lost < absolute) & (lost < share * np.abs(trials.baseline))

    return passes


def t_test(*, corrected: bool, non_inferior: bool) -> Callable[[Key, Trials], Passes]:
    """Test the differences of the fold scores, one-sided at 5%: block what is worse, or pass what is not inferior."""

    def passes(_: Key, trials: Trials) -> Passes:
        n = trials.folds.shape[1]
        factor = 1 / n + (1 / (n - 1) if corrected else 0)  # Nadeau and Bengio's
        error = np.sqrt(factor) * trials.folds.std(axis=1, ddof=1)
        reach = stats.t.ppf(0.95, n - 1) * error
        mean = trials.folds.mean(axis=1)
        passed: Passes = mean - reach > -trials.margin if non_inferior else ~(mean + reach < 0)
        return passed

    return passes


def bayesian(*, sure: bool) -> Callable[[Key, Trials], Passes]:
    """Ask baycomp, with the margin as its region of practical equivalence.

    Pass what is 95% sure to lose no more than the margin; or all but what is 95% sure to lose more.
    """

    def passes(_: Key, trials: Trials) -> Passes:
        worse = _chance_of_a_loss(trials)
        return worse < 0.05 if sure else worse <= 0.95

    return passes


@cache
def _chance_of_a_loss(trials: Trials) -> NDArray[np.float64]:
    """Return baycomp's probability of losing more than the margin."""
    return np.array(
        [
            CorrelatedTTest(np.zeros_like(folds), folds, rope=margin).probs()[0]
            for folds, margin in zip(trials.folds, trials.margin, strict=True)
        ]
    )


FIXED = (0.001, 0.005, 0.01, 0.02, 0.05)


def fixed(allowed: float) -> Rule:
    """Allow the same loss everywhere."""
    return Rule(f"tolerance {allowed:g}", f"{allowed:g}", tolerance(lambda key: allowed))


def rules(nulls: Mapping[Key, Trials]) -> list[Rule]:
    """List them; tolerances are tuned on these very nulls, which is more than anybody could hope for."""
    nulls = compared(nulls)
    per_metric = {metric: _tuned([nulls[key] for key in nulls if key[3] == metric]) for metric in _values(nulls, 3)}
    per_learner = {
        pair: _tuned([nulls[key] for key in nulls if (key[0], key[3]) == pair])
        for pair in {(key[0], key[3]) for key in nulls}
    }
    families = {(key[0], key[2]) for key in nulls}
    safe = max(_tuned([nulls[key] for key in nulls if (key[0], key[2]) == family]) for family in families)
    told = ", ".join(f"{metric} {found:.3f}" for metric, found in sorted(per_metric.items()))
    return [
        Rule("ours", "ours", lambda key, trials: trials.passed),
        Rule("mean >= baseline", "mean", tolerance(lambda key: 0.0)),
        *(fixed(allowed) for allowed in FIXED),
        Rule(f"tolerance tuned per metric ({told})", "tuned", tolerance(lambda key: per_metric[key[3]])),
        Rule(
            "tolerance tuned per metric and learner",
            "tuned per learner",
            tolerance(lambda key: per_learner[key[0], key[3]]),
        ),
        Rule(f"tolerance safe on every null family ({safe:.3f})", "safe", tolerance(lambda key: safe)),
        Rule("MLflow-like: relative 1%", "MLflow 1%", relative(0.01)),
        Rule("MLflow-like: relative 5%", "MLflow 5%", relative(0.05)),
        Rule("TFMA-like: absolute 0.01 and relative 1%", "TFMA", change(0.01, 0.01)),
        Rule("t-test on folds, 95% sure of a loss", "t-test", t_test(corrected=False, non_inferior=False)),
        Rule("corrected t-test, 95% sure of a loss", "corrected t", t_test(corrected=True, non_inferior=False)),
        Rule(
            "corrected t-test, 95% sure of less than our margin",
            "corrected t, NI",
            t_test(corrected=True, non_inferior=True),
        ),
        Rule("baycomp, 95% sure of more than our margin", "baycomp", bayesian(sure=False)),
        Rule("baycomp, 95% sure of less than our margin", "baycomp, NI", bayesian(sure=True)),
    ]


def compared(trials: Mapping[Key, Trials]) -> dict[Key, Trials]:
    """Keep the metrics under which the rules are compared."""
    return {key: one for key, one in trials.items() if key[3] not in UNCOMPARED}


def _tuned(trials: Sequence[Trials]) -> float:
    """Return the smallest tolerance under which no more false alarms than allowed are raised."""
    lost = np.sort(np.concatenate([one.baseline - one.candidate for one in trials]))
    return max(0.0, float(lost[len(lost) - 1 - int(ALLOWED * len(lost))]))


def _values(keys: Iterable[Key], position: int) -> list[str]:
    return sorted({key[position] for key in keys})
