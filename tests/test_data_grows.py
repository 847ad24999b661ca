"""The normal case: historical data grows by a month."""

from __future__ import annotations

import make_data
from conftest import Project

SOURCE = """
def test_flights(model_check):
    model_check(
        make_pipeline(StandardScaler(), LogisticRegression()),
        data="data/flights.parquet",
        target="late",
        features=["hour", "distance", "arrival_minute"],
        time="departure",
        metrics=["roc_auc"],
        cv=3,
        seeds=2,
    )
"""


def test_a_month_more_is_a_new_version_of_the_data(project: Project) -> None:
    january, february = make_data.flights(1), make_data.flights(2)
    assert february.head(len(january)).equals(january), "months are only ever appended"

    path = project.path / "data" / "flights.parquet"
    january.to_parquet(path)
    project.dvc("add", "data")
    project.dvc("push")
    project.source(SOURCE)
    project.run("--update-baselines").assert_outcomes(passed=1)
    rows = project.report()["checks"][0]["data"]["rows"]
    assert rows == len(january)

    february.to_parquet(path)
    project.run().stdout.fnmatch_lines(["flights: data differs from data.dvc (1 changed: flights.parquet)*"])
    assert project.verdicts() == {"flights": "error"}, "an edit that nobody versioned is no data"

    project.dvc("add", "data")
    project.run()
    check = project.report()["checks"][0]
    assert check["verdict"] == "incomparable"
    assert check["message"].startswith("flights: the baseline is of other data: data/flights.parquet was ")

    (project.path / "baselines" / "flights.json").unlink()
    project.run("--update-baselines").assert_outcomes(passed=1)
    assert project.report()["checks"][0]["data"]["rows"] == len(february)
    assert project.baseline("flights")["data"]["rows"] == len(february)
