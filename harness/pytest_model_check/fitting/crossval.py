"""Cross-validation: splits x seeds -> Predictions, the same whatever the number of processes."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from pytest_model_check.candidates.responses import Answers
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import CandidateError
from pytest_model_check.fitting.engine import Batch, Engine, FitProgress, run_fits
from pytest_model_check.fitting.fit import Fit
from pytest_model_check.fitting.predictions import Predictions


def predict(
    candidate: Any,
    cv: CrossValidation,
    *,
    seeds: int,
    entropy: int,
    engine: Engine,
    progress: FitProgress = lambda done, total: None,
    leave_out: bool = False,
    after: int = 0,
) -> Predictions:
    """Fit a clone of the candidate for every seed in every split, and predict the rows held out.

    Parameters
    ----------
    candidate : estimator
        Left as it is.
    cv : CrossValidation
        Data and splits.
    seeds : int
        How many seeds: 0, 1, ..., so that the first of many are the same as the first of few.
    entropy : int
        Where the random states come from: each seed of each split has its own
        (`numpy.random.SeedSequence` with the seed and the split as its key).
    engine : Engine
        Makes the fits.
    progress : callable
        Is told how many fits of how many are done.
    leave_out : bool
        Leave a twentieth of the training rows out of each fit: with each seed another, until all have been left out.
    after : int
        How many seeds have been used before: these are the next ones.

    Raises
    ------
    CandidateError
        Naming the first fold in which a fit fails.
    """
    numbers = range(after, after + seeds)
    fits = tuple(Fit(seed, k, leave_out) for seed in numbers for k in range(len(cv.splits)))
    answered = run_fits(engine, Batch(fits, candidate, cv, entropy), progress)
    warned = Counter(warning for answers in answered for warning in answers.warned)
    for (category, text), count in warned.items():  # once, and here: the same whichever process made the fit
        warnings.warn(f"{text} (in {count} of {len(fits)} fits)", category, stacklevel=2)
    return _gather(cv, zip(fits, answered, strict=True), numbers)


def is_random(candidate: Any, cv: CrossValidation, *, entropy: int, engine: Engine) -> tuple[bool, bool]:
    """Find out by trying, not by its parameters, whether the learner draws random numbers.

    Returns
    -------
    tuple of (bool, bool)
        Whether another seed gives other answers, and whether even the same seed does (threads, GPUs).
    """
    first = replace(cv, splits=cv.splits[:1])
    fits = tuple(Fit(seed, 0) for seed in (0, 0, 1))
    answered = run_fits(engine, Batch(fits, candidate, first, entropy))
    once, again, other = (_gather(first, [(Fit(0, 0), answers)], range(1)) for answers in answered)
    return not once.agrees(other), not once.agrees(again)


def varies(candidate: Any, cv: CrossValidation, predictions: Predictions, *, entropy: int, engine: Engine) -> bool:
    """Whether the learner, fitted once more in the first fold, answers otherwise than its `predictions` by seed 0."""
    first = replace(cv, splits=cv.splits[:1])
    with warnings.catch_warnings():  # the fits that count have warned
        warnings.simplefilter("ignore")
        other = predict(candidate, first, seeds=1, after=1, entropy=entropy, engine=engine)
    return not predictions.head(len(first.splits[0].test)).agrees(other)


def _gather(cv: CrossValidation, answers: Iterable[tuple[Fit, Answers]], seeds: range) -> Predictions:
    """Put the answers in order: seed by seed, split by split."""
    answered = {(fit.seed, fit.split): answer.responses for fit, answer in answers}
    names, numbers = answered[seeds[0], 0].keys(), range(len(cv.splits))
    for (_, k), responses in answered.items():
        if responses.keys() != names:
            raise CandidateError(
                f"{cv.splits[k].words}: the candidate has {', '.join(responses)}, elsewhere {', '.join(names)}"
            )
    responses = {
        name: np.stack([np.concatenate([answered[seed, k][name] for k in numbers]) for seed in seeds]) for name in names
    }
    return replace(slots(cv), responses=responses)


def slots(cv: CrossValidation) -> Predictions:
    """Lay out which rows will be predicted in which folds, without any answer yet."""
    sizes = [len(split.test) for split in cv.splits]
    return Predictions(
        row=np.concatenate([split.test for split in cv.splits]),
        repeat=np.repeat([split.repeat for split in cv.splits], sizes).astype(np.int64),
        fold=np.repeat([split.fold for split in cv.splits], sizes).astype(np.int64),
        responses={},
        classes=cv.classes,
    )


def entropy_of(target_digest: str, splitter: str, generation: int) -> int:
    """Return where the random states of a baseline's nth recording come from: what is predicted, and how it is split.

    Never the clock, and nothing that could be chosen for its luck alone, as a name could.
    """
    return _digest(f"{target_digest} {splitter} {generation}")


def entropy_of_name(name: str, generation: int) -> int:
    """Return where they came from in baselines that were recorded before: from the check's name."""
    return _digest(f"{name} {generation}")


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])
