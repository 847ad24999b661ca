"""The tables of `coverage.py` on few rows of a class: scored, compared and judged as checks do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytest_model_check.checks.check import Metric
from pytest_model_check.data.dataset import Truth
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement import noise
from pytest_model_check.judgement.judge import Difference, difference, judge_metric
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.scoring.metrics import score
from scipy.special import expit
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import StratifiedKFold

Floats = NDArray[np.float64]

FOLDS, SEEDS = 10, 10
FEW = (1, 2, 4, 10)  # rows of a class in a fold
FOLD_ROWS = 50
APART = 0.5  # the share of its own in a model's noise: two models have the rest in common
RARE = ("10 to 19", "20 to 29")  # rows of the rare class among 500
NAMED = 0.2  # probability from which a discriminant names the rare class
FRESH = 100  # new folds, for what a fitted discriminant is expected to score in one


def _f1(y: NDArray[Any], answers: NDArray[Any]) -> float:
    """Compute scikit-learn's f1_score, without its checks, which take a hundred times as long."""
    return float(2 * (y & answers).sum() / max(y.sum() + answers.sum(), 1))


def _precision(y: NDArray[Any], answers: NDArray[Any]) -> float:
    return float((y & answers).sum() / max(answers.sum(), 1))


def _average_precision(y: NDArray[Any], p: Floats) -> float:
    found = y[np.argsort(-p, kind="stable")]  # no two probabilities are equal here
    return float((found * found.cumsum() / np.arange(1, len(found) + 1)).sum() / found.sum())


def _own(name: str, function: Callable[..., float], response: str = "predict") -> Metric:
    return Metric(name, make_scorer(function, response_method=response), None)


METRICS = {
    **{
        name: Metric(name, get_scorer(name), None)
        for name in ("accuracy", "neg_log_loss", "neg_brier_score", "roc_auc")
    },
    "f1": _own("f1", _f1),
    "precision": _own("precision", _precision),
    "average_precision": _own("average_precision", _average_precision, "predict_proba"),
}
OF_MANY = Metric("roc_auc_ovr", get_scorer("roc_auc_ovr"), None)
RECORDED: dict[
    str, Callable[[NDArray[Any], Floats], Floats]
] = {  # of rows' classes and probabilities, over the last axis
    "accuracy": lambda y, p: ((p > NAMED) == y).mean(axis=-1),
    "neg_brier_score": lambda y, p: -((p - y) ** 2).mean(axis=-1),
    "roc_auc": lambda y, p: (p[..., y == 1, None] > p[..., None, y == 0]).mean(axis=(-1, -2)),
    "f1": lambda y, p: 2 * (y * (p > NAMED)).sum(axis=-1) / np.maximum(y.sum() + (p > NAMED).sum(axis=-1), 1),
}


