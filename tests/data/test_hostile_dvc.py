"""What a branch may put in the place of DVC's files: refused before anything is fetched or written, and soon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_model_check.data import dvc_files
from pytest_model_check.data.dvc_files import verified
from support.dvc_clone import HELD, Clone, md5, refused, run

ONE = md5(b"1\n")  # is in the remote: a refusal is no lack of data
WAYS_OUT = ["../../../x", "/x", "deep/../../x", "..\\x", "C:/x", ".git/hooks/pre-commit", "x\ny", "x" * 300]


def track_list(clone: Clone, listed: object) -> str:
    """Track `folder` by a list of files that nobody made with DVC, whole and pushed; return its digest."""
    text = listed if isinstance(listed, bytes) else json.dumps(listed).encode()
    digest = f"{md5(text)}.dir"
    clone.stored(digest).parent.mkdir(parents=True, exist_ok=True)
    clone.stored(digest).write_bytes(text)
    (clone.root / "folder.dvc").write_text(f"outs:\n- md5: {digest}\n  hash: md5\n  path: folder\n")
    return digest


def track(clone: Clone, *outs: dict[str, object], name: str = "held.csv.dvc", **rest: object) -> Path:
    """Write a `.dvc` file that nobody made with DVC."""
    tracker = clone.root / name
    tracker.parent.mkdir(parents=True, exist_ok=True)
    tracker.write_text(json.dumps({"outs": [{"hash": "md5", "md5": md5(HELD), **out} for out in outs], **rest}))
    return tracker


def lie_around(folder: Path) -> dict[str, bytes]:
    """Read every file around the repository, and in it but for what DVC keeps for itself."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    ours = (path for path in files if not {"tmp", "site", "cache"} & set(path.relative_to(folder).parts))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in ours}


def fetched(clone: Clone) -> list[str]:
    """Name the data that came into the cache; lists of files are none."""
    cache = clone.root / ".dvc" / "cache"
    return [path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".dir"]


class TestListOfFiles:
    @pytest.mark.parametrize("name", WAYS_OUT)
    def test_a_way_out_of_the_folder_is_refused(self, clone: Clone, name: str) -> None:
        digest = track_list(clone, [{"md5": ONE, "relpath": "good.csv"}, {"md5": ONE, "relpath": name}])
        before = lie_around(clone.root.parent)
        for asked in ("folder", "folder/good.csv"):
            error = refused(clone.root / asked)
            assert error.message.startswith(f"folder.dvc: the list of files of folder names {name!r:.60}"[:90])
            assert "git log -- folder.dvc" in error.advice
            assert len(error.message) < 300
            assert error.message.isprintable()
        target = clone.root.parent / "elsewhere"
        with pytest.raises(type(error)):
            dvc_files.fetch(clone.root / "folder", digest, target)
        assert lie_around(clone.root.parent) == before
        assert fetched(clone) == []

    def test_an_odd_name_is_none(self, clone: Clone) -> None:
        names = ["deep/b c.csv", "ü.csv", "12:30.csv", "a..b", "...", ".gitignore", "x.git/y", "-", "\u202fpm", "…"]
        track_list(clone, [{"md5": ONE, "relpath": name} for name in names])
        verified(clone.root / "folder")
        assert {path.read_bytes() for path in (clone.root / "folder" / name for name in names)} == {b"1\n"}

    @pytest.mark.parametrize("digest", ["../../../../x", f"{ONE}\n", None])
    def test_a_digest_that_is_none_is_refused(self, clone: Clone, digest: object) -> None:
        track_list(clone, [{"md5": digest, "relpath": "x.csv"}])
        error = refused(clone.root / "folder")
        assert error.message.startswith("folder.dvc: the list of files of folder has no md5 for 'x.csv'")
        assert fetched(clone) == []

    @pytest.mark.parametrize("content", [[3], b"[" * 100_000], ids=["no file", "nested"])
    def test_what_is_no_list_of_files_is_refused(self, clone: Clone, content: object) -> None:
        digest = track_list(clone, content)
        assert refused(clone.root / "folder").message.startswith("folder.dvc: the list of files of folder is malformed")
        assert not clone.cached(digest).exists()

    def test_a_list_in_the_tracker_is_held_to_the_same_rules(self, clone: Clone) -> None:
        track(clone, {"path": "cloud", "files": [{"relpath": "../x", "md5": ONE}]}, name="cloud.dvc")
        error = refused(clone.root / "cloud")
        assert error.message.startswith("cloud.dvc: the list of files of cloud names '../x'")


