"""A run, judged from its evidence alone: every check anew, those that are absent, and where the run said otherwise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_model_check import git
from pytest_model_check.checks.check import file_name
from pytest_model_check.data import dvc_yaml
from pytest_model_check.errors import EvidenceError, ModelCheckError
from pytest_model_check.evidence import bundle, shards
from pytest_model_check.evidence.record import Bundle, Said
from pytest_model_check.gate import judge_evidence
from pytest_model_check.gate.conclude import failure
from pytest_model_check.gate.sealed_refit import Refit
from pytest_model_check.judgement.verdicts import Run, Verdict
from pytest_model_check.paths import clipped
from pytest_model_check.pull_requests import missing_checks
from pytest_model_check.pull_requests.merge_base import Against
from pytest_model_check.pull_requests.missing_checks import Missing, Place
from pytest_model_check.settings import Settings

DVC_SETTINGS = (".dvc/config", ".dvc/config.local")


def judge(
    evidence: Sequence[Path], against: Against, settings: Settings, baselines: str, refit: Refit | None = None
) -> Run:
    """Judge a run by the evidence that it has left.

    Parameters
    ----------
    evidence : sequence of Path
        The folders of the evidence: one, or one of each job that judged some of the checks.
    against : Against
        The commit whose baselines decide.
    settings : Settings
        Where data and baselines are.
    baselines : str
        The folder of the baselines, from `settings.root`.
    refit : Refit, optional
        Makes the fits that decide; without it, those of the run do.

    Raises
    ------
    EvidenceError, DataError
        If the branch changes where data come from, or that can't be told; if this Python imports what the branch may
        have written.
    """
    top = git.toplevel(settings.root)
    assert top is not None  # or there were no merge base
    _require_apart(top)
    _require_same_remotes(top, against)
    bundles, problems = {}, []
    for folder in dict.fromkeys(evidence):
        try:
            bundles[folder] = bundle.read(folder)
            if not (bundles[folder].checks or bundles[folder].broken):
                problems.append(f"The evidence in {folder.name}/ holds no check.")
        except EvidenceError as error:
            problems.append(str(error))
    found, folders = shards.merge(bundles)
    unread = len(bundles) < len(dict.fromkeys(evidence))  # of such a run nobody knows what it said
    found = replace(found, passed=found.passed and not unread)
    named = dict.fromkeys([*found.said, *found.checks, *found.broken])  # in the order of the tests
    verdicts = [
        failure(name, _nodeid(found, name), found.broken[name])
        if name in found.broken
        else judge_evidence.judge(found.checks[name], folders[name], settings, refit)
        for name in named
        if name in found.broken or name in found.checks
    ]
    missing = _missing(top, against, settings, baselines, verdicts)
    problems += [*missing.problems, *_unheard(found, verdicts)]
    problems = [*_contradictions(found, verdicts, problems), *problems]
    passed = bool(verdicts) and all(verdict.passed for verdict in verdicts) and not problems
    how = "from the evidence alone" if refit is None else "by sealed fits of the judge's own"
    words = f"{against.words}, judged {how}"
    return Run(tuple(verdicts), passed, words, tuple(dict.fromkeys(problems)), missing.retired)


def _require_apart(top: Path) -> None:
    """Refuse to judge with a Python that imports modules from the branch's own folders."""
    for entry in filter(None, sys.path):
        path = Path(entry).resolve()
        if path.is_relative_to(top.resolve()) and git.call(top, "ls-files", "-z", "--", str(path)):
            raise EvidenceError(
                f"this Python imports modules from {path.relative_to(top.resolve()).as_posix()}/, which the branch can "
                "write: nothing was judged",
                "Judge with a Python in which nothing of the branch is installed: python -m venv, pip install "
                "pytest-model-check",
            )


def _require_same_remotes(top: Path, against: Against) -> None:
    """Refuse to ask remotes that the branch names: their settings could name programs, too."""
    names = git.call(top, "diff", "--no-ext-diff", "--name-only", "-z", against.sha, "--").split("\0")
    changed = next((name for name in names if name.endswith(DVC_SETTINGS)), None)
    if changed is not None:
        raise EvidenceError(
            f"the branch changes {changed}, which says where data come from: nothing was judged",
            f"Change it on {against.target} first, in a branch of its own, which a reviewer reads.",
        )
    for path in (top / name for name in names if name.endswith(".dvc")):
        if path.is_file() and dvc_yaml.read(path).get("deps"):  # DVC would ask the place that it names
            raise EvidenceError(
                f"the branch changes {path.relative_to(top).as_posix()}, which imports data from elsewhere: nothing "
                "was judged",
                f"Change it on {against.target} first, in a branch of its own, which a reviewer reads.",
            )


def _nodeid(found: Bundle, name: str) -> str:
    said = found.said.get(name)
    return "" if said is None else said.nodeid


def _missing(top: Path, against: Against, settings: Settings, baselines: str, verdicts: list[Verdict]) -> Missing:
    """Find the approved checks of which the evidence has nothing: all of them are expected."""
    place = Place(settings.root.resolve(), baselines)
    heard = {verdict.name for verdict in verdicts}
    first = {verdict.name for verdict in verdicts if verdict.verdict == "new"}
    try:
        missing = missing_checks.at_merge_base(top, against.sha, place, place.folder, heard, first, lambda nodeid: True)
        there = set(git.listed(top, against.sha, recursive=True))
    except ModelCheckError as error:
        return Missing((str(error),))
    stored = sorted(path for path in there if path.suffix == ".json" and path.with_suffix(".parquet.dvc") in there)
    if stored and not any(path.parent == place.folder for path in stored):
        where = stored[0].parent.relative_to(top).as_posix()
        elsewhere = f"Nothing is approved in {baselines}/ at {against.sha[:7]}, but in {where}/: name it, --baselines"
        return Missing((*missing.problems, elsewhere), missing.retired)
    return missing


def _contradictions(found: Bundle, verdicts: list[Verdict], problems: list[str]) -> list[str]:
    """Describe where the run itself found something else, unless both pass: somebody has to find out why."""
    lines = []
    for verdict in verdicts:
        said = found.said.get(verdict.name)
        if said is None:
            lines.append(f"{verdict.name}: the run left evidence of it, and no verdict; judged here: {verdict.verdict}")
        elif said.verdict != verdict.verdict and not (said.passed and verdict.passed):
            lines.append(f"{verdict.name}: {_words(said)}; judged here, from its evidence: {verdict.verdict}")
    failing = bool(problems) or not all(verdict.passed for verdict in verdicts)
    if found.passed and failing:
        lines.insert(0, "The run itself said that all is well, and it is not.")
    elif found.said and not found.passed and not failing:
        lines.append("The run itself did not pass: " + ("; ".join(found.problems) or "see its own report"))
    return lines


def _unheard(found: Bundle, verdicts: list[Verdict]) -> list[str]:
    """Name what the run gave a verdict of, and left no evidence for."""
    judged = {verdict.name for verdict in verdicts}
    return [
        f"{name if file_name(name) == name else clipped(name)}: {_words(said)}, and it left no evidence of it"
        for name, said in found.said.items()
        if name not in judged
    ]


def _words(said: Said) -> str:
    label = clipped(said.verdict)
    return f"the run said {label}" if said.passed else f"the run said {label} ({said.message})"
