"""How good the gate is: its false alarms, and the regressions that it lets through, against other rules.

1. Bank (`gate_bank.py`): learners on tables (`gate_tables.py`), each in fixed folds, fitted a few hundred times per
   fold and kept on disk. A run is put together fold by fold, for in the product every fold has its own random state; a
   forest is the mean over 30 of a fold's trees. *Cells* are four learners on four data sets of scikit-learn; *later
   cells* have nearest neighbours, few positives, groups, days and repeats.
2. Nulls: nothing changed that matters. Another seed (of learners that draw none: 5% of the training rows left out),
   shuffled rows, permuted columns. A *false alarm* is a null that does not pass at the default margin, and one that is
   called worse at any margin. The baseline, ten runs of its own, is drawn anew for every ten replicates (of learners
   that draw none: for every twenty).
3. Planted regressions: eight kinds of damage at three strengths, fixed by the seed; only the learner's random state
   varies. One is *caught* if it does not pass in at least 95% of its replicates.
4. Rules (`gate_rules.py`): ours is the product's own `judgement.judge`, on scores of `scoring.metrics`, with its one,
   three, five seeds. The others, as people use them, hold one run of the candidate against one of the baseline.
5. The smallest loss caught: every row of a null loses the same (of hits, some rows are lost), as little as is caught
   in 95% of cases; in units of max(2% of the skill, 3.97 times the standard error of two single runs).
6. Drift: fifty releases of -0.3 m, or of -0.6 m and +0.3 m in turn (m: the default margin), or thirty nulls; what
   passes is recorded anew with fresh seeds, what does not is reverted.
7. Slices (`gate_slices.py`): 5, 10 and 20 of them, with a loss in one that has 5% of the rows, and hardly any overall.

Run from the repository root: ``python benchmarks/gate_quality.py --full --out docs``. Fits are kept, and so is what was
judged, until the judgement or the benchmark changes; so it goes on where it was stopped. ``--quick`` is a smoke run
with a small bank of its own. It ends with 1 if ours misses a target.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import gate_report  # noqa: E402
from gate_bank import (  # noqa: E402
    CELLS,
    FULL,
    LATER_CELLS,
    NULLS,
    QUICK,
    SLICED,
    STRENGTHS,
    Bank,
)
from gate_report import Results  # noqa: E402
from gate_slices import sliced  # noqa: E402
from gate_tables import REPEATED  # noqa: E402
from gate_trials import drift, make_cell, pool, rng_of, smallest_loss, trials  # noqa: E402
from overhead import machine  # noqa: E402

QUICK_CELLS = (("linear", "breast_cancer"), ("forest", "breast_cancer"), ("boosting", "diabetes"), ("network", "wine"))
TRAINS = {  # steps in margins
    "50 of -0.3 m": [-0.3] * 50,
    "25 of -0.6 m, +0.3 m": [-0.6, 0.3] * 25,
    "30 nulls": [0.0] * 30,
}
# Of a cell's nulls the first is judged often enough for 12 of 2000, the others (which are blocked less) to see that.
FULL_COUNTS = {"nulls": 2000, "other nulls": 300, "slices": 400, "planted": 40, "smallest": 60, "trains": 4}
QUICK_COUNTS = {"nulls": 300, "other nulls": 300, "planted": 20, "smallest": 60, "trains": 10}
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"
JUDGED_BY = (  # what was judged is judged again when one of these has changed
    *(ROOT / "harness" / "pytest_model_check" / folder for folder in ("judgement", "scoring")),
    ROOT / "harness" / "pytest_model_check" / "gate" / "sequential.py",
    *(ROOT / "benchmarks" / f"gate_{part}.py" for part in ("tables", "bank", "trials", "slices")),
)


def main() -> int:
    """Measure, write, and say which targets are missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--quick", action="store_true", help="a smoke run of some minutes")
    mode.add_argument("--full", action="store_true", help="everything")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=-1, help="how many processes judge; by default one for each core")
    parser.add_argument("--bank", type=Path, default=ROOT / "benchmarks" / ".bank", help="where fits are kept")
    parser.add_argument("--out", type=Path, help="folder of gate-quality.md and gate-quality.svg")
    options = parser.parse_args()
    say = partial(print, flush=True)
    bank, counts = (
        (Bank(options.bank, options.seed, FULL, CELLS + LATER_CELLS, STRENGTHS), FULL_COUNTS)
        if options.full
        else (Bank(options.bank / "quick", options.seed, QUICK, QUICK_CELLS, STRENGTHS[-1:]), QUICK_COUNTS)
    )
    bank.fill(say)
    results = measure(bank, counts, options.jobs, full=options.full, say=say)
    text = gate_report.report(results, machine(), " ".join(["python benchmarks/gate_quality.py", *sys.argv[1:]]))
    say(f"\n{text}\n")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        gate_report.figure(results, options.out / "gate-quality.svg")
        _put(options.out / "gate-quality.md", text)
    missed = [target for target in gate_report.targets(results) if not target.met]
    for target in missed:
        say(f"missed: {target.promise}: {target.measured}")
    return bool(missed)


