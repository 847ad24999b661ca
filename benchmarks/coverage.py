"""How often the bounds miss: what `judgement.statistics` promises, on made-up differences whose truth is known.

Every difference is simulated with a true mean of zero, so that a lower bound above zero, or an upper one below it, is a
miss: 5% of the one-sided 95% bounds should, and 0.25% of the 99.75% ones. Six tables:

1. groups: rows of one group depend on each other, or don't;
2. days: neighbouring days depend on each other, or follow the week;
3. rows and seeds: what a seed does to single rows is in both noises, and must be counted once (`rows_and_seeds`);
4. few of a class in a fold, for every kind of metric, by the product's scores and `difference` (`few_rows`);
5. few of a class in all, from the fits of a learner to the verdict (`few_rows`);
6. folds of unequal size (`unequal_folds`): a difference that all rows share is no noise.

Run from the repository root: ``python benchmarks/coverage.py`` (about twenty minutes, one process), or only some
of the tables: ``--tables few_of_a_class unequal_folds``. The same ``--seed`` gives the same numbers.
"""

from __future__ import annotations

import argparse
import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import hypot, inf, sqrt
from typing import Any

import numpy as np
from few_rows import few_of_a_class, record_and_judge
from numpy.typing import NDArray
from overhead import machine
from pytest_model_check.judgement.judge import difference
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.judgement.statistics import (
    SeedNoise,
    StandardError,
    half_width,
    seed_noise,
    split_variances,
    standard_error,
)
from scipy.special import ndtri, stdtrit

LEVELS = (0.95, 0.9975)  # as pytest_model_check.judgement.judge has them: that nothing is lost, that something is
Floats = NDArray[np.float64]

GROUPS = {
    "4 of 25": [25] * 4,
    "8 of 25": [25] * 8,
    "20 of 25": [25] * 20,
    "200, 50, 50, 20, 10, 10": [200, 50, 50, 20, 10, 10],
    "500 and nine of 20": [500] + [20] * 9,
    "900 and ten of 10": [900] + [10] * 10,
    "950 and five of 10": [950] + [10] * 5,
}
ALIKE = 0.2  # the share of a group in its rows' variance, where rows of a group depend on each other
DAYS = (14, 30, 90, 365)
WEEK = np.array([0.4] * 5 + [-1.0] * 2)  # five days win, two lose: nothing in all
ROWS, FOLDS, SEEDS = 200, 10, 10
UNEQUAL = (800, 50, 50, 50, 50)


def main() -> None:
    """Simulate and print the tables that docs/method.md shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--times", type=int, default=10_000, help="how many differences of each kind")
    parser.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES), help="which of them")
    options = parser.parse_args()
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "pytest-model-check")}
    print(f"{machine()}; {', '.join(f'{name} {version}' for name, version in versions.items())};")
    fewer = f"{options.times // 20:,} where they are scored and judged as checks do"
    print(f"seed {options.seed}, {options.times:,} differences of each kind, {fewer}\n")
    for name, (headers, rows) in TABLES.items():
        if name in options.tables:
            for line in table(headers, rows(np.random.default_rng(options.seed), options)):
                print(line, flush=True)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write the lines of a Markdown table as its rows come in; what is not a number comes first."""
    yield f"| {' | '.join(headers)} |"
    for number, row in enumerate(rows):
        if number == 0:
            yield f"|{'|'.join('---:' if '%' in cell else '---' for cell in row)}|"
        yield f"| {' | '.join(row)} |"
    yield ""


def missed(means: Floats, *widths: Floats) -> str:
    """Write how often the bounds of each level miss: on both sides of zero, which are alike, so half of them."""
    return " / ".join(f"{50 * (np.abs(means) > width).mean():.2f}%" for width in widths)


def by_quantile(means: Floats, errors: Floats, dof: float) -> str:
    """Count the misses of bounds by Student's t, or by the normal quantile where `dof` is infinite."""
    return missed(means, *(errors * (ndtri(level) if dof == inf else stdtrit(dof, level)) for level in LEVELS))


