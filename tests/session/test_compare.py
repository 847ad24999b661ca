"""The command ``model-check compare``: candidates of a real check side by side, and nothing written."""

import subprocess

from support import warm
from support.project import Project


def compare(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [warm.python(), "-m", "pytest_model_check.cli", "compare", *arguments]
    return subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False)


def test_a_check_is_compared_with_others_in_its_own_folds_and_nothing_is_recorded(project):
    project.check(promise='cv=4, metrics=["neg_brier_score", "accuracy"]')
    done = compare(project, "test_models.py::test_tumours", "--with", "dummy,sklearn.tree:DecisionTreeClassifier")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("tumours: 569 rows, the same 4 folds for all\nStratifiedKFold(n_splits=4")
    assert "tumours - dummy" in done.stdout
    assert "neg_brier_score" in done.stdout
    assert "accuracy" in done.stdout
    assert project.stored() == {}
    assert project.git("status", "--porcelain") == "?? test_models.py\n"


def test_what_can_not_be_compared_is_refused_in_words(project):
    project.source(
        """
        def test_one(model_check):
            model_check(Ridge(), data="data/patients.csv", target="progression")

        def test_other(model_check):
            model_check(Ridge(), data="data/patients.csv", target="nothing")
        """
    )
    done = compare(project, "test_models.py", "--with", "forest")
    assert (done.returncode, done.stdout) == (2, "")
    assert "2 checks were found: name one of test_models.py::test_one, test_models.py::test_other" in done.stderr
    done = compare(project, "test_models.py::test_other", "--with", "forest")
    assert "has no column 'nothing', which target= names" in done.stderr
