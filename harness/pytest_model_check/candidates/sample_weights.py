"""Sample weights on their way into a fit: to every part of a candidate that takes them, by scikit-learn's routing."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.checks.declared import Declared
from pytest_model_check.errors import PromiseError

if TYPE_CHECKING:
    import pandas as pd

NAME = "sample_weight"


def fit(model: Any, X: pd.DataFrame, y: NDArray[Any], sample_weight: NDArray[np.float64] | None) -> None:
    """Fit a clone, with weights where there are any.

    Parameters
    ----------
    model : estimator
        The clone; it is told which of its parts are to be given weights.
    X, y : DataFrame, ndarray
        Features and target.
    sample_weight : ndarray of shape (n,) or None
        The weight of each row; None: all count the same, and `fit` is called without.
    """
    from sklearn import config_context

    if sample_weight is None or _is_frozen(model):
        model.fit(X, y)
        return
    with config_context(enable_metadata_routing=True):
        asked = _ask(model)
        if asked and _is_routed(model):
            model.fit(X, y, sample_weight=sample_weight)
            return
    named = [] if asked is False else _named_without_routing(model)
    model.fit(X, y, **dict.fromkeys(named, sample_weight))


def require_weighable(candidate: Any) -> None:
    """Refuse, before anything is fitted, what would be fitted as if all rows counted the same.

    Raises
    ------
    PromiseError
        If no part of the candidate takes weights when it is fitted.
    """
    from sklearn import config_context
    from sklearn.base import clone

    if isinstance(candidate, Declared):
        if candidate.origin == "refitted" and not candidate.takes_weights:
            raise PromiseError(
                f"sample_weight=: {candidate.description} does not say that it takes weights",
                "Let it read them from its training file, and say so: Program(..., sample_weight=True); or leave "
                "sample_weight= out.",
            )
        return
    if _is_frozen(candidate):
        return
    model = clone(candidate)
    with config_context(enable_metadata_routing=True):
        asked = _ask(model)
        if asked is False or (asked and _is_routed(model)):
            return
    if _named_without_routing(model):
        return
    name, foreign = type(candidate).__name__, _foreign(_parts(model))
    if foreign:
        raise PromiseError(
            f"sample_weight=: {name} can't pass weights on to {type(foreign[0]).__name__}",
            "It takes them, but not by scikit-learn's metadata routing: let it be the candidate itself, or the last "
            "step of a Pipeline that is.",
        )
    raise PromiseError(
        f"sample_weight=: no part of {name} takes weights when it is fitted",
        "Use a learner whose fit has the parameter sample_weight, e.g. HistGradientBoostingClassifier, or leave "
        "sample_weight= out. A wrapper of your own passes it on if it implements scikit-learn's metadata routing.",
    )


def _is_frozen(model: Any) -> bool:
    """Whether fitting changes nothing: what was fitted before only predicts."""
    from sklearn.frozen import FrozenEstimator

    return isinstance(model, FrozenEstimator)


def _ask(model: Any) -> bool | None:
    """Ask for weights in every part of a clone.

    Returns
    -------
    bool or None
        Whether one takes them when it is fitted; False where each was told not to, None where none could.
    """
    parts = _parts(model)
    _request_scores(parts)
    takes = {_request(part) for part in parts.values()} - {None}
    return True in takes if takes else None


def _is_routed(model: Any) -> bool:
    """Whether scikit-learn will bring weights to all that was asked for them."""
    from sklearn.exceptions import UnsetMetadataPassedError
    from sklearn.utils.metadata_routing import get_routing_for_object

    if _foreign(_parts(model)):
        return False
    try:
        routing = get_routing_for_object(model)
        if hasattr(routing, "route_params"):
            routing.route_params(caller="fit", params={NAME: np.ones(1)})
        return bool(routing.consumes("fit", [NAME]))
    except (NotImplementedError, UnsetMetadataPassedError):  # of a part that does not route, or of an unnamed one
        return False


def _parts(model: Any) -> dict[str, Any]:
    """Return a model and the estimators inside it, by the names of their parameters."""
    parts = {"": model}
    if hasattr(model, "get_params"):
        parts |= {name: part for name, part in model.get_params(deep=True).items() if _is_estimator(part)}
    return parts


def _is_estimator(part: Any) -> bool:
    return hasattr(part, "fit") and hasattr(part, "get_params") and not isinstance(part, type)


def _foreign(parts: Mapping[str, Any]) -> list[Any]:
    """Return the parts that take weights, but can't be asked for them."""
    from sklearn.utils.validation import has_fit_parameter

    return [part for part in parts.values() if has_fit_parameter(part, NAME) and not hasattr(part, "set_fit_request")]


def _request(part: Any) -> bool | None:
    """Ask for weights unless the owner has said no; return whether the part takes them when it is fitted."""
    takes = None
    for method in ("fit", "score"):  # a search scores its candidates
        ask = getattr(part, f"set_{method}_request", None)
        if ask is None or NAME not in signature(ask).parameters:
            continue
        asked = getattr(part._get_metadata_request(), method).requests.get(NAME)
        if asked is None:
            ask(**{NAME: True})
        if method == "fit":
            takes = asked is not False
    return takes


def _request_scores(parts: Mapping[str, Any]) -> None:
    """Let the scorers of searches take weights too: one that is named by a text can't be asked."""
    from sklearn.metrics import get_scorer, get_scorer_names

    def weighted(scoring: Any) -> Any:
        if isinstance(scoring, str) and scoring in get_scorer_names():
            scoring = get_scorer(scoring)
        elif isinstance(scoring, list | tuple | set) and scoring:
            return {name: weighted(name) for name in scoring}
        elif isinstance(scoring, dict):
            return {name: weighted(scorer) for name, scorer in scoring.items()}
        if hasattr(scoring, "_accept_sample_weight") and scoring._accept_sample_weight():
            scoring.set_score_request(**{NAME: True})
        return scoring

    for part in parts.values():
        scoring = getattr(part, "scoring", None)
        if scoring is not None and "scoring" in part.get_params(deep=False):
            part.set_params(scoring=weighted(scoring))


def _named_without_routing(model: Any) -> list[str]:
    """Return the parameters of `fit` that take weights where scikit-learn routes none."""
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import has_fit_parameter

    if has_fit_parameter(model, NAME):
        return [NAME]
    if not isinstance(model, Pipeline):
        return []
    return [f"{name}__{NAME}" for name, step in model.steps if _is_estimator(step) and has_fit_parameter(step, NAME)]
