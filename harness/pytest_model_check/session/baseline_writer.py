"""The baselines that a run writes when it is over, by one process; and the lines about them."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_model_check import git
from pytest_model_check.baselines import store
from pytest_model_check.data import dvc_files
from pytest_model_check.errors import BaselineError, DataError
from pytest_model_check.git import GitError
from pytest_model_check.judgement.verdicts import Verdict
from pytest_model_check.report import sentences
from pytest_model_check.session.results import CheckResult, LateError, RunResults

REFUSED = ("worse", "inconclusive", "incomparable")


@dataclass(frozen=True)
class Written:
    """What a run wrote.

    Parameters
    ----------
    lines : tuple of str
        What became of each baseline.
    files : tuple of str
        What git has to commit, as the user would type it.
    accepted : bool
        A loss was accepted.
    remote : str or None
        Where the predictions are pushed to; None: nowhere yet.
    is_inside : bool
        It is a folder that git keeps too, and is committed after the push.
    """

    lines: tuple[str, ...]
    files: tuple[str, ...]
    accepted: bool
    remote: str | None
    is_inside: bool = False

    def to_approve(self) -> list[str]:
        """Return the commands that approve what was written; none where nothing was."""
        if not self.files:
            return []
        add = f"  git add {shlex.join(self.files)}"
        commit = f'  git commit -m "{"Accept" if self.accepted else "Approve"} baselines"'
        if self.remote is None:
            return ["To approve:", add, commit, "  dvc remote add -d storage URL && git add .dvc/config && dvc push"]
        if self.is_inside:
            return ["To approve:", "  dvc push", f"{add} {shlex.quote(self.remote)}", commit]
        return ["To approve:", add, commit, "  dvc push"]


def write(
    results: RunResults,
    folder: Path,
    fail: Callable[[LateError], None],
    *,
    is_selection: bool,
    root: Path,
    inipath: Path | None,
    as_typed: Callable[[Path], str],
) -> Written:
    """Write the baselines that may be written; a test whose baseline can't be fails.

    Parameters
    ----------
    results : RunResults
        What the run found.
    folder : Path
        Of the baselines.
    fail : callable
        Fails a test that has been reported, in `results` too.
    is_selection : bool
        The command line says which checks are meant: only then may several be accepted with one reason.
    root, inipath : Path
        pytest's rootdir, and its ini file, if there is one.
    as_typed : callable
        Writes a path as the user would type it.
    """
    lines = [_refusal(verdict, folder, as_typed) for verdict in results.verdicts() if _is_refused(verdict)]
    if not is_selection:
        for error in _accepted_together(results):
            fail(error)
    files: dict[str, None] = {}  # a set in order
    accepted = False
    for nodeid, check in results.to_write():
        try:
            written = [as_typed(file) for file in _write(check, folder)]
        except BaselineError as error:
            fail(LateError(nodeid, check.verdict.name, error.message, error.advice))
            continue
        lines.append(_became(check, written[0]))
        files.update(dict.fromkeys(written))
        accepted = accepted or check.verdict.concessions.accepted is not None
    if not files:
        return Written(tuple(lines), (), accepted, None)
    made_from = [as_typed(path) for path in _made_from(results, root, inipath, folder)]
    everything, remote = tuple(dict.fromkeys([*made_from, *files])), _remote(folder)
    if remote is not None and _is_kept_by_git(Path(remote), folder):
        return Written(tuple(lines), everything, accepted, as_typed(Path(remote)), is_inside=True)
    return Written(tuple(lines), everything, accepted, remote)


def _made_from(results: RunResults, root: Path, inipath: Path | None, folder: Path) -> list[Path]:
    """Name what the baselines were recorded from, as far as git does not know it yet: tests, data, settings."""
    top = git.toplevel(folder)
    if top is None:
        return []
    paths = [] if inipath is None else [inipath]
    for nodeid, check in results.to_write():
        assert check.pending is not None
        paths.append(root / nodeid.partition("::")[0])
        for data, _ in check.pending.baseline.data:
            with contextlib.suppress(DataError):  # it is of another repository, and versioned there
                paths += dvc_files.versioned_by(root / data)
    changed = git.changed(top.resolve())
    return [path for path in dict.fromkeys(map(Path.resolve, paths)) if path in changed]


def _remote(folder: Path) -> str | None:
    try:
        return dvc_files.remote_url(folder) or None
    except DataError:
        return ""  # and dvc push says what is wrong


def _is_kept_by_git(remote: Path, folder: Path) -> bool:
    """Whether the remote is a folder of the repository that git does not ignore: then a clone has everything."""
    top = git.toplevel(folder)
    if top is None or not remote.is_absolute() or not remote.is_relative_to(top.resolve()):
        return False
    try:
        git.call(top, "check-ignore", "--quiet", str(remote))
    except GitError:
        return True
    return False


def _is_refused(verdict: Verdict) -> bool:
    failing = not verdict.passed and verdict.verdict in REFUSED
    return verdict.concessions.accepted is None and (failing or bool(verdict.concessions.weakened))


def _refusal(verdict: Verdict, folder: Path, as_typed: Callable[[Path], str]) -> str:
    why = "the check promises less" if verdict.concessions.weakened else f"the candidate is {verdict.verdict}"
    return f"refused {as_typed(folder / f'{verdict.name}.json')}: {why}, the baseline stays as it is"


def _accepted_together(results: RunResults) -> list[LateError]:
    """Return an error for each of several checks that one reason would accept."""
    accepted = [
        (nodeid, check.verdict.name) for nodeid, check in results.to_write() if check.verdict.concessions.accepted
    ]
    if len(accepted) < 2:
        return []
    names = ", ".join(name for _, name in accepted)
    reason = f"{len(accepted)} checks need to be accepted ({names}), and one reason is for one"
    advice = "Choose what it is for: -k NAME, or the test's node id."
    return [LateError(nodeid, name, reason, advice) for nodeid, name in accepted]


def _write(check: CheckResult, folder: Path) -> tuple[Path, ...]:
    assert check.pending is not None
    return store.write(check.pending, folder)


def _became(check: CheckResult, file: str) -> str:
    """Return the line for a baseline that was written to a file."""
    verdict, pending = check.verdict, check.pending
    assert pending is not None
    if verdict.verdict == "recorded":
        return f"recorded {file}"
    scores = {name: metric.score for name, metric in pending.baseline.metrics.items()}
    became = sentences.became(verdict, scores, pending.baseline.generation)
    return f"{'accepted' if verdict.concessions.accepted else 'replaced'} {file}: {became}"
