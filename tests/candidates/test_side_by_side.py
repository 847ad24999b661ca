"""One baseline, and the same model from seven tools, in one report; and a model of R's that takes its place."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.model_server import serving
from support.project import Project

CHECKS = """
from pytest_model_check import Artifact, Results, Service, caret, weka

FIVE = ["mean radius", "mean texture", "mean smoothness", "mean concavity", "worst symmetry"]
TOOLS = {{
    "caret": caret("glm"),
    "weka": weka("functions.Logistic"),
    "skops": "model.skops",
    "onnx": Artifact("model.onnx", classes=["benign", "malignant"]),
    "service": Service("{url}", probabilities=True),
    "results": Results("answers.csv"),
}}

def load(paths):
    return pd.read_csv(paths[0]).reset_index(names="id")

def promise(**more):
    return dict(data="data/tumours.csv", target="diagnosis", load=load, features=FIVE, holdout="id % 3 == 0",
                metrics={{"neg_log_loss": 0.05, "roc_auc": 0.02}}, seeds=2, **more)

def test_tumours(model_check):
    model_check({champion}, **promise())
"""
CHALLENGERS = """
import pytest

@pytest.mark.parametrize("tool", list(TOOLS))
def test_challenger(model_check, tool):
    model_check(TOOLS[tool], **promise(baseline="tumours"))
"""
SKLEARN = "make_pipeline(StandardScaler(), LogisticRegression(C=1e4, max_iter=1000))"

pytestmark = [
    pytest.mark.integration,
    *(
        pytest.mark.skipif(missing, reason=f"{what} is not here (CONTRIBUTING.md)")
        for what, missing in (
            ("R", shutil.which("Rscript") is None),
            ("Java", shutil.which("java") is None),
            *((name, find_spec(name) is None) for name in ("weka", "skops", "onnxruntime", "skl2onnx")),
        )
    ),
]


def test_seven_tools_are_held_against_one_baseline(project: Project) -> None:
    import skops.io
    from skl2onnx import to_onnx

    rows = pd.read_csv("data/tumours.csv")
    held_out = np.arange(len(rows)) % 3 == 0
    X, y = rows.drop(columns="diagnosis"), rows["diagnosis"]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1e4, max_iter=1000)).fit(X[~held_out], y[~held_out])
    skops.io.dump(model, "model.skops")
    array = X[~held_out].to_numpy(dtype=np.float32)
    numbered = make_pipeline(StandardScaler(), LogisticRegression(C=1e4, max_iter=1000)).fit(
        array, y[~held_out] == "malignant"
    )
    (project.path / "model.onnx").write_bytes(to_onnx(numbered, array, options={"zipmap": False}).SerializeToString())
    shares = model.predict_proba(X[held_out])
    pd.DataFrame(
        {"id": np.flatnonzero(held_out), "probability_benign": shares[:, 0], "probability_malignant": shares[:, 1]}
    ).sample(frac=1, random_state=0).to_csv("answers.csv", index=False)
    with serving(model) as url:
        project.source(CHECKS.format(url=url, champion=SKLEARN))
        assert project.run("--update-baselines").ret == 0
        project.source(CHECKS.format(url=url, champion=SKLEARN) + CHALLENGERS)
        result = project.run()
    assert result.ret == 0
    checks = {check["name"]: check for check in project.report()["checks"]}
    assert {name: check["origin"] for name, check in checks.items()} == {
        "tumours": "refitted",
        "challenger-caret": "refitted",
        "challenger-weka": "refitted",
        "challenger-skops": "loaded",
        "challenger-onnx": "loaded",
        "challenger-service": "asked",
        "challenger-results": "elsewhere",
    }
    verdicts = project.verdicts()
    assert verdicts["tumours"] == verdicts["challenger-skops"] == "identical"
    assert set(verdicts.values()) <= {"identical", "held", "better"}  # the others answer no decision function
    assert [path.name for path in sorted((project.path / "baselines").glob("*.json"))] == ["tumours.json"]
    # R's takes the place of scikit-learn's, and is held against itself from then on
    project.source(CHECKS.format(url="http://localhost", champion='TOOLS["caret"]'))
    assert project.run("--update-baselines").ret == 0
    assert project.baseline()["candidate"] == "caret('glm')"
    assert project.baseline()["generation"] == 2
