"""One JSON question to an HTTP server, within bounds of time and size; asked again where that may help."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult

from pytest_model_check.bounded import parse_json
from pytest_model_check.errors import CandidateError, one_line

LARGEST = 512 * 2**20  # bytes of an answer
LONGEST_PAUSE = 60.0  # seconds, whatever a server asks for
RETRIED = (408, 425, 429, 500, 502, 503, 504)


class _AgainError(Exception):
    """What may go better when it is tried again; `pause`: the server says when; `said`: what else it says."""

    def __init__(self, reason: str, pause: float | None = None, said: str = "") -> None:
        super().__init__(reason)
        self.pause, self.said = pause, said


@dataclass(frozen=True)
class Endpoint:
    """Where questions go.

    Parameters
    ----------
    address : SplitResult
        Its URL, without credentials.
    where : str
        How a message calls it.
    timeout : float
        Seconds for one question, from the connection to the last byte.
    retries : int
        How often it is asked again.
    headers : mapping of str to str
        What is sent with each question; they may hold a secret, and are in no message.
    pause : float
        Seconds before the first retry; each next one waits twice as long.
    """

    address: SplitResult
    where: str
    timeout: float
    retries: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    pause: float = 0.5

    def ask(self, question: Mapping[str, Any]) -> Any:
        """Send JSON, and return the JSON that comes back.

        Raises
        ------
        CandidateError
            If there is no such answer.
        """
        body = json.dumps(question, default=str, allow_nan=False).encode()
        for attempt in range(self.retries + 1):
            try:
                return self._once(body)
            except _AgainError as error:
                if attempt == self.retries:
                    times = f" ({attempt + 1} times)" if attempt else ""
                    raise CandidateError(
                        f"{self.where} {error}{times}",
                        f"{error.said}Is it up, and quick enough? timeout= and retries= say more.",
                    ) from error
                time.sleep(min(error.pause or self.pause * 2**attempt, LONGEST_PAUSE))
        raise AssertionError  # the last attempt returns or raises

    def _once(self, body: bytes) -> Any:
        deadline = time.monotonic() + self.timeout
        connection = self._connection()
        cut = threading.Timer(self.timeout, _cut, [connection])  # a byte now and then must not put it off
        cut.start()
        try:
            path = self.address.path + (f"?{self.address.query}" if self.address.query else "")
            connection.request("POST", path, body, {**self.headers, "Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read(LARGEST + 1)
            if response.length and len(content) <= LARGEST:
                raise http.client.IncompleteRead(content, response.length)
            if time.monotonic() >= deadline:  # it may have been cut
                raise TimeoutError
        except ssl.SSLError as error:
            raise CandidateError(
                f"{self.where}: its certificate is not trusted: {one_line(error)}",
                "Certificates are always verified: name one's authority by SSL_CERT_FILE.",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
                raise _AgainError(f"did not answer within {self.timeout:g} s") from error
            raise _AgainError(f"can't be asked: {one_line(error)}") from error
        finally:
            cut.cancel()
            connection.close()
        if len(content) > LARGEST:
            raise CandidateError(f"{self.where} answers more than {LARGEST // 2**20} MiB", "Ask fewer rows: batch=.")
        return self._understood(response, content)

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self.address.hostname or "", self.address.port
        if self.address.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self.timeout, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=self.timeout)

    def _understood(self, response: http.client.HTTPResponse, content: bytes) -> Any:
        status = response.status
        text = self._bare(content[:10_000].decode("utf-8", errors="replace")).strip()  # before it is cut
        said = one_line(Exception(text)) if text else ""
        if status in RETRIED:
            after = response.getheader("Retry-After", "")
            pause = float(after) if re.fullmatch("[0-9]{1,9}", after) else None
            raise _AgainError(f"answers {status} {response.reason}", pause, f"It says: {said}\n" if said else "")
        if 300 <= status < 400:
            raise CandidateError(f"{self.where} leads elsewhere ({status})", "Name the address that it leads to.")
        if status != 200:
            raise CandidateError(f"{self.where} answers {status} {response.reason}", f"It says: {said or 'nothing'}")
        try:
            return parse_json(content)
        except ValueError as error:
            raise CandidateError(
                f"{self.where} answers no JSON ({response.getheader('Content-Type', 'of no type')})",
                "Is it the address of the model, and not of a page about it?",
            ) from error

    def _bare(self, text: str) -> str:
        """Leave out a secret that a server repeats."""
        for value in self.headers.values():
            text = text.replace(value.removeprefix("Bearer "), "***")
        return text


def _cut(connection: http.client.HTTPConnection) -> None:
    """End a connection that another thread reads from, with TLS or without."""
    if connection.sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
