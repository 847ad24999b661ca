"""A program as the candidate: what it is told, what of its output is believed, and what it leaves behind: nothing."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pytest_model_check import Service
from pytest_model_check.candidates import process_group
from pytest_model_check.candidates.binding import bind
from pytest_model_check.candidates.candidate import Fold
from pytest_model_check.candidates.place import Place
from pytest_model_check.candidates.program import Program
from pytest_model_check.candidates.sample_weights import require_weighable
from pytest_model_check.errors import CandidateError, PromiseError
from support.processes import wait_until_gone

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked for in /proc")

LABELS = np.array(["benign", "malignant"], dtype=object)
TRAIN = pd.DataFrame({"size": [1.0, 2.0, 8.0, 9.0], "kind": ["a", "b, c", None, 'd "e"']})
TEST = TRAIN.assign(size=[9.5, 0.5, 8.5, 1.5])


def ask(script: str, folder: Path, classes=LABELS, weights=None, **options):
    """Let a shell script answer for a fold of four rows."""
    (folder / "model.sh").write_text(script, encoding="utf-8")
    y = np.array([1.5, 2.5, 8.0, 9.0]) if classes is None else LABELS[[0, 0, 1, 1]]
    task = "regression" if classes is None else "classification"
    program = bind(Program("sh model.sh", task=task, **options), Place(folder, str, "diagnosis"))
    random_state = np.random.SeedSequence(3)
    fold = Fold(lambda: (TRAIN, y), lambda: TEST, classes, random_state, weights, seed=2, repeat=1, fold=4)
    return program.answer(fold).responses


def writes(*lines: str) -> str:
    """Return a script that prints these lines to its output."""
    return f"cat > $MODEL_CHECK_OUTPUT <<'EOF'\n{chr(10).join(lines)}\nEOF\n"


def test_it_is_told_all_and_not_the_target(tmp_path: Path) -> None:
    script = "cat > request.json; cp $MODEL_CHECK_TRAIN train.csv; cp $MODEL_CHECK_TEST test.csv; "
    found = ask(script + writes("row_id,prediction", *(f"{row},benign" for row in range(4))), tmp_path)
    assert found["predict"].tolist() == ["benign"] * 4
    request = json.loads((tmp_path / "request.json").read_text())
    assert {key: request[key] for key in ("protocol", "task", "target", "features", "classes")} == {
        "protocol": 1,
        "task": "classification",
        "target": "diagnosis",
        "features": ["size", "kind"],
        "classes": ["benign", "malignant"],
    }
    assert (request["run"], request["repeat"], request["fold"]) == (2, 1, 4)
    assert 0 <= request["seed"] < 2**31
    train, test = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("train", "test"))
    assert train.columns.tolist() == ["size", "kind", "diagnosis"]
    assert train["kind"].tolist()[1::2] == ["b, c", 'd "e"']
    assert test.columns.tolist() == ["row_id", "size", "kind"]
    assert not Path(request["train"]).parent.exists()


def test_weights_stand_in_the_training_file_of_a_program_that_takes_them(tmp_path: Path) -> None:
    script = "cat > request.json; cp $MODEL_CHECK_TRAIN train.csv; cp $MODEL_CHECK_TEST test.csv\n"
    answer = writes("row_id,prediction", *(f"{row},benign" for row in range(4)))
    weights = np.array([1.0, 0.25, 3.0, 0.0])
    told = "echo $MODEL_CHECK_SAMPLE_WEIGHT > told\n"
    ask(script + told + answer, tmp_path, weights=weights, sample_weight=True)
    train = pd.read_csv(tmp_path / "train.csv")
    assert train.columns.tolist() == ["size", "kind", "sample_weight", "diagnosis"]
    assert train["sample_weight"].tolist() == weights.tolist()
    assert "sample_weight" not in pd.read_csv(tmp_path / "test.csv").columns
    request = json.loads((tmp_path / "request.json").read_text())
    assert (request["sample_weight"], request["features"]) == ("sample_weight", ["size", "kind"])
    assert (tmp_path / "told").read_text() == "sample_weight\n"
    ask(script + told + answer, tmp_path, sample_weight=True)  # the check names none
    assert json.loads((tmp_path / "request.json").read_text())["sample_weight"] is None
    assert (tmp_path / "told").read_text() == "\n"
    require_weighable(Program("sh model.sh", sample_weight=True))
    require_weighable(Service("http://localhost"))  # nothing is fitted here
    with pytest.raises(PromiseError, match=r"Program\(sh model\.sh\) does not say that it takes weights"):
        require_weighable(Program("sh model.sh"))


def test_probabilities_in_another_order_of_rows_and_columns(tmp_path: Path) -> None:
    lines = "3,.9,.1", "1,.8,.2", "2,.3,.7", "0,.4,.6"
    found = ask(writes("row_id,probability_benign,probability_malignant", *lines), tmp_path)
    assert found["predict_proba"][:, 1].tolist() == [0.6, 0.2, 0.7, 0.1]
    assert found["predict"].tolist() == ["malignant", "benign", "malignant", "benign"]
    only_one = ask(writes("probability_malignant,row_id", *(f"1,{row}" for row in range(4))), tmp_path)
    assert only_one["predict_proba"].tolist() == [[0.0, 1.0]] * 4


def test_numbers_and_labels_that_are_spelt_in_another_way(tmp_path: Path) -> None:
    lines = [f"{row},{row}.5" for row in range(4)]
    assert ask(writes("row_id,prediction", *lines), tmp_path, None)["predict"].tolist() == [0.5, 1.5, 2.5, 3.5]
    for labels, spelt in (
        (np.array([0, 1]), ("0", "1.0", "1", "0")),
        (np.array([False, True]), ["FALSE", "TRUE", "true", "0"]),
    ):
        found = ask(writes("row_id,prediction", *(f"{i},{text}" for i, text in enumerate(spelt))), tmp_path, labels)
        assert found["predict"].astype(int).tolist() == [0, 1, 1, 0]
        assert found["predict"].dtype == labels.dtype


def test_parquet_keeps_types(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(
        "import json, sys, pandas as pd\n"
        "request = json.load(sys.stdin)\n"
        "test = pd.read_parquet(request['test'])\n"
        "answers = test[['row_id']].assign(prediction=test['size'] > 5)\n"
        "answers.to_parquet(request['output'])\n",
        encoding="utf-8",
    )
    found = ask(f"{sys.executable} model.py", tmp_path, np.array([False, True]), format="parquet")
    assert found["predict"].tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("script", "message", "advice"),
    [
        ("echo no such package >&2; exit 3", "the program ended with exit code 3", "  no such package"),
        ("kill -9 $$", "the program was killed by signal 9", "It said nothing."),
        ("echo done", "the program ended with exit code 0, and wrote no output", "  done"),
        (writes("\x00\x01garbage"), "output has no column row_id", "Copy row_id"),
        (": > $MODEL_CHECK_OUTPUT", "output can't be read: No columns to parse", "column prediction"),
        (writes("row_id,answer", "0,benign"), "answers row_id 1 never: it has 1 lines, the test file 4 rows", "once"),
        (writes("row_id,prediction", *["0,benign"] * 4), "answers row_id 0 twice", "once"),
        (writes("row_id,prediction", "4,benign"), "names row_id 4, which the test file does not have", "It was: sh"),
        (writes("row_id,prediction", "x,benign"), "holds 'x' in its column 'row_id' for line 2", "scored"),
        (
            writes("row_id,answer", *(f"{i},benign" for i in range(4))),
            "holds no predictions: its columns",
            "prediction",
        ),
        (
            writes("row_id,prediction", "0,benign", "1,Malignant", "2,benign", "3,benign"),
            "answers 'Malignant' for row_id 1: the target has no such label",
            "Its labels are 'benign', 'malignant'.",
        ),
        (
            writes("row_id,probability_benign,probability_none", *(f"{i},.5,.5" for i in range(4))),
            "has the column 'probability_none', and the target has no such label",
            "Its labels",
        ),
        (
            writes("row_id,probability_benign,probability_malignant", *(f"{i},.5,{i / 4}" for i in range(4))),
            "predict_proba answers no probabilities",
            "sum to 1",
        ),
        (
            writes(
                "row_id,probability_benign,probability_malignant", *(f"{i},.5,{'NaN' if i else 0.5}" for i in range(4))
            ),
            "holds 'NaN' in its column 'probability_malignant' for row_id 1 (and 2 more): no finite number",
            "Every item",
        ),
    ],
)
def test_what_is_wrong_is_named(script: str, message: str, advice: str, tmp_path: Path) -> None:
    with pytest.raises(CandidateError) as raised:
        ask(script, tmp_path)
    assert message in raised.value.message
    assert advice in raised.value.advice
    assert str(tempfile.gettempdir()) not in raised.value.advice


def test_a_program_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(CandidateError, match=r"the program was not done after 0\.3 s"):
        ask("sleep 100 & echo $! > pid; sleep 100", tmp_path, timeout=0.3)
    wait_until_gone(int((tmp_path / "pid").read_text()))
    # one that ends well may not leave a process either
    answer = writes("row_id,prediction", *(f"{row},benign" for row in range(4)))
    ask(f"sleep 100 & echo $! > pid\n{answer}", tmp_path)
    wait_until_gone(int((tmp_path / "pid").read_text()))
    assert not list(tmp_path.glob("model-check-program-*"))


def test_a_program_that_prints_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_group, "LARGEST_LOG", 10**6)
    monkeypatch.setattr(process_group, "TICK", 0.05)
    with pytest.raises(CandidateError, match="the program printed more than 1 MB, and was ended") as raised:
        ask("yes garbage", tmp_path)
    assert raised.value.advice.endswith("  garbage")


def test_a_program_ends_with_the_process_that_asked_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    asking = get_context("spawn").Process(target=ask, args=("sleep 100 & echo $! > pid; sleep 100", tmp_path))
    asking.start()
    pid = tmp_path / "pid"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (pid.exists() and pid.read_text().strip()):
        time.sleep(0.01)
    assert list(tmp_path.glob("model-check-program-*"))
    asking.kill()  # as an engine does that has waited long enough
    asking.join()
    wait_until_gone(int(pid.read_text()))
    assert not list(tmp_path.glob("model-check-program-*"))


def test_what_can_t_be_run_is_refused(tmp_path: Path) -> None:
    fold = Fold(lambda: (TRAIN, LABELS[[0, 0, 1, 1]]), lambda: TEST, LABELS, np.random.SeedSequence(3))
    with pytest.raises(CandidateError, match="'no-such-program' can't be started: No such file"):
        bind(Program("no-such-program"), Place(tmp_path, str, "y")).answer(fold)
    with pytest.raises(CandidateError, match="a feature is called 'size', as the target is"):
        bind(Program("sh"), Place(tmp_path, str, "size")).answer(fold)
    named = TRAIN.rename(columns={"kind": "sample_weight"})
    rows = (named, LABELS[[0, 0, 1, 1]])
    weighted = Fold(lambda: rows, lambda: TEST, LABELS, np.random.SeedSequence(3), np.ones(4))
    with pytest.raises(CandidateError, match="a feature is called 'sample_weight', as the weight is"):
        bind(Program("sh", sample_weight=True), Place(tmp_path, str, "y")).answer(weighted)
    for wrong in ({"command": ""}, {"task": "ranking"}, {"format": "pickle"}, {"timeout": 0}):
        with pytest.raises(PromiseError):
            Program(**{"command": "sh", **wrong})


@pytest.mark.skipif(shutil.which("awk") is None, reason="awk is not installed")
def test_twenty_lines_of_awk_are_a_model() -> None:
    rng = np.random.default_rng(0)
    y = LABELS[rng.integers(0, 2, 200)]
    X = pd.DataFrame({"a": rng.normal(size=200) + 3 * (y == "malignant"), "b": rng.normal(size=200)})
    program = bind(Program("awk -F, -f nearest_mean.awk"), Place(Path(__file__).parent / "programs", str, "diagnosis"))
    found = program.answer(Fold(lambda: (X[:100], y[:100]), lambda: X[100:], LABELS, np.random.SeedSequence(0)))
    assert (found.responses["predict"] == y[100:]).mean() > 0.9
