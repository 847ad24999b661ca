"""When the data moves, the approved model's own code is run again on the new data."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import make_data
import numpy as np
import pandas as pd
import pytest
from conftest import LOGISTIC, Project
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from harness import baselines, crossval, dataset, git, recording
from harness.baselinejson import Baseline
from harness.check import Check, make_check
from harness.errors import IncomparableError, OldCodeError
from harness.remake import Remade, remake

PROMISE = 'metrics=["neg_log_loss", "roc_auc"], cv=3, seeds=2'
CANDIDATE = make_pipeline(StandardScaler(), LogisticRegression())


class Moved:
    """A project whose baseline is approved and committed, and whose data is then another."""

    def __init__(self, project: Project, tmp_path: Path) -> None:
        self.project, self.root = project, project.path
        self.before, self.scratch = tmp_path / "before", tmp_path / "scratch"
        self.scratch.mkdir()
        self.commit = ""

    def approve(self) -> None:
        """Record the baselines of the checks as they are, and commit them with all that is there."""
        self.project.run("--update-baselines", f"--rootdir={self.root}", str(self.root)).assert_outcomes(passed=1)
        self.save("Approve")
        self.commit = self.project.git("rev-parse", "HEAD").strip()

    def save(self, why: str) -> None:
        self.project.git("add", "-A")
        self.project.git("commit", "-qm", why)

    def move(self, change=lambda frame: pd.concat([frame, frame.iloc[::3]]), file: str = "tumours.csv") -> None:
        """Put the data of before aside, and change it."""
        shutil.copytree(self.root / "data", self.before / "data")
        path = self.root / "data" / file
        change(pd.read_csv(path)).to_csv(path, index=False)
        self.project.dvc("add", "data")
        self.save("More data")

    def check(self, **promise) -> Check:
        """Give the check as it is now: the candidate is no matter."""
        given = {"data": "data/tumours.csv", "target": "diagnosis", "cv": 3, "seeds": 2, "name": "tumours"} | promise
        return make_check(CANDIDATE, nodeid="test_models.py::test_tumours", **given)

    def remake(self, baseline: Baseline | None = None, python: str = sys.executable, jobs: int = 1, **promise):
        check = self.check(**promise)
        folder = self.root / "baselines"
        approved = baselines.read(folder, "tumours") if baseline is None else baseline
        stored = replace(approved, name="tumours")
        try:
            return remake(
                check,
                approved,
                baselines.read_approved(folder, stored).predictions,
                data=dataset.read(check, self.root),
                root=self.root,
                old_root=self.before,
                scratch=self.scratch,
                commit=self.commit,
                python=python,
                jobs=jobs,
            )
        finally:
            assert list(self.scratch.iterdir()) == []
            assert len(self.project.git("worktree", "list").splitlines()) == 1
            assert "prunable" not in self.project.git("worktree", "list", "--porcelain")

    def refused(self, *said: str, **given) -> OldCodeError:
        """Expect no answer, and these words in its reason."""
        with pytest.raises(OldCodeError) as caught:
            self.remake(**given)
        error = caught.value
        assert isinstance(error, IncomparableError)
        assert "\n" not in error.message
        start = f"tumours: the data moved, and the approved code ({self.commit[:7]}) can't be held against it: "
        assert error.message.startswith(start), error.message
        for words in said:
            assert words in error.message, error.message
        assert "--model-check-python PATH" in error.advice
        assert 'pytest --model-check --model-check-accept "reason" test_models.py::test_tumours' in error.advice
        assert str(self.scratch) not in str(error)
        return error

    def directly(self, candidate=CANDIDATE, **promise) -> tuple[Baseline, baselines.Approved]:
        """Record a candidate in this process on the data as it is."""
        check = replace(self.check(metrics=["neg_log_loss", "roc_auc"], **promise), candidate=candidate)
        protocol = crossval.make_protocol(check, dataset.read(check, self.root))
        found = recording.record(
            check, protocol, generation=1, anchors={}, jobs=1, progress=lambda done, total: None
        )
        return found[:2]


def assert_same(remade: Remade, directly: tuple[Baseline, baselines.Approved]) -> None:
    baseline, approved = directly
    assert remade.approved.predictions.same_slots(approved.predictions)
    assert remade.approved.predictions.agrees(approved.predictions)
    assert remade.approved.anchors == {}
    for name, metric in baseline.metrics.items():
        again = remade.baseline.metrics[name]
        assert again.score == pytest.approx(metric.score)
        assert again.folds == pytest.approx(metric.folds)
        assert again.yardstick.floor == pytest.approx(metric.yardstick.floor)
    kept = ("name", "nodeid", "data", "rows", "target_digest", "protocol", "seeds", "entropy", "generation", "learner")
    assert {key: getattr(remade.baseline, key) for key in kept} == {key: getattr(baseline, key) for key in kept}


@pytest.fixture
def moved(project: Project, tmp_path: Path) -> Moved:
    return Moved(project, tmp_path)


def test_the_approved_model_is_measured_on_data_that_grew(moved: Moved) -> None:
    moved.project.check(promise=PROMISE)
    moved.approve()
    moved.move()
    moved.project.check("DummyClassifier()", PROMISE)  # what is there now is not asked
    remade = moved.remake()
    assert_same(remade, moved.directly())
    assert remade.baseline.rows == 569 + 190
