"""Baselines: read as written or refused in words; written whole or not at all."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from math import inf, nan
from pathlib import Path
from typing import get_args

import dvc.repo
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.baselines import store
from pytest_model_check.baselines.baseline_json import from_json, to_json
from pytest_model_check.baselines.record import Baseline, BaselineMetric, StoredAnchor
from pytest_model_check.baselines.store import Approved, prepare, read, read_approved, write
from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.data import dvc_cache, dvc_files
from pytest_model_check.errors import BaselineError, DataError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.margins import MarginKind
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.verdicts import Acceptance, AcceptanceKind, Label, Loss, Term, Weakening
from pytest_model_check.settings import Rules

fast = settings(deadline=None, derandomize=True, max_examples=50)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.floats(-1e300, 1e300)
ratios = st.floats(1e-6, 1e6)


def as_kept(number: float) -> float:
    """Round as JSON does."""
    return float(f"{number:.10g}")


tidy = numbers.map(as_kept)
sizes = st.floats(0, 1e300)
counts = st.integers(1, 2**60)
noise_references = st.builds(
    NoiseReference,
    dummy=st.none() | numbers,
    noise=sizes,
    dof=st.floats(1, 1e6) | st.just(inf),
    runs=st.none() | counts,
    floor=sizes,
)
metrics = st.builds(
    BaselineMetric,
    score=numbers,
    standard_error=sizes,
    folds=st.lists(numbers, max_size=4).map(tuple),
    definition=texts,
    margin=st.none() | numbers,
    margin_kind=st.sampled_from(get_args(MarginKind)),
    noise_reference=noise_references,
    anchor=st.none()
    | st.builds(
        StoredAnchor,
        since=counts,
        score=numbers,
        folds=st.lists(numbers, max_size=4).map(tuple),
        noise_reference=noise_references,
    ),
)
any_baseline = st.builds(
    Baseline,
    name=texts,
    nodeid=texts,
    candidate=texts,
    learner=texts,
    data=st.lists(st.tuples(texts.map("data/{}".format), texts), max_size=3).map(tuple),
    rows=counts,
    target_digest=texts,
    protocol=st.builds(
        Protocol,
        cv=texts,
        target=texts,
        features=st.none() | st.lists(texts, max_size=2).map(tuple),
        groups=st.none() | texts,
        time=st.none() | texts,
        slices=st.lists(texts, max_size=2).map(tuple),
        seeds=st.none() | counts,
        rules=st.builds(Rules, st.booleans(), st.booleans()),
        sample_weight=st.none() | texts,
    ),
    test_train_ratio=ratios.map(as_kept),
    metrics=st.dictionaries(texts, metrics, max_size=3),
    seeds=counts,
    entropy=counts,
    generation=counts,
    classes=st.none() | st.lists(texts | st.booleans() | st.integers() | numbers, max_size=3).map(tuple),
    predictions_md5=texts,
    environment=st.dictionaries(texts, texts, max_size=3),
    history=st.lists(
        st.builds(
            Acceptance,
            generation=counts,
            reason=texts,
            kind=st.sampled_from(get_args(AcceptanceKind)),
            losses=st.lists(
                st.builds(
                    Loss,
                    metric=texts,
                    verdict=st.none() | st.sampled_from(get_args(Label)),
                    slice=st.none() | texts,
                    delta=st.none() | tidy,
                    low=st.none() | tidy,
                    high=st.none() | tidy,
                    margin=st.none() | tidy,
                    since=st.none() | counts,
                ),
                max_size=2,
            ).map(tuple),
            weakened=st.lists(
                st.builds(
                    Weakening,
                    term=st.sampled_from(get_args(Term)),
                    name=texts,
                    before=st.none() | texts | counts | tidy,
                    after=st.none() | texts | counts | tidy,
                ),
                max_size=2,
            ).map(tuple),
            said=texts,
            closed=st.none() | counts,
        ),
        max_size=2,
    ).map(tuple),
    reused=st.integers(0, 2**60),
    formerly=st.lists(texts, max_size=2).map(tuple),
    columns=st.dictionaries(texts, texts, max_size=2),
    description=texts,
    caveats=st.lists(texts, max_size=2).map(tuple),
    effective_rows=st.none() | st.floats(1, 1e6).map(as_kept),
    folds=st.lists(counts, max_size=3).map(tuple),
)
EXAMPLE = Baseline(
    name="churn",
    nodeid="test_models.py::test_churn",
    candidate="LogisticRegression()",
    learner="deterministic",
    data=(("data/churn.csv", "0" * 32),),
    rows=6,
    target_digest="abc",
    protocol=Protocol("KFold(3)", "churned", ("age",), "patient", "day", ("region",), 2),
    test_train_ratio=0.5,
    metrics={
        name: BaselineMetric(
            0.9, 0.01, (0.88, 0.92), "defined", 0.02, "named", NoiseReference(0.5, 0.01, 9.5, None, 0.02), anchor
        )
        for name, anchor in (
            ("roc_auc", None),
            ("accuracy", StoredAnchor(1, 0.91, (0.9, 0.92), NoiseReference(0.5, 0.01, 9.5, None, 0.02))),
        )
    },
    seeds=2,
    entropy=5,
    generation=1,
    classes=("no", "yes"),
    predictions_md5="",
    environment={"python": "3.11"},
    history=(
        Acceptance(
            1,
            "the new law",
            "loss",
            (Loss("roc_auc", "worse", "region=north", -0.1, -0.2, -0.05, 0.02, 1),),
            (Weakening("margin", "roc_auc", 0.01, 0.02), Weakening("groups", before="clinic", after="patient")),
        ),
    ),
    description="Who leaves?",
    caveats=("One region only",),
)


def answers(seed=0, rows=6) -> Predictions:
    p = np.random.default_rng(seed).random((2, rows))
    classes = np.array(["no", "yes"], dtype=object)
    row = np.arange(rows)
    responses = {"predict": classes[(p > 0.5).astype(int)], "predict_proba": np.stack([1 - p, p], axis=2)}
    return Predictions(row, row * 0, row % 2, responses, classes)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def repository(path: Path) -> Path:
    """Make a DVC repository with a folder for baselines."""
    path.mkdir(exist_ok=True)
    dvc.repo.Repo.init(str(path), no_scm=True).close()
    (path / "baselines").mkdir()
    return path / "baselines"


def record(folder: Path, scratch: Path, seed=0, rows=6, **changes) -> tuple[Path, ...]:
    scratch.mkdir(exist_ok=True)
    return write(
        prepare(
            dataclasses.replace(EXAMPLE, **changes),
            Approved(answers(seed, rows), {"accuracy": np.arange(rows) / 7}),
            scratch,
        ),
        folder,
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return repository(tmp_path / "project")


def written(tmp_path, text=None, **changes) -> Path:
    """Put a JSON file where `read` looks for it, without DVC."""
    plain = to_json(EXAMPLE) if text is None else None
    (tmp_path / "churn.json").write_text(json.dumps(plain | changes) if text is None else text, encoding="utf-8")
    return tmp_path


# --- as JSON


@given(any_baseline)
@fast
def test_a_round_trip_keeps_all_and_repeats_itself(before):
    text = json.dumps(to_json(before), sort_keys=True, allow_nan=False)
    after = from_json(json.loads(text))
    assert json.dumps(to_json(after), sort_keys=True) == text
    assert dataclasses.replace(after, metrics={}) == dataclasses.replace(before, metrics={})
    assert after.metrics.keys() == before.metrics.keys()
    for name, metric in before.metrics.items():
        mine, its = dataclasses.asdict(metric), dataclasses.asdict(after.metrics[name])
        for (path, value), (same_path, same_value) in zip(_leaves(mine), _leaves(its), strict=True):
            assert path == same_path
            if isinstance(value, float | tuple):
                assert same_value == pytest.approx(value, rel=1e-9)
            elif not isinstance(value, dict):
                assert same_value == value


def _leaves(value, path=()) -> Iterator[tuple[tuple, object]]:
    if path:
        yield path, value
    if isinstance(value, dict):
        for key in value:
            yield from _leaves(value[key], (*path, key))
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _leaves(item, (*path, i))


def _changed(path, change):
    plain = json.loads(json.dumps(to_json(EXAMPLE)))
    inside = plain
    for key in path[:-1]:
        inside = inside[key]
    if change is KeyError:
        del inside[path[-1]]
    else:
        inside[path[-1]] = change
    return json.dumps(plain)


FREE = ("environment",)  # what is in it is for people
LABELS = ("kind", "verdict", "term", "inconclusive", "without_predictions")
OPTIONAL = (
    "degrees_of_freedom",
    "classes",
    "anchor",
    "closed",
    "dummy",
    "value",
    "features",
    "groups",
    "time",
    "seeds",
)


def _optional(path) -> bool:
    if path[:1] == ("history",) and len(path) > 4:  # in a loss, or in a weaker promise
        return path[-1] not in ("metric", "term", "name")
    return (path[-1] in OPTIONAL and path[0] != "predictions") or path == ("predictions", "classes")


LEAVES = [
    (path, value)
    for path, value in _leaves(json.loads(json.dumps(to_json(EXAMPLE))))
    if path not in (("digest",), *(("metrics", name, "margin", "reason") for name in EXAMPLE.metrics))
    and (path[0] not in FREE or len(path) == 1)
]


@pytest.mark.parametrize(
    "path",
    [path for path, _ in LEAVES if isinstance(path[-1], str) and path[:1] != ("metrics",)]
    + [
        path for path, _ in LEAVES if path[:2] == ("metrics", "roc_auc") and len(path) > 2 and isinstance(path[-1], str)
    ],
)
def test_a_missing_key_is_named(tmp_path, path):
    with pytest.raises(BaselineError, match=r"churn\.json.*key .*missing") as caught:
        read(written(tmp_path, _changed(path, KeyError)), "churn")
    assert str(path[-1]) in caught.value.message
    assert "git checkout" in caught.value.advice


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("metrics", "roc_auc", "score"), 0.99),
        (("metrics", "roc_auc", "dummy"), 0.1),
        (("protocol", "cv"), "KFold(2)"),
        (("metrics", "roc_auc", "margin", "reason"), "because"),
        (("metrics", "roc_auc", "margin", "reason"), KeyError),
        (("rows",), 7),
        (("digest",), "0" * 16),
        (("digest",), KeyError),
    ],
    ids=str,
)
def test_a_sound_value_that_nobody_recorded_is_an_edit(tmp_path, path, value):
    with pytest.raises(BaselineError, match=r"churn\.json was changed by hand or by a merge") as caught:
        read(written(tmp_path, _changed(("data", *path) if path == ("rows",) else path, value)), "churn")
    assert "git checkout" in caught.value.advice


@pytest.mark.parametrize("wrong", [True, nan, inf, -inf, "text", 1.5, [None], {"a": 1}, None], ids=repr)
def test_a_value_of_another_kind_is_named(tmp_path, wrong):
    allowed = {
        bool: lambda path, value: path[-2:-1] == ("classes",),
        str: lambda path, value: (isinstance(value, str) and path[-1] not in LABELS) or path[-1] in ("before", "after"),
        float: lambda path, value: (
            wrong == 1.5
            and (isinstance(value, float) or path[-2:-1] == ("classes",) or path[-1] in ("before", "after"))
        ),
        list: lambda path, value: False,
        dict: lambda path, value: path == FREE,
        type(None): lambda path, value: _optional(path) or value is None,
    }[type(wrong)]
    tried = 0
    for path, value in LEAVES:
        if allowed(path, value) or (wrong == 1.5 and value is None):
            continue
        tried += 1
        with pytest.raises(BaselineError) as caught:
            read(written(tmp_path, _changed(path, wrong)), "churn")
        assert caught.value.message.startswith("churn.json: ")
        named = [str(key) for key in path if isinstance(key, str)]
        assert any(key in caught.value.message for key in named), (path, caught.value.message)
    assert tried > 20


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("metrics", "roc_auc", "noise", "beyond_rows"), -0.1),
        (("metrics", "roc_auc", "noise", "floor"), -0.1),
        (("metrics", "roc_auc", "noise", "degrees_of_freedom"), 0),
        (("metrics", "roc_auc", "noise", "seeds"), 0),
        (("metrics", "roc_auc", "standard_error"), -1),
        (("metrics", "roc_auc", "score"), 10**400),
        (("predictions", "seeds"), 0),
        (("generation",), -1),
        (("data", "rows"), 0),
        (("schema",), 0),
    ],
)
def test_a_number_that_can_not_be_is_named(tmp_path, path, wrong):
    with pytest.raises(BaselineError, match=rf"churn\.json: the key {'.'.join(path)} can't be"):
        read(written(tmp_path, _changed(path, wrong)), "churn")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "torn or not JSON"),
        (json.dumps(to_json(EXAMPLE))[:-40], "torn or not JSON"),
        ("[]", "the file is no object"),
        ("null", "the file is no object"),
        (json.dumps(to_json(EXAMPLE) | {"schema": 4}), "newer than this version"),
        ("{\n<<<<<<< HEAD\n}", "merge conflict markers"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path, text, words):
    with pytest.raises(BaselineError, match=words) as caught:
        read(written(tmp_path, text), "churn")
    assert caught.value.message.startswith("churn.json")


def test_every_torn_file_is_refused(tmp_path):
    whole = json.dumps(to_json(EXAMPLE), indent=2, sort_keys=True)
    for end in range(0, len(whole) - 1, 7):
        with pytest.raises(BaselineError, match=r"churn\.json is torn"):
            read(written(tmp_path, whole[:end]), "churn")


def test_no_file_is_no_baseline(tmp_path):
    assert read(tmp_path, "churn") is None
    assert read(tmp_path / "nowhere", "churn") is None


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "churn.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(BaselineError, match=r"churn\.json can't be read"):
        read(tmp_path, "churn")


def test_the_file_of_another_check_is_refused(tmp_path):
    written(tmp_path)
    (tmp_path / "churn.json").rename(tmp_path / "tumours.json")
    with pytest.raises(BaselineError, match=r"tumours\.json: .*'churn'.*another check"):
        read(tmp_path, "tumours")


# --- written and read


def test_what_is_written_is_read(folder, tmp_path):
    paths = record(folder, tmp_path / "scratch")
    assert {path.name for path in paths} == {"churn.json", "churn.parquet.dvc"}
    found = read(folder, "churn")
    assert dataclasses.replace(found, predictions_md5="") == EXAMPLE
    assert read_approved(folder, found).predictions.agrees(answers(), rtol=0)
    assert sorted(files(folder)) == ["churn.json", "churn.parquet", "churn.parquet.dvc"]
    text = (folder / "churn.json").read_bytes()
    assert b"\r" not in text
    assert text.endswith(b"}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_the_same_baseline_written_again_is_an_empty_diff(folder, tmp_path):
    record(folder, tmp_path / "scratch")
    before = files(folder)
    reordered = dict(reversed(EXAMPLE.metrics.items()))
    record(folder, tmp_path / "scratch", metrics=reordered)
    assert files(folder) == before
    again = prepare(read(folder, "churn"), read_approved(folder, read(folder, "churn")), tmp_path / "scratch")
    write(again, folder)
    assert files(folder) == before


def test_missing_predictions_are_pulled(folder, tmp_path):
    record(folder, tmp_path / "scratch")
    (tmp_path / "remote").mkdir()
    with dvc.repo.Repo(str(folder.parent)) as repo:
        with repo.config.edit() as config:
            config["remote"]["beside"] = {"url": str(tmp_path / "remote")}
            config["core"]["remote"] = "beside"
        repo.push()
    whole = files(folder)
    (folder / "churn.parquet").unlink()
    subprocess.run(["rm", "-rf", str(folder.parent / ".dvc" / "cache")], check=True)
    assert read_approved(folder, read(folder, "churn")).predictions.agrees(answers(), rtol=0)
    assert files(folder) == whole


def test_predictions_of_another_commit_are_refused(folder, tmp_path):
    record(folder, tmp_path / "scratch")
    text = (folder / "churn.json").read_text(encoding="utf-8")
    record(folder, tmp_path / "scratch", seed=1)
    (folder / "churn.json").write_text(text, encoding="utf-8")
    with pytest.raises(BaselineError, match=r"churn\.parquet is not the file that churn\.json names"):
        read_approved(folder, read(folder, "churn"))


def test_predictions_that_were_edited_are_refused(folder, tmp_path):
    record(folder, tmp_path / "scratch")
    (folder / "churn.parquet").chmod(0o644)
    (folder / "churn.parquet").write_bytes(b"edited")
    with pytest.raises(BaselineError, match=r"^the predictions of churn: .*churn\.parquet"):
        read_approved(folder, read(folder, "churn"))


@pytest.mark.parametrize("content", ["text", "table"])
def test_a_file_that_holds_no_predictions_is_refused(folder, tmp_path, content):
    pending = prepare(EXAMPLE, Approved(answers(), {"accuracy": np.arange(6) / 7}), tmp_path)
    if content == "text":
        pending.predictions.write_bytes(b"no parquet")
    else:
        answers().to_frame().drop(columns="predict_proba:0").to_parquet(pending.predictions)
    md5 = dvc_cache.file_md5(pending.predictions)
    write(dataclasses.replace(pending, baseline=dataclasses.replace(pending.baseline, predictions_md5=md5)), folder)
    with pytest.raises(BaselineError, match=r"churn\.parquet holds no predictions"):
        read_approved(folder, read(folder, "churn"))


def test_labels_that_a_file_can_not_hold_are_refused_at_once(tmp_path):
    dates = dataclasses.replace(EXAMPLE, classes=(np.datetime64("2026-01-01"), "no"))
    with pytest.raises(BaselineError, match="the baseline churn can't be kept in a file"):
        prepare(dates, Approved(answers(), {"accuracy": np.arange(6) / 7}), tmp_path)


# --- all or nothing


def _killed(folder, monkeypatch, stage):
    """Leave what a killed run leaves: nothing is cleaned up."""
    script = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_store as t
from pytest_model_check.baselines import store
from pytest_model_check.data import dvc_cache, dvc_files
from pathlib import Path
from typing import get_args
folder = Path({str(folder)!r})
add, aside = dvc_files.add, Path.replace
def dying(*arguments):
    os._exit(9)
def added(path):
    add(path)
    os._exit(9)
def second(path, target, seen=[]):
    seen.append(path)
    if len(seen) == 2:
        os._exit(9)
    return aside(path, target)
if {stage!r} == "set aside": Path.replace = second
if {stage!r} == "before dvc": dvc_files.add = dying
if {stage!r} == "after dvc": dvc_files.add = added
if {stage!r} == "json written":
    text = store.write_text
    store.write_text = lambda *a: (text(*a), os._exit(9))
t.record(folder, folder.parent / "scratch", seed=1, generation=2)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, cwd=folder.parent)
    assert done.returncode == 9, done.stderr.decode()


@pytest.mark.parametrize("stage", ["set aside", "before dvc", "after dvc", "json written"])
def test_reading_puts_right_what_a_killed_run_left(folder, tmp_path, monkeypatch, stage):
    record(folder, tmp_path / "scratch")
    before = files(folder)
    _killed(folder, monkeypatch, stage)
    assert files(folder) != before
    found = read(folder, "churn")
    expected = (2, 1) if stage == "json written" else (1, 0)
    assert found.generation == expected[0]
    assert read_approved(folder, found).predictions.agrees(answers(seed=expected[1]), rtol=0)
    assert not [name for name in files(folder) if name.endswith(".before")]
    if stage != "json written":
        assert files(folder) == before


def test_a_failing_dvc_add_leaves_the_earlier_baseline(folder, tmp_path, monkeypatch):
    record(folder, tmp_path / "scratch")
    before = files(folder)

    def fail(path):
        path.with_name(path.name + ".dvc").write_text("half", encoding="utf-8")
        raise DataError("the cache is on fire")

    monkeypatch.setattr(dvc_files, "add", fail)
    with pytest.raises(BaselineError, match="the baseline churn could not be written: the cache is on fire"):
        record(folder, tmp_path / "scratch", seed=1)
    assert files(folder) == before


def test_a_file_that_can_not_be_set_aside_leaves_the_earlier_baseline(folder, tmp_path, monkeypatch):
    record(folder, tmp_path / "scratch")
    before, replace = files(folder), Path.replace

    def stuck(path, target):
        if path.name == "churn.parquet.dvc":  # as Windows does with a file that somebody reads
            raise PermissionError(13, "in use", str(path))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", stuck)
    with pytest.raises(BaselineError, match="in use"):
        record(folder, tmp_path / "scratch", seed=1)
    monkeypatch.undo()
    assert files(folder) == before


def test_an_interrupt_leaves_the_earlier_baseline(folder, tmp_path, monkeypatch):
    record(folder, tmp_path / "scratch")
    before = files(folder)
    monkeypatch.setattr(store, "to_text", lambda baseline: (_ for _ in ()).throw(KeyboardInterrupt))
    with monkeypatch.context() as m:
        m.setattr(store, "prepare", lambda *a: None)
        scratch = tmp_path / "scratch" / "churn.parquet"
        answers(1).to_frame().to_parquet(scratch, index=False)
        with pytest.raises(KeyboardInterrupt):
            write(store.Pending(EXAMPLE, scratch), folder)
    assert files(folder) == before


def test_a_first_baseline_that_fails_leaves_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "write_text", lambda path, text: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(BaselineError, match="full"):
        record(folder, tmp_path / "scratch")
    assert files(folder) == {}


FSIZE = """
import resource, sys
sys.path.insert(0, {tests!r})
import test_store as t
from pytest_model_check.errors import BaselineError
from pathlib import Path
from typing import get_args
folder = Path({folder!r})
baseline = t.dataclasses.replace(t.EXAMPLE, candidate="x" * {json}, generation=2)
pending = t.prepare(baseline, t.Approved(t.answers(1, {rows}), {{"accuracy": t.np.arange({rows}) / 7}}), folder.parent)
limit = {limit}
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    t.write(pending, folder)
except BaselineError as error:
    print("refused:", error.message)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit for the size of files")
