"""What the engines cost: against the same fits without them, as ratios of one run.

(a) Fifty fits of a random forest in two processes, against joblib's: wall time, with everything already imported.
(b) Forty small checks, ``pytest --model-check`` as a whole process, against a script that makes the same fits;
    also with ``-n 2``.
(c) The fits of (a) on a Dask cluster of two workers on this machine, against the local engine's two processes.
(d) Peak memory of a million rows x 50 columns in two processes, against the frame: proportional set size, so that
    what processes share counts once.
(e) The forty checks with ``--model-check-sealed``, against the same without; no fit comes from a cache.

Run from the repository root, on a machine that does nothing else: ``python benchmarks/engine.py``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests")]
FEATURES = ("mean radius", "mean texture", "mean smoothness", "mean concavity", "worst symmetry")
CHECKS = 40
ROWS, COLUMNS = 1_000_000, 50
CANDIDATE = "make_pipeline(StandardScaler(), LogisticRegression(C={C}))"
IMPORTS = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
"""
BARE = """
import pandas as pd
from sklearn.model_selection import StratifiedKFold, cross_validate
frame = pd.read_csv("data/tumours.csv")
X, y = frame.drop(columns="diagnosis"), frame["diagnosis"]
cv = StratifiedKFold(10, shuffle=True, random_state=0)
for C in {strengths}:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=C))
    print(cross_validate(model, X, y, cv=cv, scoring=["neg_log_loss", "roc_auc"], n_jobs=-1)["test_roc_auc"].mean())
"""


def main() -> None:
    """Measure and print the table that docs/speed.md shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="how many pairs of runs, in turn")
    parser.add_argument("--only", default="abcde", help="which of them")
    parser.add_argument("--memory", action="store_true", help="be the process that (d) measures")
    options = parser.parse_args()
    if options.memory:
        big_fits()
        return
    from overhead import machine

    print(f"{machine()}\n\n| | measured | target |\n|---|---:|---:|")
    if "a" in options.only:
        ours, theirs = forests(options.runs)
        print(f"| (a) 50 fits of a forest / joblib | {ratio(ours, theirs)} | 1.05 x |", flush=True)
    if "b" in options.only:
        alone, spread, bare = small_checks(options.runs)
        print(f"| (b) {CHECKS} small checks / a bare loop | {ratio(alone, bare)} | 1.05 x |")
        print(f"| (b) the same with -n 2 | {ratio(spread, bare)} | 0.75 x |", flush=True)
    if "e" in options.only:
        sealed, plain = sealed_checks(options.runs)
        print(f"| (e) {CHECKS} small checks, sealed / unsealed | {ratio(sealed, plain)} | 1.3 x |", flush=True)
    if "c" in options.only:
        dask, local = clusters(options.runs)
        print(f"| (c) Dask / local, two processes each | {ratio(dask, local)} | 1.15 x |", flush=True)
    if "d" in options.only:
        peak, frame = memory()
        print(f"| (d) peak memory / the frame | {peak / frame:.1f} x ({peak:.0f} / {frame:.0f} MB) | 3.5 x |")


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Write the median of the pairs' ratios, and both medians."""
    pairs = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    return f"{pairs:.2f} x ({statistics.median(ours):.2f} s / {statistics.median(theirs):.2f} s)"


def in_turn(runs: int, *sides: Callable[[], object]) -> tuple[list[float], ...]:
    """Time the sides in turn; the first round is not counted."""
    times: tuple[list[float], ...] = tuple([] for _ in sides)
    for run in range(runs + 1):
        for side, kept in zip(sides, times, strict=True):
            began = time.perf_counter()
            side()
            if run:
                kept.append(time.perf_counter() - began)
    return times


def _forest() -> tuple[Any, Any]:
    from pytest_model_check.checks.make_check import make_check
    from pytest_model_check.data import splits
    from pytest_model_check.data.dataset import Dataset
    from sklearn.ensemble import RandomForestClassifier
    from support import make_data

    frame = make_data.breast_cancer()
    X, y = frame[list(FEATURES)], frame["diagnosis"].to_numpy(dtype=object)
    data = Dataset(X=X, y=y, groups=None, time=None, slices=X.iloc[:, :0], files=(("tumours.csv", "0" * 32),))
    forest = RandomForestClassifier(100)
    check = make_check(forest, data="tumours.csv", target="diagnosis", name="tumours")
    return forest, splits.make_cross_validation(check, data)


