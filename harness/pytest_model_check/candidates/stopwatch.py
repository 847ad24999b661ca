"""Services timed side by side: asked the same in turn, so that a busy machine or network slows all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pytest_model_check.candidates.service import Pace, Service

if TYPE_CHECKING:
    import pandas as pd


def rounds(services: Sequence[Service], rows: pd.DataFrame, classes: NDArray[Any] | None) -> Iterator[list[float]]:
    """Yield, round after round without end, the seconds that each service takes for the same rows.

    Parameters
    ----------
    services : sequence of Service
        Who is asked first changes from round to round.
    rows : DataFrame
        They are sent in batches of the first one's size, again and again.
    classes : ndarray or None
        The labels of the data; None for regression.

    Raises
    ------
    CandidateError
        If one does not answer.
    """
    batch, paces = services[0].batch, [Pace(service.rate) for service in services]
    for turn, start in enumerate(cycle(range(0, len(rows), batch))):
        seconds = [0.0] * len(services)
        for place in range(len(services)):
            which = (place + turn) % len(services)
            paces[which].wait()
            seconds[which] = services[which].seconds(rows.iloc[start : start + batch], classes)
        yield seconds
