"""The command ``model-check init``: all of it, or nothing, and nothing that was not shown."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pytest_model_check.data.dvc_files import verified
from pytest_model_check.errors import ModelCheckError
from pytest_model_check.start.init import Wishes, init
from support import warm
from support.project import PLUGIN, git

PEOPLE = 90


def table(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    size = rng.normal(size=PEOPLE)
    people = pd.DataFrame(
        {
            "person": np.arange(PEOPLE) + 1,
            "size": np.where(rng.random(PEOPLE) < 0.1, np.nan, size),
            "town": rng.choice(["Köln", 'the "Hague"', None], PEOPLE),
            # three rows of the rarest kind make three folds, which are soon fitted
            "kind": np.where(
                np.arange(PEOPLE) < 3, "rare", np.where(size + rng.normal(size=PEOPLE) > 0, "tall", "short")
            ),
        }
    )
    path = folder / "people.csv"
    people.to_csv(path, index=False)
    return path


def run(*, yes: bool = True, **wishes: object) -> list[str]:
    shown: list[str] = []
    init(Wishes(Path("people.csv"), yes=yes, **wishes), shown.append, None, 2, lambda *_: None)  # type: ignore[arg-type]
    return "\n".join(shown).splitlines()


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git/objects" not in path.as_posix()
    }


@pytest.fixture
def place(preloaded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", warm.python())  # which records
    for name, value in PLUGIN.items():
        monkeypatch.setenv(name, value)
    table(tmp_path)
    return tmp_path


def test_from_a_table_to_an_approved_model_that_a_clone_can_check(place):
    shown = run()
    assert max(map(len, (line for line in shown if not line.startswith(("  | ", "  git add"))))) <= 80
    test = (place / "tests" / "test_people.py").read_text(encoding="utf-8")
    for line in test.splitlines():  # what was written was shown
        assert f"  | {line}".rstrip() in shown
    assert 'target="kind"' in test
    assert "LogisticRegression(" in test
    assert "person (it names the row" in test
    assert verified(place / "people.csv")
    assert "How it was chosen" in (place / "people.html").read_text(encoding="utf-8")
    add = next(line for line in shown if line.startswith("  git add "))
    git(place, *add.split()[1:])
    git(place, "commit", "-qm", "Approve")
    assert git(place, "status", "--porcelain") == ""
    clone = place / "clone"
    subprocess.run(["git", "clone", "-q", place, clone], check=True)
    command = [warm.python(), "-m", "pytest", "--model-check", "--model-check-report=report.json", "-q"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    checks = json.loads((clone / "report.json").read_text(encoding="utf-8"))["checks"]
    assert [check["verdict"] for check in checks] == ["identical"]


def test_what_fails_half_way_leaves_nothing(place):
    git(place, "init", "-q")
    (place / "conftest.py").write_text("raise RuntimeError('a project that is broken')\n", encoding="utf-8")
    (place / ".gitattributes").write_text("*.md text", encoding="utf-8")
    git(place, "add", "conftest.py")
    before = tree(place)
    with pytest.raises(ModelCheckError, match="the first baseline could not be recorded") as error:
        run(toml=True)
    assert "a project that is broken" in str(error.value)
    assert tree(place) == before


def test_nothing_is_written_without_a_word_to_do_so(place):
    before = tree(place)
    with pytest.raises(ModelCheckError, match="nothing was written"):
        run(yes=False)
    assert tree(place) == before


def test_nothing_is_written_over(place):
    (place / "tests").mkdir()
    (place / "tests" / "test_people.py").write_text("", encoding="utf-8")
    with pytest.raises(ModelCheckError, match=r"tests/test_people\.py is there already"):
        run()
    (place / "model_checks.toml").write_text('[people]\ncandidate = "ridge"\n', encoding="utf-8")
    with pytest.raises(ModelCheckError, match="has a check people already"):
        run(toml=True)
    with pytest.raises(ModelCheckError, match="--name 'Their Price' is no name of a test"):
        run(name="Their Price")


def test_a_table_that_is_kept_in_git_or_elsewhere_is_refused_with_what_to_type(place, monkeypatch):
    git(place, "init", "-q")
    git(place, "add", "people.csv")
    with pytest.raises(ModelCheckError, match="kept in git itself") as error:
        run()
    assert "git rm --cached people.csv" in str(error.value)
    (place / "inside").mkdir()
    monkeypatch.chdir(place / "inside")
    with pytest.raises(ModelCheckError, match=r"people\.csv is not there"):
        run()
