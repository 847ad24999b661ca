"""A scorer whose code runs in another process: it is asked there, and looks here like one of scikit-learn's."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.scoring.jackknife import SeedAnswers, replayed


@dataclass(frozen=True)
class Question:
    """Answers to be scored, as they travel to the process that has the scorer.

    Parameters
    ----------
    metric : str
        Which scorer is asked.
    responses : mapping of str to ndarray, shape (n_rows,) or (n_rows, n_classes)
        By method, what the model answered.
    classes : ndarray or None
        The labels; None for regression.
    truth : ndarray of shape (n_rows,)
        The target.
    weights : ndarray of shape (n_rows,) or None
        How much each row counts.
    """

    metric: str
    responses: Mapping[str, NDArray[Any]]
    classes: NDArray[Any] | None
    truth: NDArray[Any]
    weights: NDArray[np.float64] | None

    def ask(self, scorer: Any) -> float:
        """Let a scorer score the answers."""
        slots = np.arange(len(self.truth))
        responses = {name: answers[None] for name, answers in self.responses.items()}
        model = replayed(
            SeedAnswers(Predictions(slots, np.zeros_like(slots), np.zeros_like(slots), responses, self.classes), 0)
        )
        weights = {} if self.weights is None else {"sample_weight": self.weights}
        return float(scorer(model, slots, self.truth, **weights))


@dataclass(frozen=True)
class _Shown:
    """An option of a scorer, as it is described."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _unweighted(y_true: Any, y_pred: Any) -> float:
    raise NotImplementedError


def _weighted(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    raise NotImplementedError


@dataclass(frozen=True, eq=False)
class RemoteScorer:
    """What `pytest_model_check.scoring` takes for a scorer.

    Parameters
    ----------
    name : str
        The metric's.
    asked : callable
        Has a question answered by the process that has the scorer.
    options : mapping of str to str
        The options of the scored function, described.
    takes_weights : bool
        Whether the scored function takes sample weights.
    """

    name: str
    asked: Callable[[Question], float]
    options: Mapping[str, str]
    takes_weights: bool
    _sign: int
    _response_method: Any
    _kwargs: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_kwargs", {key: _Shown(text) for key, text in self.options.items()})

    @property
    def _score_func(self) -> Callable[..., float]:
        return _weighted if self.takes_weights else _unweighted

    def __call__(self, model: Any, slots: NDArray[np.intp], truth: NDArray[Any], sample_weight: Any = None) -> float:
        """Have the stored answers of a model scored."""
        methods = (self._response_method,) if isinstance(self._response_method, str) else self._response_method
        method = next((name for name in methods if hasattr(model, name)), None)
        if method is None:
            raise ValueError(f"it needs {methods[-1]}, which the candidate does not have")
        responses = {method: getattr(model, method)(slots)}
        return self.asked(Question(self.name, responses, model.classes_, truth, sample_weight))


def scorer_as_told(name: str, told: Mapping[str, Any], asked: Callable[[Question], float]) -> Any:
    """Return scikit-learn's scorer, where it is nothing else, or what stands for the project's."""
    sign, options, method = int(told["sign"]), dict(told["options"]), told["response_method"]
    method = tuple(method) if isinstance(method, list) else method
    if told["function"] is not None:
        with suppress(ValueError, SyntaxError, TypeError, AttributeError):
            values = {key: ast.literal_eval(text) for key, text in options.items()}
            function = getattr(sk, told["function"])
            return sk.make_scorer(function, response_method=method, greater_is_better=sign > 0, **values)
    return RemoteScorer(name, asked, options, bool(told["takes_weights"]), sign, method)
