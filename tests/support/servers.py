"""Real servers on loopback that keep a DVC remote: started by a fixture, stopped by it, and a way to let one die."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import select
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SECRET = "hunter2"  # what no message may show
HOST = "127.0.0.1"


class Folders:
    """Remotes as folders: what a file server, sshd or a web server shows."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def fill(self, name: str, source: Path) -> None:
        shutil.copytree(source, self.root / name)

    def make(self, name: str) -> None:
        (self.root / name).mkdir()

    def write(self, name: str, key: str, content: bytes) -> None:
        path = self.root / name / key
        path.chmod(0o644)
        path.write_bytes(content)
        path.chmod(0o444)  # as DVC leaves it: in this mode DVC itself takes everything for sound

    def delete(self, name: str, key: str) -> None:
        (self.root / name / key).unlink()


class Buckets:
    """Remotes as buckets of an object store."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        import boto3

        self._client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1"
        )

    def fill(self, name: str, source: Path) -> None:
        self.make(name)
        for path in source.rglob("*"):
            if path.is_file():
                self.write(name, path.relative_to(source).as_posix(), path.read_bytes())

    def make(self, name: str) -> None:
        self._client.create_bucket(Bucket=name)

    def write(self, name: str, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=name, Key=key, Body=content)

    def delete(self, name: str, key: str) -> None:
        self._client.delete_object(Bucket=name, Key=key)


Settings = dict[str, str]


@dataclass(frozen=True)
class Server:
    """A running server, and how DVC is told of a remote on it.

    Parameters
    ----------
    port : int
        Where it listens; 0 if it is no server but the disk.
    store : Folders or Buckets
        Its remotes, to be changed behind DVC's back.
    settings : callable
        The options of a remote in ``.dvc/config``, from its name and the port.
    secrets, wrong : mapping
        More options, for ``.dvc/config.local``: those that the server accepts, and those that it refuses.
    """

    port: int
    store: Folders | Buckets
    settings: Callable[[str, int], Settings]
    secrets: Settings = field(default_factory=dict)
    wrong: Settings = field(default_factory=dict)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _running(command: list[str], port: int, log: Path, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a server until the block ends; skip, with its last words, if it does not come up."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | (environment or {}),
        )
    try:
        deadline = time.monotonic() + 30
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["nothing"]
                pytest.skip(f"{Path(command[0]).name} did not start; it said: {said[-1]}")
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _needed(*modules: str, install: str = "-e '.[test]'") -> None:
    for module in modules:
        pytest.importorskip(module, reason=f"{module} is not installed: pip install {install}")


@contextlib.contextmanager
def local(folder: Path) -> Iterator[Server]:
    """Keep remotes in a folder of this machine, as on a mounted share."""
    yield Server(0, Folders(folder), lambda name, port: {"url": (folder / name).as_posix()})


@contextlib.contextmanager
def http(folder: Path) -> Iterator[Server]:
    """Serve remotes as any web server does: they can be read, and nobody is asked for a password."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", HOST, "--directory", str(folder)]
    with _running(command, port, folder.with_suffix(".log")):
        yield Server(port, Folders(folder), lambda name, port: {"url": f"http://{HOST}:{port}/{name}"})


@contextlib.contextmanager
def webdav(folder: Path) -> Iterator[Server]:
    """Serve remotes by WsgiDAV, to those who know the password."""
    _needed("dvc_webdav", "wsgidav", "cheroot")
    port = free_port()
    users = {"me": {"password": SECRET}}
    configuration = {
        "host": HOST,
        "port": port,
        "provider_mapping": {"/": str(folder)},
        "simple_dc": {"user_mapping": {"*": users}},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
    }
    written = folder.with_suffix(".json")
    written.write_text(json.dumps(configuration), encoding="utf-8")
    command = [sys.executable, "-m", "wsgidav.server.server_cli", "--config", str(written)]
    with _running(command, port, folder.with_suffix(".log")):
        yield Server(
            port,
            Folders(folder),
            lambda name, port: {"url": f"webdav://{HOST}:{port}/{name}", "user": "me"},
            {"password": SECRET},
            {"password": f"not-{SECRET}"},
        )


