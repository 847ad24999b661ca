"""ItemScore: a finished score of each item, in place of a scorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

SCORE = "score:"  # begins the name of a response that is a finished score
NEGATED = "neg_"


@dataclass(frozen=True)
class ItemScore:
    """A score that each item of the results has already: the metric is its mean.

    It has what scikit-learn's scorers have, as far as anybody asks.

    Parameters
    ----------
    column : str
        The column of the results.
    sign : int
        1, or -1 where less is better.
    """

    column: str
    sign: int
    _score_func: Any = None
    _kwargs: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False, compare=False)
    _response_method: str = "predict"

    @property
    def response(self) -> str:
        """The name of the response that holds it."""
        return f"{SCORE}{self.column}"


def item_score(name: str, columns: tuple[str, ...]) -> ItemScore | None:
    """Return the score that a metric's name means: a column, or ``neg_`` and a column of which less is better."""
    if name in columns:
        return ItemScore(name, 1)
    bare = name.removeprefix(NEGATED)
    return ItemScore(bare, -1) if bare != name and bare in columns else None
