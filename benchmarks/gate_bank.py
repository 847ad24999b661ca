"""The bank of `gate_quality.py`: out-of-fold answers of many fits, fitted once and kept on disk.

A run of a learner is put together fold by fold from the bank, as in the product every fold has its own random state; so
a few hundred fits per fold make more different runs than anybody could ever draw.
"""

from __future__ import annotations

import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from gate_tables import Task, load_task
from numpy.typing import NDArray
from pytest_model_check.fitting.fit import LEAVE_OUTS
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier, XGBRegressor

VERSION = 2  # of what is fitted: another number, another bank
TREES = 30  # of a forest
ITERATIONS = {"forest": TREES, "boosting": 20, "linear": 200, "network": 200, "neighbours": 5}
DETERMINISTIC = ("linear", "neighbours")  # learners that draw no random numbers
REFITS = "refits"  # the condition of theirs that a baseline is recorded with
PARTITIONS = 10  # of the training rows of a fold, into the parts that the refits of one baseline leave out
SHUFFLED_TOGETHER = 30  # trees that see the same shuffled rows

DATASETS = ("breast_cancer", "wine", "digits", "diabetes")
CELLS = (
    *(("linear", dataset) for dataset in DATASETS),
    *(("forest", dataset) for dataset in DATASETS),
    *(("boosting", dataset) for dataset in DATASETS),
    ("network", "wine"),  # on the others a bank of it takes hours
)
# What came later: nearest neighbours, few positives (late_flights), groups (unions), days (haze), and repeats. They
# count by themselves, so that the others can be compared with what was measured before.
LATER = ("affairs", "late_flights", "loans", "unions", "haze")
LATER_CELLS = (
    *(("linear", dataset) for dataset in LATER),
    *(("boosting", dataset) for dataset in LATER),
    *(("neighbours", dataset) for dataset in ("breast_cancer", "affairs", "late_flights", "unions", "haze")),
    *((learner, "loans_repeated") for learner in ("linear", "boosting")),
    ("forest", "unions"),
)
SLICED = (("linear", "affairs"), ("boosting", "affairs"))  # into 5, 10 and 20, judged beside the whole
STRENGTHS = (1, 2, 3)
# Each kind of damage at three strengths; what a strength is, `damaged` says.
KINDS = (
    "label noise",
    "dropped features",
    "fewer trees or iterations",
    "shallow or over-regularised",
    "less training data",
    "missing scaler",
    "informative columns removed",
    "class mislabelled in a slice",
)
# What is left out has another name for learners that draw no random numbers: theirs is the A/A test of the product.
NULLS = {
    "linear": ("5% left out", "shuffled rows", "permuted columns"),
    "neighbours": ("5% left out",),  # nothing else changes an answer
    **dict.fromkeys(("forest", "boosting", "network"), ("another seed", "shuffled rows", "permuted columns")),
}


@dataclass(frozen=True)
class Recipe:
    """How a model is fitted: the columns, the labels it is told, the rows it may learn from, its settings."""

    X: NDArray[np.float64]
    y: NDArray[Any]
    usable: NDArray[np.bool_]
    settings: dict[str, Any] = field(default_factory=dict)
    scaled: float = 1.0  # share of the columns that the scaler sees
    change: str = ""  # what differs from fit to fit beside the random state: a null's name


def plain(task: Task) -> Recipe:
    """Return the recipe of the approved model."""
    return Recipe(task.X, task.y, np.ones(len(task.y), dtype=bool))


