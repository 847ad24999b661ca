"""Latency: the candidate's service against the approved one, asked in turn in the same run."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pytest_model_check import Service
from pytest_model_check.baselines.baseline_json import from_json, to_json
from pytest_model_check.candidates.stopwatch import rounds
from pytest_model_check.checks.declared import Address
from pytest_model_check.errors import PromiseError
from pytest_model_check.gate import judge_run
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.compared import Compared
from pytest_model_check.judgement.latency import QUANTILES, is_settled, judge_latency
from pytest_model_check.judgement.statistics import quantile_difference_error
from pytest_model_check.pull_requests import merge_base
from pytest_model_check.report import promise_table
from pytest_model_check.settings import Settings
from support.lives import baseline, protocol
from support.model_server import serving
from support.project import Project

RNG = np.random.default_rng(0)


def times(rounds: int, slower: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the seconds of two services on a machine whose load comes and goes, and slows both."""
    rng = np.random.default_rng(seed)
    load = 1 + 2 * (np.arange(rounds) % 50 > 40)
    before, now = (0.01 * load * rng.lognormal(0, 0.2, rounds) for _ in range(2))
    return before, now * slower


# --- the judgement


@pytest.mark.parametrize(
    ("slower", "verdicts"),
    [(1.0, {"held", "better"}), (1.05, {"held"}), (2.0, {"worse"}), (0.5, {"better"})],
)
def test_what_is_slower_by_more_than_the_margin_is_worse(slower: float, verdicts: set[str]) -> None:
    found = judge_latency(*times(400, slower), margin=0.3)
    assert [metric.metric for metric in found] == list(QUANTILES)
    assert {metric.verdict for metric in found} <= verdicts
    median = found[0]
    assert median.baseline == pytest.approx(-0.01, rel=0.1)
    assert median.candidate == pytest.approx(-0.01 * slower, rel=0.1)
    assert median.margin == pytest.approx(0.3 * -median.baseline)


def test_a_small_loss_that_more_rounds_may_find_harmless_is_not_settled() -> None:
    few = judge_latency(*times(100, 1.12), margin=0.2)
    assert [is_settled(metric) for metric in few] == [metric.verdict == "held" for metric in few]
    assert all(map(is_settled, judge_latency(*times(100, 2.0), margin=0.2)))
    assert all(map(is_settled, judge_latency(*times(100, 1.0), margin=0.9)))


def test_noise_is_not_called_worse() -> None:
    verdicts = [metric.verdict for seed in range(50) for metric in judge_latency(*times(100, seed=seed), margin=0.1)]
    assert "worse" not in verdicts
    assert "inconclusive" in verdicts  # a hundred rounds can't tell a tenth


def test_a_slice_of_the_tail_is_seen_by_the_95th_percentile_alone() -> None:
    before, now = times(400)
    now[::10] *= 5
    median, tail = judge_latency(before, now, margin=0.3)
    assert (median.verdict, tail.verdict) == ("held", "worse")


def test_what_slows_both_is_no_noise() -> None:
    load = RNG.lognormal(0, 1, 300)
    alone = quantile_difference_error(load, RNG.permutation(load), 0.5).se
    paired = quantile_difference_error(load, load * 1.01, 0.5).se
    assert paired < alone / 20
    assert quantile_difference_error(load, load, 0.5).se == 0
    normal = RNG.normal(size=(2, 4000))
    expected = np.sqrt(2 * np.pi / 2 / 4000)  # of a normal median: sqrt(pi / 2n)
    assert quantile_difference_error(*normal, 0.5).se == pytest.approx(expected, rel=0.15)
    with pytest.raises(ValueError, match="b: expected of length 3, got 2"):
        quantile_difference_error([1, 2, 3], [1, 2], 0.5)


def test_what_can_t_be_told_says_what_would_tell() -> None:
    metrics = judge_latency(*times(100, seed=3), margin=0.01)
    advice = explain.advice(metrics, Compared())
    assert "Use a quieter machine, a larger batch=, or a wider latency_margin=." in advice
    assert "Find what makes it slower" in explain.advice(judge_latency(*times(100, 3.0), margin=0.1), Compared())


def test_a_baseline_shows_what_it_promises_of_latency() -> None:
    address = Address("http://localhost:5000", "mlflow")
    promised = replace(baseline(), service=address, protocol=protocol(latency_margin=0.2))
    expected = "latency, median and 95th percentile, no more than 20% above that of http://localhost:5000"
    assert expected in " ".join(promise_table.render([promised]).split())
    assert from_json(to_json(promised)) == promised
    assert "latency" not in promise_table.render([baseline()])


def test_a_margin_is_a_share() -> None:
    for margin in (0, -0.1, float("nan"), float("inf")):
        with pytest.raises(PromiseError, match="it must be a number above 0"):
            Service("http://localhost", latency_margin=margin)


# --- asking both

CHECK = """
from pytest_model_check import Service

def test_tumours(model_check):
    model_check(
        {candidate}, data="data/tumours.csv", target="diagnosis", holdout="`mean radius` > 12",
        metrics={{"roc_auc": 0.3}},
    )
"""


