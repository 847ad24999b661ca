"""Declared: a candidate that is no estimator, and says itself what a promise has to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    import pandas as pd

Origin = Literal["refitted", "loaded", "asked", "elsewhere"]
ServiceProtocol = Literal["mlflow", "v2"]


@dataclass(frozen=True)
class Address:
    """Where a service is asked, as a baseline keeps it: whoever compares latencies must ask it again.

    Parameters
    ----------
    url : str
        Without credentials and query.
    protocol : {'mlflow', 'v2'}
        How it is asked.
    output : str or None
        In V2, the output that is asked for.
    token : str or None
        The environment variable that holds its token.
    """

    url: str
    protocol: ServiceProtocol
    output: str | None = None
    token: str | None = None


class Declared:
    """Base of the candidates that are no estimators: programs, files, services, results.

    Attributes
    ----------
    origin : {'refitted', 'loaded', 'asked', 'elsewhere'}
        Where its answers come from: a fit of every fold, a file of something fitted, a service, an evaluation that this
        run can't repeat.
    task : {'classification', 'regression'}
        What it answers: labels, or numbers.
    has_probabilities : bool
        Whether a classifier answers probabilities too: the default metric depends on it.
    runs : int or None
        How many runs of it there are; None: as many as are asked for, each with a random state of its own.
    id : str or None
        The column that its rows are known by; None: it is asked about the rows themselves.
    scores : tuple of str
        The finished scores of each item that it brings, as metrics are called; then it needs no target.
    items : DataFrame or None
        Where it brings finished scores: its items by their ids, with what else is said of them.
    provenance : tuple of str
        What is known of how it was made, in words for the report.
    takes_weights : bool
        Whether what is fitted here takes sample weights; what is not fitted here has none to take.
    address : Address or None
        Of a service.
    latency_margin : float or None
        How much slower than the approved service it may be, as a share of that one's latency; None: nobody looks.
    """

    origin: ClassVar[Origin]
    task: str = "classification"
    has_probabilities: bool = False
    runs: int | None = None
    id: str | None = None
    scores: tuple[str, ...] = ()
    items: pd.DataFrame | None = None
    provenance: tuple[str, ...] = ()
    takes_weights: bool = False
    address: Address | None = None
    latency_margin: float | None = None

    @property
    def description(self) -> str:
        """What it is, in one line that a baseline keeps: the same in every process, and on every machine."""
        raise NotImplementedError


def origin_of(candidate: Any) -> Origin:
    """Return where the answers of a candidate come from; an estimator is refitted."""
    return candidate.origin if isinstance(candidate, Declared) else "refitted"


def runs_of(candidate: Any) -> int | None:
    """Return how many runs there are of a candidate that can't be asked for more; None: it can."""
    return candidate.runs if isinstance(candidate, Declared) else None


def address_of(candidate: Any) -> Address | None:
    """Return where a candidate is asked; None: it is no service."""
    return candidate.address if isinstance(candidate, Declared) else None


def latency_margin_of(candidate: Any) -> float | None:
    """Return how much slower a candidate may be; None: nobody looks."""
    return candidate.latency_margin if isinstance(candidate, Declared) else None


def provenance_of(candidate: Any) -> tuple[str, ...]:
    """Return what is known of how a candidate was made; nothing of an estimator, which is made here."""
    return candidate.provenance if isinstance(candidate, Declared) else ()
