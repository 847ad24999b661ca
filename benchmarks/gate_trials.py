"""The trials of `gate_quality.py`: runs drawn from the bank, judged by the product itself (`judgement.judge`)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from gate_bank import DETERMINISTIC, NULLS, PARTITIONS, REFITS, TREES, Bank
from gate_tables import Task, load_task
from numpy.typing import NDArray
from pytest_model_check.candidates.dummy import make_dummy
from pytest_model_check.checks.check import DEFAULT_SEEDS, Metric
from pytest_model_check.errors import PromiseError
from pytest_model_check.fitting.fit import LEAVE_OUTS
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate import sequential
from pytest_model_check.judgement import judge, noise
from pytest_model_check.judgement.drift import Anchor, defend, surpasses
from pytest_model_check.judgement.margins import margin_of
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.judgement.verdicts import PASSING, MetricVerdict
from pytest_model_check.scoring import metrics
from sklearn.metrics import get_scorer

FORESTS = {"plain": 600, "null": 300, "planted": 120}  # how many are made of a pool of trees
SEEDS = max(sequential.SEEDS_OF_A_CANDIDATE)
ANY_MARGIN = 1e-12  # of the default margin: below it, a margin excuses nothing
# So many in turn are held against one recording, which takes a while: of learners that draw random numbers, or not.
AGAIN = {True: 10, False: 20}
PAIRS = 200  # of single runs, for the standard error between two
Key = tuple[str, str, str, str]  # learner, data set, condition, metric
Drawn = NDArray[np.int64]  # a fit for every fold of every seed, shape (n_folds, seeds)


@dataclass(frozen=True)
class Pool:
    """The scored fits of one condition, to draw runs from.

    Parameters
    ----------
    common : dict of Scores
        By metric: of one fit, for what all runs have in common.
    slots, splits : dict of ndarray
        By metric: influence values of every fit, slot by slot, and its scores by fold.
    fold : ndarray of int, shape (n_slots,)
        Which split each slot is of.
    repeats : int
        How many slots a row has.
    same : ndarray of bool, shape (n_fits,)
        Which fits agree with the approved one to rounding.
    """

    common: dict[str, Scores]
    slots: dict[str, NDArray[np.float64]]
    splits: dict[str, NDArray[np.float64]]
    fold: NDArray[np.int64]
    repeats: int
    same: NDArray[np.bool_]

    def draw(self, rng: np.random.Generator, seeds: int) -> Drawn:
        """Draw runs."""
        fits, folds = next(iter(self.splits.values())).shape
        return rng.integers(fits, size=(folds, seeds))

    def run(self, metric: str, drawn: Drawn, *, noisy: bool = True) -> Scores:
        """Return the scores of runs: exactly what the product would compute, for no metric reaches across folds.

        With `noisy` their noise can be measured, which takes a while.
        """
        slots = self.slots[metric][drawn[self.fold].T, np.arange(len(self.fold))]
        splits = self.splits[metric][drawn.T, np.arange(len(drawn))]
        psi = slots if self.repeats == 1 else slots.reshape(len(slots), self.repeats, -1).mean(axis=1)
        runs = replace(self.common[metric], psi=psi, splits=splits)
        return replace(runs, row_variances=metrics.row_variances(runs, slots, self.fold)) if noisy else runs

    def score(self, metric: str) -> float:
        """Return the expected score of a run."""
        return float(self.splits[metric].mean(axis=0) @ self.common[metric].weights)


@dataclass(frozen=True)
class Cell:
    """One learner on one data set: the approved model's runs, and what else a baseline needs."""

    learner: str
    task: Task
    plain: Pool
    refits: Pool | None  # of a learner without randomness: without a twentieth of the training rows, by partition
    left_out: Pool | None  # of such a learner: without a random 5% of the training rows
    dummy: dict[str, float]

    @property
    def metrics(self) -> list[str]:
        """Their names."""
        return list(self.dummy)

    def draw(self, rng: np.random.Generator) -> Drawn:
        """Draw what a baseline is recorded with: its seeds, or its refits, of two partitions."""
        if self.refits is None:
            return self.plain.draw(rng, DEFAULT_SEEDS)
        partitions = rng.permuted(np.tile(np.arange(PARTITIONS), (self.task.folds, 1)), axis=1)[:, :2]
        return (partitions[:, :, None] * LEAVE_OUTS + np.arange(LEAVE_OUTS)).reshape(len(partitions), -1)

    def record(self, names: Sequence[str], drawn: Drawn) -> dict[str, tuple[Scores, NoiseReference]]:
        """Record a baseline of a check with these metrics, as `baselines.measure` does."""
        if self.refits is None:
            scores = {name: self.plain.run(name, drawn) for name in names}
            return {name: (one, noise.measure(one, None, self.dummy[name])) for name, one in scores.items()}
        scores = {name: self.plain.run(name, np.zeros((self.task.folds, 1), dtype=np.int64)) for name in names}
        found = {}
        for refits in (LEAVE_OUTS, 2 * LEAVE_OUTS):
            replicates = {name: self.refits.run(name, drawn[:, :refits]) for name in names}
            found = {
                name: (one, noise.measure(one, replicates[name], self.dummy[name])) for name, one in scores.items()
            }
            if all(
                margin_of(noise_reference, one.score, None).kind != "noise_floor"
                for one, noise_reference in found.values()
            ):
                break
        return found

    def baseline(self, rng: np.random.Generator, metric: str) -> tuple[Scores, NoiseReference]:
        """Draw and record a baseline of a single metric."""
        return self.record([metric], self.draw(rng))[metric]

    @property
    def harmless(self) -> Pool:
        """Runs that differ in nothing that matters."""
        return self.left_out or self.plain

    @property
    def seeds(self) -> int:
        """How many seeds a candidate may need."""
        return 1 if self.refits else SEEDS

    @property
    def again(self) -> int:
        """How many candidates in turn are held against one recording."""
        return AGAIN[self.refits is None]

    def pair_error(self, rng: np.random.Generator, metric: str) -> float:
        """Return the standard error over rows between two single runs."""
        runs = self.harmless.run(metric, self.harmless.draw(rng, 2 * PAIRS), noisy=False)
        return runs.pooled_standard_error(runs.psi[::2] - runs.psi[1::2], runs.splits[::2] - runs.splits[1::2]).se


