"""Files that somebody else wrote: each bad one ends in one clear error, in bounded time and memory."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pytest_model_check import bounded
from pytest_model_check.baselines import store
from pytest_model_check.baselines.json_reader import MalformedError, Reader
from pytest_model_check.errors import BaselineError
from pytest_model_check.judgement.verdicts import is_reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"schema": ' + "9" * 6_000 + "}", "4300 digits"),
        ('{"schema": 3' + " " * store.LIMIT + "}", "larger than 20 MB"),
    ],
    ids=["deep", "digits", "large"],
)
def test_json_that_would_never_end_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "churn.json").write_text(text)
    with pytest.raises(BaselineError, match=words):
        store.read(tmp_path, "churn")
    with pytest.raises(BaselineError, match=words):
        store.parse(text.encode(), "churn", "churn.json at 1234567")


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices are files on POSIX systems only")
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_pipe_and_a_device_are_no_baselines(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "churn.json"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(BaselineError, match=r"churn\.json can't be read: it is no regular file"):
        store.read(tmp_path, "churn")


def test_a_small_file_that_would_fill_all_memory_is_refused(tmp_path: Path) -> None:
    path, rows = tmp_path / "bomb.parquet", 30_000_000
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int8)), pa.array(["x" * 100]))
    pq.write_table(pa.table(dict.fromkeys("abcd", column)), path)
    assert path.stat().st_size < 2_000_000
    with pytest.raises(ValueError, match="it claims 30,000,000 rows of 4 columns in"):
        bounded.read_parquet(path)


@pytest.mark.parametrize("invisible", ["", " ", "\u200b", "\u2800", "\u3164", "\u115f\u1160", "...", "42", "\u202e"])
def test_a_reason_has_letters_that_are_seen(invisible: str) -> None:
    assert not is_reason(invisible)
    assert is_reason(f"{invisible} the shop was closed")
    assert is_reason("病院が閉まった")


@pytest.mark.parametrize("path", ["/etc/passwd", "C:\\data.csv", "\\\\host\\share\\data.csv"])
def test_data_that_does_not_start_at_rootdir_is_refused(path: str) -> None:
    reader = Reader({"path": path}, ("data", "files[0]"))
    with pytest.raises(MalformedError, match=r"the key data\.files\[0\]\.path is .* does not start at rootdir"):
        reader.relative_path("path")
    assert Reader({"path": "../data/churn.csv"}).relative_path("path") == "../data/churn.csv"
