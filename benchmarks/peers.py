"""What a judged check costs, against other tools that compare two models on the same data.

(a) ``pytest --model-check`` of one check, 3 x 10 folds of a scaled logistic regression, judged against its baseline,
    nothing cached, against skore's `ComparisonReport` of two models in the same folds: whole processes.
(b) The same check again, with nothing changed.
(c) (a), against MLflow's `evaluate` of both models and `validate_evaluation_results`: on one split, without refits.

Peers are installed in environments of their own, below ``--environments``, from where they are used again:
``python benchmarks/peers.py --environments ~/.cache/peers``, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests")]
PEERS = {"skore": "skore==0.28.*", "mlflow": "mlflow==3.*"}
MODELS = """
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
def model(C):
    return make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=1000))
cv = RepeatedStratifiedKFold(n_splits=10, n_repeats=3, random_state=0)
"""
CHECK = """
def test_tumours(model_check):
    model_check(model(1.0), data="tumours.csv", target="diagnosis", cv=cv, seeds=1,
                metrics=["neg_log_loss", "roc_auc", "accuracy"])
"""
READ = """
frame = pd.read_csv("tumours.csv")
X, y = frame.drop(columns="diagnosis"), (frame["diagnosis"] == frame["diagnosis"].iloc[0]).astype(int)
"""
SKORE = """
from skore import ComparisonReport, CrossValidationReport
reports = {str(C): CrossValidationReport(model(C), X, y, splitter=cv, n_jobs=-1) for C in (1.0, 0.9)}
print(ComparisonReport(reports).metrics.summarize().frame())
"""
MLFLOW = """
import mlflow
from mlflow.models import MetricThreshold
from sklearn.model_selection import train_test_split
mlflow.set_tracking_uri("sqlite:///mlflow.db")
train_X, test_X, train_y, test_y = train_test_split(X, y, random_state=0)
test, results = test_X.assign(diagnosis=test_y), []
for C in (1.0, 0.9):
    with mlflow.start_run():
        logged = mlflow.sklearn.log_model(model(C).fit(train_X, train_y), name="model")
        results.append(mlflow.models.evaluate(logged.model_uri, test, targets="diagnosis", model_type="classifier"))
threshold = MetricThreshold(threshold=0.5, greater_is_better=True)
mlflow.validate_evaluation_results(
    validation_thresholds={"accuracy_score": threshold}, candidate_result=results[0], baseline_result=results[1]
)
"""


def main() -> None:
    """Measure and print the table that docs/speed.md shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="how many rounds, the tools in turn")
    parser.add_argument("--environments", type=Path, required=True, help="where the peers are, or will be installed")
    parser.add_argument("--only", choices=PEERS, help="against one of them")
    options = parser.parse_args()
    from overhead import machine

    pythons = {
        name: installed(options.environments / name, wanted)
        for name, wanted in PEERS.items()
        if options.only in (None, name)
    }
    with tempfile.TemporaryDirectory() as name:
        folder = project(Path(name))
        check = [sys.executable, "-m", "pytest", "--model-check", "-q", "-pno:hydra_pytest"]
        run([*check, "--update-baselines", "--model-check-cache=other"], folder)
        commands = {
            "judged": [*check, "--model-check-refit"],
            "unchanged": check,
        } | {name: [python, f"{name}_script.py"] for name, python in pythons.items()}
        times: dict[str, list[float]] = {each: [] for each in commands}
        for turn in range(options.runs + 1):
            for each, command in commands.items():
                began = time.perf_counter()
                run(command, folder)
                if turn:
                    times[each].append(time.perf_counter() - began)
    versions = ", ".join(f"{name} {version(python, name)}" for name, python in pythons.items())
    print(f"{machine()}; {versions}\n\n| | measured | target |\n|---|---:|---:|")
    rows = (("a", "judged", "skore", 0.7), ("b", "unchanged", "skore", 0.2), ("c", "judged", "mlflow", 0.33))
    for letter, ours, theirs, target in [row for row in rows if row[2] in pythons]:
        mine, other = statistics.median(times[ours]), statistics.median(times[theirs])
        ratio = statistics.median(a / b for a, b in zip(times[ours], times[theirs], strict=True))
        print(f"| ({letter}) {ours} / {theirs} | {ratio:.2f} x ({mine:.1f} s / {other:.1f} s) | {target} x |")


def project(folder: Path) -> Path:
    """Make a project whose data git knows, with a check and the scripts of the peers."""
    from support import make_data

    make_data.breast_cancer().to_csv(folder / "tumours.csv", index=False)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_models.py").write_text(MODELS + CHECK, encoding="utf-8")
    (folder / "skore_script.py").write_text(MODELS + READ + SKORE, encoding="utf-8")
    (folder / "mlflow_script.py").write_text(MODELS + READ + MLFLOW, encoding="utf-8")
    for command in ("git init -q", f"{sys.executable} -m dvc init -q", f"{sys.executable} -m dvc add -q tumours.csv"):
        run(command.split(), folder)
    return folder


def installed(folder: Path, wanted: str) -> str:
    """Return the Python of an environment that has a package."""
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", wanted], check=True)
        done.touch()
    return str(python)


def version(python: str, package: str) -> str:
    """Return the version that an environment has."""
    command = [python, "-c", f"import importlib.metadata as m; print(m.version({package!r}))"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def run(command: list[str], folder: Path) -> None:
    """Run a command, which must succeed."""
    environment = os.environ | {"DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process compiles what it imports
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
