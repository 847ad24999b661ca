"""A service as the candidate: asked about batches of rows over HTTP, never refitted (docs/services.md)."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, get_args
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.candidates import answer_table
from pytest_model_check.candidates.http_client import Endpoint
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.checks.declared import Address, Declared, Origin, ServiceProtocol
from pytest_model_check.errors import CandidateError, PromiseError

if TYPE_CHECKING:
    import pandas as pd

    from pytest_model_check.candidates.candidate import Fold
    from pytest_model_check.candidates.place import Place

LOOPBACK = ("localhost", "127.0.0.1", "::1")
V2_TYPES = {"b": "BOOL", "i": "INT64", "u": "UINT64", "f": "FP64"}


@dataclass(frozen=True)
class Service(Declared):
    """A model behind an address, asked about the rows of ``holdout=``.

    Parameters
    ----------
    url : str
        Of MLflow's scoring server (``/invocations`` is added), or of a model in the Open Inference Protocol V2
        (``http://host/v2/models/churn``; ``/infer`` is added).
    task : {'classification', 'regression'}
        What it answers.
    probabilities : bool
        Whether a classifier answers a probability for each label: then the default metric is ``neg_brier_score``.
    classes : sequence, optional
        The labels in the order of its probabilities. Default: those of the target, sorted.
    protocol : {'mlflow', 'v2'}
        How it is asked.
    output : str or None
        In V2, the output to ask for: MLServer answers labels alone unless it is asked for ``"predict_proba"``.
    batch : int
        How many rows are sent at a time.
    concurrency : int
        How many batches may be on their way at a time.
    rate : float or None
        The most requests in a second.
    timeout : float
        Seconds for one request.
    retries : int
        How often a request is tried again that failed or was refused for now, each time after twice the pause.
    token : str or None
        The environment variable that holds a bearer token.
    latency_margin : float or None
        How much slower than the approved service it may be, in the median and in the 95th percentile, as a share of
        that one's latency: 0.2 is a fifth. Both are asked in turn, in the same run. None: latency is not looked at.
    """

    url: str
    task: str = "classification"
    probabilities: bool = False
    classes: Sequence[Any] | None = None
    protocol: ServiceProtocol = "mlflow"
    output: str | None = None
    batch: int = 500
    concurrency: int = 1
    rate: float | None = None
    timeout: float = 60.0
    retries: int = 3
    token: str | None = None
    latency_margin: float | None = None
    pause: float = field(default=0.5, repr=False, kw_only=True)

    origin: ClassVar[Origin] = "asked"
    runs = None
    id = None

    def __post_init__(self) -> None:
        address = urlsplit(self.url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise PromiseError(f"Service({self._bare!r}) is no address", 'Write e.g. Service("http://localhost:5000").')
        if address.username or address.password:
            raise PromiseError(
                f"Service({self._bare!r}): its address holds a password", "Put a token in the environment: token=NAME."
            )
        if self.token is not None and address.scheme == "http" and address.hostname not in LOOPBACK:
            raise PromiseError(f"Service({self._bare!r}): a token would be sent in the clear", "Use https.")
        if self.task not in ("classification", "regression") or self.protocol not in get_args(ServiceProtocol):
            raise PromiseError(
                f"task={self.task!r}, protocol={self.protocol!r}", "classification or regression; mlflow or v2"
            )
        if self.output is not None and self.protocol != "v2":
            raise PromiseError(f"output={self.output!r} is one of protocol='v2'", "MLflow's protocol names no outputs.")
        for name, least in (("batch", 1), ("concurrency", 1), ("retries", 0)):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < least:
                raise PromiseError(f"{name}={getattr(self, name)!r}", f"Use a whole number from {least}.")
        if not self.timeout > 0 or (self.rate is not None and not self.rate > 0):
            raise PromiseError(f"timeout={self.timeout!r}, rate={self.rate!r}", "Use numbers above 0.")
        if self.latency_margin is not None and not 0 < self.latency_margin < math.inf:
            raise PromiseError(
                f"latency_margin={self.latency_margin!r}: it must be a number above 0",
                "It is a share of the approved service's latency: with 0.2, a fifth slower is harmless.",
            )

    @property
    def _bare(self) -> str:
        """The address without credentials and query."""
        address = urlsplit(self.url)
        host = address.netloc.rpartition("@")[2]
        return f"{address.scheme}://{host}{address.path}"

    @property
    def has_probabilities(self) -> bool:  # type: ignore[override]
        """Whether it answers probabilities."""
        return self.probabilities

    @property
    def description(self) -> str:
        """The address."""
        return f"Service({self._bare})"

    @property
    def address(self) -> Address:  # type: ignore[override]
        """Where it is asked."""
        return Address(self._bare, self.protocol, self.output, self.token)

    def at(self, address: Address) -> Service:
        """Return the service at another address; at its own as it is, with what no baseline keeps of it: a query."""
        if address.url == self.address.url:
            return self
        return replace(self, **asdict(address))

    def bound(self, place: Place) -> Service:  # noqa: ARG002 - a service lies nowhere
        """Return it as it is, once its token is there."""
        self._endpoint()
        return self

    def answer(self, fold: Fold) -> Answers:
        """Ask it about the rows held out, batch by batch."""
        endpoint = self._endpoint()
        test = fold.test()
        batches = [test.iloc[start : start + self.batch] for start in range(0, len(test), self.batch)]
        pace = Pace(self.rate)

        def ask(rows: pd.DataFrame) -> pd.DataFrame:
            pace.wait()
            return self._table(endpoint.ask(self._question(rows)), rows, fold.classes)

        began = time.perf_counter()
        _require_order(ask, batches[0])
        with ThreadPoolExecutor(self.concurrency) as pool:
            tables = list(pool.map(ask, batches))
        import pandas as pd

        whole = pd.concat(tables, ignore_index=True)
        found = answer_table.responses(whole, fold.classes, self._bare, lambda row: f"row {row} of the fold")
        if self.probabilities and "predict_proba" not in found:
            raise CandidateError(
                f"{self._bare} answers no probabilities, and probabilities=True says that it does",
                "In V2 they are an output that may have to be asked for: output='predict_proba'."
                if self.protocol == "v2"
                else "Leave probabilities= out, or serve what predict_proba answers.",
            )
        return Answers(found, (), (0.0, time.perf_counter() - began))

    def seconds(self, rows: pd.DataFrame, classes: NDArray[Any] | None) -> float:
        """Ask it about rows, and return how long it took, from the connection to the last byte of a sound answer."""
        endpoint, question = self._endpoint(), self._question(rows)
        began = time.perf_counter()
        plain = endpoint.ask(question)
        took = time.perf_counter() - began
        self._table(plain, rows, classes)
        return took

    def _endpoint(self) -> Endpoint:
        headers = {"Accept": "application/json"}
        if self.token is not None:
            secret = os.environ.get(self.token, "")
            if not secret:
                raise CandidateError(f"{self._bare}: the environment has no {self.token}", "It holds the token.")
            headers["Authorization"] = f"Bearer {secret}"
        path = "/invocations" if self.protocol == "mlflow" else "/infer"
        address = urlsplit(self.url)
        address = address._replace(path=address.path.rstrip("/").removesuffix(path) + path)
        return Endpoint(address, self._bare, self.timeout, self.retries, headers, self.pause)

    def _question(self, rows: pd.DataFrame) -> dict[str, Any]:
        if self.protocol == "mlflow":
            return {"dataframe_split": {"columns": list(map(str, rows.columns)), "data": _plain(rows)}}
        outputs = {} if self.output is None else {"outputs": [{"name": self.output}]}
        kinds = {dtype.kind for dtype in rows.dtypes}
        if kinds <= set("iuf"):
            values = rows.to_numpy(dtype=float)
            data = [None if np.isnan(value) else value for value in values.ravel().tolist()]
            tensor = {"name": "input-0", "shape": list(values.shape), "datatype": "FP64", "data": data}
            return {"inputs": [tensor], **outputs}
        return {
            **outputs,
            "parameters": {"content_type": "pd"},
            "inputs": [
                {
                    "name": str(name),
                    "shape": [len(rows), 1],
                    "datatype": V2_TYPES.get(rows[name].dtype.kind, "BYTES"),
                    "data": [row[0] for row in _plain(rows[[name]])],
                }
                for name in rows.columns
            ],
        }

    def _table(self, plain: Any, rows: pd.DataFrame, classes: NDArray[Any] | None) -> pd.DataFrame:
        """Read an answer: one entry a row."""
        import pandas as pd

        answers = _predictions(plain) if self.protocol == "mlflow" else _outputs(plain)
        if answers is None:
            keys = ", ".join(map(str, plain))[:80] if isinstance(plain, dict) else type(plain).__name__
            raise CandidateError(
                f"{self._bare} answers no predictions ({keys})", f"Does it speak the protocol {self.protocol!r}?"
            )
        if len(answers) != len(rows):
            raise CandidateError(
                f"{self._bare} answers {len(answers)} rows where it was asked about {len(rows)}",
                "It must answer every row it is given.",
            )
        if answers and isinstance(answers[0], dict):
            return pd.DataFrame.from_records(answers)
        if answers and isinstance(answers[0], list) and len(answers[0]) == 1:
            answers = [answer[0] for answer in answers]
        if not (answers and isinstance(answers[0], list)):
            return pd.DataFrame({answer_table.PREDICTION: pd.Series(answers, dtype=object)})
        labels = list(self.classes) if self.classes is not None else [] if classes is None else classes.tolist()
        if {len(answer) if isinstance(answer, list) else 0 for answer in answers} != {len(labels)}:
            raise CandidateError(
                f"{self._bare} answers {len(answers[0])} numbers for a row, and there are {len(labels)} labels",
                "Name those of the service, in its order: classes=[...].",
            )
        return pd.DataFrame(answers, columns=[f"{answer_table.PROBABILITY}{label}" for label in labels])


def _plain(rows: pd.DataFrame) -> list[list[Any]]:
    """Return cells as JSON has them; a missing one is null."""
    values = rows.astype(object)
    found: list[list[Any]] = values.where(values.notna(), None).to_numpy().tolist()
    return found


def _predictions(plain: Any) -> list[Any] | None:
    found = plain.get("predictions") if isinstance(plain, dict) else plain
    return found if isinstance(found, list) else None


def _outputs(plain: Any) -> list[Any] | None:
    """Take the probabilities of an answer in V2, else its first output."""
    outputs = plain.get("outputs") if isinstance(plain, dict) else None
    if not isinstance(outputs, list) or not outputs:
        return None
    tables = [output for output in outputs if isinstance(output, dict) and isinstance(output.get("data"), list)]
    wide = [output for output in tables if len(output.get("shape", ())) == 2 and output["shape"][1] > 1]
    if not tables:
        return None
    chosen = (wide or tables)[0]
    width = chosen["shape"][1] if chosen in wide else 1
    data: list[Any] = chosen["data"]
    if width == 1 or (data and isinstance(data[0], list)):
        return data
    return [data[start : start + width] for start in range(0, len(data), width)]


def _require_order(ask: Any, rows: pd.DataFrame) -> None:
    """Find out whether answers follow the order of the rows: the same rows, backwards, must be answered backwards."""
    head = rows.iloc[: min(len(rows), 50)]
    forth, back = ask(head), ask(head.iloc[::-1])
    if forth.equals(back) and not forth.equals(forth.iloc[::-1].reset_index(drop=True)):
        raise CandidateError(
            "the service answers in an order of its own: the same rows, sent backwards, have the same answers",
            "It must answer row by row, in the order of the request.",
        )


class Pace:
    """Lets no more than so many requests go in a second."""

    def __init__(self, rate: float | None) -> None:
        self._interval = 0.0 if rate is None else 1 / rate
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Wait until the next request may go."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._interval
        time.sleep(start - now)
