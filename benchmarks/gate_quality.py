"""How good the gate is: its false alarms, and the regressions that it lets through, against other rules.

1. Bank (`gate_bank.py`): four learners on four data sets of scikit-learn, each in ten fixed folds, fitted a few hundred
   times per fold and kept on disk. A run is put together fold by fold, for in the product every fold has its own random
   state; a forest is the mean over 30 of a fold's trees.
2. Nulls: nothing changed that matters. Another seed (of learners that draw none: 5% of the training rows left out),
   shuffled rows, permuted columns. A *false alarm* is a null that does not pass at the default margin, and one that is
   called worse at any margin. The baseline, ten runs of its own, is drawn anew for every replicate.
3. Planted regressions: eight kinds of damage at three strengths, fixed by the seed; only the learner's random state
   varies. One is *caught* if it does not pass in at least 95% of its replicates.
4. Rules (`gate_rules.py`): ours is the product's own `judgement.judge`, on scores of `scoring.metrics`, with its one,
   three, five seeds. The others, as people use them, hold one run of the candidate against one of the baseline.
5. The smallest loss caught: every row of a null loses the same (of hits, some rows are lost), as little as is caught
   in 95% of cases; in clusters of max(2% of the skill, 3.97 times the standard error of two single runs).
6. Drift: fifty releases of -0.3 m, or of -0.6 m and +0.3 m in turn (m: the default margin), or thirty nulls; what
   passes is recorded anew with fresh seeds, what does not is reverted.

Run from the repository root: ``python benchmarks/gate_quality.py --full --out docs``; with a filled bank only the
judging takes time. ``--quick`` is a smoke run with a small bank of its own. It ends with 1 if ours misses a target.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import gate_report  # noqa: E402
from gate_bank import CELLS, FULL, NULL_CELLS, NULLS, QUICK, STRENGTHS, Bank  # noqa: E402
from gate_report import Results  # noqa: E402
from gate_trials import drift, make_cell, pool, rng_of, smallest_loss, trials  # noqa: E402
from overhead import machine  # noqa: E402

QUICK_CELLS = (("linear", "breast_cancer"), ("forest", "breast_cancer"), ("boosting", "diabetes"), ("network", "wine"))
TRAINS = {  # steps in margins
    "50 of -0.3 m": [-0.3] * 50,
    "25 of -0.6 m, +0.3 m": [-0.6, 0.3] * 25,
    "30 nulls": [0.0] * 30,
}
FULL_COUNTS = {"nulls": 2000, "planted": 80, "smallest": 400, "trains": 200}
QUICK_COUNTS = {"nulls": 300, "planted": 20, "smallest": 60, "trains": 10}
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"
BEGIN_NULLS, END_NULLS = "<!-- nulls -->\n", "<!-- end of nulls -->\n"


def main() -> int:
    """Measure, write, and say which targets are missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--quick", action="store_true", help="a smoke run of some minutes")
    mode.add_argument("--full", action="store_true", help="everything")
    mode.add_argument(
        "--nulls", action="store_true", help="false alarms and margins alone, of more tables and learners"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bank", type=Path, default=ROOT / "benchmarks" / ".bank", help="where fits are kept")
    parser.add_argument("--out", type=Path, help="folder of gate-quality.md and gate-quality.svg")
    options = parser.parse_args()
    say = partial(print, flush=True)
    if options.nulls:
        return _nulls(Bank(options.bank, options.seed, FULL, NULL_CELLS, ()), options.out, say)
    bank = (
        Bank(options.bank, options.seed, FULL, CELLS, STRENGTHS)
        if options.full
        else Bank(options.bank / "quick", options.seed, QUICK, QUICK_CELLS, STRENGTHS[-1:])
    )
    bank.fill(say)
    results = measure(bank, FULL_COUNTS if options.full else QUICK_COUNTS, full=options.full, say=say)
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


def _nulls(bank: Bank, out: Path | None, say: Callable[[str], None]) -> int:
    """Measure what nulls alone tell."""
    bank.fill(say)
    began, nulls = time.process_time(), {}
    for learner, dataset in bank.cells:
        cell = make_cell(bank, learner, dataset)
        for condition in bank.nulls(learner):
            rng, fits = (
                rng_of(bank.seed, learner, dataset, condition, "trials"),
                pool(bank, learner, dataset, condition),
            )
            for metric, one in trials(cell, fits, FULL_COUNTS["nulls"], rng, null=True).items():
                nulls[learner, dataset, condition, metric] = one
        say(f"judged: {learner}, {dataset}")
    results = Results(nulls, {}, {}, {}, bank.seconds, time.process_time() - began, full=False)
    text = gate_report.nulls_report(results, machine(), " ".join(["python benchmarks/gate_quality.py", *sys.argv[1:]]))
    say(text)
    if out:
        _put(out / "gate-quality.md", text, BEGIN_NULLS, END_NULLS)
    return 0


def measure(bank: Bank, counts: dict[str, int], *, full: bool, say: Callable[[str], None]) -> Results:
    """Judge what the bank holds, one learner on one data set beside the other; each draws random numbers of its own."""
    nulls: dict[Any, Any] = {}
    planted: dict[Any, Any] = {}
    smallest: dict[Any, Any] = {}
    trains: dict[Any, Any] = {}
    judging_seconds = 0.0
    tasks = (delayed(measure_cell)(bank, learner, dataset, counts) for learner, dataset in bank.cells)
    for cell, found in zip(bank.cells, Parallel(n_jobs=-1, return_as="generator")(tasks), strict=True):
        *parts, seconds = found
        for all_cells, of_cell in zip((nulls, planted, smallest, trains), parts, strict=True):
            all_cells.update(of_cell)
        judging_seconds += seconds
        say(f"judged: {', '.join(cell)} ({seconds:.0f} s)")
    return Results(nulls, planted, smallest, trains, bank.seconds, judging_seconds, full)


def measure_cell(
    bank: Bank, learner: str, dataset: str, counts: dict[str, int]
) -> tuple[dict[Any, Any], dict[Any, Any], dict[Any, Any], dict[Any, Any], float]:
    """Judge one learner on one data set: nulls, planted regressions, smallest losses, trains of releases, seconds."""
    began = time.process_time()
    nulls: dict[Any, Any] = {}
    planted: dict[Any, Any] = {}
    smallest, trains = {}, {}
    cell = make_cell(bank, learner, dataset)
    for kind, conditions, found in (("nulls", bank.nulls(learner), nulls), ("planted", bank.planted, planted)):
        for condition in conditions:
            rng = rng_of(bank.seed, learner, dataset, condition, "trials")
            fits = pool(bank, learner, dataset, condition)
            for metric, one in trials(cell, fits, counts[kind], rng, null=kind == "nulls").items():
                found[learner, dataset, condition, metric] = one
    for metric in cell.metrics:
        rng = rng_of(bank.seed, learner, dataset, metric, "smallest loss")
        smallest[learner, dataset, metric] = smallest_loss(cell, metric, counts["smallest"], rng)
    metric = "r2" if "r2" in cell.metrics else "neg_brier_score"
    margin = float(nulls[learner, dataset, NULLS[learner][0], metric].margin.mean())
    for name, steps in TRAINS.items():
        for guarded in (False, True):
            rng = rng_of(bank.seed, learner, dataset, name, "drift")
            trains[learner, dataset, name, guarded] = [
                drift(cell, metric, steps, margin, rng, guarded=guarded) for _ in range(counts["trains"])
            ]
    return nulls, planted, smallest, trains, time.process_time() - began


def _put(page: Path, text: str, mark: str = BEGIN, end_mark: str = END) -> None:
    """Put the results in their place on a page, or start it."""
    old = page.read_text(encoding="utf-8") if page.exists() else f"# How good the gate is\n\n{mark}{end_mark}"
    before, begin, rest = old.partition(mark)
    _, end, after = rest.partition(end_mark)
    if not begin or not end:
        raise SystemExit(f"{page} has lost its marks {mark.strip()} and {end_mark.strip()}")
    page.write_text(f"{before}{mark}\n{text}\n\n{end_mark}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
