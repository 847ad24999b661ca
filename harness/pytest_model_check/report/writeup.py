"""The write-up: a baseline and its history -> an account of the model that stands by itself. Pure."""

from __future__ import annotations

import re
import shlex

from pytest_model_check.baselines.history import History, Recording
from pytest_model_check.baselines.promises import margin_reason
from pytest_model_check.baselines.quality import quality
from pytest_model_check.baselines.record import Baseline, BaselineMetric
from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.judgement import explain, explain_quality
from pytest_model_check.judgement.numbers import MISSING, between, number
from pytest_model_check.judgement.verdicts import Acceptance
from pytest_model_check.report.document import Block, Bullets, Code, Document, Figure, Paragraph, Section, Table
from pytest_model_check.report.history_plot import metrics_of
from pytest_model_check.report.history_table import drifts, ends, moved, places_of
from pytest_model_check.report.sentences import replaced

DESCRIBE = (
    'The check does not say what the model is for. Its author can: model_check(..., description="..."). It is kept '
    "with the next recording of the baseline."
)

SMALL_SLICE = 50  # rows; a smaller slice is not judged


def write_up(history: History, folder: str, *, author: str = "", plot: str | None = None) -> Document:
    """Return an account of the model whose history this is.

    Parameters
    ----------
    history : History
        With a recording at least.
    folder : str
        Where the baselines live, as one types it.
    author : str
        Who signs it.
    plot : str or None
        The history as SVG, for HTML.
    """
    latest = history.recordings[-1]
    return Document(
        f"{history.name}: an account of the model",
        _byline(latest, author),
        (
            Section("The problem", _problem(latest.baseline)),
            Section("The data", _data(history)),
            Section("How its skill was measured", _protocol(latest.baseline)),
            Section("The skill", _skill(latest.baseline)),
            Section("As a yardstick", _yardstick(latest.baseline)),
            Section("Through its history", _through(history, plot)),
            Section("What was accepted", _accepted(latest.baseline)),
            Section("Caveats", _caveats(history)),
            Section("How to reproduce it", _reproduce(latest, folder)),
        ),
    )


def _byline(latest: Recording, author: str) -> str:
    commit = latest.commit
    approved = (
        f"approved by {commit.author} on {commit.date[:10]} (commit {commit.sha[:7]})"
        if commit
        else "not committed, so not approved yet"
    )
    return f"{f'By {author}. ' if author else ''}As of recording {latest.baseline.generation}, {approved}."


def _problem(baseline: Baseline) -> tuple[Block, ...]:
    target = baseline.protocol.target
    if baseline.classes is None:
        what = f"It predicts the number {target}."
    else:
        labels = ", ".join(map(str, baseline.classes[:10])) + (", ..." if len(baseline.classes) > 10 else "")
        what = f"It tells {len(baseline.classes)} classes of {target} apart: {labels}."
    words = [Paragraph(" ".join(part.split())) for part in re.split(r"\n\s*\n", baseline.description) if part.strip()]
    return (*(words or [Paragraph(DESCRIBE)]), Paragraph(f"{what} The model is:"), Code(baseline.candidate))


def _data(history: History) -> tuple[Block, ...]:
    recordings, baseline = history.recordings, history.recordings[-1].baseline
    first = max((i for i, fresh in enumerate(moved(recordings)) if fresh), default=0)
    since = recordings[first]
    when = f", of {since.commit.date[:10]}" if since.commit else ""
    return (
        Paragraph(
            f"{explain.rows_in_words(baseline.rows, baseline.effective_rows)}. This version has been in use since "
            f"recording {since.baseline.generation}{when}."
        ),
        Table(("file", "md5"), baseline.data, ("left", "left")),
    )


def _protocol(baseline: Baseline) -> tuple[Block, ...]:
    protocol = baseline.protocol
    sentences = [_folds(baseline)]
    if read := protocol.read:
        sentences.append(f"The files are read with {', '.join(f'{option}={read[option]!r}' for option in read)}.")
    if groups := protocol.groups:
        sentences.append(
            f"Rows of the same {groups} depend on each other: they stay in one fold together, and count as one piece "
            "of evidence in the intervals."
        )
    if time := protocol.time:
        sentences.append(f"The model is always fitted on earlier rows than it predicts, by {time}.")
    if weight := protocol.sample_weight:
        sentences.append(
            f"Rows count as much as their {weight} says: when the model is fitted, in every score, and in how sure it "
            "is."
        )
    sentences.append(_seeds(baseline))
    columns = ", ".join(protocol.features) if protocol.features else "every other column"
    sentences.append(f"The model may look at {columns}.")
    if protocol.slices:
        sentences.append(f"Losses are also looked for in each value of {', '.join(protocol.slices)}.")
    return (Paragraph(" ".join(sentences)), Paragraph("The splits, in scikit-learn's words:"), Code(protocol.cv))


