"""Data and baselines behind every kind of DVC remote, each a real server; and what is said when one fails."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib
import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_model_check.data import dvc_files
from pytest_model_check.errors import DataError
from support import servers
from support.project import CHECK, IMPORTS, LOGISTIC, Project, git
from support.servers import SECRET, Dying, Server, free_port

ALL = list(servers.KINDS)
OVER_A_NETWORK = [kind for kind in ALL if kind != "local"]
NUMBERS = itertools.count()  # every test has a remote of its own on the server
WITH_A_LOCK = [kind for kind in OVER_A_NETWORK if kind != "http"]  # python -m http.server asks nobody who they are


@dataclass(frozen=True)
class Recorded:
    """A project with a baseline, and a clone of it without any data.

    Parameters
    ----------
    project, clone : Path
        Their folders.
    pushed : Path
        What `dvc push` brings to a remote.
    data : str
        Where in a remote the data is.
    """

    project: Path
    clone: Path
    pushed: Path
    data: str


@pytest.fixture(scope="module")
def plugins() -> None:
    """Import DVC's storage plugins once: in-process runs forget what they import, and yarl bears no second time."""
    for module in (
        "dvc_http.spec",
        "aiohttp_retry",
        "webdav4.fsspec",
        "dvc_webdav",
        "sshfs",
        "dvc_ssh",
        "s3fs",
        "dvc_s3",
    ):
        with contextlib.suppress(ImportError):  # its tests are then skipped
            importlib.import_module(module)


