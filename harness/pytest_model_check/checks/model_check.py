"""What the fixture ``model_check`` is to a test: a function of these parameters, which editors complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pytest_model_check.checks.check import DEFAULT_SEEDS

if TYPE_CHECKING:
    from pytest_model_check.checks.check import Load
    from pytest_model_check.checks.make_check import Metrics
    from pytest_model_check.judgement.verdicts import Verdict


class ModelCheck(Protocol):
    """The type of the fixture ``model_check``: ``def test_churn(model_check: ModelCheck) -> None``."""

    def __call__(
        self,
        candidate: Any,
        *,
        data: str | Path | Sequence[str | Path] | None = None,
        target: str | int | None = None,
        metrics: Metrics | None = None,
        margin: float | None = None,
        cv: Any = 10,
        holdout: str | Path | date | Literal[True] | None = None,
        features: Sequence[str] | None = None,
        groups: str | None = None,
        time: str | None = None,
        season: int | None = None,
        sample_weight: str | None = None,
        slices: str | Sequence[str] = (),
        seeds: int = DEFAULT_SEEDS,
        read: Mapping[str, Any] | None = None,
        load: Load | None = None,
        description: str = "",
        caveats: str | Sequence[str] = (),
        timeout: float | None = None,
        baseline: str | None = None,
        name: str | None = None,
    ) -> Verdict:
        """Judge a candidate against its approved baseline; the test fails unless it is at least as good.

        Parameters
        ----------
        candidate : estimator, Program, path, Artifact, Service or Results
            Any estimator with scikit-learn's interface: every fold fits a clone. Or a program that fits and predicts a
            fold, the path of something already fitted, a service that is asked, results that were made elsewhere.
        data : path or sequence of paths
            From pytest's rootdir; several are read one after another. Finished scores can do without.
        target : str or int
            The column to predict; without a header, its number. Finished scores have none.
        metrics : str, scorer, list of them, or dict from them to margins, optional
            All must pass. Default: ``neg_brier_score``, or ``accuracy`` without probabilities; ``r2`` for regressors.
        margin : float, optional
            The harmless loss of the metrics that name none, in the metric's unit.
        cv : int or splitter
            A number of folds, or any splitter of scikit-learn's.
        holdout : path, str, date or True, optional
            The rows to judge, once, in place of `cv`: those of a file of `data`, those of which a condition is true
            (``"month > 9"``), those after a date in `time`, or every row. The others are for fitting.
        features : sequence of str, optional
            The columns to learn from. Default: every column but those with another part to play.
        groups : str, optional
            A column: rows of one group are never parted by a fold, and count as one in the interval.
        time : str, optional
            A column: folds go forward in time, and a day counts as one in the interval.
        season : int, optional
            How many distinct times a season has (7: days of a week): a forecast must beat the last season repeated.
        sample_weight : str, optional
            A column: how much each row counts, in fits, in scores and in how sure they are. It is no feature.
        slices : str or sequence of str
            Columns: a loss in one of their values raises an alarm, even where the whole has held.
        seeds : int
            With how many seeds a baseline is measured.
        read : dict, optional
            How the files are read, where their ending does not say it: ``{"sep": ";", "decimal": ","}``, as in pandas.
        load : callable, optional
            ``load(paths) -> DataFrame`` (of pandas, polars, Arrow), for joins and other formats.
        description : str
            The problem, in your words: a write-up begins with it.
        caveats : str or sequence of str
            What its reader must bear in mind.
        timeout : float, optional
            How many seconds one fit may take. Default: the ini key ``model_check_timeout``; without it, no limit.
        baseline : str, optional
            The name of another check, whose baseline the candidate is held against: a challenger, which records none.
        name : str, optional
            The baseline's name. Default: the test's, without ``test_``.

        Returns
        -------
        Verdict
            What was found.
        """