@pytest.mark.parametrize(
    ("json_size", "rows", "limit"), [(10, 20_000, 50_000), (400_000, 6, 200_000)], ids=["parquet", "json"]
)
def test_a_file_that_grows_too_large_leaves_the_earlier_baseline(folder, tmp_path, json_size, rows, limit):
    record(folder, tmp_path / "scratch")
    before = files(folder)
    script = FSIZE.format(tests=str(Path(__file__).parent), folder=str(folder), json=json_size, rows=rows, limit=limit)
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert "refused: the baseline churn could not be written: [Errno 27]" in done.stdout, done.stderr
    assert files(folder) == before


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of 600 kB."""
    path = tmp_path / "disk"
    path.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(path)], check=False)
    if done.returncode:
        pytest.skip("this machine mounts no disk")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_leaves_the_earlier_baseline_at_every_stage(disk, tmp_path):
    folder = repository(disk / "project")
    record(folder, tmp_path / "scratch", rows=200)
    before, full = files(folder), set()
    filler = disk / "filler"
    for pages in range(60):
        room = os.statvfs(disk)
        filler.write_bytes(bytes(max(0, room.f_bavail - pages) * room.f_frsize))
        try:
            record(folder, tmp_path / "scratch", seed=1, rows=200, candidate="x" * 60_000)
        except BaselineError as error:
            cause = error.__cause__
            full.add(
                "dvc"
                if isinstance(cause, DataError)
                else "predictions"
                if cause.filename.endswith("parquet")
                else "json"
            )
            assert files(folder) == before
        else:
            break
        finally:
            filler.unlink()
        assert read_approved(folder, read(folder, "churn")).predictions.agrees(answers(rows=200), rtol=0)
    assert full == {"predictions", "dvc", "json"}
    assert read_approved(folder, read(folder, "churn")).predictions.agrees(answers(1, rows=200), rtol=0)


def test_a_disk_that_is_read_only_leaves_the_earlier_baseline(disk, tmp_path):
    folder = repository(disk / "project")
    record(folder, tmp_path / "scratch")
    before = files(folder)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(BaselineError, match=r"could not be written: .*[Rr]ead-only"):
        record(folder, tmp_path / "scratch", seed=1)
    assert files(folder) == before


def test_a_full_disk_for_temporary_files_is_an_error_in_words(disk):
    (disk / "filler").write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
    with pytest.raises(BaselineError, match="the predictions of churn can't be written"):
        prepare(EXAMPLE, Approved(answers(), {"accuracy": np.arange(6) / 7}), disk)