@pytest.fixture(scope="module")
def recorded(project_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    base = tmp_path_factory.mktemp("recorded")
    project = base / "project"
    shutil.copytree(project_template, project)
    (base / "remote").mkdir()
    source = IMPORTS + CHECK.format(candidate=LOGISTIC, promise=", seeds=1")
    (project / "test_models.py").write_text(source, encoding="utf-8")
    Project(project, None).record()  # type: ignore[arg-type]
    Project(project, None).dvc("push")  # type: ignore[arg-type]
    git(project, "add", "-A")
    git(project, "commit", "-qm", "A baseline")
    git(base, "clone", "-q", str(project), "clone")
    md5 = hashlib.md5((project / "data" / "tumours.csv").read_bytes()).hexdigest()
    return Recorded(project, base / "clone", base / "remote", f"files/md5/{md5[:2]}/{md5[2:]}")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Start each kind of server when it is first asked for; stop them all at the end."""
    running: dict[str, Server] = {}
    with contextlib.ExitStack() as stack:

        def start(kind: str) -> Server:
            if kind not in running:
                running[kind] = stack.enter_context(servers.KINDS[kind](tmp_path_factory.mktemp(kind)))
            return running[kind]

        yield start


@dataclass(frozen=True)
class Away:
    """A remote of its own for one test, filled as by a push, and a clone that has nothing yet."""

    kind: str
    server: Server
    name: str
    data: str
    project: Project

    def configure(self, *, port: int | None = None, secrets: dict[str, str] | None = None) -> str:
        """Make it the project's default remote; another port and other secrets than the server's may be told."""
        shown = self.server.settings(self.name, port or self.server.port)
        hidden = self.server.secrets if secrets is None else secrets
        for file, settings in (("config", shown), ("config.local", hidden)):
            lines = ["[core]", "    remote = away", "['remote \"away\"']"]
            lines += [f"    {name} = {value}" for name, value in settings.items()]
            (self.project.path / ".dvc" / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return shown["url"]

    def delete(self) -> None:
        self.server.store.delete(self.name, self.data)

    def change(self) -> None:
        self.server.store.write(self.name, self.data, b"not what was pushed\n")

    def is_identical(self) -> bool:
        """Run the checks; say whether data and predictions came, and the old model is the new one."""
        result = self.project.run()
        baseline = self.project.path / "baselines" / "tumours.parquet"
        return result.ret == 0 and self.project.verdicts() == {"tumours": "identical"} and baseline.exists()

    def refused(self) -> tuple[str, str]:
        """Run the checks, which must fail for want of data: give the one line, and the advice.

        No secret is shown, and nothing half-written is left.
        """
        result = self.project.run()
        printed = "\n".join(result.outlines + result.errlines)
        assert result.ret == 1, printed
        check = self.project.report()["checks"][0]
        assert (check["verdict"], check["passed"]) == ("error", False)
        message = check["message"]
        assert "\n" not in message
        said = result.outlines.index(message)
        advice = result.outlines[said + 1]
        assert [printed.count(value) for value in self.secrets()] == [0] * len(self.secrets())
        assert not (self.project.path / "data").exists()
        left = [path for path in (self.project.path / ".dvc").rglob("*") if path.is_file()]
        assert not [path for path in left if "tmp" in path.name]
        for path in left:
            if "cache" in path.parts:
                assert path.parent.name + path.name.removesuffix(".dir") == hashlib.md5(path.read_bytes()).hexdigest()
        return message, advice

    def secrets(self) -> list[str]:
        """Return what nobody may read in a message: passwords and keys."""
        everything = self.server.secrets | self.server.wrong
        return [SECRET, *(value for name, value in everything.items() if re.search("password|secret", name))]


@pytest.fixture
def away(
    request: pytest.FixtureRequest,
    plugins: None,
    start: Callable[[str], Server],
    recorded: Recorded,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> Away:
    """Set up the remote of the kind that the test is parametrised with."""
    server = start(request.param)
    for name in [name for name in os.environ if name.startswith("AWS_")] + ["SSH_AUTH_SOCK"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # or a server that is down is asked for ten seconds
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(project.path.parent / "site"))
    shutil.rmtree(project.path)
    shutil.copytree(recorded.clone, project.path)
    monkeypatch.chdir(project.path)
    name = f"remote-{next(NUMBERS)}"
    server.store.fill(name, recorded.pushed)
    remote = Away(request.param, server, name, recorded.data, project)
    remote.configure()
    return remote


def each(kinds: list[str]) -> pytest.MarkDecorator:
    marks = {"s3": pytest.mark.integration}
    params = [pytest.param(kind, marks=marks.get(kind, ())) for kind in kinds]
    return pytest.mark.parametrize("away", params, indirect=True)


@each(ALL)
def test_a_fresh_clone_pulls_what_was_pushed_and_is_identical(away: Away, recorded: Recorded, tmp_path: Path) -> None:
    if away.kind != "http":  # a web server is written to by other ways
        away = dataclasses.replace(away, name=f"{away.name}-2")
        away.server.store.make(away.name)
        author = dataclasses.replace(away, project=Project(tmp_path / "author", None))  # type: ignore[arg-type]
        shutil.copytree(recorded.project, author.project.path)
        for each in (author, away):
            each.configure()
        author.project.dvc("push")
    assert away.is_identical()


@each(ALL)
def test_what_was_not_pushed_is_named(away: Away) -> None:
    away.delete()
    message, advice = away.refused()
    assert re.search(r"data/tumours\.csv: the remote 'away' \(.*\) does not have it \(object \w{32}\)$", message)
    assert advice.endswith("dvc push data")


@each(ALL)
def test_what_is_corrupt_is_not_used(away: Away) -> None:
    away.change()
    message, advice = away.refused()
    assert re.search(r"data/tumours\.csv: its data .* in the remote 'away' \(.*\) is corrupt, so it was not", message)
    assert f"Delete {away.data} there" in advice


@each(OVER_A_NETWORK)
def test_a_server_that_is_down_can_not_be_reached(away: Away) -> None:
    url = away.configure(port=free_port())
    message, advice = away.refused()
    assert f"the remote 'away' ({url}) can not be reached: " in message
    assert "Check the network" in advice


@each(WITH_A_LOCK)
def test_wrong_credentials_are_refused(away: Away) -> None:
    url = away.configure(secrets=away.server.wrong)
    message, advice = away.refused()
    assert f"the remote 'away' ({url}) refuses access: " in message
    assert "dvc remote modify --local" in advice


@each(WITH_A_LOCK)
def test_no_credentials_are_refused(away: Away, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # nor in its files
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    url = away.configure(secrets={})
    message, advice = away.refused()
    assert f"the remote 'away' ({url}) refuses access: " in message
    assert "dvc remote modify --local" in advice


@each([kind for kind in ALL if kind != "http"])
def test_a_folder_or_bucket_that_does_not_exist_is_named(away: Away) -> None:
    nowhere = dataclasses.replace(away, name="nowhere")
    url = nowhere.configure()
    message, advice = nowhere.refused()
    assert f"the folder or bucket of the remote 'away' ({url}) does not exist, or is empty" in message
    assert "Check its address" in advice


@each(["http"])
def test_a_web_server_can_not_tell_an_absent_folder_from_an_absent_object(away: Away) -> None:
    nowhere = dataclasses.replace(away, name="nowhere")
    url = nowhere.configure()
    message, advice = nowhere.refused()
    assert f"the remote 'away' ({url}) does not have it" in message
    assert advice.endswith("dvc push data")


@each(OVER_A_NETWORK)
def test_a_server_that_dies_midway_leaves_nothing_half_written_and_the_next_run_is_whole(away: Away) -> None:
    with Dying(away.server.port, left=20_000).running() as dying:
        url = away.configure(port=dying.port)
        message, advice = away.refused()
        assert dying.left <= 0
    assert f"the remote 'away' ({url}) can not be reached: " in message
    assert "Check the network" in advice
    away.configure()
    assert away.is_identical()


@each(ALL)
def test_the_predictions_of_another_revision_are_fetched_by_their_digest(
    away: Away, recorded: Recorded, tmp_path: Path
) -> None:
    approved = recorded.project / "baselines" / "tumours.parquet"
    md5 = hashlib.md5(approved.read_bytes()).hexdigest()
    here = away.project.path / "baselines" / "tumours.parquet"
    here.with_name("tumours.parquet.dvc").unlink()  # this revision knows nothing of them
    dvc_files.fetch(here, md5, tmp_path / "approved.parquet")
    assert (tmp_path / "approved.parquet").read_bytes() == approved.read_bytes()
    assert not here.exists()


@each(ALL)
def test_the_predictions_of_another_revision_that_were_not_pushed_are_named(away: Away, tmp_path: Path) -> None:
    absent = "0" * 32
    with pytest.raises(DataError, match=r"the remote 'away' \(.*\) does not have it \(object 0{32}\)") as caught:
        dvc_files.fetch(away.project.path / "baselines" / "tumours.parquet", absent, tmp_path / "approved.parquet")
    assert "dvc push" in caught.value.advice
    assert not (tmp_path / "approved.parquet").exists()
