"""The list of a tracked folder's files, and `.dvc` files: whatever is written there, no file lies elsewhere."""

from __future__ import annotations

import json
import ntpath
import posixpath
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.data import dvc_manifests, dvc_trackers
from pytest_model_check.errors import DataError
from pytest_model_check.paths import clipped

T = TypeVar("T")
fast = settings(deadline=None, derandomize=True, max_examples=200)
MD5 = st.text("0123456789abcdef", min_size=32, max_size=32)
PARTS = ["..", ".", "", "a", "b", "C:", "c:x", ".git", ".GIT ", "git~1", ".dvc", "\\", "..\\..", "~", "a\0", "ü", "…"]
NAMES = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=5).map("/".join)
ODD = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just([]) | st.just({})
ENTRY = st.fixed_dictionaries({"relpath": NAMES | ODD, "md5": MD5 | NAMES | ODD}) | ODD
SOUND = st.dictionaries(
    st.lists(
        st.text("abcäß .-_0", min_size=1, max_size=5).filter(lambda part: part.strip(". ")), min_size=1, max_size=4
    )
    .map("/".join)
    .filter(lambda name: "/" not in name or name[0] != "/"),
    MD5,
    max_size=8,
)
TRACKER, FOLDER = Path("folder.dvc"), Path("folder")


def attempt(action: Callable[[], T]) -> tuple[T | None, str]:
    """Do something; returns its result, or the message of what refused it."""
    try:
        return action(), ""
    except DataError as error:
        return None, error.message


def is_below(name: str) -> bool:
    """Whether a file of that name lies below its folder, on Unix and on Windows."""
    on_unix = posixpath.normpath(posixpath.join("/r/d", name))
    on_windows = ntpath.normpath(ntpath.join("R:\\r\\d", name))
    return on_unix.startswith("/r/d/") and on_windows.startswith("R:\\r\\d\\")


@pytest.mark.parametrize(
    "name",
    [
        *("../../../x", "../x", "deep/../../x", "deep/../x", "..", ".", "./x", "deep/./x", "", "deep//x", "x/"),
        *("/x", "//host/share/x", "..\\..\\x", "deep\\x", "\\x", "C:\\x", "C:x", "C:/x", "deep/c:/x"),
        *("x\0y", "x\ny", "x\n", "x\x1b[2Jy", "x\u2028y", "\ud800"),
        *(".git/hooks/pre-commit", "deep/.GIT/config", ".git", ".dvc/config", ".hg/hgrc"),
        *(".git /x", ".git./x", ".git::$INDEX_ALLOCATION/x", "git~1/x", ".g\u200cit/x"),  # on Windows, on macOS
        *("x" * 300, "ü" * 200, "/".join("x" * 200), "x/" * 500 + "x"),
    ],
)
def test_a_way_out_of_the_folder_is_refused(name: str) -> None:
    listed = [{"md5": "0" * 32, "relpath": "good.csv"}, {"md5": "0" * 32, "relpath": name}]
    files, refusal = attempt(lambda: dvc_manifests.parse(json.dumps(listed).encode(), TRACKER, FOLDER))
    assert files is None
    assert refusal.startswith(f"folder.dvc: the list of files of folder names {clipped(name)}, ")
    assert refusal.isprintable()


@pytest.mark.parametrize(
    "md5", ["../../../../x", "/x", "A" * 32, "a" * 31, f"{'a' * 32}.dir", f"{'a' * 32}\n", "", 7, None]
)
def test_a_digest_that_is_none_is_refused(md5: object) -> None:
    listed = [{"md5": md5, "relpath": "x.csv"}]
    _, refusal = attempt(lambda: dvc_manifests.parse(json.dumps(listed).encode(), TRACKER, FOLDER))
    assert refusal == f"folder.dvc: the list of files of folder has no md5 for 'x.csv', but {clipped(md5)}"


@pytest.mark.parametrize("names", [["a", "a"], ["a", "a/b"], ["a/b/c", "a/b"]])
def test_two_files_in_one_place_are_refused(names: list[str]) -> None:
    listed = [{"md5": "0" * 32, "relpath": name} for name in names]
    _, refusal = attempt(lambda: dvc_manifests.parse(json.dumps(listed).encode(), TRACKER, FOLDER))
    assert refusal.startswith("folder.dvc: the list of files of folder names 'a")


@pytest.mark.parametrize(
    "content",
    [
        *(b"{}", b"3", b'"x"', b"[3]", b"[[]]", b"[{}]", b'[{"md5": "x"}]', b'[{"relpath": 3}]', b"[NaN]"),
        *(b"", b"[", b"\xff", b"\xff\xfe[\0]\0", b"[" * 100_000, b'{"a":' * 100_000, b"[" + b"1" * 6_000 + b"]"),
    ],
    ids=lambda content: repr(content[:10]),
)
def test_what_is_no_list_of_files_is_refused(content: bytes) -> None:
    _, refusal = attempt(lambda: dvc_manifests.parse(content, TRACKER, FOLDER))
    assert refusal.startswith("folder.dvc: the list of files of folder is malformed: ")