class Model:
    """Knows tumours by their radius, and who was asked when."""

    def __init__(self, cut: float = 15.0, asked: list | None = None) -> None:
        self.cut = cut
        self.asked = [] if asked is None else asked

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        self.asked.append((self.cut, len(rows)))
        share = 1 / (1 + np.exp(self.cut - rows["mean radius"]))
        return np.column_stack([1 - share, share])


def service(url: str, margin: float | None = 0.5) -> str:
    latency = "" if margin is None else f", latency_margin={margin}"
    return f'Service("{url}", probabilities=True, batch=50, pause=0.01, retries=0{latency})'


def latencies(project: Project) -> dict[str, dict]:
    (check,) = project.report()["checks"]
    return {metric["metric"]: metric for metric in check["metrics"] if metric["metric"] in QUANTILES}


def test_both_services_are_asked_in_turn() -> None:
    asked: list[tuple[float, int]] = []
    rows = pd.DataFrame({"mean radius": np.arange(5.0)})
    with serving(Model(1, asked)) as one, serving(Model(2, asked)) as other:
        services = [Service(url, probabilities=True, batch=3) for url in (one, other)]
        found = list(islice(rounds(services, rows, np.array(["benign", "malignant"])), 3))
    assert asked == [(1, 3), (2, 3), (2, 2), (1, 2), (1, 3), (2, 3)]
    assert np.array(found).shape == (3, 2)
    assert (np.array(found) > 0).all()


def test_a_slower_service_does_not_take_the_place_of_the_approved_one(project: Project) -> None:
    model, other = Model(), Model(15.01)
    with serving(model) as approved, serving(other, 0.02) as slow, serving(other) as quick:
        project.source(CHECK.format(candidate=service(approved)))
        assert project.run("--update-baselines").ret == 0
        recorded = project.baseline()
        assert recorded["service"] == {"url": approved, "protocol": "mlflow", "output": None, "token": None}
        assert recorded["protocol"]["latency_margin"] == 0.5
        assert project.run().ret == 0  # at the same address, with the same answers, it is the approved one
        assert project.verdicts() == {"tumours": "identical"}

        project.source(CHECK.format(candidate=service(slow)))
        result = project.run("--update-baselines")
        assert result.ret == 1
        assert {name: metric["verdict"] for name, metric in latencies(project).items()} == dict.fromkeys(
            QUANTILES, "worse"
        )
        result.stdout.fnmatch_lines(["*neg_latency_* is worse by 0.0*"])
        assert project.baseline() == recorded

        project.source(CHECK.format(candidate=service(slow, None)))
        result = project.run()
        result.stdout.fnmatch_lines(["*the promise was weakened: latency_margin= is not named, was 0.5*"])

        project.source(CHECK.format(candidate=service(quick, 5.0)))
        assert project.run("--model-check-accept", "slower is fine").ret == 0  # a wider margin is a weaker promise
        assert project.verdicts()["tumours"] in ("held", "better")
        assert project.baseline()["service"]["url"] == quick

    with serving(model) as late:  # the approved one is gone
        project.source(CHECK.format(candidate=service(late, 5.0)))
        result = project.run()
        assert project.verdicts() == {"tumours": "incomparable"}
        result.stdout.fnmatch_lines(
            [
                f"*the approved service does not answer: {quick} can't be asked*",
                "*let it serve at an address of its own*",
            ]
        )
        accepted = project.run("--model-check-accept", "the old one was shut down")
        assert accepted.ret == 0
        assert project.baseline()["service"]["url"] == late


def test_where_no_service_is_approved_there_is_nothing_to_compare_with(project: Project) -> None:
    project.source(CHECK.format(candidate="make_pipeline(StandardScaler(), LogisticRegression())"))
    assert project.run("--update-baselines").ret == 0
    with serving(Model()) as url:
        project.source(CHECK.format(candidate=service(url)))
        result = project.run()
        assert {metric["verdict"] for metric in latencies(project).values()} == {"missing"}
        result.stdout.fnmatch_lines(["*the approved model is no service*"])
        assert project.run("--update-baselines").ret == 0
        assert project.baseline()["service"]["url"] == url


def test_another_service_at_the_approved_address_is_not_compared_with_itself(project: Project) -> None:
    turned = Model()
    with serving(turned) as url:
        project.source(CHECK.format(candidate=service(url)))
        assert project.run("--update-baselines").ret == 0
        turned.cut = 14
        result = project.run()
    assert project.verdicts() == {"tumours": "incomparable"}
    result.stdout.fnmatch_lines([f"*{url} was the approved service's address, and another one answers there now*"])


def test_latency_is_not_passed_over_by_whoever_judges_the_evidence(project: Project, tmp_path: Path) -> None:
    with serving(Model()) as url:
        project.source(CHECK.format(candidate=service(url)))
        assert project.run("--update-baselines").ret == 0
        project.git("add", "-A")
        project.git("commit", "-qm", "Approve")
        assert project.run("--model-check-against=HEAD", "--model-check-evidence=evidence").ret == 0
    against = merge_base.find(project.path, "HEAD", {})
    assert against is not None
    settings = Settings(project.path, project.path / "baselines", tmp_path, revision=against.sha)
    run = judge_run.judge([project.path / "evidence"], against, settings, "baselines")
    (check,) = run.checks
    assert (check.passed, check.verdict) == (False, "incomparable")
    assert "its latency is compared while both services run" in check.message
