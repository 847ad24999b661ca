"""The margin of a metric: how much may be lost, and where that comes from. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_model_check.judgement.noise import SKILL_SHARE, NoiseReference

MarginKind = Literal["named", "skill_share", "noise_floor", "single_row", "few_rows"]


@dataclass(frozen=True)
class Margin:
    """The loss of a metric that is harmless.

    Parameters
    ----------
    value : float or None
        In the metric's unit; None: the metric is only reported, or its default margin has not been measured yet.
    kind : {'named', 'skill_share', 'noise_floor', 'single_row', 'few_rows'}
        Named in the check; else the default, a share of the skill above a dummy, or the noise floor where that is
        larger. What hangs on a single row has none, nor what sees too few rows of a class.
    """

    value: float | None
    kind: MarginKind


SINGLE_ROW = Margin(None, "single_row")
FEW_ROWS = Margin(None, "few_rows")


def skill_share(score: float, dummy: float | None) -> float | None:
    """Return the default margin of a baseline with this score, where rows and seeds can resolve it."""
    return None if dummy is None else SKILL_SHARE * (score - dummy)


def margin_of(noise_reference: NoiseReference, score: float, named: float | None) -> Margin:
    """Return the margin that the owner named, or else the default one of a baseline with this score."""
    value = noise_reference.margin(score, named)
    if named is not None:
        return Margin(value, "named")
    share = skill_share(score, noise_reference.dummy)
    return Margin(value, "noise_floor" if share is None or noise_reference.floor > share else "skill_share")