def damaged(task: Task, learner: str, kind: str, strength: int, seed: int) -> Recipe:
    """Plant a regression: one fixed piece of damage; only the learner's random state varies from fit to fit."""
    rng, n, d = _rng(seed, task.name, kind), len(task.y), task.X.shape[1]
    good, step = plain(task), strength - 1
    if kind == "label noise":  # 10, 20, 40% of the labels; of targets, noise of .5, 1, 2 standard deviations
        if task.classes is None:
            return replace(good, y=task.y + rng.normal(0, (0.5, 1, 2)[step] * task.y.std(), n))
        return replace(good, y=_relabelled(task, rng.random(n) < (0.1, 0.2, 0.4)[step], rng))
    if kind == "dropped features":  # a quarter, a half, three quarters of the columns, whichever
        return replace(good, X=task.X[:, rng.permutation(d)[strength * d // 4 :]])
    if kind == "fewer trees or iterations":
        shares = {"linear": (0.05, 0.02, 0.01), "network": (0.3, 0.15, 0.07), "neighbours": (0.6, 0.4, 0.2)}
        share = shares.get(learner, (2 / 3, 1 / 3, 1 / 6))[step]
        return replace(good, settings={"iterations": max(1, round(share * ITERATIONS[learner]))})
    if kind == "shallow or over-regularised":
        return replace(good, settings={"strictness": strength})
    if kind == "less training data":  # a half, a quarter, an eighth of every class
        order = rng.permutation(n)
        within = np.empty(n, dtype=np.int64)
        groups = np.zeros(n, dtype=np.int64) if task.classes is None else task.y
        for group in np.unique(groups):
            rows = order[groups[order] == group]
            within[rows] = np.arange(len(rows))
        return replace(good, usable=within % 2**strength == 0)
    if kind == "missing scaler":  # on a third, two thirds, all of the columns
        if learner in ("forest", "boosting"):  # which scale does not touch: columns cut into 8, 4, 2 steps instead
            edges = np.linspace(0, 1, (8, 4, 2)[step] + 1)[1:-1]
            cut = [np.searchsorted(np.quantile(column, edges), column).astype(float) for column in task.X.T]
            return replace(good, X=np.stack(cut, axis=1))
        return replace(good, scaled=1 - strength / 3)
    if kind == "informative columns removed":  # the first, two, four
        return replace(good, X=np.delete(task.X, task.rank[: (1, 2, 4)[step]], axis=1))
    column = task.X[:, task.rank[0]]  # class mislabelled in a slice: 30, 60, 90% of it
    inside = column > np.median(column)
    of_class = task.y == np.bincount(task.y[inside]).argmax() if task.classes is not None else task.y > task.y.mean()
    wrong = inside & of_class & (rng.random(n) < 0.3 * strength)
    if task.classes is None:
        return replace(good, y=np.where(wrong, task.y[task.y < task.y.mean()].mean(), task.y))
    return replace(good, y=np.where(wrong, (task.y + 1) % len(task.classes), task.y))


def build(learner: str, task: Task, settings: dict[str, Any], scaled: float, columns: int, seed: int) -> Any:
    """Make the estimator."""
    regression, strict = task.classes is None, settings.get("strictness", 0)
    iterations = settings.get("iterations", ITERATIONS[learner])
    if learner == "boosting":
        return (XGBRegressor if regression else XGBClassifier)(
            n_estimators=iterations,
            max_depth=3,
            subsample=0.5,
            learning_rate=0.1 if regression else 0.3,
            reg_lambda=(1, 10, 50, 250)[strict],
            max_bin=64,
            n_jobs=1,
            random_state=seed,
        )
    model: Any
    if learner == "neighbours":
        model = KNeighborsClassifier((iterations, 25, 75, 200)[strict])
    elif learner == "network":
        model = MLPClassifier((8,), max_iter=iterations, alpha=(1e-4, 1, 5, 25)[strict], random_state=seed)
    elif regression:
        solver = {"solver": "lsqr", "max_iter": strict_iterations(iterations)} if "iterations" in settings else {}
        model = Ridge(alpha=(1, 100, 1000, 10000)[strict], **solver)
    else:
        model = LogisticRegression(C=(1, 0.03, 0.003, 0.0003)[strict], max_iter=iterations)
    seen = list(range(round(scaled * columns)))
    scaler: Any = StandardScaler()
    if scaled < 1:
        scaler = ColumnTransformer([("scale", scaler, seen)], remainder="passthrough")
    return make_pipeline(scaler, model)


def strict_iterations(iterations: int) -> int:
    """Stop least squares early: 3, 2, 1 steps, for it is quick."""
    return {10: 3, 4: 2, 2: 1}[iterations]


def fits(learner: str, task: Task, recipe: Recipe, count: int, key: tuple[int, str]) -> NDArray[np.floating[Any]]:
    """Fit `count` models in every fold; give their out-of-fold answers, shape (count, n_rows[, n_classes]).

    Of forests, `count` is of single trees: a forest of any seed is the mean over some of them.
    """
    shape = (count, len(task.row)) + (() if task.classes is None else (len(task.classes),))
    found = np.empty(shape, dtype=np.float64 if learner in DETERMINISTIC else np.float32)
    for k in range(task.folds):
        test, held_out = task.fold == k, recipe.X[task.held_out(k)]
        batches = range(0, count, SHUFFLED_TOGETHER if learner == "forest" else 1)
        for start in batches:
            rng = _rng(*key, k, start)
            train, columns = task.trains[k], np.arange(recipe.X.shape[1])
            train = train[recipe.usable[train]]
            if recipe.change == "shuffled rows":
                train = rng.permutation(train)
            elif recipe.change == "permuted columns":
                columns = rng.permutation(columns)
            elif recipe.change == "5% left out":
                train = np.sort(rng.permutation(train)[round(0.05 * len(train)) :])
            elif recipe.change == REFITS:
                part = start % LEAVE_OUTS
                shuffled = _rng(*key, k, "partition", start - part).permutation(len(train))
                train = np.delete(train, shuffled[part::LEAVE_OUTS])
            X, y, seed = recipe.X[:, columns], recipe.y[train], int(rng.integers(2**31))
            if learner == "forest":
                stop = min(start + SHUFFLED_TOGETHER, count)
                found[start:stop, test] = _trees(
                    task, recipe.settings, stop - start, seed, X[train], y, held_out[:, columns]
                )
            else:
                model = build(learner, task, recipe.settings, recipe.scaled, len(columns), seed).fit(X[train], y)
                found[start, test] = (model.predict if task.classes is None else model.predict_proba)(
                    held_out[:, columns]
                )
    return found


def _trees(
    task: Task, settings: dict[str, Any], count: int, seed: int, X: Any, y: Any, held_out: Any
) -> NDArray[np.float32]:
    depth = (None, 4, 2, 1)[settings.get("strictness", 0)]
    kind = RandomForestRegressor if task.classes is None else RandomForestClassifier
    forest = kind(count, max_depth=depth, random_state=seed).fit(X, y)
    rows = held_out.astype(np.float32)
    answer = "predict" if task.classes is None else "predict_proba"
    return np.stack([getattr(tree, answer)(rows, check_input=False) for tree in forest.estimators_])


@dataclass(frozen=True)
class Sizes:
    """How many fits per fold: of the approved model, of the other nulls, of each planted regression.

    The mean of a small bank is off: by s / sqrt(fits), s being the noise of one run. A null's bank must not be small;
    of a learner that has none, another seed is the only null. A planted regression is what its bank is.
    """

    plain: dict[str, int]
    nulls: dict[str, int]
    planted: dict[str, int]


FULL = Sizes(
    plain={"linear": 100, "neighbours": 100, "forest": 450, "boosting": 60, "network": 180},
    nulls={"linear": 12, "neighbours": 12, "forest": 120, "boosting": 15, "network": 15},
    planted={"linear": 1, "neighbours": 1, "forest": 45, "boosting": 2, "network": 2},
)
QUICK = Sizes(
    plain={"linear": 40, "forest": 180, "boosting": 40, "network": 16},
    nulls={"linear": 5},
    planted={"linear": 1, "forest": 60, "boosting": 4, "network": 2},
)


@dataclass(frozen=True)
class Bank:
    """A folder of answers, one file per learner, data set and condition; what is missing is fitted."""

    folder: Path
    seed: int
    sizes: Sizes
    cells: tuple[tuple[str, str], ...]
    strengths: tuple[int, ...]

    @property
    def planted(self) -> list[str]:
        """Name the planted regressions."""
        return [f"{kind} {strength}" for kind in KINDS for strength in self.strengths]

    def nulls(self, learner: str, dataset: str) -> tuple[str, ...]:
        """Name the nulls of a cell: of later ones without randomness the first, for the others are never blocked."""
        few = learner not in self.sizes.nulls or (learner in DETERMINISTIC and (learner, dataset) in LATER_CELLS)
        return NULLS[learner][:1] if few else NULLS[learner]

    def conditions(self) -> Iterator[tuple[str, str, str]]:
        """Return (learner, data set, condition) in the order of fitting: the nulls first."""
        for learner, dataset in self.cells:
            yield learner, dataset, "plain"
            if learner in DETERMINISTIC:
                yield learner, dataset, REFITS
        for learner, dataset in self.cells:
            for null in self.nulls(learner, dataset):
                yield learner, dataset, null
        cheap = ("forest", "linear", "neighbours", "boosting", "network")
        for learner, dataset in sorted(self.cells, key=lambda cell: cheap.index(cell[0])):
            for planted in self.planted:
                yield learner, dataset, planted

    def answers(self, learner: str, dataset: str, condition: str) -> NDArray[np.floating[Any]]:
        """Return the answers of a condition, shape (fits, rows[, classes])."""
        if condition == "another seed" or (learner == "forest" and condition.startswith("fewer")):
            condition = "plain"  # its fits; a smaller forest is a mean over fewer of the same trees
        count = self._count(learner, condition)
        path = self._folder / f"{learner}-{dataset}-{condition.replace(' ', '_')}-{count}.npy"
        if path.exists():
            stored: NDArray[np.floating[Any]] = np.load(path)
            return stored
        began, task = time.process_time(), load_task(dataset)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what stops early says so
            found = fits(learner, task, self._recipe(learner, task, condition), count, (self.seed, path.name))
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part.npy")
        np.save(unfinished, found)
        unfinished.rename(path)
        with self._times.open("a", encoding="utf-8") as times:
            print(f"{time.process_time() - began:.2f} {path.stem}", file=times)
        return found

    def fill(self, say: Callable[[str], None]) -> float:
        """Fit what is missing; give the processor seconds that all of it took."""
        for learner, dataset, condition in self.conditions():
            missing = self.seconds
            self.answers(learner, dataset, condition)
            if self.seconds > missing:
                say(f"bank: {learner}, {dataset}, {condition}: {self.seconds:.0f} s in all")
        return self.seconds

    @property
    def seconds(self) -> float:
        """Processor time of the fits that are kept."""
        lines = self._times.read_text(encoding="utf-8").splitlines() if self._times.exists() else []
        return sum(float(line.split()[0]) for line in lines)

    @property
    def _folder(self) -> Path:
        return self.folder / f"v{VERSION}-{self.seed}"

    @property
    def _times(self) -> Path:
        return self._folder / "seconds.txt"

    def _count(self, learner: str, condition: str) -> int:
        if learner in DETERMINISTIC and condition in ("plain", REFITS):
            return 1 if condition == "plain" else PARTITIONS * LEAVE_OUTS
        if condition in ("plain", "5% left out"):
            sizes = self.sizes.plain
        else:
            sizes = self.sizes.nulls if condition in NULLS[learner] else self.sizes.planted
        return sizes[learner]

    def _recipe(self, learner: str, task: Task, condition: str) -> Recipe:
        if condition == "plain":
            return plain(task)
        if condition in (*NULLS[learner], REFITS):
            return replace(plain(task), change=condition)
        kind, _, strength = condition.rpartition(" ")
        return damaged(task, learner, kind, int(strength), self.seed)


def _relabelled(task: Task, which: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[Any]:
    assert task.classes is not None
    others = (task.y + rng.integers(1, len(task.classes), len(task.y))) % len(task.classes)
    return np.where(which, others, task.y)


def _rng(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of a name: the same in every run, whatever is computed before it."""
    return np.random.default_rng([seed, *(zlib.crc32(str(name).encode()) for name in names)])
