"""Tell a scorer of the project's from scikit-learn's: by its code, and by what it scores fixed answers."""

from __future__ import annotations

import hashlib
import inspect
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn import metrics as sk

from pytest_model_check.checks.check import Metric
from pytest_model_check.checks.item_score import ItemScore
from pytest_model_check.fitting.canonical import Canonical, UndigestibleError
from pytest_model_check.fitting.closure import closure
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.own_scorers import OwnScorer
from pytest_model_check.scoring.jackknife import SeedAnswers, replayed
from pytest_model_check.scoring.remote_scorer import RemoteScorer
from pytest_model_check.scoring.strategies import described_options

ROWS = 60
SCALES = (1.0, 100.0, 10_000.0)  # of a number that is predicted: a scorer may have thresholds
HOME = f"{Path(sklearn.__file__).parent}"


def own_scorer(metric: Metric, classes: NDArray[Any] | None) -> OwnScorer | None:
    """Return what a scorer of the project's can be known by; None: it is scikit-learn's.

    Parameters
    ----------
    metric : Metric
        Holds the scorer.
    classes : ndarray or None
        The labels of the target; None for regression.
    """
    if is_sklearns(metric.scorer):
        return None
    return OwnScorer(_code(metric.scorer), tuple(_scores(metric.scorer, classes)))


def is_known(name: str) -> bool:
    """Whether scikit-learn has a scorer, or a function that could be made one, of this name."""
    return name in sk.get_scorer_names() or hasattr(sk, name) or hasattr(sk, name.removeprefix("neg_"))


def is_sklearns(scorer: Any) -> bool:
    """Whether a scorer is made of nothing but scikit-learn's code."""
    if isinstance(scorer, ItemScore):
        return True
    function = scorer._score_func
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    return (
        type(scorer).__module__ == "sklearn.metrics._scorer"
        and getattr(module, getattr(function, "__name__", ""), None) is function
        and str(getattr(code, "co_filename", "")).startswith(HOME)
        and not any(map(callable, scorer._kwargs.values()))
    )


def tell(metric: Metric) -> dict[str, Any]:
    """Describe a scorer to another process, in plain types."""
    scorer = metric.scorer
    return {
        "function": scorer._score_func.__name__ if is_sklearns(scorer) else None,
        "sign": scorer._sign,
        "response_method": scorer._response_method,
        "options": described_options(scorer._kwargs),
        "takes_weights": "sample_weight" in inspect.signature(scorer._score_func).parameters,
    }


def _code(scorer: Any) -> str:
    """Digest the project's files that a scorer reaches, whatever they are called and however their lines end."""
    told = Canonical()
    if isinstance(scorer, RemoteScorer):
        return ""  # it is not here
    try:
        told.add(scorer)
    except UndigestibleError:
        return ""
    reached = closure([(file, _package(file)) for file in sorted(told.files)], [], {}).files
    texts = [Path(file).read_bytes().replace(b"\r\n", b"\n") for file in reached if file.endswith(".py")]
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(text).digest() for text in texts))).hexdigest()[:16]


def _package(file: str) -> str:
    """Return the package that the relative imports of a module start at."""
    modules = (module for module in list(sys.modules.values()) if getattr(module, "__file__", None) == file)
    return next((str(getattr(module, "__package__", "") or "") for module in modules), "")


def _scores(scorer: Any, classes: NDArray[Any] | None) -> Iterator[float]:
    for predictions, truth in _fixed(classes):
        with warnings.catch_warnings(), suppress(Exception):  # a function of the project's raises what it likes
            warnings.simplefilter("ignore")
            score = float(scorer(replayed(SeedAnswers(predictions, 0)), np.arange(ROWS), truth))
            if isfinite(score):
                yield score


def _fixed(classes: NDArray[Any] | None) -> Iterator[tuple[Predictions, NDArray[Any]]]:
    """Yield answers that are the same on every machine, and in every version of numpy, with the truth."""
    slots = np.arange(ROWS)
    for number, scale in enumerate(SCALES):
        drawn = np.random.RandomState(number)
        if classes is None:
            truth: NDArray[Any] = scale * np.exp(drawn.standard_normal(ROWS))
            responses = {"predict": truth * np.exp(drawn.standard_normal(ROWS) / 2)}
        else:
            codes = slots % len(classes)
            truth = classes[codes]
            chances = drawn.uniform(0.01, 1, (ROWS, len(classes)))
            chances[slots, codes] += drawn.uniform(0, 1.5, ROWS)
            chances /= chances.sum(axis=1, keepdims=True)
            logits = np.log(chances)
            responses = {
                "predict": classes[chances.argmax(axis=1)],
                "predict_proba": chances,
                "decision_function": logits[:, 1] - logits[:, 0] if len(classes) == 2 else logits,
            }
        stored = {name: values[None] for name, values in responses.items()}
        yield Predictions(slots, np.zeros_like(slots), np.zeros_like(slots), stored, classes), truth
