"""The trials of `gate_quality.py`: runs drawn from the bank, judged by the product itself (`judgement.judge`)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from gate_bank import DETERMINISTIC, NULLS, PARTITIONS, REFITS, TREES, Bank, Task, load_task
from numpy.typing import NDArray
from pytest_model_check.candidates.dummy import make_dummy
from pytest_model_check.checks.check import DEFAULT_SEEDS, Metric
from pytest_model_check.data.dataset import Truth
from pytest_model_check.fitting.fit import LEAVE_OUTS
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate import sequential
from pytest_model_check.judgement import judge, noise
from pytest_model_check.judgement.drift import Anchor, defend, surpasses
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.judgement.verdicts import PASSING, MetricVerdict
from pytest_model_check.scoring import metrics
from sklearn.metrics import get_scorer

FORESTS = {"plain": 600, "null": 300, "planted": 120}  # how many are made of a pool of trees
SEEDS = max(sequential.SEEDS_OF_A_CANDIDATE)
ANY_MARGIN = 1e-12  # of the default margin: below it, a margin excuses nothing
AGAIN = 20  # nulls in turn are held against one recording of a learner without randomness, which takes a while
PAIRS = 400  # of single runs, for the standard error between two
Key = tuple[str, str, str, str]  # learner, data set, condition, metric


@dataclass(frozen=True)
class Pool:
    """The scored fits of one condition, to draw runs from."""

    scores: dict[str, Scores]
    same: NDArray[np.bool_]  # which fits agree with the approved one to rounding

    def draw(self, rng: np.random.Generator, seeds: int) -> NDArray[np.int64]:
        """Draw runs: a fit for every fold of every seed, shape (n_folds, seeds)."""
        some = next(iter(self.scores.values()))
        return rng.integers(len(some.psi), size=(some.splits.shape[1], seeds))

    def run(self, metric: str, drawn: NDArray[np.int64], fold: NDArray[np.int64]) -> Scores:
        """Give the scores of runs: exactly what the product would compute, for no metric reaches across folds."""
        scores = self.scores[metric]
        psi = scores.psi[drawn[fold].T, np.arange(len(fold))]
        runs = replace(scores, psi=psi, splits=scores.splits[drawn.T, np.arange(len(drawn))])
        return replace(runs, row_variances=metrics.row_variances(runs, psi, fold))


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

    def baseline(self, rng: np.random.Generator, metric: str) -> tuple[Scores, NoiseReference]:
        """Record a baseline."""
        fold = self.task.fold
        if self.refits is None:
            scores = self.plain.run(metric, self.plain.draw(rng, DEFAULT_SEEDS), fold)
            return scores, noise.measure(scores, None, self.dummy[metric])
        partitions = rng.integers(PARTITIONS, size=(self.task.folds, 1))
        refits = self.refits.run(metric, partitions * LEAVE_OUTS + np.arange(LEAVE_OUTS), fold)
        scores = self.plain.scores[metric]
        return scores, noise.measure(scores, refits, self.dummy[metric])

    @property
    def harmless(self) -> Pool:
        """Runs that differ in nothing that matters."""
        return self.left_out or self.plain

    def score(self, metric: str) -> float:
        """Give the approved model's expected score."""
        return self.plain.scores[metric].score

    def pair_error(self, rng: np.random.Generator, metric: str) -> float:
        """Give the standard error over rows between two single runs."""
        drawn = self.harmless.draw(rng, 2 * PAIRS)
        runs = self.harmless.run(metric, drawn, self.task.fold)
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
    shape = task.y.shape if task.classes is None else (len(task.y), len(task.classes))
    dummy = np.empty((1, *shape))
    for k in range(task.folds):
        test = task.fold == k
        model = make_dummy(kind).fit(task.X[~test], task.y[~test])
        dummy[0, test] = (model.predict if task.classes is None else model.predict_proba)(task.X[test])
    levels = {name: one.score for name, one in scored(task, dummy).items()}
    # what has no skill is refused when it is recorded
    skilled = {name: level for name, level in levels.items() if plain.scores[name].score > level}
    return Cell(learner, task, plain, refits, left_out, skilled)


def pool(bank: Bank, learner: str, dataset: str, condition: str) -> Pool:
    """Score the bank of a condition; forests are made of its trees first."""
    task, answers = load_task(dataset), bank.answers(learner, dataset, condition)
    if learner == "forest":
        kind = "plain" if condition == "plain" else "null" if condition in NULLS[learner] else "planted"
        trees = max(1, round(TREES * (2 / 3, 1 / 3, 1 / 6)[int(condition[-1]) - 1])) if "fewer" in condition else TREES
        answers = _forests(answers, task, trees, FORESTS[kind], rng_of(bank.seed, learner, dataset, condition))
    same = np.zeros(len(answers), dtype=bool)
    if learner in DETERMINISTIC and condition in NULLS[learner]:
        approved = predictions(task, bank.answers(learner, dataset, "plain"))
        same = np.array([approved.agrees(predictions(task, one[None])) for one in answers])
    return Pool(scored(task, answers), same)


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
    """Give answers the product's form; a slot is a row."""
    rows = np.arange(len(task.y))
    responses = {"predict": answers}
    if task.classes is not None:
        responses = {"predict": task.classes[answers.argmax(axis=2)], "predict_proba": answers}
    return Predictions(rows, np.zeros_like(rows), task.fold, responses, task.classes)


