"""Compare the candidate with what is approved: fit it, judge it, and see what is promised less."""

from __future__ import annotations

from functools import partial

from pytest_model_check.baselines import promises
from pytest_model_check.baselines.store import Approved
from pytest_model_check.checks.check import Check
from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import IncomparableError, UnavailableError
from pytest_model_check.gate import paired, sequential
from pytest_model_check.gate.findings import Held
from pytest_model_check.gate.paired import Comparison
from pytest_model_check.judgement.verdicts import Differences
from pytest_model_check.old_code import moved_data
from pytest_model_check.pull_requests.approved import Approval
from pytest_model_check.scoring.charts import charts
from pytest_model_check.settings import Progress, Settings


def hold(check: Check, protocol: CrossValidation, approval: Approval, settings: Settings, progress: Progress) -> Held:
    """Hold the candidate against what is approved; where the data has moved, against that model on the new data.

    Raises
    ------
    ModelCheckError
        If the candidate can't be fitted, or the approved predictions can't be had.
    """
    old, data, moved = approval.baseline, protocol.dataset, None
    if old is None:
        return Held()
    weakened = promises.weakened(check, old, settings.rules)
    if approval.deleted:
        weakened += (f"its baseline {approval.file}.json was deleted",)
    try:
        baseline, approved, carried = old, None, None
        if moved_data.has_moved(old, data):
            progress("running the approved code on the new data", 0, 0)
            carried = moved_data.carry_over(check, data, approval, settings)
            baseline, approved = carried.baseline, carried.approved
        else:
            paired.require_same_rows(check, old, data)
            approved = _predictions(approval, settings)
        against = Comparison(check, protocol, baseline, approved)
        judged = sequential.look(
            check, protocol, baseline, against, jobs=settings.jobs, progress=partial(progress, "fitting")
        )
        if carried is not None:
            moved = moved_data.table(check, old, carried, data, judged.metrics, settings.jobs)
    except IncomparableError as error:
        before = old.protocol.get("cv")
        other = () if before == protocol.splitter else (f"cv= is {protocol.splitter}, was {before}",)
        return Held(broken=error, weakened=weakened + other)
    return Held(
        judged.metrics,
        weakened=weakened,
        anchors=against.anchors() if settings.update or approval.claimed else {},
        fits=judged.fits,
        differences=Differences(
            judged.changed_rows,
            moved,
            charts(data.y, approved.predictions, judged.candidate)
            if settings.charts and approved is not None and judged.candidate is not None
            else {},
        ),
    )


def _predictions(approval: Approval, settings: Settings) -> Approved | None:
    """Read the approved predictions; None where they can't be had and the ini file says that fold scores will do."""
    try:
        return approval.predictions(settings.scratch)
    except UnavailableError:
        if not settings.rules.folds_suffice or settings.update:
            raise
        return None
