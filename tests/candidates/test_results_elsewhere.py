"""Results made elsewhere: which files are understood, and that the same items are enforced."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pytest_model_check import Results
from pytest_model_check.candidates.binding import bind
from pytest_model_check.candidates.candidate import Fold
from pytest_model_check.candidates.place import Place
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.data import dataset, splits
from pytest_model_check.errors import CandidateError, DataError, PromiseError
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.engine import InProcess
from support.project import Project

LOGS = Path(__file__).parent / "logs"
LABELS = np.array(["no", "yes"], dtype=object)
# what its mock model got right, epoch by epoch
RIGHT = [1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1]
TABLE = pd.DataFrame({"id": [3, 1, 2], "prediction": ["yes", "no", "yes"], "seconds": [0.3, 0.1, 0.2]})


def place(folder: Path) -> Place:
    return Place(folder, lambda path: f"md5 of {path.name}")


def read(table: pd.DataFrame, folder: Path, name: str = "answers.csv", **options) -> Results:
    """Write a table as a file of results, and read it as a check does."""
    path = folder / name
    if path.suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)
    return bind(Results(name, **options), place(folder))


def ask(results: Results, ids: list, classes=LABELS, run: int = 0) -> dict[str, np.ndarray]:
    test = pd.DataFrame(index=pd.Index(ids, dtype=object))
    return dict(
        results.answer(
            Fold(lambda: (test, np.zeros(0)), lambda: test, classes, np.random.SeedSequence(0), seed=run)
        ).responses
    )


@pytest.mark.parametrize("name", ["answers.csv", "answers.parquet", "answers.jsonl"])
def test_predictions_are_known_by_their_ids(name: str, tmp_path: Path) -> None:
    results = read(TABLE, tmp_path, name)
    assert ask(results, [1, 2, 3])["predict"].tolist() == ["no", "yes", "yes"]
    assert results.description == f"Results({name}, md5 md5 of {name})"
    assert (results.runs, results.has_probabilities, results.origin) == (1, False, "elsewhere")


def test_ids_that_pandas_has_made_numbers_and_lines_that_json_allows(tmp_path: Path) -> None:
    results = read(TABLE.assign(id=TABLE["id"].astype(float)), tmp_path, "floats.parquet")
    assert ask(results, [1, 2, 3])["predict"].tolist() == ["no", "yes", "yes"]
    line = json.dumps({"id": "a\u2028b", "prediction": "no"}, ensure_ascii=False)
    (tmp_path / "separators.jsonl").write_text(f"{line}\n", encoding="utf-8")
    assert ask(bind(Results("separators.jsonl"), place(tmp_path)), ["a\u2028b"])["predict"].tolist() == ["no"]


def test_runs_are_told_apart_by_a_column(tmp_path: Path) -> None:
    twice = pd.concat([TABLE.assign(seed=10), TABLE.assign(seed=9, prediction="no")])
    results = read(twice, tmp_path, run="seed")
    assert results.runs == 2
    assert [ask(results, [1, 2, 3], run=run)["predict"].tolist() for run in (0, 1)] == [
        ["no"] * 3,
        ["no", "yes", "yes"],
    ]


def test_each_run_may_have_a_file_of_its_own(tmp_path: Path) -> None:
    for seed, answers in ((1, "no yes yes"), (2, "no no yes"), (10, "yes yes yes")):
        table = pd.DataFrame({"id": [1, 2, 3], "prediction": answers.split()})
        table.sample(frac=1, random_state=seed).to_csv(tmp_path / f"seed-{seed}.csv", index=False)
    (tmp_path / "seed-notes.txt").write_text("not one of them")
    by_name = bind(Results(["seed-1.csv", "seed-2.csv"]), place(tmp_path))
    assert by_name.runs == 2
    assert [ask(by_name, [1, 2, 3], run=run)["predict"].tolist() for run in (0, 1)] == [
        ["no", "yes", "yes"],
        ["no", "no", "yes"],
    ]
    by_pattern = bind(Results("seed-*"), place(tmp_path))
    assert by_pattern.runs == 3
    assert by_pattern.description.startswith("Results(seed-*, md5 ")
    assert by_pattern.description != bind(Results("seed-?.csv"), place(tmp_path)).description.replace("?.csv", "*")
    with pytest.raises(CandidateError, match=r"seed-2\.csv answers 'no' for id 1: the target has no such label"):
        ask(by_name, [1, 2, 3], np.array(["yes", "perhaps"], dtype=object), run=1)
    with pytest.raises(CandidateError, match=r"seed-2\.csv has no answer for 1 of 4 items \('4'\)"):
        ask(by_name, [1, 2, 3, 4], run=1)


@pytest.mark.parametrize(
    ("more", "named", "message"),
    [
        ("id,prediction\n1,no\n2,no\n", "seed-*.csv", "seed-2.csv has other items than seed-1.csv: 1 of 3 items ('3')"),
        ("id,prediction\n1,no\n1,no\n", "seed-*.csv", "seed-2.csv answers 1 of 2 items ('1') twice"),
        (None, "seed-*.csv", "seed-2.csv holds the same as seed-1.csv, to the byte: it is no other run"),
        (None, ["seed-1.csv", "seed-1.csv"], "Results(...) names seed-1.csv twice"),
        (None, "other-*.csv", "other-*.csv matches no file of results"),
    ],
)
def test_what_is_wrong_with_several_files_is_named(more: str | None, named, message: str, tmp_path: Path) -> None:
    first = "id,prediction\n1,no\n2,yes\n3,no\n"
    (tmp_path / "seed-1.csv").write_text(first)
    (tmp_path / "seed-2.csv").write_text(first if more is None else more)
    with pytest.raises(CandidateError) as raised:
        bind(Results(named), Place(tmp_path, lambda path: hashlib.md5(path.read_bytes()).hexdigest()))
    assert message in raised.value.message
    with pytest.raises(PromiseError, match="names no file"):
        Results([])


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"id": "item"}, "answers.csv has no column 'item', which id= names"),
        ({}, {"run": "seed"}, "answers.csv has no column 'seed', which run= names"),
        ({}, {"score": "grade"}, "answers.csv has no column 'grade', which score= names"),
        ({"id": [1, 2, 2]}, {}, "answers.csv answers 1 of 3 items ('2') twice"),
        ({"id": ["", 1, 2]}, {}, "answers.csv has no id in line 1"),
        ({"seconds": [1, "fast", 2]}, {"score": "seconds"}, "holds 'fast' in its column 'seconds' for id 1"),
        ({"seconds": [1, None, 2]}, {"score": "seconds"}, "holds '' in its column 'seconds' for id 1"),
        ({"seed": [1, 1, 2]}, {"run": "seed"}, "run 2 has other items than the first: 3 of 2 items"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(change: dict, options: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(CandidateError) as raised:
        read(TABLE.astype(object).assign(**change), tmp_path, **options)
    assert message in raised.value.message


def test_the_same_items_are_enforced(tmp_path: Path) -> None:
    results = read(TABLE, tmp_path)
    with pytest.raises(CandidateError, match=r"has no answer for 2 of 5 items \('4', '5'\)"):
        ask(results, [1, 2, 3, 4, 5])
    with pytest.raises(CandidateError, match=r"answers 1 of 3 items \('3'\) that the check does not judge"):
        ask(results, [1, 2])
    with pytest.raises(CandidateError, match="answers 'yes' for id 2: the target has no such label"):
        ask(results, [1, 2, 3], np.array(["no", "perhaps"], dtype=object))


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "torn.jsonl").write_text('{"id": 1}\n{"id": 2\n')
    (tmp_path / "list.jsonl").write_text("[1]\n")
    (tmp_path / "deep.jsonl").write_text("[" * 100_000)
    (tmp_path / "deep.json").write_text('{"status": ' * 100_000)
    (tmp_path / "torn.eval").write_bytes((LOGS / "inspect.eval").read_bytes()[:5000])
    (tmp_path / "table.xlsx").write_bytes(b"")
    for name, message in (
        ("torn.jsonl", "torn.jsonl, line 2: no JSON"),
        ("list.jsonl", "list.jsonl, line 1: no object"),
        ("deep.jsonl", "deep.jsonl, line 1: no JSON: it is nested too deeply"),
        ("deep.json", "deep.json is torn, or no JSON: it is nested too deeply"),
        ("torn.eval", "torn.eval can't be read: File is not a zip file"),
        ("table.xlsx", "table.xlsx: results are .parquet, .csv"),
    ):
        with pytest.raises(CandidateError, match=message):
            bind(Results(name), place(tmp_path))
    with pytest.raises(PromiseError, match="names no columns"):
        Results("a.csv", score=["a:b"])


# --- the logs of evaluation tools


def test_a_log_of_inspect_has_scores_by_item_and_epoch(tmp_path: Path) -> None:
    shutil.copy(LOGS / "inspect.eval", tmp_path)  # written by inspect_ai 0.3.285 with its mock model
    results = bind(Results("inspect.eval", score=["match", "includes"]), place(tmp_path))
    assert results.runs == 2
    ids = [f"q{number:03d}" for number in range(12)]
    found = [ask(results, ids, None, run)["score:match"] for run in (0, 1)]
    assert found[0].tolist() == [1.0 if right else 0.0 for right in RIGHT[:12]]
    assert found[1].tolist() == [1.0 if right else 0.0 for right in RIGHT[12:]]
    assert results.items is not None
    assert set(results.items["level"]) == {"easy", "hard"}


def test_a_log_that_is_not_over_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "begun.eval", "w") as archive:
        archive.writestr("_journal/start.json", "{}")
    with zipfile.ZipFile(tmp_path / "failed.eval", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({"status": "error"}))
    sample = {"id": 1, "epoch": 1, "error": {"message": "timeout"}, "scores": {}}
    (tmp_path / "half.json").write_text(json.dumps({"status": "success", "samples": [sample]}))
    (tmp_path / "other.json").write_text("{}")
    for name, message in (
        ("begun.eval", "begun.eval has no header.json: the evaluation is not over"),
        ("failed.eval", "failed.eval: the evaluation's status is 'error', not success"),
        ("half.json", "half.json: sample 1 ended in an error, without scores"),
        ("other.json", "other.json is no log of Inspect's"),
    ):
        with pytest.raises(CandidateError, match=message):
            bind(Results(name, score="match"), place(tmp_path))


def test_samples_of_the_language_model_evaluation_harness(tmp_path: Path) -> None:
    shutil.copy(LOGS / "harness.jsonl", tmp_path)  # written by lm_eval 0.4 with its dummy model, --log_samples
    results = bind(Results("harness.jsonl", score=["acc", "acc_norm"]), place(tmp_path))
    assert results.items is not None
    assert (len(results.items), results.items.index[0][:3]) == (12, "0 (")
    found = ask(results, list(results.items.index), None)
    assert found["score:acc"].sum() == found["score:acc_norm"].sum() == 9
    # a task with several filters has a line for each
    lines = [json.loads(line) for line in (LOGS / "harness.jsonl").read_text().splitlines()]
    both = lines + [line | {"filter": "strict", "acc": 0.0} for line in lines]
    (tmp_path / "both.jsonl").write_text("\n".join(map(json.dumps, both)))
    with pytest.raises(CandidateError, match=r"both\.jsonl holds the answers of 2 filters: none, strict"):
        bind(Results("both.jsonl", score="acc"), place(tmp_path))
    strict = bind(Results("both.jsonl", score="acc", filter="strict"), place(tmp_path))
    assert ask(strict, list(results.items.index), None)["score:acc"].sum() == 0
    with pytest.raises(CandidateError, match="has no filter 'flexible'"):
        bind(Results("both.jsonl", score="acc", filter="flexible"), place(tmp_path))


# --- the check

CHALLENGER = """
from pytest_model_check import Results

