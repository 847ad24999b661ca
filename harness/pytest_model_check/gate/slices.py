"""The slices of the data: the groups of rows in which a loss raises an alarm. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.checks.check import Check
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.errors import PromiseError

SLICE_ROWS = 50  # a smaller slice could raise no alarm that anybody should believe
SLICE_VALUES = 50


def values(check: Check, data: Dataset) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Give each slice's name and rows: ``region=north``."""
    for column in check.slices:
        values = data.slices[column].astype(object).where(data.slices[column].notna(), "missing").to_numpy()
        different = sorted(set(values.tolist()), key=str)
        if len(different) > SLICE_VALUES:
            raise PromiseError(
                f"slices= names {column!r}, which has {len(different)} different values",
                f"Name a column with at most {SLICE_VALUES}, or make one in load= (age -> decade).",
            )
        for value in different:
            yield f"{column}={value}", values == value