def _folds(baseline: Baseline) -> str:
    count = max((len(metric.folds) for metric in baseline.metrics.values()), default=0)
    return (
        f"The data is split {count} times. Each time the model is fitted on one part, and predicts rows of the other, "
        "which it has never seen. All skill below is that of such predictions."
    )


def _seeds(baseline: Baseline) -> str:
    if baseline.learner == "deterministic":
        return "The learner draws no random numbers: the same data gives the same model."
    seeds = f"{baseline.seeds} seeds" if baseline.seeds > 1 else "one seed only"
    if baseline.learner == "nondeterministic":
        return f"Even with the same seed the learner gives different models, so scores are averaged over {seeds}."
    return f"The learner draws random numbers, so scores are averaged over {seeds}."


def _skill(baseline: Baseline) -> tuple[Block, ...]:
    rows, sentences = [], []
    for name, metric in baseline.metrics.items():
        places = places_of(metric)
        low, high = ends(metric)
        score, dummy = number(metric.score, places), number(metric.noise_reference.dummy, places)
        bounds = between(low, high, places)
        rows.append((name, score, bounds, dummy, number(metric.margin, places)))
        sentence = (
            f"{name} is {score}, give or take what these rows leave open: {bounds} at 95% confidence. "
            f"{_dummy(metric, dummy)}"
        )
        if metric.margin is not None:
            sentence += (
                f" A new version may be released if it is 95% sure to lose less than {number(metric.margin, places)}, "
                f"the margin ({margin_reason(baseline, name)})."
            )
        sentences.append(sentence)
    headers = ("metric", "score", "95% interval", "dummy", "margin")
    align = ("left", "right", "right", "right", "right")
    return (
        Paragraph("Higher is better in every metric; errors are counted as negative numbers."),
        Table(headers, tuple(rows), align),
        Bullets(tuple(sentences)),
    )


def _yardstick(baseline: Baseline) -> tuple[Block, ...]:
    measured = quality(baseline)
    blunt = tuple(Paragraph(f"It can hardly be failed: {line}.") for line in explain_quality.notices(measured))
    sentences = explain_quality.sentences(measured) or ["Nothing is judged, so it can't be failed."]
    return (
        *blunt,
        Paragraph(
            "How small a loss is seen, and whom it blocks without need. A model of the same learner differs from this "
            "one by what seeds or a few training rows do; another learner is taken to err on rows of its own, which is "
            "the worst case."
        ),
        Bullets(tuple(sentences)),
    )


def _dummy(metric: BaselineMetric, score: str) -> str:
    if metric.noise_reference.dummy is None:
        return "A dummy that looks at no feature does as well as perfect answers would, so there is none to beat."
    return f"A dummy that looks at no feature scores {score}."


def _through(history: History, plot: str | None) -> tuple[Block, ...]:
    recordings = history.recordings
    metrics = metrics_of(recordings)
    rows = []
    for recording, fresh in zip(recordings, moved(recordings), strict=True):
        commit = recording.commit
        known = (commit.date[:10], commit.sha[:7], commit.author) if commit else ("not committed", "", "")
        scores = [_score(recording.baseline.metrics.get(name)) for name in metrics]
        data = f"{recording.data[:8]}{' (moved)' if fresh else ''}"
        rows.append((str(recording.baseline.generation), *known, data, *scores))
    headers = ("recording", "date", "commit", "author", "data", *metrics)
    align = ("right", "left", "left", "left", "left", *["right"] * len(metrics))
    blocks: list[Block] = [Table(headers, tuple(rows), align)]
    if any(moved(recordings)):
        blocks.append(Paragraph("Where the data moved, scores before and after can't be compared."))
    if plot is not None:
        blocks.append(Figure(plot, f"Skill of {history.name} by recording, with 95% intervals, as in the table above."))
    blocks.append(Paragraph("How far it is from its anchor, which small losses are added up from:"))
    blocks.append(Bullets(tuple(drifts(recordings[-1].baseline))))
    return tuple(blocks)