@fast
@given(st.lists(ENTRY, max_size=4) | ODD)
def test_every_file_of_a_manifest_lies_in_its_folder_or_all_are_refused(listed: object) -> None:
    files, refusal = attempt(lambda: dvc_manifests.parse(json.dumps(listed).encode(), TRACKER, FOLDER))
    if files is None:
        assert refusal.startswith("folder.dvc: the list of files of folder ")
        assert refusal.isprintable()
        assert len(refusal) < 300
        return
    assert isinstance(listed, list)
    assert files == {entry["relpath"]: entry["md5"] for entry in listed}
    for name, md5 in files.items():
        assert is_below(name)
        assert not {".git", ".dvc", ".hg"} & {part.lower() for part in name.split("/")}
        assert not [other for other in files if other.startswith(f"{name}/")]
        assert len(md5) == 32
        assert int(md5, 16) >= 0


@fast
@given(st.binary(max_size=40) | st.text("[]{}:,\"'0123456789eE.-\\u \n").map(str.encode))
def test_any_bytes_are_a_manifest_or_refused(content: bytes) -> None:
    files, refusal = attempt(lambda: dvc_manifests.parse(content, TRACKER, FOLDER))
    assert files == {} or refusal.startswith("folder.dvc: the list of files of folder is malformed")


@fast
@given(SOUND)
def test_a_sound_manifest_is_read_as_it_is_and_hashed_as_dvc_does(files: dict[str, str]) -> None:
    from dvc_data.hashfile.tree import Tree

    both = {name for name in files for other in files if other.startswith(f"{name}/")}
    files = {name: md5 for name, md5 in files.items() if name not in both}
    listed = [{"md5": md5, "relpath": name} for name, md5 in files.items()]
    assert dvc_manifests.parse(json.dumps(listed).encode(), TRACKER, FOLDER) == files
    tree = Tree.from_list(listed)
    tree.digest()
    assert dvc_manifests.folder_md5(files) == tree.hash_info.value


OUT = st.fixed_dictionaries(
    {"path": NAMES | ODD},
    optional={
        "md5": MD5 | NAMES | ODD,
        "hash": st.sampled_from(["md5", "etag"]) | ODD,
        "remote": ODD,
        "cache": ODD,
        "files": st.lists(ENTRY, max_size=2) | ODD,
    },
)
OUTS = st.lists(OUT | ODD, max_size=2) | ODD
DOCUMENT = st.fixed_dictionaries({"outs": OUTS}, optional={"wdir": NAMES | ODD}) | ODD
LOCK = st.fixed_dictionaries(
    {"stages": st.dictionaries(NAMES, st.fixed_dictionaries({"outs": OUTS}) | ODD, max_size=2)}
)


def find(files: dict[str, str], asked: str) -> None:
    """Ask what tracks a path, in a repository of these files: it lies there, or is refused in one line."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "root"
        (root / ".dvc").mkdir(parents=True)
        for name, text in files.items():
            (root / name).write_text(text, encoding="utf-8")
        output, refusal = attempt(lambda: dvc_trackers.find_output(root, root / asked))
        assert "\n" not in refusal
        assert len(refusal) < 500
        if output is not None:
            assert output.path.is_relative_to(root)
            assert output.path not in (root, root / ".git", root / ".dvc")
            assert (root / asked).is_relative_to(output.path)
            assert output.md5 == "" or len(output.md5.removesuffix(".dir")) == 32
            assert all(map(is_below, output.files or ()))


@fast
@given(DOCUMENT, st.sampled_from(["a", "a/b", "b"]))
def test_what_a_dvc_file_tracks_lies_in_the_repository(document: object, asked: str) -> None:
    find({"a.dvc": json.dumps(document)}, asked)


@fast
@given(LOCK | DOCUMENT, DOCUMENT | LOCK, st.sampled_from(["a", "a/b", "b"]))
def test_what_a_pipeline_tracks_lies_in_the_repository(lock: object, pipeline: object, asked: str) -> None:
    find({"dvc.lock": json.dumps(lock), "dvc.yaml": json.dumps(pipeline)}, asked)


YAML = [
    "outs:",
    "\n",
    "- ",
    "path: ",
    "a",
    "md5: ",
    "? ",
    ": ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<: ",
    "!!",
    "bool ",
    "int ",
]
YAML += [
    "timestamp ",
    "set ",
    "omap ",
    "binary ",
    "x",
    "9" * 5000,
    "2001-99-99",
    "'",
    '"',
    "\\",
    "#",
    "|",
    "%YAML 9",
    "---",
    "\0",
    "é",
]


@fast
@given(st.lists(st.sampled_from(YAML), max_size=12).map("".join))
def test_any_text_is_a_dvc_file_or_refused(text: str) -> None:
    find({"a.dvc": text}, "a")
