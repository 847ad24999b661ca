"""Renaming and retiring: the files move, the history stays, and a kill leaves one name usable."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_model_check import atomic
from pytest_model_check.baselines import history, store
from pytest_model_check.baselines import rename as renaming
from pytest_model_check.baselines.rename import rename
from pytest_model_check.baselines.retire import retire
from pytest_model_check.cli import main
from pytest_model_check.errors import BaselineError
from support import warm
from support.lives import Life, baseline


@pytest.fixture
def life(tmp_path, monkeypatch) -> Life:
    """A repository with the approved baseline churn, committed."""
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    life = Life(tmp_path / "repository")
    life.approve(baseline(), tmp_path)
    life.commit("Record")
    monkeypatch.chdir(life.path)
    return life


def usable(folder: Path, name: str) -> bool:
    found = store.read(folder, name)
    return found is not None and store.read_approved(folder, found) is not None


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def dvc_status() -> str:
    return warm.run("dvc", "status", cwd=Path.cwd(), env=os.environ).stdout


def test_a_renamed_baseline_is_the_same_under_another_name(life):
    before = store.read(life.folder, "churn")
    rename(life.folder, "churn", "attrition")
    after = store.read(life.folder, "attrition")
    assert after == replace(before, name="attrition", formerly=("churn",))
    assert usable(life.folder, "attrition")
    assert sorted(content(life.folder)) == [
        ".gitignore",
        "attrition.json",
        "attrition.parquet",
        "attrition.parquet.dvc",
    ]
    assert (life.folder / ".gitignore").read_text() == "/attrition.parquet\n"


def test_dvc_itself_finds_nothing_to_do_after_a_rename(life):
    cache = content(life.path / ".dvc" / "cache")
    rename(life.folder, "churn", "attrition")
    assert "up to date" in dvc_status()
    assert content(life.path / ".dvc" / "cache") == cache
    (life.folder / "attrition.parquet").unlink()
    assert usable(life.folder, "attrition")


def test_git_sees_a_rename_and_history_follows_it(life, tmp_path, capsys):
    assert main(["rename", "churn", "attrition"]) == 0
    commands = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  git ")]
    assert len(commands) == 2
    life.git("config", "user.name", "Ada")
    life.git("config", "user.email", "a@b.c")
    for command in commands:
        subprocess.run(command, shell=True, check=True, capture_output=True)
    assert life.git("status", "--porcelain") == ""
    life.approve(baseline(0.92, 2, name="attrition", formerly=("churn",)), tmp_path)
    life.commit("Improve")
    found = history.recordings(life.folder, "attrition")
    assert [(one.baseline.name, one.baseline.generation) for one in found] == [("churn", 1), ("attrition", 2)]


def test_predictions_that_are_not_here_need_not_be(life):
    (life.folder / "churn.parquet").unlink()
    rename(life.folder, "churn", "attrition")
    assert not (life.folder / "attrition.parquet").exists()
    assert usable(life.folder, "attrition")  # from the cache


def test_the_other_baselines_stay_as_they_are(life, tmp_path):
    life.approve(baseline(name="churn2"), tmp_path)
    before = {name: text for name, text in content(life.folder).items() if name.startswith("churn2")}
    rename(life.folder, "churn", "attrition")
    after = content(life.folder)
    assert {name: text for name, text in after.items() if name.startswith("churn2")} == before
    assert after[".gitignore"].decode().splitlines() == ["/churn2.parquet", "/attrition.parquet"]


def test_what_else_stands_in_the_dvc_file_is_kept(life):
    tracker = life.folder / "churn.parquet.dvc"
    tracker.write_text(tracker.read_text() + "desc: what we shipped\n", encoding="utf-8")
    rename(life.folder, "churn", "attrition")
    assert "desc: what we shipped" in (life.folder / "attrition.parquet.dvc").read_text()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("churn", "other", "there is a baseline other already"),
        ("churn", "OTHER", "there is a baseline other already"),
        ("churn", "Churn", "one name on many file systems"),
        ("churn", "churn", "one name on many file systems"),
        ("churn", "a b", "a-b"),
        ("churn", "../up", "can't be a file's name"),
        ("churn", "con", "con_"),
        ("churn", "", "can't be a file's name"),
        ("chrun", "new", "did you mean churn"),
    ],
)
def test_a_rename_that_cannot_be_is_refused_and_changes_nothing(life, old, new, words, capsys):
    life.write(baseline(name="other"))
    before = content(life.folder)
    assert main(["rename", old, new]) == 2
    assert words in capsys.readouterr().err
    assert content(life.folder) == before


def test_a_torn_baseline_is_not_renamed(life, capsys):
    (life.folder / "churn.json").write_text("{", encoding="utf-8")
    assert main(["rename", "churn", "attrition"]) == 2
    assert "churn.json is torn" in capsys.readouterr().err
    assert not (life.folder / "attrition.json").exists()


def test_a_dvc_file_that_tracks_something_else_is_refused(life):
    tracker = life.folder / "churn.parquet.dvc"
    tracker.write_text(tracker.read_text().replace("churn", "flights"), encoding="utf-8")
    with pytest.raises(BaselineError, match="does not track churn"):
        rename(life.folder, "churn", "attrition")
    assert not (life.folder / "attrition.json").exists()


def test_files_of_somebody_else_under_the_new_name_are_not_written_over(life):
    (life.folder / "attrition.parquet").write_bytes(b"mine")
    with pytest.raises(BaselineError, match="is there already"):
        rename(life.folder, "churn", "attrition")
    assert (life.folder / "attrition.parquet").read_bytes() == b"mine"
    assert usable(life.folder, "churn")


def test_a_full_disk_leaves_everything_as_it_was(life, monkeypatch):
    before = content(life.folder)

    def full(path: Path, text: str) -> None:
        if path.suffix == ".json":
            raise OSError(28, "No space left on device")
        atomic.write_text(path, text)

    monkeypatch.setattr(renaming, "write_text", full)
    with pytest.raises(BaselineError, match="No space left"):
        rename(life.folder, "churn", "attrition")
    assert content(life.folder) == before


def killed_after(effects: int, action) -> bool:
    """Run it in a process of its own that dies after so many effects on the disk; whether it died."""
    child = os.fork()
    if child == 0:
        left = [effects]

        def dying(function):
            def counted(*args, **kwargs):
                if left[0] == 0:
                    os._exit(9)
                left[0] -= 1
                return function(*args, **kwargs)

            return counted

        renaming.write_text = dying(renaming.write_text)
        shutil.copyfile = dying(shutil.copyfile)
        Path.unlink = dying(Path.unlink)
        action()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the child starts no thread
def test_a_kill_at_any_moment_of_a_rename_leaves_one_name_usable_and_a_second_try_ends_it(life):
    start = life.path.parent / "start"
    shutil.copytree(life.folder, start)
    rename(life.folder, "churn", "attrition")
    done = content(life.folder)
    for effects in range(50):
        shutil.rmtree(life.folder)
        shutil.copytree(start, life.folder)
        if not killed_after(effects, lambda: rename(life.folder, "churn", "attrition")):
            break
        assert usable(life.folder, "churn") or usable(life.folder, "attrition"), effects
        rename(life.folder, "churn", "attrition")
        assert content(life.folder) == done, effects
    assert effects > 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the child starts no thread
def test_a_kill_at_any_moment_of_retiring_leaves_the_old_or_the_new(life):
    start = life.path.parent / "start"
    shutil.copytree(life.folder, start)
    retire(life.folder, "churn", "the shop was closed")
    done = content(life.folder)
    for effects in range(50):
        shutil.rmtree(life.folder)
        shutil.copytree(start, life.folder)
        if not killed_after(effects, lambda: retire(life.folder, "churn", "the shop was closed")):
            break
        assert (life.folder / "retired" / "churn.json").exists() or usable(life.folder, "churn")
        if content(life.folder) != done:
            retire(life.folder, "churn", "the shop was closed")
        assert content(life.folder) == done, effects
    assert effects > 3


def test_a_retired_baseline_keeps_its_record_and_the_reason(life):
    before = store.read(life.folder, "churn")
    retire(life.folder, "churn", "  the shop was closed ")
    assert sorted(content(life.folder)) == ["retired/churn.json"]
    after = store.read(life.folder / "retired", "churn")
    assert replace(after, history=()) == before
    (one,) = after.history
    assert (one.generation, one.reason) == (1, "the shop was closed")
    assert one.kind == "retired"


def test_retiring_prints_what_approves_it_and_git_is_clean_then(life, capsys):
    assert main(["retire", "churn", "the shop was closed"]) == 0
    commands = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  git ")]
    life.git("config", "user.name", "Ada")
    life.git("config", "user.email", "a@b.c")
    for command in commands:
        subprocess.run(command, shell=True, check=True, capture_output=True)
    assert life.git("status", "--porcelain") == ""
    assert "up to date" in dvc_status() or "no data" in dvc_status()
    assert main(["history", "churn"]) == 0
    assert "retired after recording 1: the shop was closed" in capsys.readouterr().out
    assert main(["diff", "HEAD~1"]) == 0
    assert "retired" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "reason", "words"), [("churn", " ", "without a reason"), ("chrun", "x", "churn?")])
def test_without_a_reason_or_a_baseline_nothing_is_retired(life, name, reason, words, capsys):
    before = content(life.folder)
    assert main(["retire", name, reason]) == 2
    assert words in capsys.readouterr().err
    assert content(life.folder) == before


def test_a_renamed_check_of_a_real_project_passes_under_its_new_name(project, capsys):
    stump = "DecisionTreeClassifier(max_depth=2, random_state=0)"
    project.check(stump, 'metrics="roc_auc", seeds=2, cv=5')
    assert project.run("--update-baselines").ret == 0
    assert main(["rename", "tumours", "cancer"]) == 0
    project.check(stump, 'metrics="roc_auc", seeds=2, cv=5, name="cancer"')
    assert project.run().ret == 0
    assert project.verdicts() == {"cancer": "identical"}


# --- in a pull request

STUMP = "DecisionTreeClassifier(max_depth=2)"
PATIENTS = """
def test_patients(model_check):
    model_check(Ridge(), data="data/patients.csv", target="progression", cv=3, seeds=2)
