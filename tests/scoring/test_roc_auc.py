"""DeLong's test, as pROC has it.

The numbers are those of pROC 1.18.0 under R, for two columns of scikit-learn's breast cancer data::

    a <- roc(target, mean_radius, levels=c(1, 0), direction="<"); b <- roc(target, mean_texture, ...)
    roc.test(a, b, method="delong", paired=TRUE)
"""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.judge import difference
from pytest_model_check.judgement.noise import NoiseReference
from sklearn.datasets import load_breast_cancer
from support.predictions import metric, score


def test_two_markers_of_a_tumour_differ_as_proc_says():
    tumours = load_breast_cancer(as_frame=True)
    malign = (tumours.target == 0).to_numpy().astype(int)
    row = np.arange(len(malign))
    radius, texture = (
        score(
            Predictions(row, 0 * row, 0 * row, {"decision_function": column.to_numpy()[None]}, np.array([0, 1])),
            malign,
            metric("roc_auc"),
        )
        for column in (tumours.data["mean radius"], tumours.data["mean texture"])
    )
    assert (radius.score, texture.score) == pytest.approx((0.9375165160403, 0.7758244807357), abs=1e-13)
    found = difference(texture.psi[0], texture.folds, radius, NoiseReference(0.5, 0.0, inf, None, 0.0))
    assert found.delta / found.se == pytest.approx(7.3087874047334, rel=1e-12)
    bounds = found.delta + 1.959963984540054 * found.se * np.array([-1, 1])
    assert bounds == pytest.approx([0.118331824063775, 0.205052246545601], abs=1e-13)
