"""The record of a baseline: what was approved, what it scored, and what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.checks.declared import Address
from pytest_model_check.judgement.margins import MarginKind, skill_share
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.own_scorers import OwnScorer
from pytest_model_check.judgement.verdicts import Acceptance

RETIRED = "retired"  # the folder, in that of the baselines, of those whose checks were given up


@dataclass(frozen=True)
class StoredAnchor:
    """The anchor of one metric: the baseline that losses are added up from, where it is an earlier one.

    Parameters
    ----------
    since : int
        1-based recording number.
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
    margin_kind : {'named', 'skill_share', 'noise_floor', 'single_row', 'few_rows'}
        Where it comes from (`pytest_model_check.judgement.margins.Margin`).
    noise_reference : NoiseReference
        Dummy, seed noise and noise floor.
    anchor : StoredAnchor or None
        None: this baseline is its own.
    scorer : OwnScorer or None
        None: it is scikit-learn's, or it was recorded when that was not kept.
    """

    score: float
    standard_error: float
    folds: tuple[float, ...]
    definition: str
    margin: float | None
    margin_kind: MarginKind
    noise_reference: NoiseReference
    anchor: StoredAnchor | None = None
    scorer: OwnScorer | None = None

    @property
    def skill_share(self) -> float | None:
        """The default margin, where rows and seeds can resolve it; None: there is no dummy to beat."""
        return skill_share(self.score, self.noise_reference.dummy)


@dataclass(frozen=True)
class Baseline:
    """What a release is held against; ``baselines/<name>.json`` for people and git.

    Parameters
    ----------
    name, nodeid : str
        The check's.
    candidate : str
        The estimator, as `pytest_model_check.checks.describe` prints it.
    learner : {'random', 'deterministic', 'nondeterministic'}
        Whether other seeds, or even the same seed, gave other predictions.
    data : tuple of (path, md5)
        The version of the data.
    rows : int
        How many rows the data has.
    target_digest : str
        Of the target's values.
    protocol : Protocol
        How the check is judged.
    test_train_ratio : float
        Rows of a test fold per row that it was trained with, the mean over the splits.
    metrics : mapping of str to BaselineMetric
        By name.
    seeds : int
        How many seeds the stored predictions hold.
    entropy : int
        Where their random states come from.
    generation : int
        1-based recording number.
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
        Digests of the columns with a part to play: groups, time, sample weight, slices.
    description : str
        The problem, in the author's words.
    caveats : tuple of str
        What the author wants a reader to bear in mind.
    effective_rows : float or None
        How many rows of equal weight would say as much; None: there are no weights.
    folds : tuple of int
        How many folds each repeat has, where there are several; empty: a single one, or it was recorded before that was
        kept.
    origin : str
        Where its answers came from: "refitted" here, "loaded", "asked" of a service, or made "elsewhere".
    service : Address or None
        Where it was asked, if it is a service.
    """

    name: str
    nodeid: str
    candidate: str
    learner: str
    data: tuple[tuple[str, str], ...]
    rows: int
    target_digest: str
    protocol: Protocol
    test_train_ratio: float
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
    description: str = ""
    caveats: tuple[str, ...] = ()
    effective_rows: float | None = None
    folds: tuple[int, ...] = ()
    origin: str = "refitted"
    service: Address | None = None

    @property
    def standing(self) -> tuple[Acceptance, ...]:
        """What was accepted, and has not been won back yet."""
        return tuple(acceptance for acceptance in self.history if acceptance.closed is None)