def few_of_a_class(rng: np.random.Generator, options: Any) -> Iterator[list[str]]:
    """Simulate two equally good classifiers in stratified folds with few rows of a class; score them as checks do."""
    for few in FEW:
        fold = np.repeat(np.arange(FOLDS), FOLD_ROWS)
        rare = (np.arange(fold.size) % FOLD_ROWS < few).astype(int)
        many = np.minimum(np.arange(fold.size) % FOLD_ROWS // few, 3)  # the first three classes are rare
        found: dict[str, list[tuple[Difference, Difference]]] = {}
        for _ in range(options.times // 20):
            for y, metrics in ((rare, METRICS), (many, {OF_MANY.name: OF_MANY})):
                pair = list(_equally_good(rng, y, fold))
                for name, metric in metrics.items():
                    found.setdefault(name, []).append(_both_ways(*(score(one, metric, Truth(y)) for one in pair)))
        yield from ([f"{few}", name, *_honest(pairs)] for name, pairs in found.items())


def _equally_good(rng: np.random.Generator, y: NDArray[np.int64], fold: NDArray[np.int64]) -> Iterator[Predictions]:
    """Answer as two models that have the right class before their eyes, behind a noise that they share in part."""
    classes, row = np.arange(y.max() + 1), np.arange(y.size)
    logs = np.log(np.bincount(y) / y.size)
    shared = rng.normal(size=(y.size, len(classes)))
    for _ in range(2):
        own = rng.normal(size=shared.shape)
        likelihoods = np.exp(logs + 2 * (y[:, None] == classes) + sqrt(1 - APART) * shared + sqrt(APART) * own)
        p = likelihoods / likelihoods.sum(axis=1, keepdims=True)
        # as few rows are given to a class as belong to it: by the highest probabilities of two classes
        labels = (p[:, 1] > 0.25).astype(int) if len(classes) == 2 else p.argmax(axis=1)
        yield Predictions(row, 0 * row, fold, {"predict": labels[None], "predict_proba": p[None]}, classes)


def _both_ways(first: Scores, second: Scores) -> tuple[Difference, Difference]:
    """Compare each with the other, without any noise of seeds."""
    quiet = NoiseReference(-10.0, 0.0, inf, None, 1e-9)  # a floor: noise was measured
    return tuple(difference(old.psi[0], old.folds, new, quiet) for old, new in ((first, second), (second, first)))  # type: ignore[return-value]


def _honest(pairs: Sequence[tuple[Difference, Difference]]) -> list[str]:
    """Write the standard error over what it should be, and how often the bounds miss."""
    deltas = np.array([one.delta for one, _ in pairs])
    error = sqrt(np.mean([one.se**2 for one, _ in pairs]))
    bounds = np.array([one.bounds() for pair in pairs for one in pair])
    misses = f"{100 * (bounds[:, 0] > 0).mean():.2f}% / {100 * (bounds[:, 1] < 0).mean():.2f}%"
    return [f"{error / deltas.std():.2f}", misses]


def record_and_judge(rng: np.random.Generator, options: Any) -> Iterator[list[str]]:
    """Fit linear discriminants on two halves of the features, which are alike: record the one, judge the other.

    With few rows of a class the two are not equally good on the same training data. So a miss is one of the difference
    that new folds show of the very fits, which is what the bounds are of.
    """
    for rare in RARE:
        least, most = map(int, rare.split(" to "))
        missed: dict[str, list[tuple[bool, bool]]] = {name: [] for name in RECORDED}
        for _ in range(options.times // 20):
            y = (np.arange(500) < rng.integers(least, most + 1)).astype(int)
            features = _features(rng, y)
            folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(features, y))
            halves = [features[:, half::2] for half in (0, 1)]
            fits = [[_discriminant(half[train], y[train]) for train, _ in folds] for half in halves]
            refits = [
                [
                    _discriminant(halves[0][kept], y[kept])
                    for train, _ in folds
                    for kept in [train[rng.permutation(len(train)) >= len(train) // 20]]
                ]
                for _ in range(SEEDS)
            ]
            old, new = (_out_of_fold([fit], half, folds) for fit, half in zip(fits, halves, strict=True))
            replicates = _out_of_fold(refits, halves[0], folds)
            truth = _expected(rng, fits[1], y, folds, 1) - _expected(rng, fits[0], y, folds, 0)
            for name, expected in zip(RECORDED, truth, strict=True):
                baseline, candidate, refitted = (score(one, METRICS[name], Truth(y)) for one in (old, new, replicates))
                reference = noise.measure(baseline, refitted, baseline.score - 0.2)  # a dummy well below
                verdict = judge_metric(name, baseline, candidate, reference, None)
                missed[name].append(((verdict.low or 0.0) > expected, (verdict.high or 0.0) < expected))
        for name, misses in missed.items():
            low, high = 100 * np.mean(misses, axis=0)
            yield [rare, name, f"{low:.2f}% / {high:.2f}%"]


def _features(rng: np.random.Generator, y: NDArray[np.int64], *times: int) -> Floats:
    """Draw rows of these classes: twenty features that tell a little each."""
    return rng.normal(size=(*times, y.size, 20)) + 0.5 * y[:, None]


def _discriminant(features: Floats, y: NDArray[np.int64]) -> tuple[Floats, float]:
    """Fit a linear discriminant analysis: the slope and the intercept of its log odds."""
    means = np.stack([features[y == label].mean(axis=0) for label in (0, 1)])
    slope = np.linalg.solve(np.cov((features - means[y]).T), means[1] - means[0])
    return slope, float(np.log(y.mean() / (1 - y.mean())) - means.mean(axis=0) @ slope)


def _out_of_fold(runs: Sequence[Sequence[tuple[Floats, float]]], features: Floats, folds: Sequence[Any]) -> Predictions:
    """Predict the rows that the fits did not see; a fit of each fold for every run."""
    tests = [test for _, test in folds]
    p = np.array([
        np.concatenate([expit(features[test] @ slope + odds) for test, (slope, odds) in zip(tests, run, strict=True)])
        for run in runs
    ])  # fmt: skip
    responses = {"predict": (p > NAMED).astype(int), "predict_proba": np.stack([1 - p, p], axis=2)}
    row, fold = np.concatenate(tests), np.repeat(np.arange(len(tests)), [len(test) for test in tests])
    return Predictions(row, 0 * row, fold, responses, np.array([0, 1]))


def _expected(
    rng: np.random.Generator,
    fits: Sequence[tuple[Floats, float]],
    y: NDArray[np.int64],
    folds: Sequence[Any],
    half: int,
) -> Floats:
    """Return what the fits are expected to score, metric by metric: the mean over many folds of the same classes."""
    found = np.zeros(len(RECORDED))
    for (_, test), (slope, odds) in zip(folds, fits, strict=True):
        truth = y[test]
        p = expit(_features(rng, truth, FRESH)[..., half::2] @ slope + odds)
        found += [len(test) / len(y) * function(truth, p).mean() for function in RECORDED.values()]
    return found
