"""Kill an update at random moments: the baseline is the old one or the new one, never a torn one.

``python benchmarks/killed_updates.py [--kills 100] [--seed 0]``. POSIX only. Each update runs in a process of its own
that is killed with SIGKILL after a random time, up to one and a half times what an update takes; then the baseline is
read as a check reads it, predictions included.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import dvc.repo
import numpy as np
from pytest_model_check.baselines import store
from pytest_model_check.baselines.record import Baseline, BaselineMetric
from pytest_model_check.baselines.store import Approved, Pending
from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.noise import NoiseReference

ROWS = 20_000


def main() -> int:
    """Run the stress, and print what was found; the exit code says whether anything was torn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found, seconds = stress(Path(folder), options.kills, random.Random(options.seed))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; seed {options.seed}")
    print(f"an update takes up to {seconds:.2f} s; killed {options.kills} times: {dict(found)}")
    return 1 if found["torn"] else 0


def stress(folder: Path, kills: int, rng: random.Random) -> tuple[Counter[str], float]:
    """Kill so many updates.

    Returns
    -------
    tuple of (Counter, float)
        How often the old and the new baseline were found, or a torn one; how many seconds an update takes at most.
    """
    os.chdir(folder)
    dvc.repo.Repo.init(str(folder), no_scm=True).close()
    place, scratch = folder / "baselines", folder / "scratch"
    scratch.mkdir()
    store.write(_pending(1, scratch), place)
    found: Counter[str] = Counter()
    generation = 1
    times: list[float] = []
    while len(times) < 5:
        generation += 1
        began = time.perf_counter()
        if _child(lambda: store.write(_pending(generation, scratch), place))[1]():  # noqa: B023 - called at once
            raise SystemExit("an update that nobody killed has failed")
        times.append(time.perf_counter() - began)
    seconds = max(times)
    for number in range(kills):
        pending = _pending(generation + 1, scratch)
        pid, wait = _child(lambda pending=pending: store.write(pending, place))  # type: ignore[misc]
        time.sleep(rng.uniform(0, 1.5 * seconds))  # some come too late: they find the new one
        os.kill(pid, signal.SIGKILL)
        wait()
        kept = _kept(place)
        if kept not in (generation, generation + 1):
            found["torn"] += 1
            print(f"kill {number}: found {kept}, expected {generation} or {generation + 1}", file=sys.stderr)
            store.write(_pending(generation, scratch), place)
        else:
            found["old" if kept == generation else "new"] += 1
            generation = kept
    left = {path.name for path in place.iterdir()} - {"it.json", "it.parquet", "it.parquet.dvc", ".gitignore"}
    litter = [name for name in left if not name.endswith(".tmp")]
    if litter:
        found["torn"] += 1
        print(f"left behind: {litter}", file=sys.stderr)
    return found, seconds


def _kept(place: Path) -> int | str:
    """Read the baseline as a check does; gives which recording it is, or what is wrong with it."""
    try:
        baseline = store.read(place, "it")
        if baseline is None:
            return "no baseline"
        values = store.read_approved(place, baseline).predictions.responses["predict"]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is torn
        return repr(error)
    return baseline.generation if (values == baseline.generation).all() else "other predictions than the JSON's"


def _pending(generation: int, scratch: Path) -> Pending:
    row = np.arange(ROWS)
    predictions = Predictions(row, row * 0, row % 2, {"predict": np.full((1, ROWS), float(generation))}, None)
    metric = BaselineMetric(0.9, 0.01, (0.9, 0.9), "defined", 0.02, "named", NoiseReference(0.5, 0.0, 9.0, None, 0.02))
    baseline = Baseline(
        name="it",
        nodeid="test_it.py::test_it",
        candidate="Model()",
        learner="deterministic",
        data=(("data.csv", "0" * 32),),
        rows=ROWS,
        target_digest="0",
        protocol=Protocol("KFold(2)", "y"),
        test_train_ratio=1.0,
        metrics={"r2": metric},
        seeds=1,
        entropy=0,
        generation=generation,
        classes=None,
        predictions_md5="",
        environment={},
    )
    return replace(store.prepare(baseline, Approved(predictions, {}), scratch), replaces=None)


def _child(action: Callable[[], object]) -> tuple[int, Callable[[], int]]:
    """Run in a process of its own, with everything imported already; gives its id, and how to wait for its end."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            action()
            code = 0
        except BaseException:  # noqa: BLE001 - this process ends here, whatever it was
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid, lambda: os.waitpid(pid, 0)[1]


if __name__ == "__main__":
    sys.exit(main())
