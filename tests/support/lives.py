"""The life of a baseline in a git repository, recording by recording, without fitting anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import dvc.repo
import numpy as np
from pytest_model_check.baselines.baseline_json import to_text
from pytest_model_check.baselines.record import Baseline, BaselineMetric, StoredAnchor
from pytest_model_check.baselines.store import Approved, prepare, write
from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.verdicts import Acceptance, Loss

from support.project import git

YARDSTICK = NoiseReference(0.5, 0.001, 9.5, 10, 0.004)


def metric(score: float, folds: tuple[float, ...] | None = None, **changes: Any) -> BaselineMetric:
    """Return a metric whose five folds lie around its score."""
    folds = folds or tuple(score + x for x in (-0.02, -0.01, 0.0, 0.01, 0.02))
    one = BaselineMetric(score, 0.01, folds, "ROC AUC inside each fold", 0.02, "named", YARDSTICK)
    return replace(one, **changes)


def protocol(**changes: Any) -> Protocol:
    """Return a protocol of five folds."""
    return replace(Protocol("KFold(5)", "churned", slices=("region",), seeds=10), **changes)


def baseline(score: float = 0.9, generation: int = 1, **changes: Any) -> Baseline:
    """Return a baseline of one metric."""
    first = Baseline(
        name="churn",
        nodeid="test_models.py::test_churn",
        candidate="LogisticRegression()",
        learner="random",
        data=(("data/churn.csv", "0" * 32),),
        rows=500,
        target_digest="abc",
        protocol=protocol(),
        test_train_ratio=0.25,
        metrics={"roc_auc": metric(score)},
        seeds=10,
        entropy=5,
        generation=generation,
        classes=("no", "yes"),
        predictions_md5=f"{generation:032x}",
        environment={"python": "3.11.7", "scikit-learn": "1.9.1", "platform": "Linux x86_64"},
        reused=generation - 1,
    )
    return replace(first, **changes)


def accepted(generation: int, reason: str, **changes: Any) -> Acceptance:
    """Return what was accepted."""
    loss = Loss("roc_auc", "worse", delta=-0.05, low=-0.06, high=-0.03, margin=0.02)
    return replace(Acceptance(generation, reason, "loss", (loss,)), **changes)


def anchor(score: float, since: int = 1) -> StoredAnchor:
    """Return the anchor that an earlier recording left."""
    return StoredAnchor(since, score, (score,) * 5, YARDSTICK)


class Life:
    """A git repository with a folder of baselines."""

    def __init__(self, path: Path) -> None:
        path.mkdir(exist_ok=True)
        self.path, self.folder = path, path / "baselines"
        self.folder.mkdir()
        git(path, "init", "-q", "-b", "main")

    def write(self, one: Baseline) -> None:
        """Put a baseline into the working tree."""
        (self.folder / f"{one.name}.json").write_text(to_text(one), encoding="utf-8")

    def approve(self, one: Baseline, scratch: Path) -> Baseline:
        """Write a baseline with predictions, under DVC, as a run does."""
        if not (self.path / ".dvc").is_dir():
            dvc.repo.Repo.init(str(self.path)).close()
        rows, classes = np.arange(6), np.array(["no", "yes"], dtype=object)
        p = np.random.default_rng(one.generation).random((one.seeds, 6))
        responses = {"predict": classes[(p > 0.5).astype(int)], "predict_proba": np.stack([1 - p, p], axis=2)}
        pending = prepare(one, Approved(Predictions(rows, rows * 0, rows % 2, responses, classes), {}), scratch)
        write(pending, self.folder)
        return pending.baseline

    def commit(self, message: str = "Record", *, author: str = "Ada", day: int = 1) -> str:
        """Commit everything; gives the commit."""
        date = f"2026-03-{day:02d}T12:00:00+00:00"
        git(self.path, "add", "-A")
        git(self.path, "commit", "-q", "--allow-empty", "-m", message, f"--author={author} <a@b.c>", f"--date={date}")
        return self.git("rev-parse", "HEAD").strip()

    def record(self, one: Baseline, **commit: Any) -> str:
        """Write and commit."""
        self.write(one)
        return self.commit(f"Record {one.name} {one.generation}", **commit)

    def git(self, *arguments: str) -> str:
        """Run git here."""
        return git(self.path, *arguments)