@contextlib.contextmanager
def ssh(folder: Path) -> Iterator[Server]:
    """Serve remotes by an sshd of our own, to those who have the key."""
    _needed("dvc_ssh")
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if sys.platform == "win32" or not sshd or not shutil.which("ssh-keygen"):
        pytest.skip("there is no sshd: apt-get install openssh-server")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # the system's service makes it; root's sshd won't start without
    keys = folder.with_suffix(".keys")
    keys.mkdir()
    for name in ("host", "right", "wrong"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)], check=True)
    port = free_port()
    settings = {
        "ListenAddress": f"{HOST}:{port}",
        "HostKey": keys / "host",
        "AuthorizedKeysFile": keys / "right.pub",
        "AuthenticationMethods": "publickey",
        "PermitRootLogin": "yes",
        "StrictModes": "no",  # temporary folders are writable for others
        "UsePAM": "no",
        "PidFile": "none",
        "Subsystem": "sftp internal-sftp",
    }
    written = keys / "sshd_config"
    written.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="utf-8")
    with _running([sshd, "-D", "-e", "-f", str(written)], port, folder.with_suffix(".log")):
        yield Server(
            port,
            Folders(folder),
            lambda name, port: {"url": f"ssh://{HOST}:{port}{folder.as_posix()}/{name}", "user": getpass.getuser()},
            {"keyfile": str(keys / "right")},
            {"keyfile": str(keys / "wrong")},
        )


@contextlib.contextmanager
def s3(folder: Path) -> Iterator[Server]:
    """Serve remotes by moto's S3, which checks signatures; its user may do everything."""
    _needed("dvc_s3", "moto", "flask", "flask_cors", "boto3", install="--group integration")
    port = free_port()
    url = f"http://{HOST}:{port}"
    # Three actions go unchecked, or nobody could make the first user.
    environment = {"INITIAL_NO_AUTH_ACTION_COUNT": "3"}
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)]
    with _running(command, port, folder.with_suffix(".log"), environment):
        key, secret = _first_user(url)
        yield Server(
            port,
            Buckets(url, key, secret),
            lambda name, port: {"url": f"s3://{name}", "endpointurl": f"http://{HOST}:{port}"},
            {"access_key_id": key, "secret_access_key": secret},
            {"access_key_id": key, "secret_access_key": f"not-{SECRET}"},
        )


def _first_user(url: str) -> tuple[str, str]:
    import boto3

    iam = boto3.client(
        "iam", endpoint_url=url, aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1"
    )
    iam.create_user(UserName="me")
    made = iam.create_access_key(UserName="me")["AccessKey"]
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(UserName="me", PolicyName="all", PolicyDocument=json.dumps(everything))
    return made["AccessKeyId"], made["SecretAccessKey"]


KINDS = {"local": local, "http": http, "webdav": webdav, "ssh": ssh, "s3": s3}


class Dying(socketserver.ThreadingTCPServer):
    """A way to a server that breaks for good once so many bytes of answers have gone through."""

    daemon_threads = True

    def __init__(self, behind: int, left: int) -> None:
        super().__init__((HOST, 0), _Passing)
        self.behind = behind
        self.left = left

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @contextlib.contextmanager
    def running(self) -> Iterator[Dying]:
        thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self.left = 0
            self.shutdown()
            thread.join()
            self.server_close()


class _Passing(socketserver.BaseRequestHandler):
    server: Dying

    def handle(self) -> None:
        with (
            contextlib.suppress(ConnectionError),
            socket.create_connection((HOST, self.server.behind)) as behind,
        ):
            other = {self.request: behind, behind: self.request}
            while self.server.left > 0:
                for ready in select.select([*other], [], [], 0.1)[0]:
                    data = ready.recv(4096)
                    if ready is behind:
                        self.server.left -= len(data)
                    if not data or self.server.left <= 0:
                        return
                    other[ready].sendall(data)
