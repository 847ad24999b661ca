"""What a sealed fit answers <-> bytes that hold numbers and text, and are believed by nobody. Nothing is unpickled.

8 bytes: the length of the JSON; the JSON; the arrays that it describes, one after the other
"""

from __future__ import annotations

import builtins
import json
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check import bounded
from pytest_model_check.candidates.responses import RESPONSES, Answers, aligned, checked
from pytest_model_check.errors import CandidateError, one_line

NUMBERS = re.compile(r"[<>|=]?[biuf]\d{1,2}")  # types of arrays
PLAIN = (str, bool, int, float)  # labels, as JSON has them
MOST_WARNINGS, LONGEST_WARNING = 100, 2000
LONGEST_TEXT = 10_000_000  # bytes of the JSON, beside labels
ROW = 32 * 8  # bytes for each row, or
COLUMN = 4 * 8  # for each row and class: three responses, and labels as text


def limit(rows: int, classes: int) -> int:
    """Return how many bytes an honest reply may have."""
    return 2 * LONGEST_TEXT + rows * max(ROW, COLUMN * classes)


def dumps(outcome: Answers | CandidateError) -> bytes:
    """Write an outcome.

    Raises
    ------
    CandidateError
        If its labels are neither numbers nor text.
    """
    if isinstance(outcome, CandidateError):
        return _framed({"error": [outcome.message, outcome.advice]}, [])
    described: dict[str, Any] = {}
    arrays = []
    for name, array in outcome.responses.items():
        if array.dtype.kind in "biuf":
            described[name] = {"dtype": array.dtype.str, "shape": array.shape}
            arrays.append(np.ascontiguousarray(array).tobytes())
        else:
            described[name] = {"labels": [_label(value) for value in array.tolist()]}
    warned = [(kind.__name__, text[:LONGEST_WARNING]) for kind, text in outcome.warned[:MOST_WARNINGS]]
    return _framed({"responses": described, "warned": warned, "seconds": outcome.seconds}, arrays)


def _label(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if type(value) not in PLAIN:
        raise CandidateError(
            f"predict answers a {type(value).__name__}, and a sealed fit sends back numbers and text alone",
            "Make the target's labels numbers or text.",
        )
    return value


def _framed(described: Mapping[str, Any], arrays: list[bytes]) -> bytes:
    head = json.dumps(described).encode()
    return b"".join([len(head).to_bytes(8, "little"), head, *arrays])


def loads(reply: bytes, rows: int, classes: NDArray[Any] | None) -> Answers | CandidateError:
    """Read a reply; what is no answer that a model could give to so many rows is the candidate's error.

    Parameters
    ----------
    reply : bytes
        From a process that may have written anything.
    rows : int
        How many rows were asked about.
    classes : ndarray or None
        The labels; None for regression.
    """
    try:
        size = int.from_bytes(reply[:8], "little")
        described = bounded.parse_json(reply[8 : 8 + size].decode("utf-8"))
        if "error" in described:
            message, advice = map(str, described["error"])
            return CandidateError(" ".join(message.split())[:500] or "the candidate gave no reason", advice[:5000])
        responses, rest = {}, memoryview(reply)[8 + size :]
        for name in RESPONSES:
            if name in described["responses"]:
                array, rest = _array(described["responses"][name], rest)
                responses[name] = _believable(name, array, rows, classes)
        if rest or "predict" not in responses:
            raise ValueError("it holds something else than answers")
        warned = tuple((_warning(kind), str(text)[:LONGEST_WARNING]) for kind, text in described["warned"])
        fit, predict = map(float, described["seconds"])
        if not (0 <= fit < math.inf and 0 <= predict < math.inf):
            raise ValueError("it took no time that there is")
        return Answers(responses, warned[:MOST_WARNINGS], (fit, predict))
    except CandidateError as error:
        return error
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        return CandidateError(f"what its process sent back is no answer: {one_line(error)}")


def _array(described: Mapping[str, Any], rest: memoryview) -> tuple[NDArray[Any], memoryview]:
    if "labels" in described:
        labels = described["labels"]
        if not isinstance(labels, list) or any(type(label) not in PLAIN for label in labels):
            raise ValueError("its labels are none")
        array = np.empty(len(labels), dtype=object)
        array[:] = labels
        return array, rest
    if not NUMBERS.fullmatch(described["dtype"]):
        raise ValueError("its numbers are of no type")
    kind, shape = np.dtype(described["dtype"]), tuple(map(int, described["shape"]))
    size = math.prod(shape) * kind.itemsize
    if len(shape) > 2 or min(shape, default=0) < 0 or size > len(rest):
        raise ValueError("its arrays are of no shape")
    return np.frombuffer(rest[:size], dtype=kind).reshape(shape).copy(), rest[size:]


def _believable(name: str, array: NDArray[Any], rows: int, classes: NDArray[Any] | None) -> NDArray[Any]:
    """Check once more what the fit's own process has checked, if it was honest."""
    array = checked(name, array, rows)
    return array if classes is None or array.ndim == 1 else aligned(name, array, classes, classes)


def _warning(name: Any) -> type[Warning]:
    from sklearn import exceptions

    kind = getattr(builtins, str(name), None) or getattr(exceptions, str(name), None)
    return kind if isinstance(kind, type) and issubclass(kind, Warning) else UserWarning