def _score(metric: BaselineMetric | None) -> str:
    if metric is None:
        return MISSING
    places = places_of(metric)
    low, high = ends(metric)
    return f"{number(metric.score, places)} ({between(low, high, places)})"


def _accepted(baseline: Baseline) -> tuple[Block, ...]:
    if not baseline.history:
        return (Paragraph("Nothing: no loss and no weaker promise was ever accepted."),)
    return (Bullets(tuple(map(_acceptance, baseline.history))),)


def _acceptance(acceptance: Acceptance) -> str:
    what = "; ".join([explain.accepted(acceptance), *map(explain.weakening, acceptance.weakened)])
    since = "It still stands." if acceptance.closed is None else f"Won back by recording {acceptance.closed}."
    return f"Recording {acceptance.generation}: {acceptance.reason} ({what}). {since}"


def _caveats(history: History) -> tuple[Block, ...]:
    baseline = history.recordings[-1].baseline
    caveats = list(baseline.caveats)
    for name in baseline.metrics:
        caveats += _of_metric(baseline, name)
    caveats += _of_protocol(baseline.protocol)
    if baseline.reused:
        caveats.append(
            f"The baseline has been replaced {replaced(baseline.reused)}. Whoever chooses often by the same "
            "rows begins to fit them: fresh data would tell."
        )
    caveats += [f"Of the history: {remark}." for remark in history.remarks]
    caveats.append("All this is about rows like these. It says nothing about a world that has changed since.")
    return (Bullets(tuple(caveats)),)


def _of_metric(baseline: Baseline, name: str) -> list[str]:
    metric, reason = baseline.metrics[name], margin_reason(baseline, name)
    places, caveats, noise_reference = places_of(metric), [], metric.noise_reference
    if metric.margin is None:
        return [f"{name} is reported, but no release is held to it: {reason}."]
    margin, floor = number(metric.margin, places), number(noise_reference.floor, places)
    if metric.margin < noise_reference.floor * (1 - 1e-9):
        caveats.append(
            f"{name} is underpowered: its margin of {margin} is below {floor}, the smallest loss that these rows and "
            "seeds can resolve. Many equally good models would not pass."
        )
    elif metric.margin_kind == "noise_floor":
        caveats.append(f"A loss of {name} below {margin} may pass: the margin is {reason}.")
    if noise_reference.floor == 0 or noise_reference.runs == 1 or baseline.protocol.seeds == 1:
        caveats.append(f"What chance does to {name} beyond its rows was not measured (one seed).")
    if not noise_reference.is_beaten_by(ends(metric)[0]):
        caveats.append(
            f"The interval of {name} reaches down to what the dummy scores. Both were measured on the same rows, so "
            "the lead may be surer than that, but it was not tested."
        )
    if metric.anchor is not None and metric.score < metric.anchor.score:
        lost = number(metric.anchor.score - metric.score, places)
        caveats.append(f"{name} has lost {lost} in small steps since recording {metric.anchor.since}.")
    return caveats


def _of_protocol(protocol: Protocol) -> list[str]:
    caveats = []
    if not protocol.groups and not protocol.time:
        caveats.append(
            "The intervals take rows to be independent of each other. If several belong to one person, place or day, "
            "they are too narrow: groups= or time= would say so."
        )
    if protocol.slices:
        caveats.append(
            f"Slices of fewer than {SMALL_SLICE} rows are too small to be judged, and no loss in them is seen."
        )
    else:
        caveats.append("No slices are watched: a loss in a small part of the rows may hide in the whole.")
    return caveats


def _reproduce(latest: Recording, folder: str) -> tuple[Block, ...]:
    baseline, environment = latest.baseline, dict(latest.baseline.environment)
    python, platform = environment.pop("python", "unknown"), environment.pop("platform", "an unknown system")
    pinned = " ".join(shlex.quote(f"{package}=={version}") for package, version in environment.items())
    wanted = [*(path for path, _ in baseline.data), f"{folder.rstrip('/')}/{baseline.name}.parquet"]
    lines = [
        f"git checkout {latest.commit.sha}" if latest.commit else "# not committed yet: there is nothing to check out",
        f"dvc pull {' '.join(map(shlex.quote, wanted))}",
        f"pip install {pinned}" if pinned else "",
        f"pytest --model-check {shlex.quote(baseline.nodeid)}",
    ]
    return (
        Paragraph(
            f"It was recorded with Python {python} on {platform}. The run fits the model of that commit again, and "
            "says identical where nothing is different:"
        ),
        Code("\n".join(line for line in lines if line)),
    )
