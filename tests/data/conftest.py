"""A real repository under git and DVC with a real remote, cloned for every test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.dvc_clone import ENVIRONMENT, FILES, HELD, Clone, dvc, run


@pytest.fixture(scope="session")
def dvc_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("dvc")
    root = base / "root"
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(base / "site"))
        run("git", "init", "-q", cwd=root)
        dvc("init", cwd=root)
        dvc("remote", "add", "-d", "origin", str(base / "remote"), cwd=root)
        (root / "held.csv").write_bytes(HELD)
        for name, content in FILES.items():
            (root / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "folder" / name).write_bytes(content)
        dvc("add", "held.csv", "folder", cwd=root)
        dvc("push", cwd=root)
    run("git", "add", "-A", cwd=root)
    run("git", "commit", "-qm", "data", cwd=root)
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(root / ".dvc" / "tmp")
    shutil.rmtree(root / "folder")
    (root / "held.csv").unlink()
    return base


@pytest.fixture
def clone(dvc_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    for name in ("root", "remote"):
        shutil.copytree(dvc_template / name, tmp_path / name)
    clone = Clone(tmp_path / "root", tmp_path / "remote")
    clone.remote_at(clone.remote.as_posix())
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(clone.root)
    return clone
