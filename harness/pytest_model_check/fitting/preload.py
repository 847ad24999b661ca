"""What nearly every fit needs, imported once by the process that the fitting processes are forked from."""

from __future__ import annotations

import contextlib
import importlib

MODULES = (
    "pytest_model_check.fitting.worker",
    "cloudpickle",
    "joblib",
    "pandas",
    "pyarrow",
    "scipy.stats",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "threadpoolctl",
)

for name in MODULES:
    with contextlib.suppress(Exception):  # a fit that needs it will say what is wrong with it
        importlib.import_module(name)