class TestTracker:
    @pytest.mark.parametrize(
        ("path", "wdir"),
        [("../x.csv", "."), ("../../x.csv", "."), ("x.csv", ".."), ("/x.csv", "."), ("x.csv", "/"), ("a/../../x", ".")],
    )
    def test_a_path_out_of_the_repository_is_refused(self, clone: Clone, path: str, wdir: str) -> None:
        track(clone, {"path": path}, wdir=wdir)
        before = lie_around(clone.root.parent)
        error = refused(clone.root / "held.csv")
        assert error.message.startswith(f"held.csv.dvc: path: {path!r} of `outs` leads out of the repository")
        assert "git log -- held.csv.dvc" in error.advice
        assert lie_around(clone.root.parent) == before
        assert fetched(clone) == []

    @pytest.mark.parametrize("path", [".git/hooks", ".dvc/config", ".", "sub/../.git", ".GIT"])
    def test_a_path_into_what_git_and_dvc_keep_for_themselves_is_refused(self, clone: Clone, path: str) -> None:
        track(clone, {"path": path})
        error = refused(clone.root / "held.csv")
        assert error.message.startswith(f"held.csv.dvc: path: {path!r} of `outs` leads into")
        assert fetched(clone) == []

    def test_a_folder_that_holds_the_repository_is_refused(self, clone: Clone) -> None:
        digest = track_list(clone, [{"md5": ONE, "relpath": "root/x.csv"}])
        (clone.root / "folder.dvc").unlink()
        track(clone, {"path": "..", "md5": digest}, name="x.csv.dvc")
        error = refused(clone.root / "x.csv")
        assert error.message.startswith("x.csv.dvc: path: '..' of `outs` leads out of the repository")

    @pytest.mark.parametrize(
        "digest", ["../../../../victim", "ab/../../victim", "x", md5(HELD).upper(), f"{md5(HELD)}.dirx"]
    )
    def test_a_digest_that_is_none_is_refused(self, clone: Clone, digest: str) -> None:
        victim = clone.root / ".dvc" / "victim"
        victim.write_text("mine")
        track(clone, {"path": "held.csv", "md5": digest})
        error = refused(clone.root / "held.csv")
        assert error.message == "held.csv.dvc can't be read: the md5 of 'held.csv' is none"
        assert victim.read_text() == "mine"

    @pytest.mark.parametrize(
        "out", [{"remote": []}, {"remote": {}}, {"cache": "no"}, {"path": "a\0b"}, {"path": "a\nb"}, {"path": ""}]
    )
    def test_a_malformed_entry_is_refused(self, clone: Clone, out: dict[str, object]) -> None:
        track(clone, {"path": "held.csv"} | out)
        assert refused(clone.root / "held.csv").message.startswith("held.csv.dvc can't be read: ")

    def test_an_output_of_a_pipeline_outside_the_repository_is_no_concern_of_the_others(self, clone: Clone) -> None:
        outs = [{"path": "/elsewhere/x"}, {"path": "out.csv", "hash": "md5", "md5": md5(HELD)}]
        (clone.root / "dvc.yaml").write_text("stages: {train: {cmd: 'true', outs: [out.csv]}}")
        (clone.root / "dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": {"train": {"outs": outs}}}))
        (clone.root / "out.csv").write_bytes(HELD)
        assert verified(clone.root / "out.csv") == md5(HELD)

    def test_a_hostile_neighbour_hinders_nobody(self, clone: Clone) -> None:
        track(clone, {"path": "../x"}, name="a.dvc")
        assert verified(clone.root / "held.csv") == md5(HELD)

    def test_nor_one_that_dvc_itself_reads(self, clone: Clone) -> None:
        """Of a file in a folder DVC looks for the trackers of the whole repository; it must follow none but ours."""
        victim = clone.root.parent / "victim"
        track(clone, {"path": "a.csv", "md5": "../../../../../victim"}, name="a.dvc")
        track(clone, {"path": "../b.csv", "md5": ONE}, name="b.dvc")
        (clone.remote / "victim").write_text("not mine")
        before = lie_around(clone.root.parent)
        assert verified(clone.root / "folder" / "one.csv") == ONE
        assert not victim.exists()
        assert lie_around(clone.root.parent).keys() - before.keys() == {"root/folder/one.csv"}

    def test_a_hostile_sibling_in_the_same_tracker_is_refused(self, clone: Clone) -> None:
        track(clone, {"path": "held.csv"}, {"path": "../x"})
        assert "path: '../x'" in refused(clone.root / "held.csv").message
        assert fetched(clone) == []

    @pytest.mark.parametrize("digest", ["../../../../x", "x", ""])
    def test_another_version_is_asked_for_by_a_digest_only(self, clone: Clone, digest: str) -> None:
        with pytest.raises(dvc_files.DataError, match=r"held\.csv: .* is no md5"):
            dvc_files.fetch(clone.root / "held.csv", digest, clone.root.parent / "elsewhere")
        assert not (clone.root.parent / "elsewhere").exists()


