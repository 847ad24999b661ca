"""Who may say that something is loaded: the commit that decides, or whoever types the command; never the branch."""

from __future__ import annotations

import pickle
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from pytest_model_check.session import trust
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.project import Project, git

CODE = """
def test_tumours(model_check):
    model_check("model.pkl", data="data/tumours.csv", target="diagnosis", holdout="`mean radius` > 13", margin=0.05)
"""


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("pytest.ini", "[pytest]\nmodel_check_trusted_types =\n    {}\n    other.Type\n"),
        ("tox.ini", "[pytest]\nmodel_check_trusted_types = {} other.Type\n"),
        ("setup.cfg", "[tool:pytest]\nmodel_check_trusted_types = {} other.Type\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\nmodel_check_trusted_types = ['{}', 'other.Type']\n"),
        ("pyproject.toml", "[tool.pytest]\nmodel_check_trusted_types = ['{}', 'other.Type']\n"),
    ],
)
def test_what_is_committed_counts_and_what_lies_there_does_not(file: str, says: str, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    path, tracker = tmp_path / file, tmp_path / "model.pkl.dvc"
    path.write_text(says.format("sklearn.tree._tree.Tree"))
    tracker.write_text(f"outs:\n- md5: {'a' * 32}\n  size: 3\n  hash: md5\n  path: model.pkl\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "Trust")
    path.write_text(says.format("builtins.eval"))
    tracker.write_text(f"outs:\n- md5: {'b' * 32}\n  path: model.pkl\n")
    head = trust.at(tmp_path, None, path)
    assert (head.types, head.digests()) == ({"sklearn.tree._tree.Tree", "other.Type"}, {"a" * 32})
    sha = git(tmp_path, "rev-parse", "HEAD").strip()
    git(tmp_path, "commit", "-qam", "Trust another")
    base = trust.at(tmp_path, sha, path)
    assert (base.types, base.digests()) == ({"sklearn.tree._tree.Tree", "other.Type"}, {"a" * 32})
    assert base.decides == f"the merge base {sha[:7]}"
    path.write_text("[")
    git(tmp_path, "commit", "-qam", "Torn")
    assert trust.at(tmp_path, None, path).types == frozenset()


def test_a_loaded_model_is_judged_where_it_was_typed_or_approved(project: Project) -> None:
    project.source(CODE)
    rows = pd.read_csv("data/tumours.csv").query("`mean radius` <= 13 or index % 3 == 0")
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(rows.drop(columns="diagnosis"), rows["diagnosis"])
    Path("model.pkl").write_bytes(pickle.dumps(model))
    assert project.run("--update-baselines").ret == 1
    assert "is a pickle, which can run any code" in project.report()["checks"][0]["message"]
    (project.path / "pytest.ini").write_text("[pytest]\naddopts = --model-check-trust=model.pkl\n")
    project.run("--update-baselines").stderr.fnmatch_lines(["*--model-check-trust model.pkl stands in addopts*"])
    (project.path / "pytest.ini").write_text("[pytest]\n")
    assert project.run("--update-baselines", "--model-check-trust=model.pkl").ret == 0
    assert project.baseline()["origin"] == "loaded"
    assert project.baseline()["protocol"]["cv"] == "holdout: `mean radius` > 13"
    project.dvc("add", "model.pkl")
    project.git("add", "-A")
    project.git("commit", "-qm", "Approve")
    result = project.run()
    assert project.verdicts() == {"tumours": "identical"}
    result.stdout.fnmatch_lines(["Loaded, not refitted: tumours: Artifact(model.pkl, md5 *"])
    # a branch that brings another pickle, and its .dvc file, has nobody's word yet
    (project.path / "model.pkl").unlink()
    (project.path / "model.pkl").write_bytes(pickle.dumps(subprocess.CompletedProcess([], 0)))
    project.dvc("add", "model.pkl")
    assert project.run().ret == 1
    assert "no .dvc file of HEAD names it" in project.report()["checks"][0]["message"]
