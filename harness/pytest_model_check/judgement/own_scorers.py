"""A scorer that is none of scikit-learn's: what a baseline knows of it, and whether another one is the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose

ROOM = 1e-6  # relative: another processor, another BLAS
CHANGED = "its scorer's code has changed since the baseline was recorded, and scores fixed answers as it did"


@dataclass(frozen=True)
class OwnScorer:
    """A scorer of the project's.

    Parameters
    ----------
    code : str
        A digest of the files of Python that it reaches; empty where these can't be told.
    fixed_answers : tuple of float
        What it scores answers that are the same for every model and every data (`pytest_model_check.scoring.probes`);
        those that it can't score are left out.
    """

    code: str
    fixed_answers: tuple[float, ...]

    def scores_as(self, other: OwnScorer) -> bool:
        """Whether both score the fixed answers the same."""
        mine, its = self.fixed_answers, other.fixed_answers
        return len(mine) == len(its) and all(
            isclose(one, two, rel_tol=ROOM, abs_tol=ROOM) for one, two in zip(mine, its, strict=True)
        )


def difference(before: OwnScorer | None, now: OwnScorer | None, *, is_known: bool) -> str:
    """Describe why two scorers of one name are not the same; empty if they are.

    Parameters
    ----------
    before, now : OwnScorer or None
        The baseline's, and the check's; None: scikit-learn's, or it was recorded when that was not kept.
    is_known : bool
        Whether scikit-learn has a scorer, or a function, of this name.
    """
    if now is None:
        return "" if before is None else "the baseline's scorer is the project's own, this one is scikit-learn's"
    if before is None:  # a baseline of an earlier version does not say whose scorer it was
        return "the baseline's scorer is scikit-learn's, this one is the project's own" if is_known else ""
    if before.scores_as(now):
        unknown = not now.fixed_answers and before.code != now.code
        return "its scorer's code has changed, and scores no fixed answers that could tell by how much" * unknown
    return f"its scorer scores fixed answers {_listed(now.fixed_answers)}, and did {_listed(before.fixed_answers)}"


def _listed(scores: Sequence[float]) -> str:
    return ", ".join(f"{score:.4g}" for score in scores) or "not at all"