class TestLink:
    @pytest.mark.parametrize("asked", ["folder", "folder/deep/three.csv"])
    @pytest.mark.parametrize(
        ("link", "aim"), [("folder", "../outside"), ("folder/deep", "../outside"), ("folder", ".git")]
    )
    def test_nothing_is_written_through_one(self, clone: Clone, link: str, asked: str, aim: str) -> None:
        outside = clone.root / aim
        outside.mkdir(exist_ok=True)
        (clone.root / link).parent.mkdir(exist_ok=True)
        (clone.root / link).symlink_to(outside, target_is_directory=True)
        before = lie_around(clone.root.parent)
        error = refused(clone.root / asked)
        assert error.message.startswith(f"{link} is a link, ")
        assert f"rm {link}" in error.advice
        assert lie_around(clone.root.parent) == before
        assert fetched(clone) == []

    def test_nor_through_one_that_leads_nowhere_yet(self, clone: Clone) -> None:
        (clone.root / "folder").symlink_to(clone.root.parent / "nowhere")
        assert refused(clone.root / "folder").message.startswith("folder is a link, ")
        assert not (clone.root.parent / "nowhere").exists()

    def test_nor_where_a_file_is_tracked_by_itself(self, clone: Clone) -> None:
        (clone.root / "data").symlink_to(clone.root.parent, target_is_directory=True)
        track(clone, {"path": "data/x.csv"}, name="x.dvc")
        assert refused(clone.root / "data" / "x.csv").message.startswith("data is a link, ")
        assert not (clone.root.parent / "x.csv").exists()

    def test_what_lies_there_already_may_be_read(self, clone: Clone) -> None:
        (clone.root.parent / "big").mkdir()
        (clone.root.parent / "big" / "x.csv").write_bytes(HELD)
        (clone.root / "data").symlink_to("../big", target_is_directory=True)
        track(clone, {"path": "data/x.csv"}, name="x.dvc")
        assert verified(clone.root / "data" / "x.csv") == md5(HELD)

    def test_a_file_in_the_way_of_a_folder_is_named(self, clone: Clone) -> None:
        (clone.root / "folder").mkdir()
        (clone.root / "folder" / "deep").write_bytes(b"mine")
        error = refused(clone.root / "folder" / "deep" / "three.csv")
        assert error.message.startswith("folder/deep is no folder, ")
        assert fetched(clone) == []


def a_fifo(place: Path) -> None:
    os.mkfifo(place)


def a_link_to_zeros(place: Path) -> None:
    place.symlink_to("/dev/zero")


def a_terabyte(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(10**12)  # of nothing: it takes no room on the disk


def nested_yaml(place: Path) -> None:
    place.write_text("outs: " + "[" * 100_000)


def a_thousand_million_laughs(place: Path) -> None:
    """Each line merges the one before nine times."""
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12)]
    place.write_text("\n".join(lines))


SPECIAL = [a_fifo, a_link_to_zeros]
BOUNDLESS = [*SPECIAL, a_terabyte]
YAML = [*BOUNDLESS, nested_yaml, a_thousand_million_laughs]
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 * 10**9,) * 2)
resource.setrlimit(resource.RLIMIT_FSIZE, (10**8,) * 2)
from pathlib import Path
from pytest_model_check.data.dvc_files import verified
from pytest_model_check.errors import DataError
try:
    print(verified(Path(sys.argv[1])))
except DataError as error:
    print(error)