def forests(runs: int) -> tuple[list[float], ...]:
    """Time (a)."""
    from joblib import Parallel, delayed
    from pytest_model_check.fitting import crossval
    from pytest_model_check.fitting.fit import Fit, try_fit
    from pytest_model_check.fitting.local_engine import LocalEngine

    forest, cv = _forest()
    fits = [Fit(seed, k) for seed in range(5) for k in range(10)]
    with LocalEngine(2) as engine:
        return in_turn(
            runs,
            lambda: crossval.predict(forest, cv, seeds=5, entropy=0, engine=engine),
            lambda: Parallel(n_jobs=2)(
                delayed(try_fit)(fit, cv.splits[fit.split], forest, cv.dataset.X, cv.dataset.y, cv.classes, 0)
                for fit in fits
            ),
        )


def small_checks(runs: int) -> tuple[list[float], ...]:
    """Time (b)."""
    with _small_project() as (folder, check):
        return in_turn(
            runs,
            lambda: _run(folder, check),
            lambda: _run(folder, [*check, "-n", "2"]),
            lambda: _run(folder, [sys.executable, "bare.py"]),
        )


def sealed_checks(runs: int) -> tuple[list[float], ...]:
    """Time (e)."""
    with _small_project() as (folder, check):
        return in_turn(
            runs,
            lambda: _run(folder, [*check, "--model-check-sealed"]),
            lambda: _run(folder, [*check, "--model-check-refit"]),
        )


@contextmanager
def _small_project() -> Iterator[tuple[Path, list[str]]]:
    """Make a project of forty checks with their baselines; yield its folder, and the command that judges it."""
    from support import make_data

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        make_data.breast_cancer()[[*FEATURES, "diagnosis"]].to_csv(folder / "data" / "tumours.csv", index=False)
        strengths = [round(0.5 + k / CHECKS, 3) for k in range(CHECKS)]
        tests = "".join(
            f"\ndef test_{k}(model_check):\n    model_check({CANDIDATE.format(C=C)}, data='data/tumours.csv',\n"
            "                target='diagnosis', metrics=['neg_log_loss', 'roc_auc'], seeds=1)\n"
            for k, C in enumerate(strengths)
        )
        (folder / "test_models.py").write_text(IMPORTS + tests, encoding="utf-8")
        (folder / "bare.py").write_text(IMPORTS + BARE.format(strengths=strengths), encoding="utf-8")
        for command in ("git init -q", f"{sys.executable} -m dvc init -q", f"{sys.executable} -m dvc add -q data"):
            subprocess.run(command.split(), cwd=folder, check=True)
        check = [sys.executable, "-m", "pytest", "--model-check", "-q", "-p", "no:hydra_pytest"]
        _run(folder, [*check, "--update-baselines"])
        yield folder, check


def _run(folder: Path, command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def clusters(runs: int) -> tuple[list[float], ...]:
    """Time (c)."""
    from pytest_model_check.fitting import crossval
    from pytest_model_check.fitting.dask_engine import DaskEngine
    from pytest_model_check.fitting.local_engine import LocalEngine

    forest, cv = _forest()
    dask = DaskEngine(None, jobs=2, project=ROOT)
    try:
        with LocalEngine(2) as local:
            return in_turn(
                runs,
                lambda: crossval.predict(forest, cv, seeds=5, entropy=0, engine=dask),
                lambda: crossval.predict(forest, cv, seeds=5, entropy=0, engine=local),
            )
    finally:
        dask.close()


def memory() -> tuple[float, float]:
    """Measure (d): the peak and the frame, in MB."""
    import psutil

    process = subprocess.Popen([sys.executable, __file__, "--memory"])
    tree, peak = psutil.Process(process.pid), 0
    while process.poll() is None:
        shared = 0
        for one in (tree, *tree.children(recursive=True)):
            try:
                shared += one.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has just ended
                continue
        peak = max(peak, shared)
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"the process of (d) ended with {process.returncode}")
    return peak / 1e6, ROWS * COLUMNS * 8 / 1e6


def big_fits() -> None:
    """Fit on a million rows in two processes: a learner that needs little memory of its own."""
    from pytest_model_check.checks.make_check import make_check
    from pytest_model_check.data import splits
    from pytest_model_check.data.dataset import Dataset
    from pytest_model_check.fitting import crossval
    from pytest_model_check.fitting.local_engine import LocalEngine
    from sklearn.ensemble import HistGradientBoostingRegressor

    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(ROWS, COLUMNS)), columns=[f"x{k}" for k in range(COLUMNS)], copy=False)
    y = rng.normal(size=ROWS)
    data = Dataset(X=X, y=y, groups=None, time=None, slices=X.iloc[:, :0], files=(("big.parquet", "0" * 32),))
    learner = HistGradientBoostingRegressor(max_iter=2, early_stopping=False)
    check = make_check(learner, data="big.parquet", target="y", name="big")
    del X
    with LocalEngine(2) as engine:
        data = engine.share(data)
        cv = splits.make_cross_validation(check, data)
        crossval.predict(learner, cv, seeds=1, entropy=0, engine=engine)


if __name__ == "__main__":
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    main()
