"""Which stage made a file, and whether what it read is still the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pytest_model_check.candidates.artifact import _provenance
from pytest_model_check.candidates.place import Place
from pytest_model_check.data import dvc_stages


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write what DVC leaves behind when it has run a stage."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "data").mkdir()
    contents = {"evaluate.py": "print()", "data/test.csv": "x,y\n1,2\n", "runs.csv": "id,prediction\n1,2\n"}
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    md5 = {name: hashlib.md5(content.encode()).hexdigest() for name, content in contents.items()}
    read = [
        f"    - path: {name}\n      hash: md5\n      md5: {md5[name]}\n" for name in ("evaluate.py", "data/test.csv")
    ]
    (tmp_path / "dvc.lock").write_text(
        "schema: '2.0'\nstages:\n  other:\n    cmd: x\n  evaluate:\n    cmd: python evaluate.py\n    deps:\n"
        + "".join(read)
        + f"    outs:\n    - path: runs.csv\n      hash: md5\n      md5: {md5['runs.csv']}\n"
    )
    return tmp_path


def test_a_stage_is_named_with_what_it_read(pipeline: Path) -> None:
    stage = dvc_stages.made_by(pipeline / "runs.csv")
    assert stage is not None
    assert stage.words == (
        "dvc.lock says that the stage evaluate made it from evaluate.py, data/test.csv, as they are here"
    )
    (pipeline / "evaluate.py").write_text("print(1)")
    (pipeline / "data" / "test.csv").unlink()
    changed = dvc_stages.made_by(pipeline / "runs.csv")
    assert changed is not None
    assert changed.words.endswith("and evaluate.py, data/test.csv changed since")
    assert dvc_stages.made_by(pipeline / "evaluate.py") is None


def test_a_model_that_was_made_from_the_rows_it_is_judged_on_is_said_loudly(pipeline: Path) -> None:
    def made_by(path: Path) -> tuple[str, tuple[Path, ...]] | None:
        stage = dvc_stages.made_by(path)
        return None if stage is None else (stage.words, stage.dependencies)

    place = Place(pipeline, str, data=(pipeline / "data" / "test.csv",), made_by=made_by)
    _, loud = _provenance(pipeline / "runs.csv", place)
    assert loud.startswith("IT WAS MADE FROM test.csv, WHICH IS JUDGED")
    assert _provenance(pipeline / "evaluate.py", place) == ()
