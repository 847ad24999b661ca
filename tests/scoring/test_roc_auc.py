"""DeLong's test, as pROC has it.

The numbers are those of pROC 1.18.0 under R, for two columns of scikit-learn's breast cancer data::

    a <- roc(target, mean_radius, levels=c(1, 0), direction="<"); b <- roc(target, mean_texture, ...)
    roc.test(a, b, method="delong", paired=TRUE)
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from pytest_model_check.judgement.statistics import delong_placements, standard_error
from sklearn.datasets import load_breast_cancer


def test_two_markers_of_a_tumour_differ_as_proc_says():
    tumours = load_breast_cancer(as_frame=True)
    malign = (tumours.target == 0).to_numpy()
    radius, texture = (delong_placements(malign, tumours.data[f"mean {name}"]) for name in ("radius", "texture"))
    assert (radius.mean(), texture.mean()) == pytest.approx((0.9375165160403, 0.7758244807357), abs=1e-13)
    difference = radius - texture
    of_class = [difference[malign == label] * np.mean(malign == label) for label in (True, False)]
    se = sqrt(sum(values.var(ddof=1) / values.size for values in of_class))  # class by class, as DeLong and pROC do
    assert difference.mean() / se == pytest.approx(7.3087874047334, rel=1e-12)
    bounds = difference.mean() + 1.959963984540054 * se * np.array([-1, 1])
    assert bounds == pytest.approx([0.118331824063775, 0.205052246545601], abs=1e-13)
    assert standard_error(difference).se == pytest.approx(se, rel=0.01)  # over all rows: no class of its own
