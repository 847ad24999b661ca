"""A run -> the files of ``.eval_results/``, as a model's repository on the Hugging Face Hub has them. Pure."""

from __future__ import annotations

import json
from math import isfinite

from pytest_model_check.errors import ModelCheckError
from pytest_model_check.judgement.verdicts import MetricVerdict, Run, Verdict
from pytest_model_check.report.text import visible


def render(run: Run, dataset: str, task: str | None = None, metric: str | None = None) -> dict[str, str]:
    """Return the YAML of each check, by the name of its file; the date is that of the commit that brings it.

    Parameters
    ----------
    run : Run
        What was found.
    dataset : str
        The benchmark's dataset on the Hub, as ``owner/name``.
    task : str or None
        Which of its tasks; None: the one that is called as the check is.
    metric : str or None
        Whose score is the value: a file holds one. None: of the only one that is judged.

    Raises
    ------
    ModelCheckError
        If a check has no such score.
    """
    if not run.checks:
        raise ModelCheckError("the report has no checks", "There is nothing to publish.")
    return {f"{check.name}.yaml": _file(check, dataset, task or check.name, metric) for check in run.checks}


def _file(check: Verdict, dataset: str, task: str, name: str | None) -> str:
    metric = _metric(check, name)
    assert metric.candidate is not None
    notes = f"{metric.metric}, {check.verdict} by pytest-model-check on {check.compared.data.rows} rows"
    return (
        f"- dataset:\n    id: {json.dumps(dataset)}\n    task_id: {json.dumps(task)}\n"
        f"  value: {float(metric.candidate)!r}\n  notes: {json.dumps(visible(notes))}\n"
    )


def _metric(check: Verdict, name: str | None) -> MetricVerdict:
    scored = [
        each for each in check.metrics if each.slice is None and each.candidate is not None and isfinite(each.candidate)
    ]
    wanted = [each for each in scored if (each.decides if name is None else each.metric == name)]
    if len(wanted) == 1:
        return wanted[0]
    has = ", ".join(each.metric for each in scored) or "none"
    problem = f"has {len(wanted)} metrics that are judged" if name is None else f"has no score {name}"
    raise ModelCheckError(f"{check.name} {problem}; scores: {has}", "A file holds one value. Name which: --metric NAME")
