"""The exception tree: whatever a user can mend.

Each error says what is wrong and where in its first line, which stands alone (continuous-integration annotations print
nothing else), and what to do next in the lines after it.
"""

from __future__ import annotations

from collections.abc import Sequence


class ModelCheckError(Exception):
    """Base of every error that ends a check in words.

    Parameters
    ----------
    message : str
        One line: what is wrong, and where (file, key, row or column).
    advice : str, optional
        What to do next; may have several lines.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}".rstrip()


class PromiseError(ModelCheckError):
    """The check itself is malformed: an unknown metric, a margin that is no margin."""


class DataError(ModelCheckError):
    """The historical data is missing, is not what git says it is, or can't be used."""


class CandidateError(ModelCheckError):
    """The candidate can't be fitted, or does not answer as a model must."""


class EngineError(ModelCheckError):
    """The fits can't be made where they should be: the cluster can't be reached, or is another environment."""


class BaselineError(ModelCheckError):
    """A stored baseline can't be read or written."""


class MissingBaselineError(BaselineError):
    """There is nothing to hold the candidate against."""


class UnavailableError(BaselineError):
    """The predictions of a baseline can't be had; its fold scores can."""


class IncomparableError(BaselineError):
    """The baseline is of other data, rows or folds: a comparison would say nothing about the model."""


class EvidenceError(ModelCheckError):
    """What a run left as evidence is missing, or can't be believed."""


class OldCodeError(IncomparableError):
    """The approved model's code can't be run again, or is not what made the approved predictions."""


def one_line(error: BaseException, said: str = "") -> str:
    """Describe what went wrong in one short line; `said`: in these words of it."""
    text = " ".join((said or str(error)).split()) or type(error).__name__
    return text if len(text) <= 120 else f"{text[:117]}..."


def did_you_mean(wrong: str, known: Sequence[str]) -> str:
    """Ask whether the most similar name was meant, at the end of a message; empty where none is similar."""
    import difflib

    near = difflib.get_close_matches(wrong, known, n=1)
    return f": did you mean {near[0]!r}?" if near else ""
