"""Where modules come from."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
from pytest_model_check.old_code.import_roots import Stray, roots, stray


def module(name: str, file: Path) -> dict[str, ModuleType]:
    """Return what `sys.modules` has of a module that was imported from a file."""
    made = ModuleType(name)
    made.__file__ = str(file)
    return {name: made}


def test_roots_are_found_on_the_path_and_by_what_is_imported(tmp_path: Path) -> None:
    path = [str(tmp_path / "tests"), str(tmp_path), str(tmp_path / ".venv/lib/python3/site-packages"), "/usr/lib"]
    modules = {
        **module("churn", tmp_path / "src/churn/__init__.py"),
        **module("churn.model", tmp_path / "src/churn/model.py"),
        **module("alone", tmp_path / "python/alone.py"),
        **module("json", Path(json.__file__)),
        "built": ModuleType("built"),
    }
    assert roots(tmp_path, path, modules) == (Path("tests"), Path(), Path("src"), Path("python"))


def test_a_stray_module_is_of_the_project_now_or_has_the_name_of_an_old_one(tmp_path: Path) -> None:
    top, code, tool = tmp_path / "top", tmp_path / "code", tmp_path / "tool"
    packages = top / ".venv/lib/python3/site-packages"
    (code / "src/churn").mkdir(parents=True)
    (code / "src/churn/__init__.py").touch()
    (code / "src/churn/model.py").touch()
    (code / "src/pytest_model_check").mkdir()
    (code / "src/pytest_model_check/__init__.py").touch()

    def found(modules: dict[str, ModuleType]) -> Stray | None:
        return stray(modules, top=top, code=code, paths=[code, code / "src"], tool=tool)

    good = {
        **module("numpy", Path(np.__file__)),
        **module("json", Path(json.__file__)),
        **module("other", packages / "other/__init__.py"),  # the environment lies in the project
        **module("churn", code / "src/churn/__init__.py"),
        **module("pytest_model_check", tool / "pytest_model_check/__init__.py"),
        "namespace": ModuleType("namespace"),
    }
    assert found(good) is None
    for name, file in {
        "settings": top / "settings.py",
        "churn": packages / "churn/__init__.py",
        "churn.model": tmp_path / "elsewhere/model.py",
        "pytest_model_check": packages / "pytest_model_check/__init__.py",
    }.items():
        assert found(good | module(name, file)) == Stray(name, file)
