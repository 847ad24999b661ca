"""The engine that makes fits in processes of this machine."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from pickle import PicklingError
from typing import Any

from pytest_model_check.candidates.responses import Answers
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import CandidateError, one_line
from pytest_model_check.fitting.fit import Fit, try_fit

FitProgress = Callable[[int, int], None]  # fits done, fits in all


def run_fits(
    fits: Sequence[Fit],
    candidate: Any,
    cv: CrossValidation,
    entropy: int,
    jobs: int,
    progress: FitProgress = lambda done, total: None,
) -> list[tuple[Fit, Answers]]:
    """Make the fits, in parallel; they come back in order."""
    from joblib import Parallel, delayed

    X, y, classes, weights = cv.dataset.X, cv.dataset.y, cv.classes, cv.dataset.sample_weight
    # Each with its own split only: what a task holds is sent to its process.
    tasks = (delayed(try_fit)(fit, cv.splits[fit.split], candidate, X, y, classes, entropy, weights) for fit in fits)
    # In order, and errors as values: the fold that a message names does not depend on which process was first.
    results = Parallel(n_jobs=min(jobs, len(fits)), return_as="generator")(tasks)
    answered = []
    progress(0, len(fits))
    try:
        for fit, answers in results:
            if isinstance(answers, CandidateError):
                raise answers
            answered.append((fit, answers))
            progress(len(answered), len(fits))
    except PicklingError as error:
        why = str(error.__cause__ or error).strip('"\n ').splitlines()[-1]  # the cause is a traceback in one string
        raise CandidateError(
            f"the candidate can't be sent to the processes that fit it: {one_line(error, why)}",
            "Make it picklable, or let pytest's own process fit it: --model-check-jobs=1",
        ) from error
    except BrokenExecutor as error:
        raise CandidateError(
            f"a process that fits the candidate died: {one_line(error)}",
            "Out of memory? Fewer at a time need less: --model-check-jobs=1",
        ) from error
    finally:
        with warnings.catch_warnings():  # joblib warns of fits that nobody waits for any more
            warnings.simplefilter("ignore")
            results.close()
    return answered