def by_product(psi: Floats, clusters: NDArray[np.int64] | None, *, is_time_series: bool) -> str:
    """Count the misses of the product's own bounds."""
    found = [standard_error(values, clusters, is_time_series=is_time_series) for values in psi]
    widths = [np.array([half_width(level, one.se, rows_dof=one.dof) for one in found]) for level in LEVELS]
    return missed(psi.mean(axis=1), *widths)


def groups(rng: np.random.Generator, options: Any) -> list[list[str]]:
    """Simulate groups of rows."""
    table_rows = []
    for name, sizes in GROUPS.items():
        clusters = np.repeat(np.arange(len(sizes)), sizes)
        for alike in (0.0, ALIKE):
            shared = rng.normal(size=(options.times, len(sizes)))[:, clusters]
            psi = sqrt(1 - alike) * rng.normal(size=(options.times, clusters.size)) + sqrt(alike) * shared
            means, count = psi.mean(axis=1), len(sizes)
            alone = psi.std(axis=1, ddof=1) / sqrt(clusters.size)
            sums = np.add.reduceat(psi - means[:, None], np.cumsum([0, *sizes[:-1]]), axis=1)
            together = np.sqrt((sums**2).sum(axis=1) * count / (count - 1)) / clusters.size
            table_rows.append(
                [
                    name,
                    f"{alike:g}",
                    by_quantile(means, alone, inf),
                    by_quantile(means, together, inf),
                    by_quantile(means, together, count - 1),
                    by_product(psi, clusters, is_time_series=False),
                ]
            )
    return table_rows


def days(rng: np.random.Generator, options: Any) -> list[list[str]]:
    """Simulate days, one number each."""
    table_rows = []
    for count in DAYS:
        shocks = rng.normal(size=(options.times, count))
        weekday = (rng.integers(0, 7, (options.times, 1)) + np.arange(count)) % 7
        patterns = {
            "each by itself": shocks,
            "AR(1) .3": _autoregressive(shocks, 0.3),
            "AR(1) .5": _autoregressive(shocks, 0.5),
            "weekly": shocks + WEEK[weekday],
        }
        for name, psi in patterns.items():
            means, alone = psi.mean(axis=1), psi.std(axis=1, ddof=1) / sqrt(count)
            table_rows.append(
                [
                    f"{count}",
                    name,
                    by_quantile(means, alone, inf),
                    by_quantile(means, alone, count - 1),
                    by_product(psi, None, is_time_series=True),
                ]
            )
    return table_rows


def _autoregressive(shocks: Floats, rho: float) -> Floats:
    """Let each day keep a share of the day before; the first is as any other."""
    values = shocks.copy()
    values[:, 0] /= sqrt(1 - rho**2)
    for day in range(1, values.shape[1]):
        values[:, day] += rho * values[:, day - 1]
    return values


