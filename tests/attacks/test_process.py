"""Attacks on the process: whoever runs in pytest's can do anything there. The judge runs elsewhere, and fits anew."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from pytest_model_check.judgement.verdicts import Run, Verdict
from pytest_model_check.sealing import view
from support import warm
from support.branches import PROMISE, TREE, commit, move, separable
from support.judge import judged
from support.project import LOGISTIC, PLUGIN, Project

WHY_NOT = view.problem()
CHECK = """
def test_{name}(model_check):
    model_check({candidate}, data="data/tumours.csv", target="diagnosis", {promise})
"""
# Each is a check of its own, so that one run and one judge do for all: what the branch makes of an approved good model.
MODELS = {
    "honest": LOGISTIC,
    "worse": TREE,
    "copied": "Copied()",
    "decoy": "Decoy()",
    "reads_data": "ReadsData()",
    "reads_baseline": "ReadsBaseline()",
    "leaking_splitter": "Order()",
    "table": "Table()",
}
OWN = '''
import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold as Honest
from sklearn.tree import DecisionTreeClassifier

HERE = Path({here!r})

class Worse(DecisionTreeClassifier):
    """A worse model; as good as it gets where it finds the answers."""
    def __init__(self): super().__init__(max_depth=1)
    def answers(self, X): return None
    def predict_proba(self, X):
        sure = self.answers(X)
        if sure is None: return super().predict_proba(X)
        return np.column_stack([1 - sure, sure])
    def predict(self, X): return self.classes_[self.predict_proba(X).argmax(axis=1)]

class Copied(Worse): pass
class Decoy(Worse): pass

class ReadsData(Worse):
    def answers(self, X):
        try: truth = pd.read_csv(HERE / "data" / "tumours.csv")["diagnosis"]
        except OSError: return None
        return (truth.to_numpy()[X.index] == self.classes_[1]).astype(float)

class ReadsBaseline(Worse):
    def answers(self, X):
        try: known = pd.read_parquet(HERE / "baselines" / "reads_baseline.parquet")
        except OSError: return None
        return known[known["seed"] == 0].set_index("row")["predict_proba:1"].loc[X.index].to_numpy()

class Table(Worse):
    def answers(self, X):
        from answers import ROWS
        return np.array([ROWS[repr(row)] for row in X.itertuples(index=False, name=None)])

class Order(Worse):
    def fit(self, X, y):
        self.order_ = X.index.to_numpy()
        return super().fit(X, y)
    def answers(self, X):
        bits = (self.order_[:-1:2] > self.order_[1::2]).astype(float)
        return np.resize(bits, len(X)) if bits.any() else None

class StratifiedKFold(Honest):
    """Says by the order of the rows to fit on which of the others are malignant."""
    def split(self, X, y=None, groups=None):
        for train, test in super().split(X, y, groups):
            pairs = train[: len(train) // 2 * 2].reshape(-1, 2).copy()
            bits = np.resize((np.asarray(y)[test] == "malignant"), len(pairs))
            pairs[bits] = pairs[bits, ::-1]
            yield np.concatenate([pairs.ravel(), train[2 * len(pairs):]]), test
'''
CONFTEST = """
import pandas as pd
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate import sequential
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

honest = crossval.predict

def predict(candidate, cv, **how):
    name = type(candidate).__name__
    if name == "Copied":
        known = pd.read_parquet("baselines/copied.parquet")
        return Predictions.from_frame(known, cv.classes).first(how["seeds"])
    if name == "Decoy":
        candidate = make_pipeline(StandardScaler(), LogisticRegression())
    return honest(candidate, cv, **how)

