"""What users may name in annotations and scripts, and what editors and mypy know of it."""

from __future__ import annotations

import dataclasses
import inspect
import os
import subprocess
import sys
import typing
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
import pytest_model_check
from pytest_model_check import errors
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.judgement import verdicts
from support.project import ROOT

EXPORTED = {
    *("ModelCheck", "Verdict", "Label", "MetricVerdict", "Drift", "Acceptance", "Moved", "ScoreGrid", "ChangedRows"),
    *("Compared", "Concessions", "Cost", "DataVersion", "Differences", "Leak", "Loss", "Times", "Weakening"),
    *("ModelCheckError", "PromiseError", "DataError", "CandidateError", "BaselineError", "MissingBaselineError"),
    *("UnavailableError", "IncomparableError", "OldCodeError", "EngineError", "EvidenceError"),
    *("MetricQuality", "RecordingQuality"),
    *("Artifact", "Program", "Results", "Service", "caret", "weka"),
    *("Run", "read_report"),
    *("properties", "statistics", "strategies"),
}


def parts(record: type, known: dict[str, type] | None = None) -> dict[str, type]:
    """Return every dataclass of ours that can be reached from a record's fields, itself included."""
    known = {} if known is None else known
    known[record.__name__] = record
    pending = list(typing.get_type_hints(record).values())
    while pending:
        hint = pending.pop()
        pending += typing.get_args(hint)
        if dataclasses.is_dataclass(hint) and hint.__name__ not in known:
            parts(hint, known)
    return known


def test_what_is_exported() -> None:
    assert set(pytest_model_check.__all__) == EXPORTED
    assert set(dir(pytest_model_check)) >= EXPORTED
    assert all(getattr(pytest_model_check, name) is not None for name in EXPORTED)
    assert isinstance(pytest_model_check.statistics, ModuleType)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        pytest_model_check.nothing  # noqa: B018


def test_every_part_of_a_verdict_and_every_error_is_exported() -> None:
    assert parts(verdicts.Verdict).keys() <= EXPORTED
    raised = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert raised <= EXPORTED


def test_importing_it_is_free() -> None:
    code = (
        "import sys, pytest_model_check\n"
        "heavy = {'numpy', 'pandas', 'sklearn', 'scipy', 'dvc', 'joblib', 'pytest', 'dataclasses'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "from pytest_model_check import ModelCheck, ModelCheckError, Verdict\n"
        "assert not (heavy - {'dataclasses'}) & set(sys.modules)\n"
        "assert not [name for name in sys.modules if name.startswith('pytest_model_check.gate')]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, env=os.environ, cwd=ROOT / "harness"
    )
    assert done.returncode == 0, done.stderr


def test_the_type_of_the_fixture_is_in_step_with_what_is_validated() -> None:
    typed = inspect.signature(pytest_model_check.ModelCheck.__call__).parameters
    validated = inspect.signature(inspect.unwrap(make_check)).parameters
    assert [name for name in typed if name != "self"] == [name for name in validated if name != "nodeid"]
    for name, parameter in typed.items():
        if name not in ("self", "name"):  # the name has a default: the test's
            assert parameter == validated[name]
    documented = [
        line.partition(" : ")[0].strip()
        for line in inspect.getdoc(pytest_model_check.ModelCheck.__call__).splitlines()
        if " : " in line and not line.startswith(" ")
    ]
    assert documented == [name for name in typed if name != "self"]


SNIPPET = """
from sklearn.linear_model import LogisticRegression

from pytest_model_check import ModelCheck, ModelCheckError, Verdict


def test_churn(model_check: ModelCheck) -> None:
    verdict: Verdict = model_check(
        LogisticRegression(),
        data=["data/churn.csv"],
        target="churned",
        metrics={"roc_auc": 0.01, "accuracy": None},
        slices=["region"],
        name="churn",
    )
    low: float | None = verdict.metrics[0].low
    model_check(LogisticRegression(), data="churn.csv", goal="churned")  # wrong
    model_check(LogisticRegression(), data=3, target="churned")  # wrong
    model_check(LogisticRegression(), data="churn.csv", target="churned", seeds="ten")  # wrong
    model_check(LogisticRegression(), "churn.csv", target="churned")  # wrong
    print(verdict.score)  # wrong
    score: str = verdict.passed  # wrong
"""


@pytest.mark.integration
@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed: pip install --group lint")
def test_mypy_knows_the_parameters_and_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "test_churn.py").write_text(SNIPPET, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary", "--hide-error-context"]
    command += [f"--cache-dir={tmp_path / 'cache'}", "--disable-error-code=import-untyped", "test_churn.py"]
    environment = os.environ | {"MYPYPATH": str(ROOT / "harness")}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)
    reported = {int(line.split(":")[1]) for line in done.stdout.splitlines() if line.startswith("test_churn.py")}
    wrong = {i for i, line in enumerate(SNIPPET.splitlines(), 1) if line.endswith("# wrong")}
    assert reported == wrong, done.stdout + done.stderr
