"""A verdict -> HTML for a notebook: its sentence and its table as the page has them. No scripts, nothing loaded."""

from __future__ import annotations

from pytest_model_check.judgement.explain import telling
from pytest_model_check.judgement.verdicts import Verdict, worst_first
from pytest_model_check.report import sentences
from pytest_model_check.report.html import check_section
from pytest_model_check.report.html.markup import Html, tag

# A notebook has a theme of its own, light or dark: what is not coloured here is the text's colour.
STYLE = """
.model-check { --pass: #15865f; --fail: #d2492a; --notice: #a8720a; overflow-x: auto; }
.model-check .badge { font-weight: 600; white-space: nowrap; }
.model-check .badge.passes, .model-check .bar .passes { color: var(--pass); }
.model-check .badge.fails, .model-check .bar .fails { color: var(--fail); }
.model-check .badge.accepted { color: var(--notice); }
.model-check table { color: inherit; }
.model-check th, .model-check td { padding: .3em .7em; vertical-align: middle; }
.model-check .n { text-align: right; white-space: nowrap; }
.model-check .unseen { display: none; }
.model-check .bar { display: block; width: 220px; }
.model-check .bar text { font-size: 10.5px; fill: currentColor; }
.model-check .bar .harmless { fill: currentColor; opacity: .12; }
.model-check .bar .zero { stroke: currentColor; }
.model-check .bar .margin { stroke: currentColor; stroke-dasharray: 3 3; }
.model-check .bar .span { stroke: currentColor; stroke-width: 2.2; }
.model-check .bar .passes, .model-check .bar .fails, .model-check .bar .idle { fill: currentColor; }
"""


def render(verdict: Verdict) -> str:
    """Return what a notebook shows of a verdict: an element that brings its own style."""
    accepted = verdict.concessions.accepted
    kind = "accepted" if accepted is not None else "passes" if verdict.passed else "fails"
    label = verdict.verdict if accepted is None else f"{verdict.verdict}, accepted: {accepted}"
    name, badge = tag("strong", tag("bdi", verdict.name)), check_section.badge(label, kind)
    parts = [tag("style", Html(STYLE)), tag("p", name, " ", badge)]
    parts.append(tag("p", sentences.bare(verdict)))
    if shown := worst_first(telling(verdict.metrics)):
        caption = f"{verdict.name}: every metric that decides"
        parts.append(check_section.metric_table(caption, "Metric", shown, lambda metric: metric.label))
    return tag("div", *parts, class_="model-check")
