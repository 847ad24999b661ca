"""Intervals -> small pictures: each against zero and its margin, so that rows of one table can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import asinh, isfinite

from pytest_model_check.report.html.markup import Html, join, tag

WIDTH, HEIGHT, EDGE = 220, 24, 8
LEAST, EVEN = (-1.6, 1.1), 8.0  # margins that are shown at least, and as far as which the scale is even
MOST = 1e6


@dataclass(frozen=True)
class Bar:
    """A change with the bounds that were judged, in the metric's unit; `kind` is passes, fails or idle."""

    delta: float
    low: float
    high: float
    margin: float
    kind: str
    words: str

    @classmethod
    def of(
        cls,
        delta: float | None,
        low: float | None,
        high: float | None,
        margin: float | None,
        words: str,
        *,
        kind: str,
    ) -> Bar | None:
        """Return the bar, or None where a number is missing, or there is no margin to draw it against."""
        if delta is None or low is None or high is None or margin is None:
            return None
        if margin <= 0 or not all(map(isfinite, (delta, low, high, margin))):
            return None
        return cls(delta, low, high, margin, kind, words)


@dataclass(frozen=True)
class Scale:
    """Which losses and gains are shown, in margins: the same for all bars of a table.

    It is even where all bars fit so. Otherwise it is compressed, the more the further out: none is cut off.
    """

    left: float
    right: float

    @property
    def is_even(self) -> bool:
        """Whether a margin has the same length everywhere."""
        return max(-self.left, self.right) <= EVEN

    @classmethod
    def of(cls, bars: Sequence[Bar | None]) -> Scale:
        """Return the scale on which all bars can be seen; what reaches further out than `MOST` gets an arrow."""
        ends = [end / bar.margin for bar in bars if bar for end in (bar.low, bar.high)]
        return cls(max(-MOST, min([LEAST[0], *ends])), min(MOST, max([LEAST[1], *ends])))

    def x(self, margins: float) -> float:
        """Return the place of a change."""
        place = float if self.is_even else asinh
        left, right = place(self.left), place(self.right)
        share = (place(min(max(margins, self.left), self.right)) - left) / (right - left)
        return round(EDGE + share * (WIDTH - 2 * EDGE), 1)


def draw(bar: Bar | None, scale: Scale) -> Html:
    """Draw one row: the harmless stretch from -margin to 0, and the interval."""
    zero, loss = scale.x(0), scale.x(-1)
    back = [
        tag("rect", x=str(loss), y="0", width=str(round(zero - loss, 1)), height=str(HEIGHT), class_="harmless"),
        _line(loss, 0, loss, HEIGHT, "margin"),
        _line(zero, 0, zero, HEIGHT, "zero"),
    ]
    if bar is None:
        return tag("svg", *back, class_="bar", viewBox=f"0 0 {WIDTH} {HEIGHT}", aria_hidden="true")
    low, high, delta = bar.low / bar.margin, bar.high / bar.margin, bar.delta / bar.margin
    left, right, middle, y = scale.x(low), scale.x(high), scale.x(delta), HEIGHT / 2
    mark = (
        tag("path", d=f"M{middle} {y - 6}l6 6l-6 6l-6 -6z")
        if bar.kind == "fails"
        else tag("circle", cx=str(middle), cy=str(y), r="4.5")
    )
    group = tag(
        "g",
        _line(left, y, right, y, "span"),
        _end(left, low < scale.left, -1),
        _end(right, high > scale.right, 1),
        mark if scale.left <= delta <= scale.right else "",
        class_=bar.kind,
    )
    return tag(
        "svg", tag("title", bar.words), *back, group,
        class_="bar", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=bar.words,
    )  # fmt: skip


def header(scale: Scale) -> Html:
    """Head a table's column of bars, and name the two lines."""
    picture = tag(
        "svg",
        tag("text", "\u2212margin", x=str(scale.x(-1)), y="10", text_anchor="end"),
        tag("text", "0", x=str(scale.x(0)), y="10", text_anchor="middle"),
        class_="bar",
        viewBox=f"0 0 {WIDTH} 13",
        aria_hidden="true",
    )
    return join(["Interval", "" if scale.is_even else tag("span", " (compressed)", class_="axis"), picture])


def _end(x: float, beyond: bool, way: int) -> Html:
    """End a line with a stroke, or with an arrow where it goes on."""
    y = HEIGHT / 2
    if beyond:
        return tag("path", d=f"M{x + 6 * way} {y}l{-7 * way} -5v10z", class_="beyond")
    return _line(x, y - 5, x, y + 5, "span")


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Html:
    return tag("line", x1=str(x1), y1=str(y1), x2=str(x2), y2=str(y2), class_=kind)
