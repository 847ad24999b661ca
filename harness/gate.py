"""The gate: one check, from data to verdict. Read this first."""

from __future__ import annotations

import time

from harness import approvals, crossval, dataset
from harness.baselines import Pending
from harness.check import Check
from harness.conclusion import conclude
from harness.errors import MissingBaselineError
from harness.holding import hold
from harness.metrics import require_judgeable
from harness.settings import Progress, Settings
from harness.settling import settle
from harness.verdicts import Verdict


def run(check: Check, settings: Settings, progress: Progress) -> tuple[Verdict, Pending | None]:
    """Judge a check; with `update`, measure the baseline that will be written when the run is over.

    Raises
    ------
    ModelCheckError
        If the check can't be judged; then nothing is pending.
    """
    started = time.perf_counter()
    require_judgeable(check.metrics)
    approval = approvals.find(check.name, settings.folder, settings.revision)
    if approval.baseline is None and approval.claimed is None and not settings.update:
        raise MissingBaselineError(
            f"{check.name}: there is no baseline to hold the candidate against",
            "Record one from the model as it is now: pytest --model-check --update-baselines",
        )
    protocol = crossval.make_protocol(check, dataset.read(check, settings.root))
    held = hold(check, protocol, approval, settings, progress)
    settled = settle(check, protocol, approval, held, settings, progress)
    verdict = conclude(check, protocol, approval, held, settled, settings, time.perf_counter() - started)
    return verdict, settled.pending
