"""Verdicts as reports get them."""

from __future__ import annotations

from pytest_model_check.judgement.compared import Compared, DataVersion
from pytest_model_check.judgement.verdicts import Cost, MetricVerdict, Verdict

DATA = DataVersion("data/churn.csv", "0" * 32, 5690)
WORSE = MetricVerdict(
    "roc_auc",
    "worse",
    baseline=0.994,
    candidate=0.973,
    delta=-0.021,
    low=-0.025,
    high=-0.016,
    margin=0.005,
    resolution=0.009,
    dummy=0.5,
    folds=((0.99, 0.97), (0.998, 0.976)),
)
HELD = MetricVerdict("accuracy", "held", baseline=0.9, candidate=0.9, delta=0.0, low=-0.001, high=0.002, margin=0.01)


def verdict(name: str = "churn", *metrics: MetricVerdict, passed: bool = False, message: str = "") -> Verdict:
    return Verdict(
        name,
        f"tests/test_models.py::test_{name}",
        metrics[0].verdict if metrics else "error",
        passed,
        message or f"{name}: a message",
        metrics=metrics,
        compared=Compared(DATA),
        cost=Cost(30, 1.9),
    )
