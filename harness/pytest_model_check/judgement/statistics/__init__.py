"""Intervals and tests on arrays of influence values: how sure a comparison of two models is.

Pure functions of arrays and numbers; nothing here knows about models, metrics or data. Higher is better everywhere, and
a metric's unit is the unit of its influence values, standard errors, half-widths and margins. Whatever is not a finite
number of the right shape is a ValueError that starts with the argument's name.
"""

from pytest_model_check.judgement.statistics.arguments import Floats
from pytest_model_check.judgement.statistics.half_widths import (
    combine,
    exceeds,
    half_width,
    half_widths,
    inconclusive_probability,
    loss_p_value,
    noise_floor,
    resolution,
)
from pytest_model_check.judgement.statistics.hypothesis_tests import (
    CorrectedT,
    corrected_resampled_t,
    holm,
    outliers,
)
from pytest_model_check.judgement.statistics.placements import (
    delong_placements,
)
from pytest_model_check.judgement.statistics.proportions import (
    tango_interval,
    unchanged_bound,
)
from pytest_model_check.judgement.statistics.quantiles import (
    quantile_difference_error,
)
from pytest_model_check.judgement.statistics.seed_noise import (
    SeedNoise,
    seed_noise,
    split_variances,
)
from pytest_model_check.judgement.statistics.standard_errors import (
    StandardError,
    fold_standard_error,
    pooled,
    pooled_standard_error,
    standard_error,
)

__all__ = [
    "CorrectedT",
    "Floats",
    "SeedNoise",
    "StandardError",
    "combine",
    "corrected_resampled_t",
    "delong_placements",
    "exceeds",
    "fold_standard_error",
    "half_width",
    "half_widths",
    "holm",
    "inconclusive_probability",
    "loss_p_value",
    "noise_floor",
    "outliers",
    "pooled",
    "pooled_standard_error",
    "quantile_difference_error",
    "resolution",
    "seed_noise",
    "split_variances",
    "standard_error",
    "tango_interval",
    "unchanged_bound",
]