def metric_names(task: Task) -> list[str]:
    """Name the metrics that suit a data set."""
    if task.classes is None:
        return ["r2", "neg_mean_squared_error"]
    names = ["accuracy", "neg_log_loss", "neg_brier_score"]
    return [*names, "roc_auc"] if len(task.classes) == 2 else names


def make_cell(bank: Bank, learner: str, dataset: str) -> Cell:
    """Score the approved model's bank."""
    task = load_task(dataset)
    plain = pool(bank, learner, dataset, "plain")
    refits, left_out = (
        pool(bank, learner, dataset, condition) if learner in DETERMINISTIC else None
        for condition in (REFITS, NULLS[learner][0])
    )
    kind = "regression" if task.classes is None else "classification"
    dummy = np.empty((1, len(task.row), *([] if task.classes is None else [len(task.classes)])))
    for k, train in enumerate(task.trains):
        model = make_dummy(kind).fit(task.X[train], task.y[train])
        answer = model.predict if task.classes is None else model.predict_proba
        dummy[0, task.fold == k] = answer(task.X[task.held_out(k)])
    of_dummy = scored(task, dummy)
    levels = {name: of_dummy.score(name) for name in of_dummy.common}
    # what has no skill is refused when it is recorded
    skilled = {name: level for name, level in levels.items() if plain.score(name) > level}
    return Cell(learner, task, plain, refits, left_out, skilled)


def pool(bank: Bank, learner: str, dataset: str, condition: str) -> Pool:
    """Score the bank of a condition; forests are made of its trees first."""
    task, answers = load_task(dataset), runs(bank, learner, dataset, condition)
    same = np.zeros(len(answers), dtype=bool)
    if learner in DETERMINISTIC and condition in NULLS[learner]:
        approved = predictions(task, bank.answers(learner, dataset, "plain"))
        same = np.array([approved.agrees(predictions(task, one[None])) for one in answers])
    return replace(scored(task, answers), same=same)


