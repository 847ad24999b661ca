"""A fake of GitHub's REST API, on loopback: the real one can't be reached from a test.

It knows what the scripts ask for, answers in the real one's shapes (the paths and fields of its documentation), pages
lists, insists on the token, and hands artifacts out by a redirect to a store that refuses the token, as the real one's
store does. What it was asked to change is kept in `changes`.
"""

from __future__ import annotations

import base64
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token"
REPOSITORY = "owner/project"
OWN, FORK = 1, 2


def pull_request(
    number: int, sha: str, *, branch: str = "better", repository: int | None = OWN, state: str = "open"
) -> dict[str, Any]:
    """Return a pull request as the API lists it."""
    owner = {OWN: "owner", FORK: "visitor"}.get(repository or 0, "gone")
    repo = (
        None if repository is None else {"id": repository, "full_name": f"{owner}/project", "owner": {"login": owner}}
    )
    return {
        "number": number,
        "state": state,
        "head": {"sha": sha, "ref": branch, "label": f"{owner}:{branch}", "repo": repo},
        "base": {"ref": "main", "repo": {"id": OWN, "full_name": REPOSITORY, "default_branch": "main"}},
    }


def archive(**members: str | bytes) -> bytes:
    """Zip members; a double underscore in a name stands for its dot."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return packed.getvalue()


class FakeGitHub:
    """What the fake knows; a test fills it in."""

    def __init__(self) -> None:
        self.pulls: list[dict[str, Any]] = []
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.artifacts: dict[int, list[dict[str, Any]]] = {}
        self.archives: dict[int, bytes] = {}
        self.permissions: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.changes: list[tuple[str, str, Any]] = []
        self.leaked: list[str] = []
        self.broken = False
        self.broken_paths: tuple[str, ...] = ()
        self.url = ""

    def upload(self, run: int, content: bytes, *, name: str = "model-check", at: str = "2026-01-01T01:00:00Z") -> None:
        """Keep an artifact of a run."""
        number = len(self.archives) + 1
        self.archives[number] = content
        one = {"id": number, "name": name, "expired": False, "created_at": at, "size_in_bytes": len(content)}
        self.artifacts.setdefault(run, []).append(one)

    @contextmanager
    def serve(self) -> Iterator[FakeGitHub]:
        """Answer on loopback."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"github": self}))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    github: FakeGitHub

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def handle_any(self) -> None:
        path = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(path.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        if path.path.startswith("/store/"):
            self._store(int(path.path.rpartition("/")[2]))
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"message": "Bad credentials"})
        elif self.github.broken or any(broken in path.path for broken in self.github.broken_paths):
            self._answer(500, {"message": "Sorry"})
        else:
            prefix = f"/repos/{REPOSITORY}"
            below = path.path.removeprefix(prefix) if path.path.startswith(prefix) else "?"
            self._api(f"{self.command} {below}", query, body)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's names

    def _store(self, number: int) -> None:
        if self.headers.get("Authorization"):
            self.github.leaked.append(self.path)
            self._answer(400, {"message": "InvalidAuthenticationInfo"})
            return
        self._bytes(200, self.github.archives[number])

    def _api(self, what: str, query: dict[str, str], body: Any) -> None:
        github = self.github
        if self.command != "GET":
            github.changes.append((self.command, what.partition(" ")[2], body))
            self._answer(200, {})
        elif what == "GET /pulls":
            wanted = [
                one for one in github.pulls
                if query.get("state", "open") in (one["state"], "all") and query["head"] == one["head"]["label"]
            ]  # fmt: skip
            self._page(wanted, query)
        elif found := re.fullmatch(r"GET /pulls/(\d+)", what):
            self._one([one for one in github.pulls if one["number"] == int(found[1])])
        elif found := re.fullmatch(r"GET /issues/(\d+)/comments", what):
            self._page(github.comments.get(int(found[1]), []), query)
        elif found := re.fullmatch(r"GET /actions/runs/(\d+)/artifacts", what):
            named = [one for one in github.artifacts.get(int(found[1]), []) if one["name"] == query["name"]]
            self._page(named, query, "artifacts")
        elif found := re.fullmatch(r"GET /actions/artifacts/(\d+)/zip", what):
            self._bytes(302, b"", f"{github.url}/store/{found[1]}")
        elif what.startswith("GET /contents/"):
            content = github.files.get(what.removeprefix("GET /contents/"))
            self._one([] if content is None else [{"content": base64.encodebytes(content).decode()}])
        elif found := re.fullmatch(r"GET /collaborators/([\w\[\]%-]+)/permission", what):
            self._answer(200, {"permission": github.permissions.get(found[1], "read")})
        else:
            self._answer(404, {"message": "Not Found"})

    def _page(self, items: list[Any], query: dict[str, str], key: str = "") -> None:
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        part = items[(page - 1) * size : page * size]
        self._answer(200, {"total_count": len(items), key: part} if key else part)

    def _one(self, found: list[Any]) -> None:
        self._answer(*((200, found[0]) if found else (404, {"message": "Not Found"})))

    def _answer(self, status: int, content: Any) -> None:
        self._bytes(status, json.dumps(content).encode())

    def _bytes(self, status: int, content: bytes, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