def scored(task: Task, answers: NDArray[Any], at_once: int = 100) -> dict[str, Scores]:
    """Score answers by the product's `scoring.metrics`, some at once for the sake of memory."""
    found: dict[str, list[Scores]] = {name: [] for name in metric_names(task)}
    for start in range(0, len(answers), at_once):
        some = predictions(task, answers[start : start + at_once].astype(np.float64))
        for name, parts in found.items():
            parts.append(metrics.score(some, Metric(name, get_scorer(name), None), Truth(task.y)))
    return {
        name: replace(
            parts[0],
            psi=np.concatenate([part.psi for part in parts]),
            splits=np.concatenate([part.splits for part in parts]),
        )
        for name, parts in found.items()
    }


def ours(
    metric: str,
    baseline: Scores,
    candidate: Scores,
    noise_reference: NoiseReference,
    *,
    margin: float | None = None,
    anchor: Anchor | None = None,
) -> MetricVerdict:
    """Give the product's verdict: with one seed, and with more while it is inconclusive."""
    for look in sequential.looks(noise_reference.runs):
        runs = candidate.first(look.seeds)
        verdict = judge.judge_metric(
            metric, baseline, runs, noise_reference, margin, alpha_fraction=look.alpha_fraction
        )
        if anchor is not None:
            verdict = defend(verdict, anchor, runs, alpha_fraction=look.alpha_fraction)
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


def trials(cell: Cell, condition: Pool, count: int, rng: np.random.Generator, *, null: bool) -> dict[str, Trials]:
    """Judge a condition many times, with a baseline recorded anew for each; the same runs under every metric."""
    fold = cell.task.fold
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in cell.metrics}
    recorded: dict[str, tuple[Scores, NoiseReference]] = {}
    for number in range(count):
        drawn = condition.draw(rng, 1 if cell.refits else SEEDS)
        state = rng.bit_generator.state
        for name in cell.metrics:
            if cell.refits is None or number % AGAIN == 0:
                rng.bit_generator.state = state  # the same baseline
                recorded[name] = cell.baseline(rng, name)
            baseline, noise_reference = recorded[name]
            candidate = condition.run(name, drawn, fold)
            margin = noise_reference.margin(baseline.score)
            one, other = baseline.splits[0], candidate.splits[0]
            weights = baseline.weights
            seeds: int | None
            if condition.same[drawn].all():
                passed, worse, seeds = True, False, 1
            else:
                verdict = ours(name, baseline, candidate, noise_reference)
                passed, seeds = verdict.verdict in PASSING, verdict.seeds
                worse = null and _worse_at_any_margin(name, baseline, candidate, noise_reference, margin)
            rows[name].append((one @ weights, other @ weights, other - one, margin, passed, worse, seeds))
    found = {}
    for name, row in rows.items():
        loss = cell.score(name) - condition.scores[name].score
        columns: list[Any] = [*map(np.array, zip(*row, strict=True)), loss]
        found[name] = Trials(*columns)
    return found


def _worse_at_any_margin(
    name: str, baseline: Scores, candidate: Scores, noise_reference: NoiseReference, margin: float
) -> bool:
    return ours(name, baseline, candidate, noise_reference, margin=ANY_MARGIN * margin).verdict == "worse"


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
    held_against = max(noise.SKILL_SHARE * (cell.score(metric) - cell.dummy[metric]), 3.97 * error)
    found = []
    for _ in range(count):
        baseline, noise_reference = cell.baseline(rng, metric)
        drawn = cell.harmless.draw(rng, 1 if cell.refits else SEEDS)
        candidate = cell.harmless.run(metric, drawn, cell.task.fold)
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
    """Give growing losses, and a function that makes the candidate which has it."""
    if candidate.kind != "zero_one":
        for share in np.arange(0, 5, 0.02):
            loss = float(share * unit)
            yield loss, lambda loss=loss: replace(candidate, psi=candidate.psi - loss, splits=candidate.splits - loss)
        return
    order = rng.permutation(candidate.psi.shape[1])
    hits = np.concatenate([[0], np.cumsum(cell.harmless.scores[metric].psi.mean(axis=0)[order])]) / len(order)
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
    fold, level, blocked = cell.task.fold, 0.0, 0
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
        run = cell.harmless.run(metric, cell.harmless.draw(rng, 1 if cell.refits else SEEDS), fold)
        verdict = ours(metric, baseline, at(run, level + step), noise_reference, anchor=anchor)
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
    """Give the generator of a name."""
    return np.random.default_rng([seed, 1, *(zlib.crc32(name.encode()) for name in names)])
