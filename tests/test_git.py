"""Git, asked: it answers of what is named, and starts nothing that a configuration names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytest_model_check import git
from support.project import git as run


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Make a repository with one file."""
    run(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "test_a.py").write_text("def test_churn(model_check): pass\n")
    run(tmp_path, "add", "-A")
    run(tmp_path, "commit", "-qm", "one")
    return tmp_path


def test_an_object_that_was_replaced_is_read_as_it_was_named(top: Path) -> None:
    file = top / "test_a.py"
    approved = file.read_bytes()
    file.write_text("another")
    blob = run(top, "hash-object", "-w", "test_a.py").strip()
    run(top, "replace", run(top, "rev-parse", "HEAD:test_a.py").strip(), blob)
    assert run(top, "show", "HEAD:test_a.py") == "another", "so git itself would have it"
    assert git.show(file, "HEAD") == approved
    assert git.shows([file], ["HEAD"]) == {(file, "HEAD"): approved}


def test_no_file_system_monitor_is_started(top: Path) -> None:
    started = top / "started"
    monitor = top / "monitor.py"
    monitor.write_text(f"#!{sys.executable}\nopen({str(started)!r}, 'w')\nprint('/')\n")
    monitor.chmod(0o755)
    run(top, "config", "core.fsmonitor", str(monitor))
    run(top, "status")
    assert started.exists(), "so git itself does"
    started.unlink()
    git.call(top, "status")
    git.call(top, "diff", "HEAD")
    assert not started.exists()


def test_where_a_function_was_defined(top: Path) -> None:
    (top / "more").mkdir()
    (top / "more" / "test_b.py").write_text("class TestB:\n    async def test_churn(self): pass\n")
    (top / "test_c.py").write_text("def test_churn_more(): pass\n")
    (top / "test_d.txt").write_text("def test_churn(): pass\n")
    run(top, "add", "-A")
    run(top, "commit", "-qm", "two")
    (top / "test_e.py").write_text("def test_churn(): pass\n")
    assert git.defining(top, "HEAD", "test_churn") == [top / "more" / "test_b.py", top / "test_a.py"]
    assert git.defining(top, "HEAD~1", "test_churn") == [top / "test_a.py"]
    assert git.defining(top, "HEAD", "test_nothing") == []


def test_files_are_read_as_they_are_written_whatever_their_folder_is_now(top: Path) -> None:
    (top / "folder").mkdir()
    (top / "folder" / "a.json").write_text("one")
    (top / "other").mkdir()
    (top / "other" / "a.json").write_text("two")
    run(top, "add", "-A")
    run(top, "commit", "-qm", "two")
    (top / "folder").rename(top / "elsewhere")
    (top / "folder").symlink_to("other")
    path = top / "folder" / "a.json"
    assert git.shows([path], ["HEAD"], top=top) == {(path, "HEAD"): b"one"}


def test_what_python_has_compiled_is_known_where_it_is_tracked(top: Path) -> None:
    for name in ("tracked", "left"):
        (top / name / "__pycache__").mkdir(parents=True)
        (top / name / "__pycache__" / "model.pyc").write_bytes(b"")
    git.call(top, "add", "tracked")
    known = git.known(top)
    assert "tracked/__pycache__/model.pyc" in known
    assert "left/__pycache__/model.pyc" not in known
