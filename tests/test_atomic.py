"""A file is written whole or not at all, and nothing else is left beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_model_check import atomic

WRITERS: dict[str, Callable[[Path, str], None]] = {
    "text": atomic.write_text,
    "bytes": lambda path, text: atomic.write_bytes(path, text.encode()),
    "copy": lambda path, text: atomic.copy_file(_source(path, text), path),
}


def _source(path: Path, text: str) -> Path:
    source = path.parent.parent / "source"
    source.write_bytes(text.encode())
    return source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_is_replaced_whole(folder: Path, writer: str) -> None:
    for text in ("a long first version\nof it\n", "é\n", ""):
        WRITERS[writer](folder / "file.json", text)
        assert (folder / "file.json").read_bytes() == text.encode()
        assert [path.name for path in folder.iterdir()] == ["file.json"]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_on_a_full_disk_the_earlier_file_stays_alone(folder: Path, writer: str, fails: str, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    (folder / "file.json").write_text("earlier")
    monkeypatch.setattr(*((os, "fsync") if fails == "fsync" else (Path, "replace")), full)
    with pytest.raises(OSError, match=r"No space left on device: '.*/folder/file\.json'"):
        WRITERS[writer](folder / "file.json", "later")
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("file.json", "earlier")]


def test_what_no_encoding_takes_leaves_nothing_behind(folder: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        atomic.write_text(folder / "file.md", "half \ud800")
    assert list(folder.iterdir()) == []


def test_a_source_that_is_gone_leaves_nothing_behind(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic.copy_file(folder / "absent", folder / "file")
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no such permissions")
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("umask", [0o077, 0o002])
def test_a_file_has_the_permissions_that_any_new_file_has(folder: Path, writer: str, umask: int) -> None:
    before = os.umask(umask)
    try:
        WRITERS[writer](folder / "file.json", "x")
    finally:
        os.umask(before)
    assert (folder / "file.json").stat().st_mode & 0o777 == 0o666 & ~umask


def test_every_line_ends_the_same_on_every_system(folder: Path) -> None:
    atomic.write_text(folder / "file.json", "a\nb\n")
    assert (folder / "file.json").read_bytes() == b"a\nb\n"
