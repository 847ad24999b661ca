"""The slices of `gate_quality.py`: whether a loss in 5% of the rows is seen, and whether nothing is cried wolf at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gate_bank import Bank
from gate_tables import Task
from gate_trials import Cell, Pool, make_cell, ours, rng_of, runs, scored
from numpy.typing import NDArray
from pytest_model_check.gate.slices import SLICE_ROWS
from pytest_model_check.judgement import judge
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.judgement.verdicts import PASSING, MetricVerdict

NUMBERS = (5, 20)  # of slices; the first has 5% of the rows, the others share the rest
NULL = "nothing"
# What is done to the answers for the first slice; all others stay as they are, so that there is hardly a loss overall.
DAMAGES = (NULL, "half of its skill", "all of its skill", "its classes exchanged")


@dataclass(frozen=True)
class SliceTrials:
    """Many checks with slices: which raise an alarm by a slice, and which are blocked by all rows.

    Parameters
    ----------
    alarms, blocked : ndarray of bool, shape (n,)
        By check.
    lost, lost_overall : float
        What the Brier score of the first slice loses, and that of all rows, in default margins.
    """

    alarms: NDArray[np.bool_]
    blocked: NDArray[np.bool_]
    lost: float
    lost_overall: float


def sliced(bank: Bank, learner: str, dataset: str, counts: Mapping[str, int]) -> dict[tuple[int, str], SliceTrials]:
    """Judge checks with slices, by the number of slices and the damage."""
    cell = make_cell(bank, learner, dataset)
    null = "5% left out" if cell.refits else "plain"
    approved, candidate = (runs(bank, learner, dataset, condition) for condition in ("plain", null))
    found = {}
    for number in NUMBERS:
        masks = [code_of_row(cell.task, number) == code for code in range(number)]
        assert min(map(np.sum, masks)) >= SLICE_ROWS
        old, new = ([scored(cell.task, answers, mask) for mask in masks] for answers in (approved, candidate))
        for damage in DAMAGES:
            broken = _damaged(cell.task, candidate, masks[0], damage)
            whole = cell.harmless if damage == NULL else scored(cell.task, broken)
            assert all(len(np.unique(each.fold)) == cell.task.folds for each in old)
            slices = new if damage == NULL else [scored(cell.task, broken, masks[0]), *new[1:]]
            rng = rng_of(bank.seed, learner, dataset, str(number), damage, "slices")
            count = counts["slices" if damage == NULL else "planted"]
            found[number, damage] = _trials(cell, old, slices, whole, count, rng)
    return found


def code_of_row(task: Task, number: int) -> NDArray[np.int64]:
    """Cut the rows by the most informative column: 5% with the lowest values, the rest into equal parts."""
    order = np.argsort(task.X[:, task.rank[0]], kind="stable")
    codes = np.empty(len(order), dtype=np.int64)
    few = round(0.05 * len(order))
    codes[order] = np.concatenate([np.zeros(few), 1 + np.arange(len(order) - few) * (number - 1) // (len(order) - few)])
    return codes


def _damaged(task: Task, answers: NDArray[Any], rows: NDArray[np.bool_], damage: str) -> NDArray[Any]:
    inside = rows[task.row]
    broken = answers.copy()
    if damage == DAMAGES[3]:
        broken[:, inside] = answers[:, inside, ::-1]
    elif damage != NULL:
        kept = 0.5 if damage == DAMAGES[1] else 0.0
        prior = np.bincount(task.y) / len(task.y)
        broken[:, inside] = kept * answers[:, inside] + (1 - kept) * prior
    return broken


def _trials(
    cell: Cell, old: list[Pool], new: list[Pool], whole: Pool, count: int, rng: np.random.Generator
) -> SliceTrials:
    alarms, blocked, margins = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool), []
    for number in range(count):
        drawn = whole.draw(rng, cell.seeds)
        if number % cell.again == 0:
            of_baseline = cell.draw(rng)
            recorded = cell.record(cell.metrics, of_baseline)
            runs_of_old = np.zeros((cell.task.folds, 1), dtype=np.int64) if cell.refits else of_baseline
            sides = {
                name: [each.run(name, runs_of_old, noisy=False) if name in each.common else None for each in old]
                for name in cell.metrics
            }
            margins.append(recorded["neg_brier_score"][1].margin(recorded["neg_brier_score"][0].score))
        verdicts = {
            name: ours(name, scores, whole.run(name, drawn, noisy=False), noise)
            for name, (scores, noise) in recorded.items()
        }
        blocked[number] = any(verdict.verdict not in PASSING for verdict in verdicts.values())
        seeds = max(verdict.seeds or 1 for verdict in verdicts.values())
        judged: list[tuple[MetricVerdict, float]] = []
        for name, verdict in verdicts.items():
            pairs: list[tuple[str, Scores, Scores]] = [
                (f"part={code}", side, each.run(name, drawn, noisy=False).first(seeds))
                for code, (side, each) in enumerate(zip(sides[name], new, strict=True))
                if side is not None
            ]
            judged += judge.judge_slices(pairs, verdict, recorded[name][1])
        alarms[number] = any(verdict.verdict == "worse" for verdict in judge.raise_alarms(judged))
    unit = float(np.median(margins))
    name = "neg_brier_score"
    lost = old[0].score(name) - new[0].score(name)
    return SliceTrials(alarms, blocked, lost / unit, (cell.plain.score(name) - whole.score(name)) / unit)
