"""The terms of a check: what is promised of a model, and how it is judged. Records only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_model_check.judgement.margins import Margin
from pytest_model_check.settings import STRICT, Rules


@dataclass(frozen=True)
class Protocol:
    """How a check is judged.

    Parameters
    ----------
    cv : str
        The splitter, as scikit-learn prints it.
    target : str
        The column that is predicted.
    features, groups, time, slices : column names
        Columns with a part to play; features None: every other column.
    seeds : int or None
        With how many seeds a baseline is measured; None: it was recorded when that was not kept (schema 1).
    rules : Rules
        What the ini file says of evidence that falls short.
    season : int or None
        How many distinct times a season has, where one was named.
    sample_weight : str or None
        The column of weights, where one was named.
    latency_margin : float or None
        Of a service, how much slower than the approved one it may be, as a share; None: nobody looks.
    read : mapping or None
        How the files are read, where that was said. No promise: of what it makes of the rows, the digests tell.
    """

    cv: str
    target: str
    features: tuple[str, ...] | None = None
    groups: str | None = None
    time: str | None = None
    slices: tuple[str, ...] = ()
    seeds: int | None = None
    rules: Rules = STRICT
    season: int | None = None
    sample_weight: str | None = None
    latency_margin: float | None = None
    read: Mapping[str, Any] | None = None

    def plain(self) -> dict[str, Any]:
        """Return it as JSON and the reports have it."""
        return {
            "cv": self.cv,
            "target": self.target,
            "features": None if self.features is None else list(self.features),
            "groups": self.groups,
            "time": self.time,
            **({} if self.season is None else {"season": self.season}),
            **({} if self.sample_weight is None else {"sample_weight": self.sample_weight}),
            **({} if self.latency_margin is None else {"latency_margin": self.latency_margin}),
            **({} if self.read is None else {"read": dict(self.read)}),
            "slices": list(self.slices),
            "seeds": self.seeds,
            **self.rules.values,
        }


@dataclass(frozen=True)
class Terms:
    """What is promised of a model.

    Parameters
    ----------
    protocol : Protocol
        How it is judged.
    margins : mapping of str to Margin
        By metric.
    """

    protocol: Protocol
    margins: Mapping[str, Margin]
