"""Charts: what the page draws of two models' predictions, counted and binned; pure. No row's content is in it."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.scoring.jackknife import SeedAnswers, class_codes, in_folds

Array = NDArray[np.float64]
FEWEST = 5  # rows behind every mean: of fewer, it would be as good as the rows' own values
POINTS = 100
BINS = 10
LABELS = 12  # of a confusion matrix: the largest classes, all others together are "other"


def charts(
    y: NDArray[Any], approved: Predictions, candidate: Predictions, sample_weight: Array | None = None
) -> dict[str, Any]:
    """Return what the page draws, as JSON takes it.

    Parameters
    ----------
    y : ndarray
        The target of every row of the data.
    approved, candidate : Predictions
        Of the same rows in the same folds. As many seeds of the approved model are used as the candidate has.
    sample_weight : ndarray or None
        How much every row of the data counts; a confusion is then counted in rows of the mean weight.

    Returns
    -------
    dict
        ``seeds``, ``repeats`` and ``rows``: what all else is counted over, or a mean of. Classification:
        ``confusion``; of two classes ``positive``, ``share``, ``roc``, ``precision_recall`` and ``calibration`` as far
        as the models have them; regression: ``deciles`` and ``residuals``. In each, ``approved`` and ``candidate`` have
        the same form.
    """
    if sample_weight is not None:
        approved, candidate = (side.of_rows(sample_weight > 0) for side in (approved, candidate))
    sides = {"approved": approved.first(candidate.seeds), "candidate": candidate}
    weights = np.ones(len(candidate.row))
    if sample_weight is not None:
        weights = sample_weight[candidate.row] / sample_weight[np.unique(candidate.row)].mean()
    found: dict[str, Any] = {
        "seeds": candidate.seeds,
        "repeats": len(np.unique(candidate.repeat)),
        "rows": len(np.unique(candidate.row)),
    }
    truth = y[candidate.row]
    if candidate.classes is None:
        if all("predict" in side.responses and side.responses["predict"].ndim == 2 for side in sides.values()):
            found |= _of_numbers(truth.astype(float), sides, weights)
        return found
    if len(candidate.classes) == 2:
        found |= _of_two_classes(class_codes(truth, candidate.classes) == 1, sides, weights)
    if all("predict" in side.responses for side in sides.values()):
        found["confusion"] = _confusion(truth, candidate.classes, sides, weights)
    return found


def _of_two_classes(positive: NDArray[np.bool_], sides: dict[str, Predictions], weights: Array) -> dict[str, Any]:
    classes = sides["candidate"].classes
    assert classes is not None
    found: dict[str, Any] = {"positive": _label(classes[1]), "share": _short(np.average(positive, weights=weights))}
    names = [
        name
        for name in ("predict_proba", "decision_function")
        if all(name in side.responses and SeedAnswers(side, 0).ranking(name).ndim == 1 for side in sides.values())
    ]
    grid = np.linspace(0.0, 1.0, POINTS)
    if names:
        curves = {key: _curves(side, names[0], positive, grid, weights) for key, side in sides.items()}
        for place, name in enumerate(("roc", "precision_recall")):
            if all(pair is not None for pair in curves.values()):
                found[name] = {"x": _list(grid)} | {key: _list(pair[place]) for key, pair in curves.items() if pair}
    if "predict_proba" in names:
        calibration = {}
        for key, side in sides.items():
            given = side.responses["predict_proba"][:, :, 1]
            bins = np.minimum((given * BINS).astype(int), BINS - 1)
            calibration[key] = _means(bins, given, positive.astype(float), side.row, weights)
        found["calibration"] = calibration
    return found


def _curves(
    side: Predictions, name: str, positive: NDArray[np.bool_], grid: Array, weights: Array
) -> tuple[Array, Array] | None:
    """Average the ROC and the precision-recall curve over folds and seeds, at the same place on the x axis.

    Answers of different fits are not on one scale, so each fold has a curve of its own, weighted by its rows. A fold of
    one class has none; no fold, no curve.
    """
    total, sums = 0.0, np.zeros((2, len(grid)))
    for seed in range(side.seeds):
        scores = SeedAnswers(side, seed).ranking(name)
        for slots in in_folds(side.split):
            if 0 < positive[slots].sum() < len(slots):
                mass = weights[slots]
                sums += mass.sum() * np.array(_of_fold(scores[slots], positive[slots], grid, mass))
                total += mass.sum()
    return (sums[0] / total, sums[1] / total) if total else None


def _of_fold(scores: Array, positive: NDArray[np.bool_], grid: Array, weights: Array) -> tuple[Array, Array]:
    """Return the rate of true positives at each rate of false ones, and the precision at each recall."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # of each group of equal scores
    hits = np.cumsum(weights[order] * positive[order])[last]
    recall, misses = hits / hits[-1], np.cumsum(weights[order] * ~positive[order])[last]
    # the highest true rate at each false rate: a vertical step is drawn at its upper end
    false_rate = np.append(0.0, misses / misses[-1])
    roc = np.interp(grid, false_rate, np.append(0.0, recall))
    reached = np.minimum(np.searchsorted(recall, grid, side="left"), len(last) - 1)
    return roc, (hits / (hits + misses))[reached]