def measure(bank: Bank, counts: dict[str, int], jobs: int, *, full: bool, say: Callable[[str], None]) -> Results:
    """Judge what the bank holds, one cell beside the other; each draws random numbers of its own."""
    state = _state()
    tasks = [delayed(_kept)(measure_cell, state, bank, *cell, counts) for cell in bank.cells]
    if full:
        tasks += [delayed(_kept)(measure_slices, state, bank, *cell, counts) for cell in SLICED]
    found: list[dict[Any, Any]] = [{} for _ in range(5)]
    seconds = 0.0
    for cell, (parts, of_cell) in Parallel(n_jobs=jobs, return_as="generator")(tasks):
        for all_cells, part in zip(found, parts, strict=True):
            all_cells.update(part)
        seconds += of_cell
        say(f"judged: {', '.join(cell)} ({of_cell:.0f} s)")
    nulls, planted, smallest, trains, slices = found
    return Results(nulls, planted, smallest, trains, slices, bank.seconds, seconds, full)


def _kept(
    judge: Callable[..., Sequence[dict[Any, Any]]],
    state: str,
    bank: Bank,
    learner: str,
    dataset: str,
    counts: dict[str, int],
) -> tuple[tuple[str, str], tuple[Sequence[dict[Any, Any]], float]]:
    """Judge a cell, or read what was found when it was judged in the same state of the code."""
    called = f"{state}-{judge.__name__}-{learner}-{dataset}-{zlib.crc32(repr((bank, counts)).encode()):08x}.pickle"
    path = bank.folder / "judged" / called
    if not path.exists():
        began = time.process_time()
        found = judge(bank, learner, dataset, counts), time.process_time() - began
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".part").write_bytes(pickle.dumps(found))
        path.with_suffix(".part").rename(path)
    return (learner, dataset), pickle.loads(path.read_bytes())  # written by ourselves


def _state() -> str:
    """Return the digest of the code that judges."""
    files = sorted(file for path in JUDGED_BY for file in ([path] if path.suffix else path.glob("*.py")))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def measure_cell(bank: Bank, learner: str, dataset: str, counts: dict[str, int]) -> Sequence[dict[Any, Any]]:
    """Judge one learner on one data set: nulls, planted regressions, smallest losses, trains of releases."""
    nulls: dict[Any, Any] = {}
    planted: dict[Any, Any] = {}
    smallest: dict[Any, Any] = {}
    trains: dict[Any, Any] = {}
    cell = make_cell(bank, learner, dataset)
    first, *others = bank.nulls(learner, dataset)
    for kind, conditions in (("nulls", [first]), ("other nulls", others), ("planted", bank.planted)):
        found = planted if kind == "planted" else nulls
        for condition in conditions:
            rng = rng_of(bank.seed, learner, dataset, condition, "trials")
            fits = pool(bank, learner, dataset, condition)
            for metric, one in trials(cell, fits, counts[kind], rng, null=kind != "planted").items():
                found[learner, dataset, condition, metric] = one
    for metric in cell.metrics:
        if metric == "accuracy" and dataset.endswith(REPEATED):
            continue  # a row is hit in one repeat and missed in another: no rows to lose one by one
        rng = rng_of(bank.seed, learner, dataset, metric, "smallest loss")
        smallest[learner, dataset, metric] = smallest_loss(cell, metric, counts["smallest"], rng)
    if (learner, dataset) not in CELLS:  # later ones need not have skill by the metric of the trains
        return nulls, planted, smallest, trains, {}
    metric = "r2" if "r2" in cell.metrics else "neg_brier_score"
    margin = float(nulls[learner, dataset, NULLS[learner][0], metric].margin.mean())
    for name, steps in TRAINS.items():
        for guarded in (False, True):
            rng = rng_of(bank.seed, learner, dataset, name, "drift")
            trains[learner, dataset, name, guarded] = [
                drift(cell, metric, steps, margin, rng, guarded=guarded)
                for _ in range(counts["trains"] * (1 if any(steps) else 3))
            ]
    return nulls, planted, smallest, trains, {}


def measure_slices(bank: Bank, learner: str, dataset: str, counts: dict[str, int]) -> Sequence[dict[Any, Any]]:
    """Judge one learner on one data set in slices."""
    found = sliced(bank, learner, dataset, counts)
    return {}, {}, {}, {}, {(learner, dataset, *key): one for key, one in found.items()}


def _put(page: Path, text: str) -> None:
    """Put the results in their place on a page, or start it."""
    old = page.read_text(encoding="utf-8") if page.exists() else f"# How good the gate is\n\n{BEGIN}{END}"
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page} has lost its marks {BEGIN.strip()} and {END.strip()}")
    page.write_text(f"{before}{BEGIN}\n{text}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
