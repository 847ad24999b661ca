"""The files that DVC tracks, in real git and DVC repositories with a real remote."""

import contextlib
import functools
import gc
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pytest_model_check.data import dvc_files, dvc_repository
from pytest_model_check.data.dvc_files import add, verified
from support.dvc_clone import FILES, HELD, Clone, dvc, md5, overwrite, refused, run


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


class Forbidding(Quiet):
    def send_head(self) -> None:
        self.send_error(403)


@contextlib.contextmanager
def serving(handler: type[Quiet], folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class TestPull:
    def test_a_missing_file_and_nothing_else(self, clone: Clone) -> None:
        assert verified(clone.root / "held.csv") == md5(HELD)
        assert (clone.root / "held.csv").read_bytes() == HELD
        assert not (clone.root / "folder").exists()

    def test_a_missing_folder(self, clone: Clone) -> None:
        assert verified(clone.root / "folder") == clone.folder_digest()
        assert {name: (clone.root / "folder" / name).read_bytes() for name in FILES} == FILES

    def test_one_file_of_a_folder(self, clone: Clone) -> None:
        assert verified(clone.root / "folder" / "deep" / "three.csv") == md5(b"3\n")
        assert [file.name for file in (clone.root / "folder").rglob("*.csv")] == ["three.csv"]

    def test_a_folder_in_a_tracked_folder(self, clone: Clone) -> None:
        listed = json.dumps([{"md5": md5(b"3\n"), "relpath": "three.csv"}])
        assert verified(clone.root / "folder" / "deep") == md5(listed.encode()) + ".dir"
        assert not (clone.root / "folder" / "one.csv").exists()

    def test_what_a_folder_lacks(self, clone: Clone) -> None:
        verified(clone.root / "folder" / "one.csv")
        before = (clone.root / "folder" / "one.csv").stat().st_mtime_ns
        assert verified(clone.root / "folder") == clone.folder_digest()
        assert (clone.root / "folder" / "one.csv").stat().st_mtime_ns == before

    def test_prints_nothing(self, clone: Clone, capfd: pytest.CaptureFixture[str]) -> None:
        verified(clone.root / "held.csv")
        verified(clone.root / "folder")
        assert capfd.readouterr() == ("", "")

    def test_prints_nothing_on_a_terminal(
        self, clone: Clone, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DVC_IGNORE_ISATTY", "1")  # DVC's own switch: progress bars as if on a terminal
        verified(clone.root / "folder")
        assert capfd.readouterr() == ("", "")

    def test_prints_nothing_when_it_fails(self, clone: Clone, capfd: pytest.CaptureFixture[str]) -> None:
        clone.stored(md5(HELD)).unlink()
        refused(clone.root / "held.csv")
        assert capfd.readouterr() == ("", "")

    def test_by_several_processes_at_once(self, clone: Clone) -> None:
        code = (
            "from pathlib import Path; from pytest_model_check.data.dvc_files import verified; "
            "print(verified(Path('folder')))"
        )
        environment = {**os.environ, "PYTHONPATH": str(Path(dvc_files.__file__).parents[2])}
        started = [
            subprocess.Popen(
                [sys.executable, "-W", "error", "-c", code],
                cwd=clone.root,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        for process in started:
            assert process.communicate(timeout=50) == (f"{clone.folder_digest()}\n", "")

    def test_from_the_outputs_own_remote(self, clone: Clone) -> None:
        clone.configure(f"['remote \"other\"']\n    url = {clone.remote.as_posix()}\n")
        tracker = clone.root / "held.csv.dvc"
        tracker.write_text(tracker.read_text() + "  remote: other\n")
        assert verified(clone.root / "held.csv") == md5(HELD)

    @pytest.mark.parametrize("stage", ["train", "train@2"])
    def test_the_output_of_a_stage(self, clone: Clone, stage: str) -> None:
        definition = {"cmd": "true", "outs": ["out.csv"]}
        unfolded = {"foreach": ["2"], "do": definition} if "@" in stage else definition
        (clone.root / "dvc.yaml").write_text(json.dumps({"stages": {"train": unfolded}}))
        outs = [{"path": "out.csv", "hash": "md5", "md5": md5(HELD)}]
        locked = {stage: {"cmd": "true", "outs": outs}}
        (clone.root / "dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": locked}))
        assert verified(clone.root / "out.csv") == md5(HELD)

    def test_an_import(self, clone: Clone, dvc_template: Path, tmp_path: Path) -> None:
        shutil.copytree(dvc_template / "root", tmp_path / "other")
        dvc("import", str(tmp_path / "other"), "held.csv", "-o", "near.csv", cwd=clone.root)
        (clone.root / "near.csv").unlink()
        shutil.rmtree(clone.root / ".dvc" / "cache")
        shutil.rmtree(clone.remote)
        assert verified(clone.root / "near.csv") == md5(HELD)

    @pytest.mark.parametrize("name", ["held.csv", "folder"])
    def test_over_http(self, clone: Clone, name: str, capfd: pytest.CaptureFixture[str]) -> None:
        with serving(Quiet, clone.remote) as url:
            clone.remote_at(url)
            verified(clone.root / name)
        gc.collect()  # an HTTP client that was not closed complains now
        assert capfd.readouterr() == ("", "")

    def test_through_a_link_into_a_cache_that_is_gone(self, clone: Clone) -> None:
        (clone.root / "held.csv").symlink_to(clone.root / "gone")
        assert verified(clone.root / "held.csv") == md5(HELD)
        assert not (clone.root / "held.csv").is_symlink()

    def test_beside_a_broken_tracker(self, clone: Clone) -> None:
        (clone.root / "folder.dvc").write_text("<<<<<<< HEAD\n")
        assert verified(clone.root / "held.csv") == md5(HELD)

    def test_into_a_custom_cache(self, clone: Clone, tmp_path: Path) -> None:
        with (clone.root / ".dvc" / "config").open("a") as config:
            config.write("[cache]\n    dir = ../../shared\n    type = symlink\n")
        assert verified(clone.root / "folder") == clone.folder_digest()
        assert (clone.root / "folder" / "one.csv").is_symlink()
        assert (tmp_path / "shared" / "files" / "md5").is_dir()
        shutil.rmtree(clone.remote)
        assert verified(clone.root / "folder" / "one.csv") == md5(b"1\n")

    @pytest.mark.usefixtures("clone")
    def test_with_a_relative_path(self) -> None:
        assert verified(Path("held.csv")) == md5(HELD)


class TestFastPath:
    @pytest.fixture(autouse=True)
    def _without_dvc(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def never(*args: object, **kwargs: object) -> None:
            raise AssertionError("DVC was needed")

        self.forbid = lambda: monkeypatch.setattr(dvc_repository, "opened", never)

    def test_a_file(self, clone: Clone) -> None:
        (clone.root / "held.csv").write_bytes(HELD)
        self.forbid()
        assert verified(clone.root / "held.csv") == md5(HELD)

    def test_a_folder_by_its_manifest(self, clone: Clone) -> None:
        verified(clone.root / "folder")
        self.forbid()
        assert verified(clone.root / "folder") == clone.folder_digest()
        (clone.root / "folder" / "one.csv").unlink()  # another file may be missing
        assert verified(clone.root / "folder" / "two.csv") == md5(b"2\n")

    def test_a_folder_without_its_manifest(self, clone: Clone) -> None:
        verified(clone.root / "folder")
        shutil.rmtree(clone.root / ".dvc" / "cache")
        (clone.root / "folder" / "empty").mkdir()
        self.forbid()
        assert verified(clone.root / "folder") == clone.folder_digest()
        assert verified(clone.root / "folder" / "deep" / "three.csv") == md5(b"3\n")

    def test_never_imports_dvc(self, clone: Clone) -> None:
        (clone.root / "held.csv").write_bytes(HELD)
        code = (
            "import sys; from pathlib import Path; from pytest_model_check.data.dvc_files import verified; "
            "verified(Path('held.csv'));"
            "sys.exit(sorted(name for name in sys.modules if name.partition('.')[0] in ('dvc', 'dvc_data')) or 0)"
        )
        run(
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {os.fspath(Path(dvc_files.__file__).parents[2])!r}); {code}",
            cwd=clone.root,
        )

    def test_a_file_without_git(self, clone: Clone) -> None:
        shutil.rmtree(clone.root / ".git")
        (clone.root / "held.csv").write_bytes(HELD)
        assert verified(clone.root / "held.csv") == md5(HELD)

    def test_a_tracker_of_another_name_and_wdir(self, clone: Clone) -> None:
        (clone.root / "trackers").mkdir()
        (clone.root / "data").mkdir()
        (clone.root / "data" / "x.csv").write_bytes(HELD)
        tracker = clone.root / "data" / "any.dvc"
        tracker.write_text(f"wdir: ..\nouts:\n- path: data/x.csv\n  md5: {md5(HELD)}\n  hash: md5\n")
        self.forbid()
        assert verified(clone.root / "data" / "x.csv") == md5(HELD)

    @pytest.mark.parametrize("stage", ["train", "train@2"])
    def test_the_output_of_a_stage(self, clone: Clone, stage: str) -> None:
        (clone.root / "work").mkdir()
        (clone.root / "work" / "out.csv").write_bytes(HELD)
        definition = {"cmd": "true", "wdir": "work", "outs": ["out.csv"]}
        unfolded = {"foreach": [1, 2], "do": definition} if "@" in stage else definition
        (clone.root / "dvc.yaml").write_text(json.dumps({"stages": {"train": unfolded}}))
        outs = [{"path": "out.csv", "hash": "md5", "md5": md5(HELD)}]
        (clone.root / "dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": {stage: {"outs": outs}}}))
        self.forbid()
        assert verified(clone.root / "work" / "out.csv") == md5(HELD)

    def test_a_list_of_files_in_the_tracker(self, clone: Clone) -> None:
        (clone.root / "cloud").mkdir()
        (clone.root / "cloud" / "b.csv").write_bytes(b"b")
        files = [{"relpath": "b.csv", "md5": md5(b"b"), "size": 1}]
        (clone.root / "cloud.dvc").write_text(json.dumps({"outs": [{"path": "cloud", "hash": "md5", "files": files}]}))
        self.forbid()
        assert verified(clone.root / "cloud" / "b.csv") == md5(b"b")
        assert verified(clone.root / "cloud").endswith(".dir")


