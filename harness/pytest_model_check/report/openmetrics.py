"""A run -> OpenMetrics text: what GitLab compares with the target branch (``artifacts:reports:metrics``)."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from pytest_model_check.judgement.verdicts import PASSING, Run
from pytest_model_check.report import table
from pytest_model_check.report.text import visible

_HELP = {
    "model_check_may_ship": "1 if the release may go out",
    "model_check_passed": "1 if the check passed",
    "model_check_verdict_passed": "1 if the metric's verdict is one that passes",
    "model_check_baseline": "score of the approved baseline",
    "model_check_candidate": "score of the candidate",
    "model_check_delta": "candidate less baseline",
    "model_check_low": "95% sure that the difference is above it",
    "model_check_high": "99.75% sure that the difference is below it",
    "model_check_margin": "the loss that is harmless",
}


def render(run: Run) -> str:
    """Write a gauge for everything that has a number; what has none is left out."""
    families: dict[str, dict[str, float]] = {name: {} for name in _HELP}
    for name, labels, value in _samples(run):
        if value is not None and isfinite(value):
            families[name].setdefault(labels, value)  # of one name claimed twice, the failing check is shown
    lines = []
    for name, samples in families.items():
        lines += [f"# TYPE {name} gauge", f"# HELP {name} {_HELP[name]}"]
        lines += [f"{name}{labels} {float(value)!r}" for labels, value in samples.items()]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _samples(run: Run) -> Iterator[tuple[str, str, float | None]]:
    yield "model_check_may_ship", "", run.passed
    for check in table.ordered(run.checks):
        yield "model_check_passed", _labels(check=check.name), check.passed
        for metric in check.metrics:
            part = {} if metric.slice is None else {"slice": metric.slice}
            labels = _labels(check=check.name, metric=metric.metric, **part)
            yield "model_check_verdict_passed", labels, metric.verdict in PASSING
            for number in ("baseline", "candidate", "delta", "low", "high", "margin"):
                yield f"model_check_{number}", labels, getattr(metric, number)


def _labels(**labels: str) -> str:
    return f"{{{','.join(f'{name}={_quoted(value)}' for name, value in labels.items())}}}"


def _quoted(text: str) -> str:
    text = visible(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text.replace("#", "＃")}"'  # noqa: RUF001 - wide, for GitLab takes a # for a comment's beginning