def _confusion(
    truth: NDArray[Any], classes: NDArray[Any], sides: dict[str, Predictions], weights: Array
) -> dict[str, Any]:
    """Count truths by answers: rows, as a mean over seeds and repeats."""
    codes = class_codes(truth, classes)
    sizes = np.bincount(codes[codes >= 0], minlength=len(classes))
    largest = np.sort(np.argsort(-sizes, kind="stable")[:LABELS])
    place = np.full(len(classes) + 1, len(largest))  # the last is of what is no class
    place[largest] = np.arange(len(largest))
    labels = [_label(classes[k]) for k in largest]
    found: dict[str, Any] = {}
    foreign = False
    for key, side in sides.items():
        counts = np.zeros((len(largest) + 1, len(largest) + 1))
        for answers in side.responses["predict"]:
            np.add.at(counts, (place[codes], place[class_codes(answers, classes)]), weights)
        found[key] = counts / (side.seeds * len(np.unique(side.repeat)))
        foreign |= bool(counts[-1].any() or counts[:, -1].any())
    kept = len(largest) + foreign
    found = {key: [_list(row) for row in counts[:kept, :kept]] for key, counts in found.items()}
    return {"labels": labels + ["other"] * foreign, "others": len(classes) - len(largest)} | found


def _of_numbers(truth: Array, sides: dict[str, Predictions], weights: Array) -> dict[str, Any]:
    found: dict[str, Any] = {}
    edges = np.unique(np.quantile(truth, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, truth, side="left")
    errors = {}
    deciles = {}
    for key, side in sides.items():
        answers = np.asarray(side.responses["predict"], dtype=float)
        deciles[key] = _means(
            np.tile(bins, (side.seeds, 1)), np.tile(truth, (side.seeds, 1)), answers, side.row, weights
        )
        errors[key] = (answers - truth).reshape(-1)
    if any(deciles.values()):
        found["deciles"] = deciles
    # round edges, the same for both; what lies further out is counted at the ends
    reach = max(float(np.quantile(np.abs(error), 0.99)) for error in errors.values())
    if reach > 0 and found:
        step = _round(reach / BINS)
        borders = step * np.arange(-BINS, BINS + 1)
        residuals = {"edges": _list(borders)}
        for key, error in errors.items():
            mass = np.tile(weights, len(error) // len(weights))
            counts = np.histogram(np.clip(error, borders[0], borders[-1]), borders, weights=mass)[0]
            residuals[key] = _list(np.asarray(counts / mass.sum(), dtype=np.float64))
        found["residuals"] = residuals
    return found


def _means(bins: NDArray[np.int64], x: Array, y: Array, row: NDArray[np.int64], weights: Array) -> list[list[float]]:
    """Return the mean of both and the number of rows in each bin; of all answers, shape (n_seeds, n_slots)."""
    whole = np.broadcast_to
    return list(_bins(bins, x, whole(y, x.shape), whole(row, x.shape), whole(weights, x.shape)))


def _bins(bins: NDArray[np.int64], x: Array, y: Array, row: NDArray[np.int64], weights: Array) -> Iterator[list[float]]:
    for k in range(BINS):
        inside = bins == k
        rows = len(np.unique(row[inside]))
        if rows >= FEWEST:
            yield [*(_short(np.average(each[inside], weights=weights[inside])) for each in (x, y)), rows]


def _round(size: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten."""
    unit = 10.0 ** floor(log10(size))
    return next(unit * k for k in (1, 2, 5, 10, 20) if unit * k >= size)


def _label(label: Any) -> str:
    return str(label)[:80]


def _list(numbers: NDArray[Any]) -> list[float]:
    return [_short(number) for number in numbers]


def _short(number: float) -> float:
    """Five digits are more than a plot shows, and say nothing of a row."""
    return float(f"{number:.5g}")
