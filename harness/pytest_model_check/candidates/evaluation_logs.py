"""The logs of evaluation tools -> a table, a line an item and run: JSONL, lm-evaluation-harness, Inspect."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_model_check.bounded import parse_json, read_bytes
from pytest_model_check.errors import CandidateError, one_line
from pytest_model_check.paths import clipped

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 2 * 10**9  # bytes of a log, and of what it holds compressed
LARGEST_SAMPLE = 256 * 10**6
ZSTANDARD = 93  # Inspect's choice, which the zipfile module knows from Python 3.14
WORDS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}  # as Inspect has it
ID, RUN = "id", "run"


def read_jsonl(path: Path, where: str, filtered: str | None) -> tuple[pd.DataFrame, str | None, str | None]:
    """Read lines of JSON; the samples of lm-evaluation-harness are known by their keys.

    Parameters
    ----------
    path, where : Path, str
        The file, and how a message calls it.
    filtered : str or None
        Of lm-evaluation-harness, where a task has several filters: whose answers are meant.

    Returns
    -------
    tuple of (DataFrame, str or None, str or None)
        The table; and the columns of ids and runs, where the format says which.

    Raises
    ------
    CandidateError
        Naming the line that is no JSON.
    """
    import pandas as pd

    lines = _bytes(path, where).decode("utf-8", errors="replace").split("\n")  # not at U+2028, which JSON may hold
    records = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = parse_json(line)
        except ValueError as error:
            raise CandidateError(
                f"{where}, line {number}: no JSON: {error}", "Write one object in each line."
            ) from error
        if not isinstance(record, dict):
            raise CandidateError(f"{where}, line {number}: no object", "Write one object in each line.")
        records.append(record)
    if not records:
        raise CandidateError(f"{where} has no lines", "It has one for each item.")
    if {"doc_id", "resps", "filtered_resps"} <= records[0].keys():
        return pd.DataFrame.from_records(list(_of_harness(records, where, filtered))), ID, None
    return pd.DataFrame.from_records(records), None, None


def _of_harness(records: list[dict[str, Any]], where: str, filtered: str | None) -> Iterator[dict[str, Any]]:
    """Yield the items of lm-evaluation-harness (``--log_samples``), known by number and content."""
    filters = sorted({str(record.get("filter", "none")) for record in records})
    if filtered is None and len(filters) > 1:
        raise CandidateError(
            f"{where} holds the answers of {len(filters)} filters: {', '.join(filters)}",
            f"Name one: Results(..., filter={filters[0]!r}).",
        )
    if filtered is not None and filtered not in filters:
        raise CandidateError(f"{where} has no filter {filtered!r}", f"It has: {', '.join(filters)}.")
    for record in records:
        if filtered is None or str(record.get("filter", "none")) == filtered:
            content = str(record.get("doc_hash", ""))[:8]
            identity = f"{record['doc_id']} ({content})" if content else str(record["doc_id"])
            scores = {key: value for key, value in record.items() if isinstance(value, int | float)}
            yield {**scores, ID: identity}


def read_inspect(path: Path, where: str) -> tuple[pd.DataFrame, str, str]:
    """Read a log of Inspect's (``.eval``, or ``.json``): a run is an epoch.

    Raises
    ------
    CandidateError
        If it is none, or the evaluation did not end well.
    """
    import pandas as pd

    header, samples = _inspect_zip(path, where) if path.suffix == ".eval" else _inspect_json(path, where)
    status = header.get("status")
    if status != "success":
        raise CandidateError(
            f"{where}: the evaluation's status is {clipped(status)}, not success", "Judge a log that is complete."
        )
    rows = [_sample(sample, where) for sample in samples]
    if not rows:
        raise CandidateError(f"{where} holds no samples", "Was it written with log_samples=False?")
    return pd.DataFrame.from_records(rows), ID, RUN


def _sample(sample: Mapping[str, Any], where: str) -> dict[str, Any]:
    if not isinstance(sample, dict) or "id" not in sample:
        raise CandidateError(f"{where} holds a sample without an id", "Is it a log of Inspect's?")
    if sample.get("error"):
        raise CandidateError(
            f"{where}: sample {clipped(sample['id'])} ended in an error, without scores",
            "Have it evaluated again: inspect eval-retry.",
        )
    known = (sample.get("metadata") or {}).items()  # for slices and groups
    row: dict[str, Any] = {key: value for key, value in known if isinstance(value, str | int | float)}
    row |= {ID: sample["id"], RUN: sample.get("epoch", 1)}
    for name, score in (sample.get("scores") or {}).items():
        value = score.get("value") if isinstance(score, dict) else None
        parts = {f"{name}/{key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
        row |= {key: _number(part) for key, part in parts.items()}
    return row


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return WORDS.get(value, WORDS.get(value.lower(), value))
    return float(value) if isinstance(value, bool | int | float) else math.nan


def _inspect_json(path: Path, where: str) -> tuple[dict[str, Any], list[Any]]:
    plain = _json(_bytes(path, where), where)
    if not isinstance(plain, dict) or "status" not in plain:
        raise CandidateError(f"{where} is no log of Inspect's", "A table is .parquet, .csv or .jsonl.")
    return plain, plain.get("samples") or []


def _inspect_zip(path: Path, where: str) -> tuple[dict[str, Any], list[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if "header.json" not in entries:
                raise CandidateError(
                    f"{where} has no header.json: the evaluation is not over, or it is no log of Inspect's",
                    "Judge a log that is complete.",
                )
            names = sorted(name for name in entries if name.startswith("samples/") and name.endswith(".json"))
            if sum(entries[name].file_size for name in names) > LARGEST:
                raise CandidateError(f"{where} holds more than {LARGEST // 10**9} GB of samples", "Log less of each.")
            header = _json(_member(archive, entries["header.json"], where), where)
            return header, [_json(_member(archive, entries[name], where), where) for name in names]
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise CandidateError(f"{where} can't be read: {one_line(error)}", "Is it whole?") from error


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> bytes:
    """Read a member of a zip, never more than it says it holds."""
    if entry.file_size > LARGEST_SAMPLE:
        raise CandidateError(
            f"{where}: {entry.filename} is larger than {LARGEST_SAMPLE // 10**6} MB", "Log less of it."
        )
    if entry.compress_type != ZSTANDARD:
        return archive.read(entry)
    import pyarrow

    stored = archive.fp
    assert stored is not None
    stored.seek(entry.header_offset)
    local = stored.read(30)  # zip's local header: names follow it, then the data
    stored.seek(int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little"), 1)
    packed = stored.read(entry.compress_size)
    with pyarrow.CompressedInputStream(pyarrow.BufferReader(packed), "zstd") as stream:
        content: bytes = stream.read(entry.file_size)
    if len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
        raise zipfile.BadZipFile(f"{entry.filename} is torn")
    return content


def _bytes(path: Path, where: str) -> bytes:
    try:
        return read_bytes(path, LARGEST)
    except (OSError, ValueError) as error:
        raise CandidateError(f"{where} can't be read: {one_line(error)}", "Is it the right file?") from error


def _json(content: bytes, where: str) -> Any:
    try:
        return parse_json(content)
    except ValueError as error:
        raise CandidateError(f"{where} is torn, or no JSON: {one_line(error)}", "Is it whole?") from error
