"""A job says the same on both sides of the process, and where everything of it lies."""

import json
from pathlib import Path

from pytest_model_check.old_code.job import Job
from support.lives import baseline


def job(tmp_path: Path) -> Job:
    return Job(
        folder=tmp_path / "work",
        baseline=baseline(),
        commit="a" * 40,
        files={"data/tumours.csv": "0" * 32},
        root=tmp_path / "project" / "models",
        old_root=tmp_path / "old",
        top=tmp_path / "project",
        import_roots=(tmp_path / "work" / "code", tmp_path / "work" / "code" / "src"),
        n_jobs=2,
    )


def test_a_job_survives_its_json(tmp_path: Path) -> None:
    written = job(tmp_path)
    assert Job.from_json(json.loads(json.dumps(written.to_json()))) == written


def test_the_old_test_runs_where_the_new_one_lies_in_the_project(tmp_path: Path) -> None:
    assert job(tmp_path).rootdir == tmp_path / "work" / "code" / "models"


def test_what_is_exchanged_lies_in_the_folder_of_the_job(tmp_path: Path) -> None:
    places = job(tmp_path)
    exchanged = [places.code, places.tool, places.control, places.result, places.error]
    assert len({*exchanged}) == 5
    assert all(path.parent == places.folder for path in exchanged)
