"""GitHub's REST API, as far as the scripts beside need it: standard library only, every answer bounded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

ANSWER_BYTES = 32 * 1024 * 1024
PAGES = 50
SECONDS = 30


class ApiError(Exception):
    """GitHub could not be asked, or refused; the message stands alone."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class _Stay(HTTPRedirectHandler):
    """Follow no redirect: urllib would take the token along to another host."""

    def redirect_request(self, *_: Any) -> None:
        """Return no new request."""


@dataclass(frozen=True)
class Api:
    """One repository, asked with one token.

    Parameters
    ----------
    url : str
        Where the API is: https://api.github.com, or GitHub Enterprise's.
    repository : str
        OWNER/NAME.
    token : str
        Sent to `url` only.
    """

    url: str
    repository: str
    token: str

    @staticmethod
    def from_environment() -> Api:
        """Take what GitHub's runners set."""
        names = ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN")
        values = [os.environ.get(name, "") for name in names]
        missing = [name for name, value in zip(names, values, strict=True) if not value]
        if missing:
            raise ApiError(f"{', '.join(missing)}: not set; this script runs in a GitHub workflow")
        return Api(*values)

    def get(self, path: str, **query: object) -> Any:
        """Ask; `path` starts below the repository."""
        return self._json("GET", path, query)

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Change something."""
        return self._json(method, path, {}, body)

    def pages(self, path: str, key: str = "", **query: object) -> Iterator[Any]:
        """Return every item of a list, over all pages; `key` names the list inside an answer."""
        for page in range(1, PAGES + 1):
            answer = self.get(path, per_page=100, page=page, **query)
            items = answer.get(key, []) if key else answer
            yield from items
            if len(items) < 100:
                return

    def download(self, path: str, limit: int) -> bytes | None:
        """Follow the API's redirect to a file, without the token; None where it has more than `limit` bytes."""
        try:
            with self._open("GET", path, {}) as answer:
                content: bytes = answer.read(limit + 1)
        except _RedirectedError as error:
            target = urlsplit(error.location)
            if target.scheme != urlsplit(self.url).scheme:
                raise ApiError(f"GET {path}: redirected to {target.scheme}://, which is refused") from None
            with _open(Request(error.location), f"GET {path}") as answer:
                content = answer.read(limit + 1)
        return None if len(content) > limit else content

    def _json(self, method: str, path: str, query: dict[str, object], body: object = None) -> Any:
        with self._open(method, path, query, body) as answer:
            content = answer.read(ANSWER_BYTES + 1)
        if len(content) > ANSWER_BYTES:
            raise ApiError(f"{method} {path}: the answer is too long")
        try:
            return json.loads(content) if content else None
        except ValueError as error:
            raise ApiError(f"{method} {path}: the answer is no JSON ({error})") from error

    def _open(self, method: str, path: str, query: dict[str, object], body: object = None) -> Any:
        url = f"{self.url}/repos/{self.repository}{path}"
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "pytest-model-check",
        }
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{url}?{urlencode(query)}" if query else url, data, headers, method=method)
        return _open(request, f"{method} {path}")


class _RedirectedError(Exception):
    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


def _open(request: Request, what: str) -> Any:
    try:
        return build_opener(_Stay).open(request, timeout=SECONDS)
    except HTTPError as error:
        location = error.headers.get("Location", "")
        if error.code in (301, 302, 303, 307, 308) and location:
            raise _RedirectedError(location) from None
        detail = error.read(2000).decode(errors="replace").strip()
        raise ApiError(f"{what}: GitHub answered {error.code} {error.reason}: {detail}", error.code) from error
    except (URLError, HTTPException, TimeoutError, OSError) as error:
        raise ApiError(f"{what}: GitHub could not be reached ({error})") from error