def judge(model_check, baseline):
    promise = dict(metrics={"exact_match": 0.03, "neg_seconds": 0.1}, baseline=baseline)
    model_check(Results("others.jsonl", score=["exact_match", "neg_seconds"]), **promise)

def test_challenger(model_check):
    judge(model_check, "answers")

def test_lost(model_check):
    judge(model_check, "no-such")
"""


def check(results: Results, **promise):
    return make_check(results, name="answers", **promise)


def test_finished_scores_need_neither_data_nor_target(tmp_path: Path) -> None:
    shutil.copy(LOGS / "inspect.eval", tmp_path)
    results = bind(Results("inspect.eval", score=["match", "includes"]), place(tmp_path))
    promised = check(results, slices="level", margin=0.1)
    assert [metric.name for metric in promised.metrics] == ["match", "includes"]
    data = dataset.of_items(promised)
    assert (data.rows, data.path, data.slices["level"].nunique()) == (12, "items", 2)
    cv = splits.make_cross_validation(promised, data)
    found = crossval.predict(results, cv, seeds=2, entropy=0, engine=InProcess())
    assert found.responses["score:match"].shape == (2, 12)
    seconds = read(TABLE, tmp_path, score="neg_seconds")
    assert [metric.name for metric in check(seconds, metrics={"neg_seconds": 0.1}).metrics] == ["neg_seconds"]
    with pytest.raises(PromiseError, match="metrics= names 'roc_auc', and the results hold finished scores: match"):
        check(results, metrics="roc_auc")
    with pytest.raises(PromiseError, match="the results hold finished scores, which need none"):
        check(results, target="y")


def test_predictions_need_data_with_the_same_ids(tmp_path: Path) -> None:
    results = read(TABLE, tmp_path)
    pd.DataFrame({"id": [2, 3, 3], "y": ["no", "yes", "no"]}).to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(PromiseError, match="missing a required argument: 'data'"):
        check(results, target="y")
    with pytest.raises(DataError, match="id='id' holds 3 twice"):
        dataset.read(check(results, data="data.csv", target="y"), tmp_path, lambda path: "0" * 32)
    with pytest.raises(PromiseError, match="is not fitted here"):
        check(results, data="data.csv", target="y", cv=5)


def test_a_release_is_judged_by_results_alone(project: Project) -> None:
    def write(name: str, wrong: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        right = np.ones(400)
        right[rng.permutation(400)[:wrong]] = 0
        seconds = rng.gamma(4, 0.1, 400)
        pd.DataFrame({"id": range(400), "exact_match": right, "seconds": seconds}).sample(
            frac=1, random_state=1
        ).to_json(project.path / name, orient="records", lines=True)

    project.source(
        """
        from pytest_model_check import Results

        def test_answers(model_check):
            model_check(
                Results("answers.jsonl", score=["exact_match", "neg_seconds"]),
                metrics={"exact_match": 0.03, "neg_seconds": 0.1},
            )
        """
    )
    write("answers.jsonl", wrong=60)
    assert project.run("--update-baselines").ret == 0
    assert project.baseline("answers")["origin"] == "elsewhere"
    write("answers.jsonl", wrong=60)
    write("others.jsonl", wrong=61)
    (project.path / "test_challenger.py").write_text(CHALLENGER)
    result = project.run("--update-baselines")
    assert project.verdicts() == {"answers": "identical", "challenger": "held", "lost": "missing"}
    assert "there is no baseline no-such to hold the candidate against" in result.stdout.str()
    cached = {check["name"]: (check["served"], check["uncached"]) for check in project.report()["checks"]}
    assert cached["answers"] == (0, "the candidate is no estimator: what it runs or asks is not known here")
    assert set(project.stored()) == {"answers.json", "answers.parquet", "answers.parquet.dvc", ".gitignore"}
    (project.path / "test_challenger.py").unlink()
    result.stdout.fnmatch_lines(["Evaluated elsewhere: answers: Results(answers.jsonl, md5 *); this run has judged*"])
    write("answers.jsonl", wrong=140, seed=1)
    project.run()
    metrics = {metric["metric"]: metric["verdict"] for metric in project.report()["checks"][0]["metrics"]}
    assert metrics == {"exact_match": "worse", "neg_seconds": "held"}
    (project.path / "answers.jsonl").write_text('{"id": 1, "exact_match": 1, "seconds": 0.5}\n' * 1)
    assert project.run().ret == 1
    assert project.verdicts() == {"answers": "incomparable"}
    assert "results were made elsewhere, of other data" in project.report()["checks"][0]["message"]