def runs(bank: Bank, learner: str, dataset: str, condition: str) -> NDArray[np.floating[Any]]:
    """Get the answers of a condition's models: as they are banked, but for forests, which are banked tree by tree."""
    answers = bank.answers(learner, dataset, condition)
    if learner != "forest":
        return answers
    kind = "plain" if condition == "plain" else "null" if condition in NULLS[learner] else "planted"
    trees = max(1, round(TREES * (2 / 3, 1 / 3, 1 / 6)[int(condition[-1]) - 1])) if "fewer" in condition else TREES
    return _forests(answers, load_task(dataset), trees, FORESTS[kind], rng_of(bank.seed, learner, dataset, condition))


def _forests(
    trees: NDArray[Any], task: Task, size: int, count: int, rng: np.random.Generator
) -> NDArray[np.floating[Any]]:
    """Make forests of every fold's trees: the mean over a random choice of them."""
    found = np.empty((count, *trees.shape[1:]), dtype=trees.dtype)
    for k in range(task.folds):
        test = task.fold == k
        chosen = np.zeros((count, len(trees)), dtype=trees.dtype)
        order = rng.permuted(np.tile(np.arange(len(trees)), (count, 1)), axis=1)
        np.put_along_axis(chosen, order[:, :size], 1, axis=1)
        found[:, test] = (chosen @ trees[:, test].reshape(len(trees), -1)).reshape(count, *trees[0, test].shape)
    return found / size


