"""The page says what was found, to everybody, and does nothing that a name in it asks for."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pytest_model_check.baselines.history import Recording
from pytest_model_check.judgement import verdict_json
from pytest_model_check.judgement.verdicts import (  # fmt: skip
    PASSING,
    WORST_FIRST,
    MetricVerdict,
    Run,
)
from pytest_model_check.report.html import forest, page
from pytest_model_check.report.html.forest import Bar, Scale
from pytest_model_check.report.text import spelt_out
from pytest_model_check.scoring.charts import charts
from support.lives import baseline
from support.pages import check, full, metric, recordings
from support.two_classes import of_folds

VOID = {"meta", "br", "wbr", "path", "line", "rect", "circle", "use"}
ELEMENTS = VOID | {
    "html", "head", "meta", "title", "style", "body", "main", "header", "footer", "section", "div", "h1", "h2", "h3",
    "p", "ul", "li", "a", "bdi", "span", "blockquote", "strong", "details", "summary", "dl", "dt", "dd", "figure",
    "figcaption", "table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "g", "defs", "clippath", "text",
}  # fmt: skip
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title></svg></textarea><b>",
    "--><!--",
    "]]>&amp;&#x3c;script&#x3e;",
    "javascript:alert(1)",
    "${x}$\\frac{1}{2}$_^{",
    "safe\u202etxt.exe",
    "zero\u200bwidth\ufeff\x00\x1b[31m",
    "\ud800",
    "漢字 ﷽ 🏳️‍🌈",
    "a" * 300,
)


class Reader(HTMLParser):
    """Reads a page as a browser does: the elements with the names of their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple] = []
        self.text = ""
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs) -> None:
        if tag == "wbr":  # where a name may break: it is nothing by itself
            assert attrs == []
            return
        self.tags.append((tag, *(name for name, _ in attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if "style" not in self.open:
            self.text += data


@pytest.fixture
def without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)


@pytest.mark.parametrize(
    ("run", "headline"),
    [
        (Run((check("a", metric("held")),), True), "May ship: 1 of 1 model check passed"),
        (Run((full(),), True), "May ship, with 1 loss accepted: 1 of 1 model check passed"),
        (Run((check("a", metric()), full()), False), "May not ship: 1 of 2 model checks failed"),
        (Run((check("a", metric("held")),), False, None, ("b never ran",)),
         "May not ship: the run is incomplete, 1 model check passed"),
        (Run((), False, None, ("Nothing was collected",)), "May not ship: no model check was judged"),
    ],
)  # fmt: skip
def test_the_first_heading_says_whether_it_may_ship(run, headline) -> None:
    text = page.render(run)
    assert re.findall(r"<h1>.*?</span>(.*?)</h1>", text) == [headline]
    assert f"<title>{headline}</title>" in text
    for problem in run.problems:
        assert problem in text


def test_accepted_losses_come_before_everything_else() -> None:
    text = Reader(page.render(Run((full(), check("worst", metric())), passed=False))).text
    order = ["Accepted losses and weaker promises", "All checks", "What happened, and what to do"]
    assert sorted(order, key=text.index) == order
    for said in ("accepted in this change", "accepted with recording 2, and not won back yet", "promises less"):
        assert said in text


def test_checks_stand_in_the_order_that_a_reader_needs() -> None:
    checks = [check(label, metric(label)) for label in reversed(WORST_FIRST)]
    titles = re.findall(r'<h2 id="[^"]+"><bdi>(\w+)</bdi>', page.render(Run(tuple(checks), passed=False)))
    failing = [label for label in WORST_FIRST if label not in PASSING]
    assert titles == failing + [label for label in WORST_FIRST if label in PASSING]


@pytest.mark.parametrize("label", WORST_FIRST)
def test_every_verdict_is_told_in_words_and_explained(label) -> None:
    text = Reader(page.render(Run((check("a", metric(label)),), label in PASSING))).text
    assert f"a {'✓' if label in PASSING else '✗'} {label}" in text
    assert label in text[text.index("What each verdict means") :]


def test_a_check_that_could_not_be_judged_has_its_words() -> None:
    text = Reader(page.render(Run((check("a"),), passed=False))).text
    assert "error, in one sentence" in text
    assert "Mend it." in text


def test_the_interval_is_the_one_that_was_judged() -> None:
    text = page.render(Run((check("a", metric()),), passed=False))
    assert 'aria-label="change -0.0200, interval -0.0270 to -0.0130, margin 0.0050"' in text


@pytest.mark.parametrize("low", [-1e9, -0.027, 0.0], ids=["far out", "near", "zero"])
def test_bars_stay_inside_their_picture(low) -> None:
    text = page.render(Run((check("a", metric(low=low, high=-low)),), passed=False))
    for bar in re.findall(r'<svg class="bar".*?</svg>', text):
        places = re.findall(r' (?:x1?|x2|cx)="([^"]+)"', bar)
        assert all(0 <= float(place) <= 220 for place in places)


def test_far_intervals_compress_the_scale_and_none_is_cut_off() -> None:
    bars = [Bar(-m, -2 * m, -m / 2, 1.0, "fails", "") for m in (0.5, 40.0, 9000.0)]
    scale = Scale.of(bars)
    places = [scale.x(end) for bar in sorted(bars, key=lambda bar: bar.low) for end in (bar.low, bar.high)]
    assert places == sorted(set(places)), "each is told from the others"
    assert not any("beyond" in forest.draw(bar, scale) for bar in bars)
    assert "compressed" in forest.header(scale)
    near = Scale.of([Bar(-0.5, -1.0, 0.0, 1.0, "fails", "")])
    assert near.x(0) - near.x(-1) == pytest.approx(near.x(1) - near.x(0), abs=0.11)
    assert "compressed" not in forest.header(near)


def test_on_a_narrow_screen_every_number_stands_beside_what_it_is() -> None:
    text = page.render(Run((check("churn", metric("worse"), metric("held", "neg_log_loss")),), passed=False))
    (whole,) = re.findall(r'<table role="table" class="stack"><caption class="unseen">All checks.*?</table>', text)
    rows = whole.partition("<tbody")[2].split("<tr ")[1:]
    for row in rows:
        labels = re.findall(r'<td role="cell" data-label="([^"]*)"', row)
        assert labels == ["Verdict", "Metric", "Baseline", "Candidate", "Change", "Interval", "Margin"]
        assert "churn" in row
    assert "neg_<wbr>log_<wbr>loss" in rows[1]


def test_numbers_that_are_missing_are_dashes() -> None:
    bare = MetricVerdict("r2", "error", baseline=float("nan"), low=float("-inf"), margin=0.0, folds=((None, 0.2),))
    bare = verdict_json.from_dict(json.loads(json.dumps(verdict_json.to_dict(check("a", bare)))))
    text = Reader(page.render(Run((bare,), passed=False), {"a": [Recording(None, baseline(metrics={}))]})).text
    assert "nan" not in text
    assert "inf" not in text.replace("information", "")


@given(st.text(min_size=1))
@settings(deadline=None, derandomize=True, max_examples=150)
@example("</title><script>")
def test_a_name_is_text_and_nothing_else(word) -> None:
    drawn = {"charts": {"confusion": {"labels": [word], "others": 0, "approved": [[3]], "candidate": [[2.5]]}}}
    runs = [Run((full(one, **drawn),), True, one, (one,)) for one in ("x", word)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        plain, hostile = (Reader(page.render(run)) for run in runs)
    assert hostile.tags == plain.tags
    shown = " ".join(spelt_out(word.strip()).split())
    assert " ".join(hostile.text.split()).count(shown) >= 20
    assert hostile.links == plain.links


@pytest.mark.parametrize("word", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_does_nothing_in_a_plot_either(word) -> None:
    text = page.render(Run((full(word),), True, word, (word,)), {word: recordings(word)})
    text.encode("utf-8")
    read = Reader(text)
    assert {tag for tag, *_ in read.tags} <= ELEMENTS
    assert not {name for _, *names in read.tags for name in names if name.startswith("on")}
    assert all(link.startswith("#") for link in read.links)
    assert not re.search(r"[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)


def test_what_cannot_be_seen_is_shown() -> None:
    assert spelt_out("a\u202eb\u200bc\x07d\ud800e\U000e0041") == "a\\u202eb\\u200bc\\x07d\\ud800e\\U000e0041"
    assert spelt_out("na\u00efve \u03bb 漢\tx\ny") == "na\u00efve \u03bb 漢\tx\ny"


def test_nothing_comes_from_elsewhere_and_nothing_runs() -> None:
    text = page.render(Run((full(),), passed=True), {"x": recordings()})
    assert "default-src &#x27;none&#x27;; style-src &#x27;unsafe-inline&#x27;" in text
    assert text.index("Content-Security-Policy") < text.index("<style>")
    assert not re.search(r"(?:src|href)=\"(?!#)|url\((?!#)|@import|<script|https?://(?!www\.w3\.org)", text)


def test_every_id_is_one_of_its_kind_and_every_link_leads_to_one() -> None:
    read = Reader(page.render(Run((full("x"), full("y"), full("x")), passed=True), {"x": recordings()}))
    assert len(set(read.ids)) == len(read.ids)
    assert {link[1:] for link in read.links} <= set(read.ids)


def test_the_same_run_gives_the_same_bytes_whatever_a_users_matplotlib_looks_like() -> None:
    run, histories = Run((full(),), passed=True), {"x": recordings()}
    first = page.render(run, histories)
    import matplotlib as mpl  # not before: old versions warn when they are imported

    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path", "svg.hashsalt": "y"}):
        before = dict(mpl.rcParams)
        assert page.render(run, histories) == first
        assert dict(mpl.rcParams) == before


def test_plots_follow_the_theme_and_have_a_name() -> None:
    text = page.render(Run((full(),), passed=True), {"x": recordings()})
    pictures = re.findall(r'<svg class="plot".*?</svg>', text, re.DOTALL)
    assert len(pictures) == 5  # folds, ROC, precision and recall, calibration, history
    for picture in pictures:
        assert re.search(r'role="img" aria-labelledby="([^"]+)"><title id="\1">[^<]+</title>', picture)
        assert set(re.findall(r"(?:fill|stroke): ?(#\w+)", picture)) == set()
        assert "<text" in picture


@pytest.mark.usefixtures("without_matplotlib")
def test_without_matplotlib_the_numbers_come_as_tables() -> None:
    text = page.render(Run((full(),), passed=True), {"x": recordings()})
    assert 'class="plot"' not in text
    assert text.count("pytest-model-check[report]") == 1
    for caption in ("fold by fold", "ROC of class", "calibration, baseline", "recordings of the baseline"):
        assert caption in text
    assert 'class="bar"' in text


def test_regression_is_drawn() -> None:
    y = np.arange(500.0)
    sides = [of_folds({"predict": (y + np.sin(y) * k)[None]}, None) for k in (10, 20)]
    text = page.render(Run((check("a", metric(), charts=charts(y, *sides)),), passed=False))
    assert "Predicted against actual" in text
    assert "Residuals" in text


def test_five_checks_with_plots_are_less_than_a_megabyte() -> None:
    run = Run(tuple(full(f"check{k}") for k in range(5)), passed=True)
    text = page.render(run, {f"check{k}": recordings() for k in range(5)})
    assert len(text.encode()) < 1e6


@pytest.mark.usefixtures("without_matplotlib")
def test_fifty_checks_with_slices_are_all_on_the_page() -> None:
    metrics = [metric("held", name) for name in ("roc_auc", "accuracy", "neg_log_loss")]
    slices = [metric("reported", one.metric, f"region={k}") for one in metrics for k in range(5)]
    run = Run(tuple(check(f"check{k}", *metrics, *slices) for k in range(50)), passed=True)
    read = page.render(run)
    assert read.count('class="check"') == 50
