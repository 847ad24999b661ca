"""Scores made of influence values."""

import numpy as np
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.judgement.statistics import (
    split_variances,
)


def scores(psi, kind="mean", min_standard_error=0.0, clusters=None, folds=2) -> Scores:
    """Bring rows to scores, in folds of neighbours."""
    psi = np.atleast_2d(np.asarray(psi, dtype=float))
    parts = np.array_split(np.arange(psi.shape[1]), folds)
    splits = np.stack([psi[:, part].mean(axis=1) for part in parts], axis=1)
    weights = np.array([len(part) for part in parts]) / psi.shape[1]
    fold = np.repeat(np.arange(folds), [len(part) for part in parts])
    variances = split_variances(psi, fold) if len(psi) > 1 else np.zeros(folds)
    return Scores("defined", psi, clusters, False, splits, variances, weights, kind, min_standard_error)
