"""The dummy: the learner that looks at no feature, which every model has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


def make_dummy(task: str) -> Any:
    """Return the learner that looks at no feature: the level a model must beat."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return DummyClassifier(strategy="prior") if task == "classification" else DummyRegressor(strategy="mean")
