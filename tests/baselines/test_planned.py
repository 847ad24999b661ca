"""``model-check plan``: what a margin needs, from a baseline's noise, or why it can't be told."""

from dataclasses import replace
from math import inf

import pytest
from pytest_model_check.cli import main
from pytest_model_check.judgement.noise import NoiseReference
from support.lives import Life, baseline, metric, protocol


@pytest.fixture
def life(tmp_path, monkeypatch) -> Life:
    life = Life(tmp_path / "repository")
    life.write(baseline(metrics={"roc_auc": metric(0.9), "f1": metric(0.7)}))
    life.write(baseline(name="alone"))
    monkeypatch.chdir(life.path)
    return life


def test_it_says_what_a_margin_needs_in_80_columns(life, capsys):
    assert main(["plan", "alone", "--margin", "0.001"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    told = " ".join(said.split())
    assert "what a margin of 0.001 in roc_auc needs" in told
    assert "0.2% of the skill above a dummy" in told
    assert "The same learner: 24% on the 500 rows" in told  # Phi(1 / 1.049 - 1.645): its seeds alone vary by that
    assert "no number of rows will do, for what seeds alone vary" in told
    assert "needs 18 times the splits" in told
    assert "Another learner: at least 6% on the 500 rows" in told
    assert "500*" in said


def test_the_curve_is_drawn(life, capsys):
    pytest.importorskip("matplotlib")
    assert main(["plan", "churn", "--metric", "f1", "--margin", "0.01", "--svg", "power.svg"]) == 0
    assert "Drawn: power.svg" in capsys.readouterr().out
    drawn = (life.path / "power.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<?xml")
    assert "another learner, at least" in drawn
    assert main(["plan", "churn", "--metric", "f1", "--margin", "0.01", "--svg", "again.svg"]) == 0
    assert (life.path / "again.svg").read_text(encoding="utf-8") == drawn


def test_noise_that_was_not_measured_is_said(life, capsys):
    unknown = metric(0.9, noise_reference=NoiseReference(0.5, 0.0, inf, 1, 0.0))
    life.write(baseline(name="pilot", seeds=1, metrics={"roc_auc": unknown}))
    assert main(["plan", "pilot", "--margin", "0.01"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "The same learner: not known. It takes a baseline of two seeds or more" in said
    assert "Another learner: at least" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"protocol": protocol(time="day")},
            "more rows are like these (of more days, or other periods of day, not more",
        ),
        (
            {"protocol": protocol(groups="patient")},
            "more rows are like these (of more groups (patient), not more rows of",
        ),
        ({"effective_rows": 366.4}, "500 rows (worth 366 by their weights), 10 seeds"),
    ],
)
def test_a_plan_fits_what_rows_are(life, capsys, change, words):
    life.write(baseline(name="alone", **change))
    assert main(["plan", "alone", "--margin", "0.001"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert words in said
    is_time_series = "protocol" in change and change["protocol"].time is not None
    assert ("needs 18 times the splits" in said) is not is_time_series  # the past can't be repeated


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chrun", "--margin", "0.01"], ["no baseline 'chrun' in baselines/: did you mean churn?", "Record a pilot"]),
        (["churn", "--margin", "0.01"], ["churn: which metric?", "--metric f1, --metric roc_auc"]),
        (["churn", "--margin", "0.01", "--metric", "r2"], ["churn judges no metric r2", "--metric roc_auc"]),
        (["alone", "--margin", "0"], ["--margin 0: a margin is a number above 0"]),
        (["alone", "--margin", "nan"], ["--margin nan: a margin is a number above 0"]),
        (["alone", "--margin", "0.01", "--svg", "power.png"], ["--svg power.png: can draw SVG only"]),
        (["alone", "--margin", "0.01", "--svg", "no/power.svg"], ["no/power.svg can't be written"]),
    ],
)
def test_what_can_not_be_planned_is_refused_in_words(life, capsys, arguments, words):
    assert main(["plan", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert [word for word in words if word not in told.err] == []
    assert not list(life.path.glob("*.svg"))


def test_a_metric_without_any_noise_can_not_be_planned(life, capsys):
    silent = metric(1.0, standard_error=0.0, noise_reference=NoiseReference(0.5, 0.0, inf, None, 0.0))
    life.write(replace(baseline(name="silent"), metrics={"roc_auc": silent}))
    assert main(["plan", "silent", "--margin", "0.01"]) == 2
    assert "nothing is known of the noise of roc_auc" in capsys.readouterr().err


def test_show_and_the_write_up_say_how_good_a_yardstick_a_baseline_is(life, capsys):
    life.write(baseline(name="blunt", metrics={"f1": metric(0.7, margin=0.12)}))
    assert main(["show", "blunt"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Hardly fails: blunt: the margin of f1, 0.12, is 60% of its skill")
    assert "blunt as a yardstick" in lines
    said = " ".join(" ".join(lines).split())
    assert "f1: margin 0.12, 60% of the skill. A loss of 0.12 is caught 95 times in 100." in said
    assert "which these rows can hold." in said
    life.commit()
    assert main(["write-up", "blunt"]) == 0
    told = capsys.readouterr().out
    assert "## As a yardstick" in told
    assert "It can hardly be failed: the margin of f1" in told