def predictions(task: Task, answers: NDArray[Any]) -> Predictions:
    """Return answers the product's form."""
    responses = {"predict": answers}
    if task.classes is not None:
        responses = {"predict": task.classes[answers.argmax(axis=2)], "predict_proba": answers}
    return Predictions(task.row, task.repeat, task.fold % (task.folds // task.repeats), responses, task.classes)


def scored(task: Task, answers: NDArray[Any], rows: NDArray[np.bool_] | None = None, at_once: int = 100) -> Pool:
    """Score answers by the product's `scoring.metrics`: of all rows, or of a slice; some at once, to save memory."""
    kept = np.ones(len(task.y), dtype=bool) if rows is None else rows
    whole = predictions(task, answers[:1].astype(np.float64)).of_rows(kept)
    common: dict[str, Scores] = {}
    slots: dict[str, Any] = {}
    splits: dict[str, Any] = {}
    for name in metric_names(task):
        metric = Metric(name, get_scorer(name), None)
        try:
            common[name] = metrics.score(whole, metric, task.truth)
        except PromiseError:  # one class only in a fold of a slice: the product passes over it, too
            if rows is None:
                raise
            continue
        parts = [
            [metrics.score(one, metric, task.truth) for one in _by_repeat(task, answers[start : start + at_once], kept)]
            for start in range(0, len(answers), at_once)
        ]
        slots[name], splits[name] = (
            np.concatenate([np.concatenate([getattr(one, what) for one in some], axis=1) for some in parts])
            for what in ("psi", "splits")
        )
    return Pool(common, slots, splits, whole.split, task.repeats, np.zeros(len(answers), dtype=bool))


def _by_repeat(task: Task, answers: NDArray[Any], kept: NDArray[np.bool_]) -> Iterator[Predictions]:
    """Return each repeat by itself: where a row has one slot, its value is the slot's."""
    all_slots = predictions(task, answers.astype(np.float64)).of_rows(kept)
    for repeat in range(task.repeats):
        of = all_slots.repeat == repeat
        responses = {name: answers[:, of] for name, answers in all_slots.responses.items()}
        zeros = np.zeros(int(of.sum()), dtype=np.int64)
        yield Predictions(all_slots.row[of], zeros, all_slots.fold[of], responses, all_slots.classes)


def looks(
    metric: str,
    baseline: Scores,
    candidate: Scores,
    noise_reference: NoiseReference,
    margin: float | None = None,
    anchor: Anchor | None = None,
) -> Iterator[MetricVerdict]:
    """Return the product's verdict of each look: with one seed, then with more."""
    for look in sequential.looks(noise_reference.runs):
        seen = candidate.first(look.seeds)
        verdict = judge.judge_metric(
            metric, baseline, seen, noise_reference, margin, alpha_fraction=look.alpha_fraction
        )
        yield verdict if anchor is None else defend(verdict, anchor, seen, alpha_fraction=look.alpha_fraction)


def ours(
    metric: str,
    baseline: Scores,
    candidate: Scores,
    noise_reference: NoiseReference,
    anchor: Anchor | None = None,
) -> MetricVerdict:
    """Return the product's verdict: with one seed, and with more while it is inconclusive."""
    for verdict in looks(metric, baseline, candidate, noise_reference, anchor=anchor):
        if verdict.verdict != "inconclusive":
            break
    return verdict


@dataclass(frozen=True, eq=False)
class Trials:
    """Many replicates of one comparison: what our rule said, and the single runs that other rules look at.

    Parameters
    ----------
    baseline, candidate : ndarray of shape (n,)
        Scores of one run each.
    folds : ndarray of shape (n, n_folds)
        Differences of their fold scores.
    margin : ndarray of shape (n,)
        The product's default.
    passed, worse : ndarray of shape (n,)
        Whether the product passed it, and whether it calls it worse at whatever margin (nulls only).
    seeds : ndarray of shape (n,)
        With how many the product reached its verdict.
    loss : float
        The true one, between the means of the banks.
    """

    baseline: NDArray[np.float64]
    candidate: NDArray[np.float64]
    folds: NDArray[np.float64]
    margin: NDArray[np.float64]
    passed: NDArray[np.bool_]
    worse: NDArray[np.bool_]
    seeds: NDArray[np.int64]
    loss: float

    @property
    def count(self) -> int:
        """How many replicates."""
        return len(self.passed)

    @property
    def blocked(self) -> NDArray[np.bool_]:
        """What did not pass."""
        return ~self.passed

    def margins(self, recordings: int) -> NDArray[np.float64]:
        """Return the default margins of some recordings, each in units of their median."""
        some = np.unique(self.margin, return_index=True)[1]
        margins = self.margin[np.sort(some)[:recordings]]
        return margins / np.median(margins)

    def lottery(self, recordings: int) -> float:
        """Return how far the default margin of one of so many recordings is from their median, as a share of it."""
        return float(np.abs(self.margins(recordings) - 1).max())


def trials(cell: Cell, condition: Pool, count: int, rng: np.random.Generator, *, null: bool) -> dict[str, Trials]:
    """Judge a condition many times, some in turn against one recording; the same runs under every metric."""
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in cell.metrics}
    recorded: dict[str, tuple[Scores, NoiseReference]] = {}
    for number in range(count):
        drawn = condition.draw(rng, cell.seeds)
        if number % cell.again == 0:
            recorded = cell.record(cell.metrics, cell.draw(rng))
        for name, (baseline, noise_reference) in recorded.items():
            candidate = condition.run(name, drawn, noisy=False)
            margin = noise_reference.margin(baseline.score)
            one, other = baseline.splits[0], candidate.splits[0]
            weights = baseline.weights
            seeds: int | None
            passed, worse, seeds = True, False, 1
            if not condition.same[drawn].all():
                passed, worse, seeds = _judged(name, baseline, candidate, noise_reference, at_any_margin=null)
            rows[name].append((one @ weights, other @ weights, other - one, margin, passed, worse, seeds))
    found = {}
    for name, row in rows.items():
        loss = cell.plain.score(name) - condition.score(name)
        columns: list[Any] = [*map(np.array, zip(*row, strict=True)), loss]
        found[name] = Trials(*columns)
    return found


def _judged(
    name: str, baseline: Scores, candidate: Scores, noise_reference: NoiseReference, *, at_any_margin: bool
) -> tuple[bool, bool, int | None]:
    """Say whether it passes, whether it would be called worse if no loss were harmless, and the seeds it took."""
    verdict, at_none = None, "" if at_any_margin else "not asked"
    margin = ANY_MARGIN * noise_reference.margin(baseline.score)
    for look in looks(name, baseline, candidate, noise_reference):
        if verdict is None or verdict.verdict == "inconclusive":
            verdict = look
        if at_none in ("", "inconclusive"):
            assert look.low is not None
            assert look.high is not None
            at_none = judge.classify(look.low, look.high, margin, beats_dummy=not look.reason)
        if "inconclusive" not in (verdict.verdict, at_none):
            break
    assert verdict is not None
    return verdict.verdict in PASSING, at_none == "worse", verdict.seeds


def smallest_loss(
    cell: Cell, metric: str, count: int, rng: np.random.Generator, caught: float = 0.95
) -> tuple[float, float]:
    """Find the smallest loss, and nothing but a loss, that is caught in 95% of cases, and what it is held against.

    Every row loses the same; of hits, which can't, one row after another is lost.

    Returns
    -------
    tuple of (float, float)
        The loss, and ``max(2% of the skill, 3.97 * SE of a pair of single runs)``.
    """
    error = cell.pair_error(rng, metric)
    held_against = max(noise.SKILL_SHARE * (cell.plain.score(metric) - cell.dummy[metric]), 3.97 * error)
    found = []
    for _ in range(count):
        baseline, noise_reference = cell.baseline(rng, metric)
        candidate = cell.harmless.run(metric, cell.harmless.draw(rng, cell.seeds), noisy=False)
        losses = list(_losses(cell, metric, candidate, held_against, rng))
        low, high = 0, len(losses) - 1  # the largest is caught, or nothing is
        while low < high:
            middle = (low + high) // 2
            verdict = ours(metric, baseline, losses[middle][1](), noise_reference).verdict
            low, high = (middle + 1, high) if verdict in PASSING else (low, middle)
        found.append(losses[low][0])
    return float(np.quantile(found, caught, method="higher")), held_against


def _losses(
    cell: Cell, metric: str, candidate: Scores, unit: float, rng: np.random.Generator
) -> Iterator[tuple[float, Any]]:
    """Return growing losses, and a function that makes the candidate which has it."""
    if candidate.kind != "zero_one":
        for share in np.arange(0, 5, 0.02):
            loss = float(share * unit)
            yield loss, lambda loss=loss: replace(candidate, psi=candidate.psi - loss, splits=candidate.splits - loss)
        return
    order = rng.permutation(candidate.psi.shape[1])
    hits = np.concatenate([[0], np.cumsum(cell.harmless.slots[metric].mean(axis=0)[order])]) / len(order)
    fold = cell.task.fold
    shares = np.stack([(fold == k) / (fold == k).sum() for k in range(cell.task.folds)], axis=1)
    for lost in range(len(order)):
        if hits[lost] > 5 * unit and lost > 5:
            return

        def made(lost: int = lost) -> Scores:
            psi = candidate.psi.copy()
            psi[:, order[:lost]] = 0
            return replace(candidate, psi=psi, splits=psi @ shares)

        yield float(hits[lost]), made


def drift(
    cell: Cell, metric: str, steps: Sequence[float], margin: float, rng: np.random.Generator, *, guarded: bool
) -> tuple[float, float]:
    """Release after release, each a step (in margins) from the last approved one; every pass is recorded anew.

    Returns
    -------
    tuple of (float, float)
        Where it ended, in margins from where it began, and the share of releases that were blocked.
    """
    level, blocked = 0.0, 0
    anchor: Anchor | None = None

    def at(scores: Scores, where: float) -> Scores:
        return replace(scores, psi=scores.psi + where * margin, splits=scores.splits + where * margin)

    def record(where: float) -> tuple[Scores, NoiseReference]:
        scores, noise_reference = cell.baseline(rng, metric)
        return at(scores, where), noise_reference

    def anchored() -> Anchor:
        return Anchor(
            baseline.psi.mean(axis=0), baseline.folds, noise_reference, noise_reference.margin(baseline.score)
        )

    baseline, noise_reference = record(0.0)
    first = anchored()
    for step in steps:
        run = cell.harmless.run(metric, cell.harmless.draw(rng, cell.seeds), noisy=False)
        verdict = ours(metric, baseline, at(run, level + step), noise_reference, anchor)
        if verdict.verdict not in PASSING:
            blocked += 1
            continue
        level += step
        baseline, noise_reference = record(level)  # fresh seeds: the approved run is not among them
        if guarded:
            anchor = anchor or first
            if surpasses(anchor, baseline):
                anchor = anchored()
    return level, blocked / len(steps)


def rng_of(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of a name."""
    return np.random.default_rng([seed, 1, *(zlib.crc32(name.encode()) for name in names)])
