"""What the functions of this folder are given, checked: a ValueError starts with the argument's name. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def require(condition: bool | np.bool, name: str, expected: str, value: object) -> None:
    """Raise a ValueError that names the argument, what it must be and what it is, unless the condition holds."""
    # comparisons with NaN are false, so every range check refuses NaN too
    if not condition:
        raise ValueError(f"{name}: expected {expected}, got {value}")


def as_array(name: str, values: npt.ArrayLike, ndim: int, *, finite: bool = True) -> Floats:
    """Return an argument as a non-empty array of so many dimensions, without NaN."""
    array = np.asarray(values, dtype=np.float64)
    require(array.ndim == ndim and array.size > 0, name, f"a non-empty {ndim}-d array", f"shape {array.shape}")
    bad = ~np.isfinite(array) if finite else np.isnan(array)
    require(not bad.any(), name, "numbers", f"{bad.sum()} NaN or infinite")
    return array


def as_codes(name: str, labels: npt.ArrayLike, n: int) -> npt.NDArray[np.intp]:
    """Return the place of each of n labels among the sorted different ones."""
    labels_: npt.NDArray[Any] = np.asarray(labels)
    require(labels_.shape == (n,), name, f"{n} labels", f"shape {labels_.shape}")
    try:  # None and pandas.NA can't be compared; NaN and NaT differ from themselves
        missing = bool((labels_ != labels_).any())  # noqa: PLR0124
        codes = np.unique(labels_, return_inverse=True)[1]
    except TypeError as error:
        raise ValueError(f"{name}: expected labels of one type, none missing ({error})") from error
    require(not missing, name, "labels", "missing ones")
    return codes
