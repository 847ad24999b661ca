"""What the cache saves: runs in which nothing, or one model of forty, has changed, and one that was killed half-way.

(a) ``pytest --model-check`` of the repository's own checks with nothing changed, against a process that imports pytest,
    pandas and scikit-learn, and nothing else; and against pytest itself, of one empty test that imports the same.
    Without the plugins of others, which the developers' environment has and a user's may not. Processor seconds.
(b) Forty models, one of which has changed, against all forty: the seconds that the verdicts took. Forests of 60 trees,
    where a check costs less than starting the processes that fit does, and of 300.
(c) A run that is killed at half of its fits, and the run after it, together, against one run: whole processes.

Whole processes, in turn, medians: ``python benchmarks/cache.py``, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMPORTS = "import pytest, pandas, sklearn.model_selection, sklearn.linear_model, sklearn.ensemble, sklearn.pipeline"
OTHERS = [f"-pno:{plugin}" for plugin in ("hydra_pytest", "hypothesispytest", "anyio", "platformdirs")]
TREES = (60, 300)
MODEL = """
from sklearn.ensemble import RandomForestClassifier
def model():
    return RandomForestClassifier(n_estimators={trees}, max_depth=6)
"""
CHECK = """
from model_{number} import model
def test_{number}(model_check):
    model_check(model(), data="tumours.csv", target="diagnosis", metrics="roc_auc", cv=5, seeds=1)
"""
PAUSED = """
import time
from sklearn.linear_model import LogisticRegression
class Slow(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        time.sleep(0.25)
        return super().fit(X, y)
def test_slow(model_check):
    model_check(Slow(max_iter=5000), data="tumours.csv", target="diagnosis", metrics="roc_auc", cv=100, seeds=1)
"""


def main() -> None:
    """Measure and print the table that docs/speed.md shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="how many pairs of whole runs")
    parser.add_argument("--models", type=int, default=40, help="how many models (b) has")
    options = parser.parse_args()
    print("| | measured | target |\n|---|---:|---:|", flush=True)
    warm, bare, empty = unchanged(options.runs)
    print(f"| (a) nothing changed / imports alone | {warm / bare:.2f} x ({warm:.2f} s / {bare:.2f} s) | 1.3 x |")
    print(
        f"| (a) the same / pytest of an empty test | {warm / empty:.2f} x ({warm:.2f} s / {empty:.2f} s) | |",
        flush=True,
    )
    for trees in TREES:
        one, every = one_changed(options.models, trees)
        print(
            f"| (b) one of {options.models} forests of {trees} trees changed / all "
            f"| {one / every:.2f} x ({one:.1f} s / {every:.1f} s) | 0.1 x |",
            flush=True,
        )
    killed, whole = killed_half_way()
    print(
        f"| (c) killed half-way and again / one run | {killed / whole:.2f} x ({killed:.1f} s / {whole:.1f} s) | 1.1 x |"
    )


def unchanged(runs: int) -> list[float]:
    """Return the median processor seconds of a run with nothing changed, of the imports, and of pytest alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (folder / "test_empty.py").write_text(f"{IMPORTS}\ndef test_empty(): pass\n", encoding="utf-8")
        pytest = [sys.executable, "-m", "pytest", "-q", *OTHERS]
        commands = (
            ([*pytest, "--model-check", f"--model-check-cache={folder}/fits"], ROOT),
            ([sys.executable, "-c", IMPORTS], ROOT),
            ([*pytest, "-pno:model_check", "-pno:xdist"], folder),
        )
        times: list[list[float]] = [[] for _ in commands]
        for turn in range(runs + 1):
            for (command, place), kept in zip(commands, times, strict=True):
                before = processor_seconds()
                run(command, place)
                if turn:
                    kept.append(processor_seconds() - before)
    return list(map(statistics.median, times))


def one_changed(models: int, trees: int) -> tuple[float, float]:
    """Return the seconds that verdicts took when one model had changed, and when none had been fitted yet."""
    with tempfile.TemporaryDirectory() as name:
        folder = project(Path(name))
        for number in range(models):
            (folder / f"model_{number}.py").write_text(MODEL.format(trees=trees), encoding="utf-8")
            (folder / f"test_{number}.py").write_text(CHECK.format(number=number), encoding="utf-8")
        check(folder, "--update-baselines", "--model-check-cache=other")
        every = check(folder)
        (folder / "model_7.py").write_text(MODEL.format(trees=trees + 1), encoding="utf-8")
        one = check(folder)
    return one, every


def killed_half_way() -> tuple[float, float]:
    """Return the seconds of a run killed at half of its fits and the run after it, and of one that was not killed."""
    with tempfile.TemporaryDirectory() as name:
        folder = project(Path(name))
        (folder / "test_slow.py").write_text(PAUSED, encoding="utf-8")
        check(folder, "--update-baselines", "--model-check-cache=other")
        began = time.perf_counter()
        check(folder)
        whole = time.perf_counter() - began
        shutil.rmtree(folder / ".pytest_cache")
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "--model-check"],
            cwd=folder,
            env=environment(),  # a fit may depend on any variable
            stdout=subprocess.DEVNULL,
        )
        while len([*folder.glob(".pytest_cache/**/*.fit")]) < 50:
            if process.poll() is not None:
                raise SystemExit("The run was over before half of its fits were kept.")
            time.sleep(0.05)
        process.kill()
        process.wait()
        check(folder)
        return time.perf_counter() - began, whole


def project(folder: Path) -> Path:
    """Make a project whose data git knows."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support import make_data

    folder = folder / "project"
    folder.mkdir()
    make_data.breast_cancer().to_csv(folder / "tumours.csv", index=False)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    run(["git", "init", "-q"], folder)
    run([sys.executable, "-m", "dvc", "init", "-q"], folder)
    run([sys.executable, "-m", "dvc", "add", "-q", "tumours.csv"], folder)
    run(["git", "add", "-A"], folder)
    run(["git", "-c", "user.name=B", "-c", "user.email=b@example.org", "commit", "-qm", "Data"], folder)
    return folder


def check(folder: Path, *arguments: str) -> float:
    """Run the checks; return the seconds that their verdicts took."""
    report = folder.parent / "report.json"
    run(
        [sys.executable, "-m", "pytest", "--model-check", f"--model-check-report={report}", *arguments],
        folder,
        codes=(0, 1),
    )
    return float(sum(each["seconds"] for each in json.loads(report.read_text(encoding="utf-8"))["checks"]))


def run(command: list[str], folder: Path, codes: tuple[int, ...] = (0,)) -> None:
    """Run a command, which must end with one of the codes."""
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def environment() -> dict[str, str]:
    """Return the variables that all runs have."""
    variables = os.environ | {"DVC_NO_ANALYTICS": "1"}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process compiles what it imports
    return variables


def processor_seconds() -> float:
    """Return what the children of this process have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
