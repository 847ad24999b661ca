"""The data moved: the approved model, measured anew on the new version of the data, takes its old self's place."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_model_check.baselines.record import Baseline, BaselineMetric, StoredAnchor
from pytest_model_check.baselines.store import Approved
from pytest_model_check.checks.check import Check
from pytest_model_check.data import dvc_files
from pytest_model_check.data.dataset import Dataset
from pytest_model_check.errors import DataError, IncomparableError, OldCodeError
from pytest_model_check.fitting.engine import FitProgress
from pytest_model_check.judgement.compared import Moved, ScoreGrid
from pytest_model_check.judgement.verdicts import MetricVerdict
from pytest_model_check.pull_requests.approved import Approval
from pytest_model_check.scoring import metrics
from pytest_model_check.settings import Settings


@dataclass(frozen=True)
class CarriedOver:
    """The approved model on the new data.

    Parameters
    ----------
    baseline, approved : Baseline, Approved
        Measured there by its own code; the anchors keep their lead over it.
    before : Approved
        Its predictions on the old data.
    commit : str
        Whose code it is.
    old_root : Path
        Where the old data lies, as under pytest's rootdir.
    """

    baseline: Baseline
    approved: Approved
    before: Approved
    commit: str
    old_root: Path


def has_moved(baseline: Baseline, data: Dataset) -> bool:
    """Whether the data is another version than the baseline's."""
    return dict(baseline.data) != dict(data.files)


def carry_over(
    check: Check, data: Dataset, approval: Approval, settings: Settings, progress: FitProgress
) -> CarriedOver:
    """Run the code of the approved baseline on the new data.

    Parameters
    ----------
    check, data : Check, Dataset
        As they are now.
    approval : Approval
        What is approved, on the old data.
    settings : Settings
        Where the data lies, what runs the old code, and how many fits at a time.
    progress : callable
        Is told how many fits of how many are done.

    Raises
    ------
    OldCodeError
        If the old code can't run any more, or does not reproduce what was approved.
    UnavailableError
        If the approved predictions can't be had.
    """
    from pytest_model_check.old_code.runner import remeasure  # few runs need it

    old = approval.baseline
    assert old is not None
    if old.origin == "elsewhere":
        raise OldCodeError(
            f"{check.name}: the baseline's results were made elsewhere, of other data ({_changed(old, data)}), and "
            "can't be made anew here",
            "Evaluate the approved model on the new data where it was evaluated before, and have that accepted as a "
            f'new start; then judge the candidate: pytest --model-check --model-check-accept "reason" '
            f"{shlex.quote(check.nodeid)}",
        )
    try:
        commit = approval.commit()
        old_root = _old_data(old, settings.root, settings.scratch)
        approved = approval.predictions(settings.scratch)
        new = remeasure(
            old, approved.predictions, data, commit=commit, old_root=old_root, settings=settings, progress=progress
        )
    except IncomparableError as error:
        again = f'pytest --model-check --model-check-accept "reason" {shlex.quote(check.nodeid)}'
        raise OldCodeError(
            f"{check.name}: the baseline is of other data ({_changed(old, data)}), and the approved model "
            f"can't be run on these: {error.message}",
            f"{error.advice}\nAn environment that can run the old code may be named: --model-check-python PATH (of "
            "model-check judge: --python PATH)\n"
            f"Or accept the new data as a new start: {again}".lstrip(),
        ) from error
    measured, anchors = dict(new.baseline.metrics), {}
    for metric in check.metrics:
        before, now = old.metrics.get(metric.name), new.baseline.metrics.get(metric.name)
        if before is None or now is None or before.anchor is None:
            continue
        if now.definition != metrics.definition(new.approved.predictions, metric, data.truth):
            continue
        scores = metrics.score(new.approved.predictions, metric, data.truth)
        lead = before.anchor.score - before.score
        anchors[metric.name] = scores.psi.mean(axis=0) + lead
        measured[metric.name] = replace(now, anchor=_lifted(now, before.anchor.since, lead))
    baseline = replace(
        new.baseline,
        name=old.name,
        metrics=_promised(old, measured),
        history=old.history,
        formerly=old.formerly,
        environment=old.environment,
        protocol=old.protocol,
    )
    return CarriedOver(baseline, Approved(new.approved.predictions, anchors), approved, commit, old_root)


def _promised(old: Baseline, measured: Mapping[str, BaselineMetric]) -> dict[str, BaselineMetric]:
    """Keep the margins that an owner named: they do not depend on the data."""
    named = {name: metric for name, metric in old.metrics.items() if metric.margin_kind == "named"}
    return {
        name: replace(metric, margin=named[name].margin, margin_kind="named") if name in named else metric
        for name, metric in measured.items()
    }


def _lifted(metric: BaselineMetric, since: int, lead: float) -> StoredAnchor:
    folds = tuple(fold + lead for fold in metric.folds)
    return StoredAnchor(since, metric.score + lead, folds, metric.noise_reference)


def _changed(old: Baseline, data: Dataset) -> str:
    """Name the first file that differs, and its versions."""
    before, now = dict(old.data), dict(data.files)
    path = next(path for path in dict.fromkeys([*now, *before]) if before.get(path) != now.get(path))
    was, has_become = (versions.get(path, "absent")[:8] for versions in (before, now))
    return f"{path} was {was}, is {has_become}"


def _old_data(old: Baseline, root: Path, scratch: Path) -> Path:
    """Lay the old version of the data out as it lay under rootdir."""
    below = max(path.split("/").count("..") for path, _ in old.data)  # data may lie above rootdir
    folder = scratch.joinpath("old", *["below"] * below)
    for path, md5 in old.data:
        try:
            dvc_files.fetch(root / path, md5, folder / path)
        except DataError as error:
            raise OldCodeError(f"the old version of the data can't be had: {error.message}", error.advice) from error
    return folder


def table(
    old: Baseline,
    carried: CarriedOver,
    before: Sequence[MetricVerdict],
    data: Dataset,
    verdicts: Sequence[MetricVerdict],
    repeated: tuple[int, int],
    reason: str,
) -> Moved:
    """Return the 2 x 2 table: both models on both versions of the data.

    Parameters
    ----------
    old, carried : Baseline, CarriedOver
        The approved model on either.
    before, verdicts : sequence of MetricVerdict
        The candidate on the old data, and on the new.
    data : Dataset
        The new data.
    repeated : tuple of int
        How many rows of either are predicted by a fit that has seen the same row.
    reason : str
        Why the candidate could not be measured on the old data.
    """
    earlier, after = (
        {verdict.metric: verdict.candidate for verdict in side if verdict.slice is None} for side in (before, verdicts)
    )
    score_grids = tuple(
        ScoreGrid(
            name,
            old_old=stored.score,
            old_new=carried.baseline.metrics[name].score if name in carried.baseline.metrics else None,
            new_old=earlier.get(name),
            new_new=after.get(name),
        )
        for name, stored in old.metrics.items()
    )
    return Moved(
        _version(old.data, old.rows),
        _version(data.files, data.rows),
        carried.commit[:10],
        score_grids,
        reason,
        *repeated,
    )


def _version(files: tuple[tuple[str, str], ...], rows: int) -> str:
    return f"{', '.join(f'{path} {md5[:8]}' for path, md5 in files)} ({rows:,} rows)"
