"""Runs of pytest on a project, and what they said."""

from __future__ import annotations

from support.project import LOGISTIC, Project

K = 'data="data/tumours.csv", target="diagnosis", cv=3, seeds=2, metrics="roc_auc"'


def messages(project: Project) -> dict[str, str]:
    return {check["name"]: check["message"] for check in project.report()["checks"]}


CLAIMS = f"""
    def test_a(model_check):
        model_check({LOGISTIC}, {K}, name="same")

    def test_b(model_check):
        model_check({LOGISTIC}, {K}, name="Same")

    def test_c(model_check):
        model_check({LOGISTIC}, {K}, name="d")

    def test_d(model_check):
        model_check({LOGISTIC}, {K})

    def test_e(model_check):
        model_check({LOGISTIC}, {K}, name="twice")
        model_check(DecisionTreeClassifier(max_depth=1), {K}, name="twice")

    def test_f(model_check):
        model_check({LOGISTIC}, data="data/nothing.csv", target="x", name="g")

    def test_g(model_check):
        model_check({LOGISTIC}, {K})

    def test_good(model_check):
        model_check({LOGISTIC}, {K})
"""
