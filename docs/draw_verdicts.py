"""Draw docs/verdicts.svg: the interval of each verdict against zero and the margin, as the judge finds it.

Run from the repository root: ``python docs/draw_verdicts.py``. Every end of an interval comes from a real verdict on a
small made-up difference; nothing is placed by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from pytest_model_check.judgement.judge import identical, judge_metric
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.judgement.verdicts import MetricVerdict

PICTURE = Path(__file__).with_name("verdicts.svg")
MARGIN = 0.010
ROWS, FOLDS = 200, 10
QUIET = NoiseReference(dummy=0.5, noise=0.0, dof=inf, runs=None, floor=0.0)

WIDTH, TOP, STEP, FOOT = 720, 78, 46, 56
LEFT, RIGHT = 152, 486  # of the part that has a scale
LOWEST, HIGHEST = -0.030, 0.024  # of the scale
INK, FAINT, PASSES, BLOCKS = "#1f2328", "#59636e", "#0550ae", "#9a3412"


@dataclass(frozen=True)
class Case:
    """One difference, and what the picture says of it.

    Parameters
    ----------
    expected : str
        The verdict that it must get.
    why : tuple of str
        Lines beside it.
    shift, spread : float
        The mean of the difference over rows, and its standard deviation.
    ends : str
        Which end of the interval decides: 'low', 'high' or both.
    """

    expected: str
    why: tuple[str, ...]
    shift: float
    spread: float
    ends: tuple[str, ...]


CASES = (
    Case("identical", ("Every prediction is the same,", "and no test is run."), 0.0, 0.0, ()),
    Case("better", ("The low end is above 0.",), 0.010, 0.065, ("low",)),
    Case("held", ("The low end is above", "\N{MINUS SIGN}margin."), 0.001, 0.055, ("low",)),
    Case("held with loss", ("Something is lost, but less", "than the margin."), -0.0055, 0.022, ("low", "high")),
    Case("inconclusive", ("It may lose more than the", "margin, or nothing at all."), -0.006, 0.095, ("low", "high")),
    Case("worse", ("Something is lost, and maybe", "more than the margin."), -0.017, 0.060, ("low", "high")),
)


def main() -> None:
    """Judge the cases, and write the picture."""
    PICTURE.write_text(picture(), encoding="utf-8")


def picture() -> str:
    """Judge the cases, and draw them."""
    return draw([(case, judged(case)) for case in CASES])


def scores(psi: np.ndarray) -> Scores:
    """Bring rows to the scores of one run, in folds of neighbours."""
    return Scores(
        definition="made up",
        psi=psi[None],
        clusters=None,
        is_time_series=False,
        splits=psi.reshape(1, FOLDS, -1).mean(axis=2),
        row_variances=np.zeros(FOLDS),
        weights=np.full(FOLDS, 1 / FOLDS),
        kind="mean",
        min_standard_error=0.0,
    )


def judged(case: Case) -> MetricVerdict:
    """Judge a candidate that differs from a baseline of 0.9 as the case says."""
    old = scores(0.9 + 0.1 * np.resize([1.0, 1.0, -1.0, -1.0], ROWS))
    if case.spread == 0:
        found = identical("score", old.score, old.folds.tolist(), QUIET, MARGIN)
    else:
        new = scores(old.psi[0] + case.shift + case.spread * np.resize([1.0, -1.0], ROWS))
        found = judge_metric("score", old, new, QUIET, MARGIN)
    label = f"{found.verdict} with loss" if found.verdict == "held" and (found.high or 0.0) < 0 else found.verdict
    if label != case.expected:
        raise SystemExit(f"the case {case.expected!r} is {label!r} now: change its numbers")
    return found


def draw(found: list[tuple[Case, MetricVerdict]]) -> str:
    """Return the picture as SVG."""
    height, bottom = TOP + STEP * len(found) + FOOT, TOP + STEP * len(found)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'role="img" aria-labelledby="title desc" font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, '
        f'sans-serif" font-size="13" fill="{INK}">',
        '<title id="title">The interval of each verdict, against zero and the margin</title>',
        f'<desc id="desc">{escape(_described(found))}</desc>',
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6" fill="#ffffff" stroke="#d1d9e0"/>',
        f'<rect x="{_x(-MARGIN):.1f}" y="{TOP - 12}" width="{_x(0) - _x(-MARGIN):.1f}" height="{bottom - TOP + 12}" '
        'fill="#eaeef2"/>',
        _line(_x(0), TOP - 12, _x(0), bottom, INK, 1.2),
        _line(_x(-MARGIN), TOP - 12, _x(-MARGIN), bottom, INK, 1.2, 'stroke-dasharray="5 4"'),
        _text(LEFT, 28, "&#8592; candidate is worse", "start", FAINT),
        _text(RIGHT, 28, "candidate is better &#8594;", "end", FAINT),
        _text(_x(-MARGIN) - 6, 54, "\N{MINUS SIGN}margin", "end"),
        _text((_x(-MARGIN) + _x(0)) / 2, 54, "harmless", "middle", FAINT),
        _text(_x(0) + 6, 54, "0: as good as the baseline", "start"),
    ]
    for number, (case, verdict) in enumerate(found):
        parts += _row(case, verdict, TOP + STEP * number + STEP / 2 - 4)
    measured = "Dot: what was measured. Thick: the ends that decide."
    sure = "We are 95% sure that the truth is above the low end, and 99.75% sure that it is below the high end."
    parts += [_text(16, height - 34 + 18 * k, line, "start", FAINT, 12) for k, line in enumerate((measured, sure))]
    return "\n".join([*parts, "</svg>", ""])


def _row(case: Case, verdict: MetricVerdict, y: float) -> list[str]:
    assert verdict.low is not None
    assert verdict.high is not None
    assert verdict.delta is not None
    passes = verdict.verdict in ("identical", "better", "held")
    colour = PASSES if passes else BLOCKS
    parts = [
        _text(16, y - 1, case.expected, "start", INK, 14, 'font-weight="600"'),
        _text(16, y + 15, "&#10003; passes" if passes else "&#10007; blocks", "start", colour, 12),
    ]
    if verdict.high > verdict.low:
        parts.append(_line(_x(verdict.low), y, _x(verdict.high), y, colour, 2.5))
        for name, end in (("low", verdict.low), ("high", verdict.high)):
            reach, thick = (9, 4.5) if name in case.ends else (5, 1.5)
            parts.append(_line(_x(end), y - reach, _x(end), y + reach, colour, thick))
    parts.append(f'<circle cx="{_x(verdict.delta):.1f}" cy="{y:.1f}" r="5" fill="{colour}" stroke="#ffffff"/>')
    first = y + 4 if len(case.why) == 1 else y - 4
    return parts + [_text(RIGHT + 18, first + 16 * k, why, "start", INK, 12.5) for k, why in enumerate(case.why)]


def _described(found: list[tuple[Case, MetricVerdict]]) -> str:
    """Say the picture in words, for those who hear it."""
    said = [
        f"{case.expected}: measured {verdict.delta:+.4f}, interval {verdict.low:+.4f} to {verdict.high:+.4f}. "
        f"{' '.join(case.why)}"
        for case, verdict in found
    ]
    return f"The margin is {MARGIN:.3f}. " + " ".join(said)


def _x(value: float) -> float:
    return LEFT + (RIGHT - LEFT) * (value - LOWEST) / (HIGHEST - LOWEST)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float, more: str = "") -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{" " * bool(more)}{more}/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = INK, size: float = 13, more: str = "") -> str:
    """Write text; it may hold entities."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"'
    return f"<text {place}{' ' * bool(more)}{more}>{text}</text>"


if __name__ == "__main__":
    main()