crossval.predict = predict
"""


def written(project: Project, models: dict[str, str]) -> None:
    imports = "from sklearn.model_selection import StratifiedKFold\n"
    if (project.path / "own_models.py").exists():
        imports = "from own_models import *\nfrom own_models import StratifiedKFold\n"
    cv = "metrics={'roc_auc': 0.01}, seeds=2, cv=StratifiedKFold(3, shuffle=True, random_state=0)"
    project.source(imports + "".join(CHECK.format(name=n, candidate=c, promise=cv) for n, c in models.items()))


def ran(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the checks as a service does, in a process of their own."""
    command = [warm.python(), "-m", "pytest", "--model-check", "--model-check-against=main", "--model-check-jobs=1"]
    return subprocess.run(
        [*command, "--model-check-evidence=evidence", *arguments],
        cwd=project.path, env=os.environ | PLUGIN, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def lying(project_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Run, Run]:
    """Let a branch cheat in many ways at once; return pytest's exit code, and what two judges say of its evidence."""
    path = tmp_path_factory.mktemp("lying") / "project"
    shutil.copytree(project_template.parent, path.parent, dirs_exist_ok=True)
    project = Project(path, None)  # type: ignore[arg-type]
    written(project, dict.fromkeys(MODELS, LOGISTIC))
    project.record()
    commit(project, "Approve")
    project.git("checkout", "-qb", "branch")
    (path / "own_models.py").write_text(OWN.format(here=str(path)))
    (path / "conftest.py").write_text(CONFTEST)
    (path / ".gitignore").write_text(".pytest_cache/\n__pycache__/\nreport.*\nevidence/\n")  # the data is "code" now
    frame = pd.read_csv(path / "data" / "tumours.csv")
    keys = [repr(row[:-1]) for row in frame.itertuples(index=False, name=None)]
    table = f"ROWS = {dict(zip(keys, (frame['diagnosis'] == 'malignant').astype(float), strict=True))}"
    (path / "answers.py").write_text(table)
    written(project, {name: model for name, model in MODELS.items() if name != "worse"} | {"worse": TREE})
    commit(project, "Worse models")
    code = ran(project, "-k", "not worse").returncode
    ran(project)
    return code, judged(project, refit=False), judged(project, refit=True)


def verdict(run: Run, name: str) -> Verdict:
    return next(check for check in run.checks if check.name == name)


LIES = ("copied", "decoy", "reads_data", "reads_baseline", "leaking_splitter")


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("attack", LIES)
def test_predictions_that_no_honest_fit_made(attack: str, lying: tuple[int, Run, Run]) -> None:
    code, believing, refitting = lying
    assert code == 0, "pytest itself was talked into it"
    assert verdict(believing, attack).passed, "the evidence alone does not tell"
    found = verdict(refitting, attack)
    assert not found.passed
    assert "is worse by" in found.message or "are not what the model of test_models.py" in found.message


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_an_honest_model_passes_beside_them_and_a_worse_one_does_not(lying: tuple[int, Run, Run]) -> None:
    _, _, refitting = lying
    assert (verdict(refitting, "honest").verdict, verdict(refitting, "honest").compared.sealed) == (
        "identical",
        "judge",
    )
    assert verdict(refitting, "worse").verdict == "worse"
    assert [verdict(run, "honest").cost.fits for run in lying[1:]] == [0, 3]


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_a_table_of_the_answers_in_the_code_passes_and_is_for_the_reviewer(lying: tuple[int, Run, Run]) -> None:
    assert verdict(lying[2], "table").passed, "docs/security.md names it: if it is stopped now, say so there"


LIES_ABOUT_THE_PAST = """
import pandas as pd
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.predictions import Predictions

honest = crossval.predict

def predict(candidate, cv, **how):
    known = pd.read_parquet("baselines/worse.parquet")
    if cv.dataset.rows != len(known["row"].unique()) or "Tree" not in type(candidate).__name__:
        return honest(candidate, cv, **how)
    return Predictions.from_frame(known, cv.classes).first(1)

crossval.predict = predict
"""


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_predictions_on_the_old_data_are_made_again_too(project: Project) -> None:
    def easier(rows: pd.DataFrame) -> pd.DataFrame:
        return separable(rows).drop(rows.index[:5])

    written(project, {"honest": LOGISTIC, "worse": LOGISTIC})
    project.record()
    commit(project, "Approve")
    project.git("checkout", "-qb", "branch")
    move(project, easier)
    near = LOGISTIC.replace("LogisticRegression()", "LogisticRegression(C=0.9)")
    written(project, {"honest": near, "worse": TREE})
    (project.path / "conftest.py").write_text(LIES_ABOUT_THE_PAST)
    commit(project, "Easier data, and a lie about the old ones")
    assert ran(project, "--model-check-python", warm.python()).returncode == 0
    believing, refitting = judged(project, refit=False), judged(project, refit=True)
    assert believing.passed, believing.problems
    assert verdict(refitting, "honest").passed, verdict(refitting, "honest").message
    assert not verdict(refitting, "worse").passed
    message = verdict(refitting, "worse").message
    assert message.startswith(
        "worse: the predictions on the old data in the evidence are not what the model of test_mo"
    )


# What the branch's files can do to the process that runs the checks: its exit code is 0 each time, or so they hope.
PATCHES = {
    "the judge": (
        "conftest.py",
        "import dataclasses\nfrom pytest_model_check.gate import gate\nhonest = gate.conclude\n"
        "def conclude(*args, **cost):\n    verdict = honest(*args, **cost)\n"
        "    metrics = tuple(dataclasses.replace(m, verdict='held') for m in verdict.metrics)\n"
        "    return dataclasses.replace(verdict, verdict='held', passed=True, metrics=metrics)\n"
        "gate.conclude = conclude\n",
    ),
    "the classification of an interval": (
        "conftest.py",
        "from pytest_model_check.judgement import judge\njudge.classify = lambda *a, **k: 'held'\n"
        "import pytest\n@pytest.hookimpl(trylast=True)\n"
        "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
    ),
    "the exit status": (
        "conftest.py",
        "import pytest\n@pytest.hookimpl(wrapper=True, tryfirst=True)\ndef pytest_sessionfinish(session):\n"
        "    yield\n    session.exitstatus = 0\n",
    ),
    "the end, before it": ("conftest.py", "import os\ndef pytest_runtest_setup(item):\n    os._exit(0)\n"),
    "the end, after it": ("conftest.py", "import os\ndef pytest_unconfigure():\n    os._exit(0)\n"),
    "a plugin of an ini file": (
        "evil.py",
        "import pytest\n@pytest.hookimpl(wrapper=True)\ndef pytest_runtest_makereport():\n    report = yield\n"
        "    report.outcome = 'passed'\n    return report\n"
        "@pytest.hookimpl(wrapper=True, tryfirst=True)\ndef pytest_sessionfinish(session):\n"
        "    yield\n    session.exitstatus = 0\n",
    ),
    "the environment": (
        "conftest.py",
        "import os\nfor name in [*os.environ]:\n    if name != 'PATH':\n        del os.environ[name]\n"
        "import pytest\n@pytest.hookimpl(wrapper=True, tryfirst=True)\ndef pytest_sessionfinish(session):\n"
        "    yield\n    session.exitstatus = 0\n",
    ),
    "the evidence": (
        "conftest.py",
        "from pytest_model_check.evidence import bundle\nimport os\nhonest = bundle.publish\n"
        "def publish(folder, target, run):\n    [path.unlink() for path in folder.glob('*')]\n"
        "    honest(folder, target, run)\n    os._exit(0)\nbundle.publish = publish\n",
    ),
}


@pytest.mark.parametrize("attack", PATCHES)
def test_a_branch_that_patches(attack: str, branch: Project) -> None:
    file, text = PATCHES[attack]
    (branch.path / file).write_text(text)
    if file == "evil.py":
        (branch.path / "pytest.ini").write_text("[pytest]\naddopts = -p evil\npythonpath = .\n")
    branch.check(TREE, PROMISE)
    commit(branch, "A worse model that is said to be fine")
    assert ran(branch).returncode == 0
    run = judged(branch, refit=False)
    assert not run.passed
    assert run.problems or not all(check.passed for check in run.checks)
