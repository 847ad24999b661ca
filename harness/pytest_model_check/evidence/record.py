"""What a run leaves as evidence. Records only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.errors import EvidenceError
from pytest_model_check.fitting.predictions import Predictions


@dataclass(frozen=True)
class Promise:
    """What a check promises, as values.

    Parameters
    ----------
    protocol : Protocol
        How it is judged; its `cv` describes the splitter.
    margins : mapping of str to float or None
        By metric, the margin that its owner named; None: the default.
    loads : bool
        Whether the rows come from a function of the project's (`load=`).
    """

    protocol: Protocol
    margins: Mapping[str, float | None]
    loads: bool = False


@dataclass(frozen=True)
class Answers:
    """The predictions of one check, as far as its run made them.

    Parameters
    ----------
    candidate : Predictions or None
        What was compared with the approved ones; None: nothing is approved yet, or nothing could be compared.
    on_old_data : Predictions or None
        Where the data has moved, what was compared on the version that was approved.
    recording, replicates : Predictions or None
        What a new baseline is measured by: with all its seeds, and without parts of the training rows.
    """

    candidate: Predictions | None = None
    on_old_data: Predictions | None = None
    recording: Predictions | None = None
    replicates: Predictions | None = None


@dataclass(frozen=True)
class Evidence:
    """What a run found of one check.

    Parameters
    ----------
    name, nodeid : str
        The check's.
    candidate : str
        The model, described.
    promise : Promise
        What is promised of it.
    data : tuple of (path, md5)
        The version of the data that it answered.
    entropy : int or None
        Where the random states of the compared fits came from: the approved baseline's.
    recording_entropy : int or None
        Where those of a new baseline came from; None: nothing was recorded, or verified.
    learner : str
        What the recording found the learner to be: random, deterministic or nondeterministic; empty without one.
    sealed : bool
        Whether the run says that no fit could see an answer: its word, which nothing here proves.
    """

    name: str
    nodeid: str
    candidate: str
    promise: Promise
    data: tuple[tuple[str, str], ...]
    entropy: int | None = None
    recording_entropy: int | None = None
    learner: str = ""
    sealed: bool = False


@dataclass(frozen=True)
class Said:
    """What the run itself said of a check."""

    name: str
    nodeid: str
    verdict: str
    passed: bool
    message: str


@dataclass(frozen=True)
class Bundle:
    """The evidence of a run, as it was found in a folder.

    Parameters
    ----------
    passed : bool
        What the run itself said of all its checks together.
    said : mapping of str to Said
        What it said of each, by name.
    problems : tuple of str
        What it said went wrong beside the checks.
    checks : mapping of str to Evidence
        By name, what can be judged.
    broken : mapping of str to EvidenceError
        By name, what can't be read, and why.
    """

    passed: bool = False
    said: Mapping[str, Said] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    checks: Mapping[str, Evidence] = field(default_factory=dict)
    broken: Mapping[str, EvidenceError] = field(default_factory=dict)
