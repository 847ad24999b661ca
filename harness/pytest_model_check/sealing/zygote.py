"""The process that sealed fits are forked from: it has imported libraries, never the project, and has seen no row.

python -E -P -c CODE, see `sealing/engine.py`; its standard input is a socket, which ends where the engine does
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket

from pytest_model_check.candidates import estimator
from pytest_model_check.sealing import warden

LONGEST = 1 << 20  # bytes of an order
DESCRIPTORS = 4


def main() -> None:
    """Fork a warden for each sandbox that is asked for."""
    importlib.import_module("pytest_model_check.fitting.preload")
    _fit_once()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()  # or collections would copy what is shared
    with socket.socket(fileno=0) as orders:
        while True:
            message, descriptors, _, _ = socket.recv_fds(orders, LONGEST, DESCRIPTORS)
            if not message:
                return
            order = json.loads(message)
            for module in order["modules"]:
                with contextlib.suppress(Exception):  # the fit will say what is wrong with it
                    importlib.import_module(module)
            if os.fork() == 0:
                orders.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                warden.guard(order["command"], descriptors[0], descriptors[1], descriptors[2:])
            for descriptor in descriptors:
                os.close(descriptor)


def _fit_once() -> None:
    """Have the libraries find out now what they find out in a first fit, which each sealed fit else is."""
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = pd.DataFrame({"a": np.arange(8.0), "b": 1.0}), np.arange(8) % 2
    model = make_pipeline(StandardScaler(), LogisticRegression())
    estimator.answer(model, (X, y), lambda: X, np.random.SeedSequence(0), np.arange(2))