class TestSlowPath:
    def test_a_legacy_tracker(self, clone: Clone) -> None:
        (clone.root / "old.csv").write_bytes(b"a\r\nb\r\n")
        unix = md5(b"a\nb\n")
        (clone.root / "old.csv.dvc").write_text(f"outs:\n- path: old.csv\n  md5: {unix}\n")
        assert verified(clone.root / "old.csv") == unix

    def test_a_pull_of_legacy_data(self, clone: Clone) -> None:
        (clone.root / "old.csv.dvc").write_text(f"outs:\n- path: old.csv\n  md5: {md5(HELD)}\n")
        stored = clone.remote / md5(HELD)[:2] / md5(HELD)[2:]
        stored.parent.mkdir()
        stored.write_bytes(HELD)
        assert verified(clone.root / "old.csv") == md5(HELD)

    def test_a_tracker_from_afar(self, clone: Clone) -> None:
        for name in ("trackers", "data"):
            (clone.root / name).mkdir()
        (clone.root / "data" / "x.csv").write_bytes(HELD)
        tracker = clone.root / "trackers" / "any.dvc"
        tracker.write_text(f"wdir: ../data\nouts:\n- path: x.csv\n  md5: {md5(HELD)}\n  hash: md5\n")
        assert verified(clone.root / "data" / "x.csv") == md5(HELD)

    def test_what_dvcignore_excludes_is_no_part_of_a_folder(self, clone: Clone) -> None:
        verified(clone.root / "folder")
        (clone.root / ".dvcignore").write_text("*.tmp\n")
        (clone.root / "folder" / "x.tmp").write_bytes(b"")
        assert verified(clone.root / "folder") == clone.folder_digest()
        shutil.rmtree(clone.root / ".dvc" / "cache")
        shutil.rmtree(clone.remote)
        assert verified(clone.root / "folder") == clone.folder_digest()


