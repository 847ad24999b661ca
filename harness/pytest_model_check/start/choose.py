"""A trial of the standard pipelines -> the simplest that is not worse than the best, and with how many seeds. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_model_check.candidates import standard
from pytest_model_check.checks.check import DEFAULT_SEEDS
from pytest_model_check.errors import CandidateError
from pytest_model_check.scoring.spot_check import MetricSpotCheck
from pytest_model_check.start.proposal import MANY_ROWS, Choice
from pytest_model_check.start.trial import Trial

DUMMY = "dummy"
SEEDS = {"forest": 4, "boosting": 3}  # of what is dear to fit


@dataclass(frozen=True)
class Chosen:
    """The pipeline that is taken, and why."""

    name: str
    reason: str


def choose(trial: Trial) -> Chosen:
    """Choose the simplest pipeline that is not worse than the best one.

    Raises
    ------
    CandidateError
        If none knows more than the dummy.
    """
    by = trial.found.metrics[0]
    good = set() if by.unjudged or DUMMY not in by.scores else set(by.not_worse(DUMMY))
    order = [name for name in standard.names(trial.check.task) if name in good]
    if not order:
        raise CandidateError(
            f"no model knows more than a dummy that looks at no column: there is nothing to defend"
            f"{f' ({by.unjudged})' if by.unjudged else ''}",
            "Is it the right target (--target)? Does the table say anything of it?",
        )
    return Chosen(order[0], _reason(by, order[0]))


def _reason(by: MetricSpotCheck, name: str) -> str:
    simplest = f"{name}: the simplest of {len(by.scores)} pipelines that is not worse than the best"
    if name == by.best:
        return f"{simplest}; it is the best, too"
    pair = by.pair(by.best, name)
    apart = "by less than a fiftieth of the skill" if pair.differs else "and chance alone could have done that"
    return f"{simplest}: {by.best} was ahead by {pair.delta:.2g}, {apart}"


def seeds(model: str, rows: int) -> Choice | None:
    """Choose fewer seeds than usual, where so many fits would take long; None: the usual number will do."""
    number = SEEDS.get(model, DEFAULT_SEEDS)
    if rows > MANY_ROWS:
        number = max(2, number // 2)
    if number == DEFAULT_SEEDS:
        return None
    return Choice("seeds", number, f"{DEFAULT_SEEDS} would measure the noise better, and record for longer")
