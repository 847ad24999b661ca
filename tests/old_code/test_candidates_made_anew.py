"""The data moved: programs, artifacts of the approved commit and services are asked about the new rows."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from support.model_server import serving
from support.project import Project

CHECKS = """
import os
from pytest_model_check import Program, Service

def test_program(model_check):
    model_check(Program("sh {script}"), data="data/tumours.csv", target="diagnosis", cv=2, seeds=1, margin=0.1)

def test_artifact(model_check):
    model_check("models/{model}", data="data/tumours.csv", target="diagnosis", holdout="`mean radius` > 13", margin=0.1)

def test_service(model_check):
    service = Service(os.environ["MODEL_URL"], probabilities=True, pause=0.01, retries=0)
    model_check(service, data="data/tumours.csv", target="diagnosis", holdout="`mean radius` > 13", margin=0.1)
"""
SCRIPT = """
awk -F, -v cut={cut} '
    NR == 1 {{ print "row_id,prediction"; next }} {{ print $1 "," ($2 > cut ? "malignant" : "benign") }}
' "$MODEL_CHECK_TEST" > "$MODEL_CHECK_OUTPUT"
"""


class Asked:
    """A model that remembers how many rows it was asked about at most."""

    def __init__(self, model: Pipeline) -> None:
        self.model = model
        self.most = 0

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        self.most = max(self.most, len(rows))
        return self.model.predict_proba(rows)


@pytest.mark.integration  # it needs nothing, and takes long: four processes of old code
def test_each_is_made_anew_by_the_approved_commit(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.read_csv("data/tumours.csv")
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows.drop(columns="diagnosis"), rows["diagnosis"])
    folder = project.path / "models"
    folder.mkdir()
    (folder / "old.pkl").write_bytes(pickle.dumps(model))
    project.dvc("add", "models/old.pkl")
    (project.path / "old.sh").write_text(SCRIPT.format(cut=15))
    approved, candidate = Asked(model), Asked(model)
    with serving(approved) as old_url, serving(candidate) as new_url:
        project.source(CHECKS.format(script="old.sh", model="old.pkl"))
        monkeypatch.setenv("MODEL_URL", old_url)
        project.git("add", "-A")
        project.git("commit", "-qm", "Models")  # now the pickle is vouched for
        assert project.run("--update-baselines").ret == 0
        project.dvc("push")
        project.git("add", "-A")
        project.git("commit", "-qm", "Approve")
        # other models, on other data; the approved ones are nowhere but in git and in DVC's cache
        for path in (project.path / "old.sh", folder / "old.pkl", folder / "old.pkl.dvc"):
            path.unlink()
        (project.path / "new.sh").write_text(SCRIPT.format(cut=15.1))
        (folder / "new.pkl").write_bytes(pickle.dumps(model))
        project.source(CHECKS.format(script="new.sh", model="new.pkl"))
        monkeypatch.setenv("MODEL_URL", new_url)
        grown = pd.concat([rows, rows.sample(60, random_state=0)])
        grown.to_csv("data/tumours.csv", index=False)
        project.dvc("add", "data")
        result = project.run(f"--model-check-trust={Path('models/new.pkl')}")
        assert result.ret == 0
        checks = {check["name"]: check for check in project.report()["checks"]}
        for check in checks.values():
            for grid in check["moved"]["corners"]:
                assert None not in grid.values()
        assert checks["artifact"]["verdict"] == checks["service"]["verdict"] == "identical"
        # the approved service was asked about the new rows, at the address that stands in the baseline
        assert approved.most == candidate.most == (grown["mean radius"] > 13).sum()

        approved.model = make_pipeline(StandardScaler(), LogisticRegression(C=0.001)).fit(
            rows.drop(columns="diagnosis"), rows["diagnosis"]
        )
        result = project.run("-k", "service")
        assert project.verdicts() == {"service": "incomparable"}
        result.stdout.fnmatch_lines(
            [
                "*can't be run on these: on the data of before it does not repeat what was approved*",
                f"*Another service than the approved one may answer at {old_url} now*",
            ]
        )