class TestNotTracked:
    def test_no_repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        error = refused(tmp_path / "a b.csv")
        assert error.message == "a b.csv: there is no DVC repository here, nor in any folder above"
        assert "git init && dvc init && dvc add 'a b.csv'" in error.advice

    @pytest.mark.usefixtures("clone")
    def test_outside_the_repository(self, tmp_path: Path) -> None:
        error = refused(tmp_path / "a.csv")
        assert "lies outside the DVC repository" in error.message
        assert "dvc add" in error.advice

    def test_present(self, clone: Clone) -> None:
        (clone.root / "new.csv").write_bytes(b"")
        error = refused(clone.root / "new.csv")
        assert error.message.startswith("new.csv is not tracked by DVC")
        assert "dvc add new.csv && git add new.csv.dvc" in error.advice

    def test_a_folder_of_tracked_files(self, clone: Clone) -> None:
        (clone.root / "data").mkdir()
        (clone.root / "data" / "a.csv.dvc").write_text("outs:\n- path: a.csv\n")
        assert refused(clone.root / "data").advice == "Name the tracked files in it instead: data/a.csv"

    def test_absent(self, clone: Clone) -> None:
        error = refused(clone.root / "hold.csv")
        assert error.message == "hold.csv does not exist, and DVC tracks no such file (similar: held.csv)"
        assert "dvc add hold.csv" in error.advice

    def test_absent_from_a_tracked_folder(self, clone: Clone) -> None:
        error = refused(clone.root / "folder" / "deep" / "thre.csv")
        assert "folder has no such file (similar: deep/three.csv)" in error.message
        assert "dvc list" in error.advice

    def test_new_in_a_tracked_folder(self, clone: Clone) -> None:
        verified(clone.root / "folder")
        (clone.root / "folder" / "new.csv").write_bytes(b"")
        error = refused(clone.root / "folder" / "new.csv")
        assert error.message.startswith("folder/new.csv is not in the tracked version of folder")
        assert "dvc add folder" in error.advice

    def test_below_a_tracked_file(self, clone: Clone) -> None:
        assert "says that held.csv is a file" in refused(clone.root / "held.csv" / "x").message


