"""A model behind an address on loopback, as MLflow's scoring server answers for it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pandas as pd


@contextmanager
def serving(model: Any, seconds: float = 0.0) -> Iterator[str]:
    """Let a model answer its probabilities, and yield the address.

    Parameters
    ----------
    model : estimator
        Fitted.
    seconds : float
        How long each answer takes beyond what the model needs.
    """

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args: Any) -> None:
            pass

        def do_POST(self) -> None:
            split = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["dataframe_split"]
            rows = pd.DataFrame(split["data"], columns=split["columns"])
            time.sleep(seconds)
            content = json.dumps({"predictions": model.predict_proba(rows).tolist()}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