def rows_and_seeds(rng: np.random.Generator, options: Any) -> list[list[str]]:
    """Simulate a baseline of ten seeds and a candidate of one: what is new in the rows, what the seeds do.

    What the seed does to single rows is seen by both measures, and must not be counted twice. What it does to a whole
    fold is hidden from the rows, and then comes on top of what the rows leave open.
    """
    as_rows = sqrt(FOLDS / ROWS / (1 + 1 / SEEDS))  # of a fold: then seeds and rows put equal noise into the difference
    kinds = {  # standard deviations of: the two models' difference, the seed in single rows, the seed in a whole fold
        "another seed, row by row": (0.0, 1.0, 0.0),
        "another seed, by whole folds": (0.0, 0.1, 0.3),
        "another model, no seeds": (1.0, 0.0, 0.0),
        "another model, seeds row by row": (1.0, 1.0, 0.0),
        "another model, seeds by whole folds, half as noisy as rows": (1.0, 0.0, 0.5 * as_rows),
        "another model, seeds by whole folds, as noisy as rows": (1.0, 0.0, as_rows),
        "another model, seeds by whole folds, twice as noisy as rows": (1.0, 0.0, 2 * as_rows),
    }
    fold = np.repeat(np.arange(FOLDS), ROWS // FOLDS)
    table_rows = []
    for name, (other, single, whole) in kinds.items():
        means, widths = [], []
        for _ in range(options.times):
            runs = np.zeros((SEEDS + 1, ROWS))
            if single:
                runs += single * rng.normal(size=runs.shape)
            if whole:
                runs += whole * rng.normal(size=(SEEDS + 1, FOLDS))[:, fold]
            by_fold = runs[:SEEDS].reshape(SEEDS, FOLDS, -1).mean(axis=2)
            noise = seed_noise(by_fold, np.full(FOLDS, 1 / FOLDS), split_variances(runs[:SEEDS], fold))
            psi = runs[SEEDS] - runs[:SEEDS].mean(axis=0) + other * rng.normal(size=ROWS)
            rows, between = standard_error(psi), sqrt(1 / SEEDS + 1)
            means.append(psi.mean())
            widths.append([_three_ways(level, rows, noise, between) for level in LEVELS])
        ways = np.array(widths)  # of shape (times, levels, ways)
        table_rows.append([name, *(missed(np.array(means), *ways[:, :, way].T) for way in range(ways.shape[2]))])
    return table_rows


def _three_ways(level: float, rows: StandardError, noise: SeedNoise, between: float) -> tuple[float, float, float]:
    """Return the half-width by the larger of rows and seeds, by both in full, and by the product."""
    alone = half_width(level, rows.se, rows_dof=rows.dof), half_width(level, 0.0, noise.s * between, noise.dof)
    product = half_width(level, rows.se, noise.beyond_rows * between, noise.dof, rows_dof=rows.dof)
    return max(alone), hypot(*alone), product


def unequal_folds(rng: np.random.Generator, options: Any) -> Iterator[list[str]]:
    """Compare single runs of a random learner, each row better by .05 or by nothing, in folds of very unequal sizes."""
    fold = np.repeat(np.arange(len(UNEQUAL)), UNEQUAL)
    sizes = np.array(UNEQUAL)
    reference = NoiseReference(-10.0, 0.0, inf, SEEDS, 0.01)
    for gain in (0.05, 0.0):
        found = []
        for _ in range(options.times):
            rows = rng.normal(gain, 0.1, fold.size)
            folds = np.bincount(fold, weights=rows) / sizes
            none = np.zeros(len(sizes))
            scores = Scores("", rows[None], None, False, folds[None], none, sizes / sizes.sum(), "mean", 0.0)
            found.append(difference(0 * rows, none, scores, reference))
        low, high = np.array([one.bounds() for one in found]).T
        error = np.median([one.se for one in found]) / (0.1 / sqrt(fold.size))
        yield [f"{gain:g}", f"{error:.2f}", f"{100 * (low > 0).mean():.2f}% / {100 * (high < 0).mean():.2f}%"]


TABLES: dict[str, tuple[list[str], Callable[..., Any]]] = {
    "groups": (["groups", "correlation", "rows, z", "groups, z", "groups, t(G-1)", "product"], groups),
    "days": (["days", "pattern", "days, z", "days, t(G-1)", "product"], days),
    "rows_and_seeds": (["noise", "the larger of the two", "both, squared and added", "product"], rows_and_seeds),
    "few_of_a_class": (["of a class in a fold", "metric", "SE / sd", "missed"], few_of_a_class),
    "record_and_judge": (["of a class in all", "metric", "missed"], record_and_judge),
    "unequal_folds": (["gain of each row", "median SE / true one", "L > 0 / U < 0"], unequal_folds),
}

if __name__ == "__main__":
    main()