class TestEdited:
    def test_a_file(self, clone: Clone) -> None:
        (clone.root / "held.csv").write_bytes(b"mine")
        error = refused(clone.root / "held.csv")
        assert error.message == f"held.csv differs from held.csv.dvc (md5 {md5(b'mine')}, tracked {md5(HELD)})"
        assert "dvc add held.csv && git add held.csv.dvc" in error.advice
        assert "dvc checkout --force held.csv" in error.advice
        assert (clone.root / "held.csv").read_bytes() == b"mine"

    def test_a_file_that_is_a_folder(self, clone: Clone) -> None:
        (clone.root / "held.csv").mkdir()
        assert "differs from held.csv.dvc (a folder" in refused(clone.root / "held.csv").message

    def test_a_folder_that_is_a_file(self, clone: Clone) -> None:
        (clone.root / "folder").write_bytes(b"mine")
        assert "folder differs from folder.dvc (md5" in refused(clone.root / "folder").message
        assert "folder differs from folder.dvc (md5" in refused(clone.root / "folder" / "one.csv").message

    def test_same_size_and_time(self, clone: Clone) -> None:
        verified(clone.root / "held.csv")
        status = (clone.root / "held.csv").stat()
        (clone.root / "held.csv").write_bytes(HELD.replace(b"1", b"9"))
        os.utime(clone.root / "held.csv", ns=(status.st_atime_ns, status.st_mtime_ns))
        assert "held.csv differs" in refused(clone.root / "held.csv").message

    def test_a_folder(self, clone: Clone) -> None:
        verified(clone.root / "folder")
        (clone.root / "folder" / "one.csv").write_bytes(b"mine")
        (clone.root / "folder" / "new.csv").write_bytes(b"mine")
        (clone.root / "folder" / "two.csv").unlink()
        error = refused(clone.root / "folder")
        assert error.message == "folder differs from folder.dvc (1 changed: one.csv; 1 new: new.csv)"
        assert "dvc add folder" in error.advice
        assert not (clone.root / "folder" / "two.csv").exists()

    def test_a_folder_on_a_fresh_clone(self, clone: Clone) -> None:
        (clone.root / "folder").mkdir()
        (clone.root / "folder" / "one.csv").write_bytes(b"mine")
        assert "folder differs from folder.dvc (1 changed: one.csv)" in refused(clone.root / "folder").message
        assert [file.read_bytes() for file in (clone.root / "folder").iterdir()] == [b"mine"]

    def test_a_folder_without_any_list_of_its_files(self, clone: Clone) -> None:
        (clone.root / "folder").mkdir()
        (clone.root / "folder" / "one.csv").write_bytes(b"mine")
        clone.configure("")
        error = refused(clone.root / "folder")
        assert error.message.startswith("folder differs from folder.dvc, and its list of files can't be had")
        assert "no DVC remote is configured" in error.advice

    def test_an_edit_survives_a_failing_pull_of_its_neighbour(self, clone: Clone) -> None:
        verified(clone.root / "folder" / "one.csv")
        (clone.root / "folder" / "one.csv").write_bytes(b"mine")
        clone.stored(md5(b"2\n")).unlink()
        refused(clone.root / "folder" / "two.csv")
        assert (clone.root / "folder" / "one.csv").read_bytes() == b"mine"

    def test_the_output_of_a_stage(self, clone: Clone) -> None:
        (clone.root / "out.csv").write_bytes(b"mine")
        outs = [{"path": "out.csv", "hash": "md5", "md5": md5(HELD)}]
        (clone.root / "dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": {"train": {"outs": outs}}}))
        error = refused(clone.root / "out.csv")
        assert "differs from dvc.lock" in error.message
        assert "dvc commit out.csv" in error.advice

    def test_what_git_keeps(self, clone: Clone) -> None:
        outs = [{"path": "m.json", "hash": "md5", "md5": md5(HELD), "cache": False}]
        (clone.root / "m.json.dvc").write_text(json.dumps({"outs": outs}))
        assert "git checkout -- m.json" in refused(clone.root / "m.json").advice
        (clone.root / "m.json").write_bytes(b"mine")
        assert "git checkout -- m.json" in refused(clone.root / "m.json").advice