"""


@pytest.fixture
def branch(project):
    """A branch of a project whose main approved a random stump and a model of the patients."""
    project.check(STUMP, 'metrics="roc_auc", seeds=2, cv=5')
    project.source(PATIENTS, file="test_patients.py")
    assert project.run("--update-baselines").ret == 0
    project.git("add", "-A")
    project.git("commit", "-qm", "Approve")
    project.git("switch", "-qc", "branch")
    return project


def test_a_branch_may_rename_a_check(branch):
    rename(branch.path / "baselines", "tumours", "cancer")
    branch.check(STUMP, 'metrics="roc_auc", seeds=2, cv=5, name="cancer"')
    branch.git("add", "-A")
    branch.git("commit", "-qm", "Rename")
    assert branch.run("--model-check-against=main").ret == 0
    assert branch.verdicts() == {"cancer": "identical", "patients": "identical"}


def test_a_branch_may_retire_a_check_with_a_reason_and_not_by_deleting_it(branch):
    (branch.path / "test_models.py").unlink()
    branch.git("commit", "-qam", "Delete the test")
    assert branch.run("--model-check-against=main").ret != 0
    retire(branch.path / "baselines", "tumours", "the ward was closed")
    branch.git("add", "-A")
    branch.git("commit", "-qm", "Retire it")
    assert branch.run("--model-check-against=main").ret == 0


def test_a_branch_may_change_what_the_author_says_without_a_new_recording(branch):
    branch.check("make_pipeline(StandardScaler(), LogisticRegression())", 'metrics="roc_auc", seeds=2, cv=5')
    assert branch.run("--update-baselines", "-k", "tumours").ret == 0
    branch.check(
        "make_pipeline(StandardScaler(), LogisticRegression())",
        'metrics="roc_auc", seeds=2, cv=5, description="Is it malignant?"',
    )
    branch.git("add", "-A")
    branch.git("commit", "-qm", "Improve and describe")
    assert branch.run("--model-check-against=main").ret == 0