"""


def ask(clone: Clone, path: str) -> str:
    """Verify a path in a process that has 3 GB of memory, may write 100 MB, and gets half a minute."""
    environment = {**os.environ, "PYTHONPATH": str(Path(dvc_files.__file__).parents[2])}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIMITED, path],
        cwd=clone.root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert result.stderr == ""
    return result.stdout


def replace(place: Path, trap: Callable[[Path], None]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    trap(place)


def each(traps: list[Callable[[Path], None]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("trap", traps, ids=lambda trap: trap.__name__)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="such files are a Unix's")
class TestBounds:
    @each(YAML)
    def test_a_tracker(self, clone: Clone, trap: Callable[[Path], None]) -> None:
        replace(clone.root / "held.csv.dvc", trap)
        assert ask(clone, "held.csv").startswith("held.csv.dvc can't be read: ")

    @each(YAML)
    @pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml"])
    def test_a_pipeline(self, clone: Clone, name: str, trap: Callable[[Path], None]) -> None:
        outs = [{"path": "out.csv", "hash": "md5", "md5": md5(HELD)}]
        (clone.root / "dvc.yaml").write_text("stages: {train: {cmd: 'true', outs: [out.csv]}}")
        (clone.root / "dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": {"train": {"outs": outs}}}))
        replace(clone.root / name, trap)
        assert ask(clone, "out.csv").startswith(f"{name} can't be read: ")

    @each(YAML)
    def test_a_neighbour_that_dvc_itself_would_read(self, clone: Clone, trap: Callable[[Path], None]) -> None:
        replace(clone.root / "near" / "x.dvc", trap)
        assert ask(clone, "folder/one.csv").startswith("near/x.dvc can't be read: ")

    @pytest.mark.parametrize("name", [".dvc/config.local", "near/.dvcignore", "near/dvc.yaml", "params.yaml"])
    def test_what_else_dvc_itself_would_read(self, clone: Clone, name: str) -> None:
        replace(clone.root / name, a_fifo)
        assert ask(clone, "folder/one.csv").startswith(f"{name} can't be read: it is no regular file")

    @each(BOUNDLESS)
    @pytest.mark.parametrize("place", ["cached", "stored"])
    def test_a_list_of_files(self, clone: Clone, place: str, trap: Callable[[Path], None]) -> None:
        replace(getattr(clone, place)(clone.folder_digest()), trap)
        answer = ask(clone, "folder").partition("\n")[0]
        assert "is corrupt" in answer or answer == "folder.dvc: the list of files of folder is larger than 64 MB"

    @each(SPECIAL)
    @pytest.mark.parametrize("place", ["cached", "stored"])
    def test_an_object(self, clone: Clone, place: str, trap: Callable[[Path], None]) -> None:
        replace(getattr(clone, place)(md5(HELD)), trap)
        answer = ask(clone, "held.csv")
        assert answer.startswith("held.csv: ")
        assert "is corrupt" in answer

    @each(SPECIAL)
    @pytest.mark.parametrize("cached", [True, False])
    def test_a_file_of_the_data(self, clone: Clone, trap: Callable[[Path], None], cached: bool) -> None:
        if cached:
            verified(clone.root / "folder")
        for name in ("held.csv", "folder/one.csv"):
            replace(clone.root / name, trap)
        assert ask(clone, "held.csv").startswith("held.csv differs from held.csv.dvc (not a regular file)")
        assert ask(clone, "folder").startswith("folder differs from folder.dvc (1 changed: one.csv)")

    @each(SPECIAL)
    @pytest.mark.parametrize("cached", [True, False])
    def test_a_file_beside_the_data(self, clone: Clone, trap: Callable[[Path], None], cached: bool) -> None:
        verified(clone.root / "folder")
        if not cached:
            clone.cached(clone.folder_digest()).unlink()
        replace(clone.root / "folder" / "extra", trap)
        assert ask(clone, "folder").startswith("folder differs from folder.dvc (1 new: extra)")

    @each(SPECIAL)
    def test_a_folder(self, clone: Clone, trap: Callable[[Path], None]) -> None:
        replace(clone.root / "folder", trap)
        assert ask(clone, "folder").startswith("folder differs from folder.dvc (not a folder")

    def test_a_pipeline_of_many_stages_is_read_once(self, clone: Clone) -> None:
        out = [{"path": "out.csv", "hash": "md5", "md5": md5(HELD)}]
        stages = {f"s{i}": {"cmd": "true"} for i in range(1000)} | {"last": {"cmd": "true"}}
        (clone.root / "dvc.yaml").write_text(json.dumps({"stages": stages}))
        locked = {name: {"outs": out if name == "last" else []} for name in stages}
        (clone.root / "dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": locked}))
        (clone.root / "out.csv").write_bytes(HELD)
        assert ask(clone, "out.csv").strip() == md5(HELD)


def test_git_can_carry_such_a_link(clone: Clone) -> None:
    """So it is the branch's own doing, not only that of who has the disk."""
    (clone.root / "held.csv.dvc").unlink()
    a_link_to_zeros(clone.root / "held.csv.dvc")
    run("git", "commit", "-qam", "A link", cwd=clone.root)
    run("git", "clone", "-q", ".", str(clone.root.parent / "other"), cwd=clone.root)
    assert (clone.root.parent / "other" / "held.csv.dvc").is_symlink()