class TestCorrupt:
    def test_cache_before_checkout(self, clone: Clone) -> None:
        verified(clone.root / "held.csv")
        (clone.root / "held.csv").unlink()
        overwrite(clone.cached(md5(HELD)), b"zzz")
        error = refused(clone.root / "held.csv")
        name = f".dvc/cache/files/md5/{md5(HELD)[:2]}/{md5(HELD)[2:]}"
        assert error.message.startswith(f"held.csv: DVC's cache object {name} is corrupt")
        assert f"rm -f {name} && dvc pull held.csv" in error.advice
        assert not (clone.root / "held.csv").exists()

    def test_cache_after_checkout(self, clone: Clone) -> None:
        verified(clone.root / "held.csv")
        overwrite(clone.cached(md5(HELD)), b"zzz")
        overwrite(clone.root / "held.csv", b"zzz")
        error = refused(clone.root / "held.csv")
        assert "is corrupt" in error.message
        assert re.search(r"rm -f \S+ held\.csv && dvc pull held\.csv", error.advice)

    def test_manifest_in_the_cache(self, clone: Clone) -> None:
        verified(clone.root / "folder")
        overwrite(clone.cached(clone.folder_digest()), b"[]")
        error = refused(clone.root / "folder")
        assert ".dir is corrupt" in error.message
        assert "rm -f .dvc/cache" in error.advice

    @pytest.mark.parametrize("mode", [0o444, 0o644])
    def test_remote(self, clone: Clone, mode: int) -> None:
        overwrite(clone.stored(md5(HELD)), b"zzz")
        clone.stored(md5(HELD)).chmod(mode)
        error = refused(clone.root / "held.csv")
        assert error.message.startswith(f"held.csv: its data (object {md5(HELD)}) in the remote 'origin'")
        assert "is corrupt" in error.message
        assert "dvc push held.csv" in error.advice
        assert not (clone.root / "held.csv").exists()
        assert not clone.cached(md5(HELD)).exists()

    @pytest.mark.parametrize("content", [b"[]", b"garbage", b""])
    @pytest.mark.parametrize("mode", [0o444, 0o644])
    def test_manifest_in_the_remote(self, clone: Clone, content: bytes, mode: int) -> None:
        overwrite(clone.stored(clone.folder_digest()), content)
        clone.stored(clone.folder_digest()).chmod(mode)
        error = refused(clone.root / "folder")
        assert error.message.startswith(f"folder: the list of its files (object {clone.folder_digest()})")
        assert "is corrupt" in error.message
        assert "dvc push folder" in error.advice
        assert not clone.cached(clone.folder_digest()).exists()


