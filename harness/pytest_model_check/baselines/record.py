"""The record of a baseline: what was approved, what it scored, and what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.verdicts import Acceptance

RETIRED = "retired"  # the folder, in that of the baselines, of those whose checks were given up
GIVEN_UP = "retired: the check was given up"  # begins what such an acceptance says


@dataclass(frozen=True)
class StoredAnchor:
    """The anchor of one metric: the baseline that losses are added up from, where it is an earlier one.

    Parameters
    ----------
    since : int
        Which recording it is, counted from 1.
    score : float
        Averaged over its seeds; its influence values are stored beside the predictions.
    folds : tuple of float
        The score in each split, averaged over its seeds.
    noise_reference : NoiseReference
        As it was measured then.
    """

    since: int
    score: float
    folds: tuple[float, ...]
    noise_reference: NoiseReference


@dataclass(frozen=True)
class BaselineMetric:
    """One metric of a baseline.

    Parameters
    ----------
    score : float
        Averaged over all seeds.
    standard_error : float
        Of the score, over rows.
    folds : tuple of float
        The score in each split, averaged over seeds.
    definition : str
        How it was computed.
    margin : float or None
        The margin in force when the baseline was recorded; None: the metric is reported, not judged.
    margin_reason : str
        Where it comes from.
    noise_reference : NoiseReference
        Dummy, seed noise and noise floor.
    anchor : StoredAnchor or None
        None: this baseline is its own.
    """

    score: float
    standard_error: float
    folds: tuple[float, ...]
    definition: str
    margin: float | None
    margin_reason: str
    noise_reference: NoiseReference
    anchor: StoredAnchor | None = None


@dataclass(frozen=True)
class Baseline:
    """What a release is held against; ``baselines/<name>.json`` for people and git.

    Parameters
    ----------
    name, nodeid : str
        The check's.
    candidate : str
        The estimator as scikit-learn prints it.
    learner : {'random', 'deterministic', 'nondeterministic'}
        Whether other seeds, or even the same seed, gave other predictions.
    data : tuple of (path, md5)
        The version of the data.
    rows : int
        How many rows the data has.
    target_digest : str
        Of the target's values.
    protocol : mapping
        The splitter and the column roles, in words.
    metrics : mapping of str to BaselineMetric
        By name.
    seeds : int
        How many seeds the stored predictions hold.
    entropy : int
        Where their random states come from.
    generation : int
        How often this baseline has been recorded.
    classes : tuple or None
        The labels, in the order of the stored columns.
    predictions_md5 : str
        The digest of ``baselines/<name>.parquet``.
    environment : mapping of str to str
        Versions of what computed it.
    history : tuple of Acceptance
        Every loss and every weaker promise that was ever accepted, the first one first.
    reused : int
        How many recordings before this one were made on the same version of the data.
    formerly : tuple of str
        The names that the check had before, the first one first.
    columns : mapping of str to str
        Digests of the columns with a part to play: groups, time, slices.
    """

    name: str
    nodeid: str
    candidate: str
    learner: str
    data: tuple[tuple[str, str], ...]
    rows: int
    target_digest: str
    protocol: Mapping[str, Any]
    metrics: Mapping[str, BaselineMetric]
    seeds: int
    entropy: int
    generation: int
    classes: tuple[Any, ...] | None
    predictions_md5: str
    environment: Mapping[str, str]
    history: tuple[Acceptance, ...] = ()
    reused: int = 0
    formerly: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def standing(self) -> tuple[Acceptance, ...]:
        """What was accepted, and has not been won back yet."""
        return tuple(one for one in self.history if one.closed is None)


def is_retirement(acceptance: Acceptance) -> bool:
    """Whether what was accepted is that the whole check was given up."""
    return acceptance.message.startswith(GIVEN_UP)
