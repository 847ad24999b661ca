"""What the product costs: measured against the same work without it, as ratios of one run.

(a) ``pytest`` with the plugin installed but not asked for, against ``pytest -p no:model_check``: processor time.
(b) ``pytest --model-check`` of the repository's own checks, against a bare scikit-learn script that makes the same fits
    and scores with the same parallelism (`bare`, below), each in a process of its own: wall time.
(c) The same two: peak memory of all their processes together.

Run from the repository root, in the environment that README's first line makes (the plugins of others are part of what
pytest costs, not of what this one does), on a machine that does nothing else: ``python benchmarks/overhead.py``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measure and print the table that docs/speed.md shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bare", action="store_true", help="be the bare script that (b) and (c) compare with")
    parser.add_argument("--starts", type=int, default=60, help="how many pairs of pytest starts for (a)")
    parser.add_argument("--runs", type=int, default=5, help="how many pairs of whole runs for (b) and (c)")
    options = parser.parse_args()
    if options.bare:
        bare()
        return
    with_plugin, without = startup(options.starts)
    ours, theirs = whole_runs(options.runs)
    added = statistics.median(a - b for a, b in zip(with_plugin, without, strict=True)) * 1000
    seconds = [statistics.median(run[0] for run in runs) for runs in (ours, theirs)]
    memory = [statistics.median(run[1] for run in runs) for runs in (ours, theirs)]
    versions = {name: importlib.metadata.version(name) for name in ("pytest", "scikit-learn", "pytest-model-check")}
    print(f"{machine()}; {', '.join(f'{name} {version}' for name, version in versions.items())}\n")
    print("| | pytest-model-check | without it | | target |\n|---|---:|---:|---:|---:|")
    starts = [statistics.median(times) for times in (with_plugin, without)]
    print(f"| (a) installed, not asked for, s | {starts[0]:.3f} | {starts[1]:.3f} | {added:+.1f} ms | 10 ms |")
    print(f"| (b) wall time, s | {seconds[0]:.2f} | {seconds[1]:.2f} | {seconds[0] / seconds[1]:.2f} x | 1.25 x |")
    print(f"| (c) peak memory, MB | {memory[0]:.0f} | {memory[1]:.0f} | {memory[0] / memory[1]:.2f} x | 1.5 x |")


def machine() -> str:
    """Name the machine in a line."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return f"{os.cpu_count()} cores ({model}), {platform.system()}, Python {platform.python_version()}"


def startup(pairs: int) -> tuple[list[float], list[float]]:
    """Start pytest on one empty test, with and without the plugin, in turn; give the processor time of each.

    The plugin that hydra brings stays out: it takes a second, and varies by more than what is measured.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hydra_pytest"]
        times: tuple[list[float], list[float]] = ([], [])
        for pair in range(pairs + 1):
            for extra, kept in zip(([], ["-p", "no:model_check"]), times, strict=True):
                before = _processor_seconds()
                subprocess.run([*command, *extra], cwd=folder, check=True, stdout=subprocess.DEVNULL)
                if pair:  # the first pair fills the disk cache
                    kept.append(_processor_seconds() - before)
    return times


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def whole_runs(pairs: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Run the repository's checks and the bare script in turn; give (seconds, peak MB) of each."""
    ours = [sys.executable, "-m", "pytest", "--model-check", "-q"]
    theirs = [sys.executable, str(Path(__file__).resolve()), "--bare"]
    runs: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for pair in range(pairs + 1):
        for command, kept in zip((ours, theirs), runs, strict=True):
            measured = _measure(command)
            if pair:
                kept.append(measured)
    return runs


def _measure(command: list[str]) -> tuple[float, float]:
    import psutil

    began, peak = time.perf_counter(), 0
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    tree = psutil.Process(process.pid)
    while process.poll() is None:
        resident = 0
        try:
            for one in (tree, *tree.children(recursive=True)):
                resident += one.memory_info().rss
        except psutil.NoSuchProcess:  # it ended between being listed and being asked
            continue
        peak = max(peak, resident)
        time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - began, peak / 1e6


def bare() -> None:
    """Do what a developer would write without the product: the same fits and scores, by cross_validate alone."""
    sys.path.insert(0, str(ROOT / "tests" / "checks"))
    import pandas as pd
    import test_accuracy  # type: ignore[import-not-found]  # its folder is on the path only now
    from sklearn.base import is_classifier
    from sklearn.model_selection import KFold, StratifiedKFold, TimeSeriesSplit, cross_validate

    def model_check(
        candidate: Any, *, data: str, target: str, metrics: list[str], time: str | None = None, **_: Any
    ) -> None:
        path = ROOT / data
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        features, y = frame.drop(columns=[target, *([time] if time else [])]), frame[target]
        if time:
            cv = TimeSeriesSplit(10)
        else:
            cv = (StratifiedKFold if is_classifier(candidate) else KFold)(10, shuffle=True, random_state=0)
        scores = cross_validate(candidate, features, y, cv=cv, scoring=metrics, n_jobs=-1, error_score="raise")
        print({metric: float(scores[f"test_{metric}"].mean()) for metric in metrics})

    for name in dir(test_accuracy):
        if name.startswith("test_"):
            getattr(test_accuracy, name)(model_check)


if __name__ == "__main__":
    main()