class TestRemote:
    def test_none(self, clone: Clone) -> None:
        clone.configure("")
        error = refused(clone.root / "held.csv")
        assert error.message == "held.csv is not here, and no DVC remote is configured to pull it from"
        assert "dvc remote add -d NAME URL" in error.advice
        assert "no DVC remote is configured" in refused(clone.root / "folder").message

    @pytest.mark.parametrize("name", ["held.csv", "folder"])
    def test_without_its_folder(self, clone: Clone, name: str) -> None:
        shutil.rmtree(clone.remote)
        error = refused(clone.root / name)
        assert error.message.startswith(f"{name}: the folder or bucket of the remote 'origin'")
        assert "does not exist" in error.message
        assert f"dvc push {name}" in error.advice

    def test_without_the_object(self, clone: Clone) -> None:
        clone.stored(md5(HELD)).unlink()
        error = refused(clone.root / "held.csv")
        assert re.fullmatch(r"held.csv: the remote 'origin' \(.*\) does not have it \(object \w{32}\)", error.message)
        assert error.advice == "Whoever has this version of the data runs: dvc push held.csv"

    @pytest.mark.parametrize("name", ["one.csv", "."])
    def test_without_the_object_of_a_file_in_a_folder(self, clone: Clone, name: str) -> None:
        clone.stored(md5(b"1\n")).unlink()
        error = refused(clone.root / "folder" / name)
        assert error.message.startswith("folder/one.csv: the remote 'origin'")
        assert "does not have it" in error.message
        assert "dvc push folder" in error.advice

    def test_without_the_manifest(self, clone: Clone) -> None:
        clone.stored(clone.folder_digest()).unlink()
        assert "does not have it" in refused(clone.root / "folder" / "one.csv").message

    @pytest.mark.parametrize("name", ["held.csv", "folder"])
    def test_access_refused(self, clone: Clone, name: str) -> None:
        with serving(Forbidding, clone.remote) as url:
            clone.remote_at(url)
            error = refused(clone.root / name)
        assert f"the remote 'origin' ({url}) refuses access: 403" in error.message
        assert "dvc remote modify --local" in error.advice

    def test_over_http_without_the_object(self, clone: Clone) -> None:
        clone.stored(md5(HELD)).unlink()
        with serving(Quiet, clone.remote) as url:
            clone.remote_at(url)
            assert "does not have it" in refused(clone.root / "held.csv").message

    @pytest.mark.parametrize("name", ["held.csv", "folder"])
    def test_connection_refused(self, clone: Clone, name: str, capfd: pytest.CaptureFixture[str]) -> None:
        with contextlib.closing(socket.socket()) as bound:  # bound but not listening: nobody else can have the port
            bound.bind(("127.0.0.1", 0))
            port = bound.getsockname()[1]
            clone.remote_at(f"http://me:hunter2@127.0.0.1:{port}/x?token=hunter2")
            error = refused(clone.root / name)
        assert f"the remote 'origin' (http://***@127.0.0.1:{port}/x?***) can not be reached" in error.message
        assert f"dvc pull {name}" in error.advice
        assert "hunter2" not in str(error)
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("name", ["held.csv", "folder"])
    def test_plugin_missing(self, clone: Clone, name: str) -> None:
        clone.remote_at("gs://bucket/x")
        error = refused(clone.root / name)
        assert error.message == f"{name}: the DVC remote needs a plugin that is not installed: dvc-gs"
        assert error.advice == 'Install it: pip install "dvc[gs]"'

    def test_broken_configuration(self, clone: Clone) -> None:
        clone.remote_at("foo://me:hunter2@host/x")
        error = refused(clone.root / "held.csv")
        assert "config file error" in error.message
        assert "dvc config --list" in error.advice
        assert "hunter2" not in str(error)

    def test_lock_held(self, clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
        import zc.lockfile

        monkeypatch.setattr(dvc_repository, "LOCK_PATIENCE", 0.0)
        (clone.root / ".dvc" / "tmp").mkdir()
        held = zc.lockfile.LockFile(str(clone.root / ".dvc" / "tmp" / "lock"))
        try:
            error = refused(clone.root / "held.csv")
        finally:
            held.close()
        assert error.message == "held.csv: another DVC process holds the repository's lock"
        assert "rm .dvc/tmp/lock" in error.advice

    def test_no_git(self, clone: Clone) -> None:
        shutil.rmtree(clone.root / ".git")
        error = refused(clone.root / "held.csv")
        assert "is not a git repository" in error.message
        assert "git init" in error.advice


class TestTrackers:
    def test_conflict_markers(self, clone: Clone) -> None:
        tracker = clone.root / "held.csv.dvc"
        tracker.write_text(f"<<<<<<< HEAD\n{tracker.read_text()}=======\nouts: []\n>>>>>>> other\n")
        error = refused(clone.root / "held.csv")
        assert error.message == "held.csv.dvc has merge conflict markers (<<<<<<<)"
        assert "git checkout --ours held.csv.dvc" in error.advice

    def test_conflict_markers_in_dvc_lock(self, clone: Clone) -> None:
        (clone.root / "dvc.lock").write_text("<<<<<<< HEAD\n")
        (clone.root / "out.csv").write_bytes(b"")
        assert refused(clone.root / "out.csv").message == "dvc.lock has merge conflict markers (<<<<<<<)"

    def test_conflict_markers_in_a_neighbour_that_dvc_reads(self, clone: Clone) -> None:
        (clone.root / "held.csv.dvc").write_text("<<<<<<< HEAD\n")
        error = refused(clone.root / "folder" / "one.csv")
        assert error.message == "held.csv.dvc has merge conflict markers (<<<<<<<)"

    @pytest.mark.parametrize(
        "text", ["outs: [", "", "outs:\n- md5: x\n", "outs:\n- path: held.csv\n  md5: 12\n", "a: \0"]
    )
    def test_broken(self, clone: Clone, text: str) -> None:
        (clone.root / "held.csv.dvc").write_text(text)
        error = refused(clone.root / "held.csv")
        assert error.message.startswith("held.csv.dvc can't be read: ")
        assert "git checkout -- held.csv.dvc" in error.advice

    def test_without_md5(self, clone: Clone) -> None:
        (clone.root / "held.csv.dvc").write_text("outs:\n- path: held.csv\n")
        error = refused(clone.root / "held.csv")
        assert error.message == "held.csv.dvc records no md5 for held.csv yet"
        assert "dvc commit held.csv" in error.advice

    def test_a_stage_that_never_ran(self, clone: Clone) -> None:
        (clone.root / "dvc.yaml").write_text("stages:\n  train:\n    cmd: 'true'\n    outs: [out.csv]\n")
        error = refused(clone.root / "out.csv")
        assert error.message == "dvc.lock records no md5 for out.csv yet"
        assert "dvc repro" in error.advice


class TestAdd:
    def test_a_new_file(self, clone: Clone, capfd: pytest.CaptureFixture[str]) -> None:
        (clone.root / "new.csv").write_bytes(b"new")
        assert add(clone.root / "new.csv") == md5(b"new")
        assert md5(b"new") in (clone.root / "new.csv.dvc").read_text()
        assert clone.cached(md5(b"new")).read_bytes() == b"new"
        assert capfd.readouterr() == ("", "")

    def test_a_new_version(self, clone: Clone) -> None:
        verified(clone.root / "held.csv")
        (clone.root / "held.csv").write_bytes(b"newer")
        assert add(clone.root / "held.csv") == md5(b"newer") == verified(clone.root / "held.csv")

    def test_a_folder(self, clone: Clone) -> None:
        (clone.root / "more").mkdir()
        (clone.root / "more" / "a.csv").write_bytes(b"a")
        assert add(clone.root / "more").endswith(".dir")

    def test_an_absent_file(self, clone: Clone) -> None:
        error = refused(clone.root / "none.csv", add)
        assert error.message == "none.csv does not exist, so DVC can't track it"

    def test_what_git_tracks(self, clone: Clone) -> None:
        (clone.root / "code.py").write_bytes(b"")
        run("git", "add", "code.py", cwd=clone.root)
        error = refused(clone.root / "code.py", add)
        assert error.message == "code.py is tracked by git, so DVC can't track it"
        assert "git rm -r --cached code.py && dvc add code.py" in error.advice

    def test_outside_any_repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert "no DVC repository" in refused(tmp_path / "a.csv", add).message
