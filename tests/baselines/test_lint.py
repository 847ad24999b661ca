"""What a commit hook finds in baselines: all that makes them useless in the next run, without a fit or a pull."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_model_check.baselines.baseline_json import to_text
from pytest_model_check.baselines.retire import retire
from pytest_model_check.baselines.store import read
from pytest_model_check.cli import main
from ruamel.yaml import YAML
from support.lives import Life, accepted, baseline
from support.project import ROOT

JSON = Path("baselines/churn.json")


def change(**changes: object) -> None:
    """Write it anew, sealed, as a script that someone wrote for it would."""
    found = read(JSON.parent, "churn")
    assert found is not None
    JSON.write_text(to_text(replace(found, **changes)), encoding="utf-8")


@pytest.fixture
def life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Life:
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    life = Life(tmp_path / "repository")
    life.approve(baseline(history=(accepted(1, "the shop was closed"),)), tmp_path)
    monkeypatch.chdir(life.path)
    return life


def test_what_a_run_has_written_may_be_committed_and_predictions_need_not_be_there(life, capsys):
    Path("baselines/churn.parquet").unlink()
    assert main(["lint"]) == 0
    assert capsys.readouterr().out == "1 of 1 baselines may be committed\n"
    retire(JSON.parent, "churn", "nobody asks any more")
    assert main(["lint", "baselines/retired/churn.json"]) == 0
    assert main(["lint"]) == 2  # nothing is there any more: nothing to be said of it


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda: JSON.write_text("{"), "baselines/churn.json is torn or not JSON"),
        (lambda: JSON.write_text(JSON.read_text().replace("0.9", "0.8", 1)), "was changed by hand or by a merge"),
        (lambda: JSON.write_text("<<<<<<< HEAD\n"), "has merge conflict markers"),
        (lambda: change(history=(accepted(1, "..."),)), "recording 1 was accepted without a reason"),
        (lambda: change(predictions_md5="0" * 32), "baselines/churn.parquet.dvc is of another recording"),
        (lambda: Path("baselines/churn.parquet.dvc").unlink(), "baselines/churn.parquet.dvc is not there"),
        (JSON.unlink, "baselines/churn.json can't be read: No such file"),
    ],
)
def test_what_no_run_could_use_is_named(life, capsys, spoil: Callable[[], object], said: str):
    spoil()
    assert main(["lint", str(JSON)]) == 2
    out = capsys.readouterr().out
    assert said in out
    assert out.endswith("0 of 1 baselines may be committed\n")


def test_the_hook_of_pre_commit_is_for_baselines_alone():
    (hook,) = YAML(typ="safe", pure=True).load(ROOT / ".pre-commit-hooks.yaml")
    assert hook["entry"] == "model-check lint"
    for path in ("baselines/churn.json", "shop/baselines/retired/churn.json"):
        assert re.search(hook["files"], path)
    for path in ("baselines/churn.parquet.dvc", "data/churn.json", "baselines/deeper/down/churn.json"):
        assert not re.search(hook["files"], path)
