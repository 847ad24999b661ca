"""Perfect answers: the truth, as a model would answer that knew it. What no model can beat."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.scoring.jackknife import class_codes


def perfect_answers(slots: Predictions, y: NDArray[Any]) -> Predictions:
    """Answer with the truth.

    Parameters
    ----------
    slots : Predictions
        Of any model: which rows are asked about, in which folds, and the classes.
    y : ndarray of shape (n_rows,)
        The target of all rows of the data set.

    Returns
    -------
    Predictions
        Of one seed, with every response that a model of such a target has.
    """
    truth = y[slots.row]
    if slots.classes is None:
        return replace(slots, responses={"predict": truth[None]})
    sure = np.eye(len(slots.classes))[class_codes(truth, slots.classes)]
    decision = sure[:, 1] - sure[:, 0] if len(slots.classes) == 2 else sure
    return replace(
        slots, responses={"predict": truth[None], "predict_proba": sure[None], "decision_function": decision[None]}
    )
