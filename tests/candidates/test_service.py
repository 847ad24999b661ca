"""A service as the candidate, on loopback: what it is asked, what is believed, how long it may take."""

from __future__ import annotations

import datetime
import json
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_model_check import Service
from pytest_model_check.candidates.candidate import Fold
from pytest_model_check.errors import CandidateError, PromiseError
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from support.servers import free_port

LABELS = np.array(["no", "yes"], dtype=object)
ROWS = pd.DataFrame({"size": [0.1, 0.9, 0.2, None, 0.7], "kind": ["a", None, 'q "x"', "b", "c"]})


class Server(ThreadingHTTPServer):
    """Answers by the first part of the path, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict] = []
        self.tokens: list[str | None] = []
        self.times: list[float] = []
        self.refusals = 0
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args) -> None:
        pass

    def do_POST(self) -> None:
        mode = self.path.strip("/").split("/")[0]
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.asked.append(question)
            self.server.tokens.append(self.headers.get("Authorization"))
            self.server.times.append(time.monotonic())
        if mode in ("500", "403", "302", "429"):
            with self.server.lock:
                self.server.refusals += 1
            if mode != "429" or self.server.refusals < 3:
                return self.reply(int(mode), f"no: {self.headers.get('Authorization')}".encode(), "text/plain")
        if mode == "html":
            return self.reply(200, b"<html>Welcome</html>", "text/html")
        if mode == "hang":
            time.sleep(1)
            return None
        if mode == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            with suppress(OSError):
                for _ in range(20):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.05)
            return None
        if mode == "headers":
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                for _ in range(100):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.02)
            return None
        if mode == "torn":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"predictions": [')
            self.close_connection = True
            return None
        if mode == "deep":
            return self.reply(200, b"[" * 200_000, "application/json")
        if mode == "close":
            self.close_connection = True
            return None
        return self.reply(200, json.dumps(self.answers(mode, question)).encode(), "application/json")

    def answers(self, mode: str, question: dict):
        if mode == "mlserver":  # as MLServer 1.7.1 answers: labels, unless it is asked for another output
            asked = [output["name"] for output in question.get("outputs", [{"name": "predict"}])]
            outputs = self.answers("v2", question)["outputs"]
            chosen = [output | {"parameters": {"content_type": "np"}} for output in outputs if output["name"] in asked]
            return {"model_name": "churn", "model_version": "v1", "parameters": {}, "outputs": chosen}
        if mode == "v2":
            first = question["inputs"][0]
            sizes = first["data"][:: first["shape"][1]]
            shares = [share for size in sizes for share in (1 - (size or 0), size or 0)]
            labels = ["yes" if (size or 0) > 0.5 else "no" for size in sizes]
            return {
                "outputs": [
                    {"name": "predict", "shape": [len(sizes), 1], "datatype": "BYTES", "data": labels},
                    {"name": "predict_proba", "shape": [len(sizes), 2], "datatype": "FP64", "data": shares},
                ]
            }
        sizes = [row[0] or 0 for row in question["dataframe_split"]["data"]]
        predictions = {
            "labels": ["yes" if size > 0.5 else "no" for size in sizes],
            "429": ["yes" if size > 0.5 else "no" for size in sizes],
            "table": [[1 - size, size] for size in sizes],
            "records": [{"prediction": "no", "score": size} for size in sizes],
            "numbers": sizes,
            "sorted": sorted("yes" if size > 0.5 else "no" for size in sizes),
            "few": ["no"] * (len(sizes) - 1),
            "nan": [None if size == 0.1 else "no" for size in sizes],
            "other": ["maybe" for _ in sizes],
            "wide": [[0.2, 0.3, 0.5] for _ in sizes],
        }.get(mode)
        return {"predictions": predictions} if predictions is not None else {"error": "x"}

    def reply(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if status == 429:
            self.send_header("Retry-After", "0" if self.server.refusals > 1 else "\xb2")
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(server: Server, mode: str, classes=LABELS, rows: pd.DataFrame = ROWS, **options) -> dict[str, np.ndarray]:
    """Ask the server in one of its modes, as a check does."""
    url = f"http://127.0.0.1:{server.server_port}/{mode}"
    task = "regression" if classes is None else "classification"
    service = Service(url, **{"pause": 0.01, "retries": 1, "timeout": 5, "task": task} | options).bound(None)
    return dict(
        service.answer(Fold(lambda: (rows, np.zeros(5)), lambda: rows, classes, np.random.SeedSequence(0))).responses
    )


def test_mlflow_s_protocol_sends_rows_and_reads_predictions(server: Server) -> None:
    found = ask(server, "labels", batch=2, concurrency=2)
    assert found["predict"].tolist() == ["no", "yes", "no", "no", "yes"]
    assert {
        "dataframe_split": {"columns": ["size", "kind"], "data": [[0.2, 'q "x"'], [None, "b"]]},
    } in server.asked
    assert ask(server, "table")["predict_proba"][:, 1].tolist() == [0.1, 0.9, 0.2, 0.0, 0.7]
    assert ask(server, "table", classes=LABELS[::-1].copy()) is not None
    assert ask(server, "records")["predict"].tolist() == ["no"] * 5
    assert ask(server, "numbers", None)["predict"].tolist() == [0.1, 0.9, 0.2, 0.0, 0.7]


def test_the_open_inference_protocol(server: Server) -> None:
    found = ask(server, "v2/models/churn", protocol="v2", rows=ROWS[["size"]])
    assert found["predict_proba"][:, 1].tolist() == [0.1, 0.9, 0.2, 0.0, 0.7]
    assert server.asked[-1]["inputs"] == [
        {"name": "input-0", "shape": [5, 1], "datatype": "FP64", "data": [0.1, 0.9, 0.2, None, 0.7]}
    ]
    ask(server, "v2/models/churn", protocol="v2")
    assert [(each["name"], each["datatype"], each["shape"]) for each in server.asked[-1]["inputs"]] == [
        ("size", "FP64", [5, 1]),
        ("kind", "BYTES", [5, 1]),
    ]


def test_mlserver_is_asked_for_its_probabilities_by_name(server: Server) -> None:
    rows = ROWS[["size"]].iloc[:2]
    fold = Fold(lambda: (rows, np.zeros(2)), lambda: rows, LABELS, np.random.SeedSequence(0))
    service = Service(f"http://127.0.0.1:{server.server_port}/mlserver", protocol="v2", retries=0)
    assert service.answer(fold).responses["predict"].tolist() == ["no", "yes"]
    with pytest.raises(CandidateError, match="answers no probabilities") as raised:
        replace(service, probabilities=True).answer(fold)
    assert "output='predict_proba'" in raised.value.advice
    found = replace(service, probabilities=True, output="predict_proba").answer(fold).responses
    assert found["predict_proba"][:, 1].tolist() == [0.1, 0.9]
    assert server.asked[-1]["outputs"] == [{"name": "predict_proba"}]
    with pytest.raises(PromiseError, match="is one of protocol='v2'"):
        Service("http://localhost", output="predict_proba")


@pytest.mark.skipif(shutil.which("mlserver") is None, reason="MLServer is not on the PATH (CONTRIBUTING.md)")
def test_mlserver_itself(tmp_path: Path) -> None:
    import joblib

    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.normal(size=40), "kind": rng.choice(["a", "b"], 40)})
    y = LABELS[(X["size"] > 0).astype(int)]
    encoded = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    model = make_pipeline(encoded, LogisticRegression()).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    (tmp_path / "model-settings.json").write_text(
        '{"name": "churn", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": {"uri": "./model.joblib"}}'
    )
    ports = {f"{kind}_port": free_port() for kind in ("http", "grpc", "metrics")}
    settings = {"host": "127.0.0.1", "parallel_workers": 0, **ports}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    url = f"http://127.0.0.1:{ports['http_port']}/v2/models/churn"
    log = tmp_path / "log.txt"
    with log.open("wb") as output:
        running = subprocess.Popen(["mlserver", "start", "."], cwd=tmp_path, stdout=output, stderr=output)
    try:
        service = Service(url, protocol="v2", probabilities=True, output="predict_proba", pause=0.5, retries=6)
        fold = Fold(lambda: (X, np.zeros(40)), lambda: X, LABELS, np.random.SeedSequence(0))
        found = service.answer(fold).responses
    finally:
        running.terminate()
        running.wait()
    np.testing.assert_allclose(found["predict_proba"], model.predict_proba(X))


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("500", r"/500 answers 500 Internal Server Error \(2 times\)"),
        ("403", "/403 answers 403 Forbidden"),
        ("302", r"/302 leads elsewhere \(302\)"),
        ("html", r"/html answers no JSON \(text/html\)"),
        ("hang", r"/hang did not answer within 0\.2 s \(2 times\)"),
        ("drip", r"/drip did not answer within 0\.2 s \(2 times\)"),
        ("headers", r"/headers did not answer within 0\.2 s \(2 times\)"),
        ("torn", r"/torn can't be asked: IncompleteRead\(17 bytes read, 983 more expected\) \(2 times\)"),
        ("deep", r"/deep answers no JSON"),
        ("close", "/close can't be asked: "),
        ("few", "/few answers 4 rows where it was asked about 5"),
        ("nan", "/nan answers None for row 0 of the fold: the target has no such label"),
        ("other", "/other answers 'maybe' for row 0 of the fold: the target has no such label"),
        ("wide", "/wide answers 3 numbers for a row, and there are 2 labels"),
        ("none", r"/none answers no predictions \(error\)"),
        ("sorted", "the service answers in an order of its own"),
    ],
)
def test_what_is_wrong_is_named(mode: str, message: str, server: Server) -> None:
    with pytest.raises(CandidateError, match=message):
        ask(server, mode, timeout=0.2 if mode in ("hang", "drip", "headers") else 5)


def test_it_is_asked_again_where_that_may_help(server: Server) -> None:
    assert ask(server, "429", retries=3)["predict"].tolist() == ["no", "yes", "no", "no", "yes"]


def test_a_token_is_sent_and_never_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CandidateError, match="the environment has no CHURN_TOKEN"):
        ask(server, "labels", token="CHURN_TOKEN")
    monkeypatch.setenv("CHURN_TOKEN", "s3cret-t0ken")
    ask(server, "labels", token="CHURN_TOKEN")
    assert set(server.tokens) == {"Bearer s3cret-t0ken"}
    with pytest.raises(CandidateError) as raised:
        ask(server, "403", token="CHURN_TOKEN")
    assert "s3cret" not in str(raised.value)
    assert "It says: no: Bearer ***" in raised.value.advice
    with pytest.raises(CandidateError) as raised:
        ask(server, "500", token="CHURN_TOKEN")
    assert "It says: no: Bearer ***" in raised.value.advice
    monkeypatch.setenv("CHURN_TOKEN", "s3cret" * 40)  # longer than what is shown of it
    with pytest.raises(CandidateError) as raised:
        ask(server, "403", token="CHURN_TOKEN")
    assert "s3cret" not in str(raised.value)
    service = Service("http://localhost/x?key=1", token="CHURN_TOKEN")
    assert service.description == "Service(http://localhost/x)"
    assert "s3cret" not in repr(service._endpoint())
    for url in ("http://user:pass@host/x", "ftp://host/x", "localhost:5000"):
        with pytest.raises(PromiseError) as refused:
            Service(url)
        assert "pass@" not in str(refused.value)
    with pytest.raises(PromiseError, match="a token would be sent in the clear"):
        Service("http://example.org/x", token="CHURN_TOKEN")


def test_no_more_requests_in_a_second_than_it_bears(server: Server) -> None:
    ask(server, "labels", batch=1, concurrency=5, rate=50)
    assert len(server.times) == 7  # the first two find out whether the order is kept
    assert max(server.times) - min(server.times) > 6 / 50 - 0.01


def test_a_certificate_that_nobody_vouches_for_is_refused(server: Server, tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "both.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    fold = Fold(lambda: (ROWS, np.zeros(5)), lambda: ROWS, LABELS, np.random.SeedSequence(0))
    service = Service(f"https://localhost:{server.server_port}/labels", pause=0.01, retries=0)
    with pytest.raises(CandidateError, match=r"its certificate is not trusted: .*self-signed"):
        service.answer(fold)


def test_a_server_without_tls_is_not_asked_in_the_clear(server: Server) -> None:
    service = Service(f"https://127.0.0.1:{server.server_port}/labels", pause=0.01, retries=0)
    with pytest.raises(CandidateError, match="https://127"):  # the server speaks no TLS: no fall-back to the clear
        service.answer(Fold(lambda: (ROWS, np.zeros(5)), lambda: ROWS, LABELS, np.random.SeedSequence(0)))
    for wrong in ({"batch": 0}, {"protocol": "grpc"}, {"timeout": 0}, {"rate": -1}):
        with pytest.raises(PromiseError):
            Service("http://localhost", **wrong)
