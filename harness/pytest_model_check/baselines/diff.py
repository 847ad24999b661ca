"""The baselines at two revisions, compared by what their JSON says: nothing is fitted, nothing is pulled."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from pytest_model_check import git
from pytest_model_check.baselines import promises, store
from pytest_model_check.baselines.history import UNSHALLOW
from pytest_model_check.baselines.record import RETIRED, Baseline, BaselineMetric
from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.errors import ModelCheckError
from pytest_model_check.git import GitError
from pytest_model_check.judgement import own_scorers, statistics
from pytest_model_check.judgement.judge import ROUNDING, Difference, classify
from pytest_model_check.judgement.verdicts import Acceptance, Weakening

WORKING_TREE = "the working tree"

RowVerdict = Literal[
    "worse", "gone", "other data", "incomparable", "inconclusive", "held", "better", "identical", "new", "reported",
    "retired",
]  # fmt: skip
VERDICTS: tuple[RowVerdict, ...] = get_args(RowVerdict)  # in the order in which a reader needs them


@dataclass(frozen=True)
class Snapshot:
    """The baselines as they were at a revision.

    Parameters
    ----------
    revision : str
        As it was named.
    sha : str or None
        The commit; None: the working tree.
    baselines : mapping of str to Baseline
        By name.
    retired : mapping of str to Baseline
        Those whose checks were given up.
    """

    revision: str
    sha: str | None
    baselines: Mapping[str, Baseline]
    retired: Mapping[str, Baseline]


@dataclass(frozen=True)
class Row:
    """One metric of one check at both revisions; numbers are in the metric's unit, None where there is none.

    Parameters
    ----------
    verdict : str
        One of `VERDICTS`; the first two are what makes a release worse.
    low, high : float or None
        95% sure that B is above the first, 99.75% sure that it is below the second, by the folds.
    margin : float or None
        A's.
    reason : str
        Why, where the numbers do not say it.
    """

    check: str
    metric: str
    verdict: RowVerdict
    before: float | None = None
    after: float | None = None
    delta: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Diff:
    """What is different between the baselines at two revisions.

    Parameters
    ----------
    before, after : Snapshot
        A and B.
    rows : tuple of Row
        The worst first.
    weakened : tuple of (str, Weakening)
        Which check promises less in B, and how.
    accepted : tuple of (str, Acceptance)
        Of which check something was accepted between A and B.
    """

    before: Snapshot
    after: Snapshot
    rows: tuple[Row, ...]
    weakened: tuple[tuple[str, Weakening], ...]
    accepted: tuple[tuple[str, Acceptance], ...]

    @property
    def worse(self) -> bool:
        """Whether B is worse than A, or promises less."""
        return bool(self.weakened) or any(row.verdict in ("worse", "gone") for row in self.rows)


def at(folder: Path, revision: str | None) -> Snapshot:
    """Read all baselines at a revision; None: in the working tree.

    Raises
    ------
    GitError
        If there is no such revision; near misses are named, or the command that fetches it.
    BaselineError
        If a baseline can't be read.
    """
    if revision is None:
        return Snapshot(WORKING_TREE, None, _read(folder), _read(folder / RETIRED))
    sha = _commit(folder, revision)
    return Snapshot(revision, sha, _read_at(folder, revision, sha), _read_at(folder / RETIRED, revision, sha))


def compare(before: Snapshot, after: Snapshot) -> Diff:
    """Compare A with B, check by check, metric by metric. Pure."""
    rows: list[Row] = []
    weakened: list[tuple[str, Weakening]] = []
    accepted: list[tuple[str, Acceptance]] = []
    followed: set[str] = set()
    for name, new in after.baselines.items():
        origin = _origin(new, name, before.baselines)
        if origin is None:
            rows += [Row(name, metric, "new", after=stored.score) for metric, stored in new.metrics.items()]
            accepted += [(name, acceptance) for acceptance in new.history]
            continue
        followed.add(origin)
        old = before.baselines[origin]
        title = name if origin == name else f"{name} (was {origin})"
        rows += _rows(title, old, new)
        terms = promises.terms_of_baseline(old), promises.terms_of_baseline(new)
        weakened += [(title, weaker) for weaker in promises.weakened(*terms)]
        accepted += [(title, acceptance) for acceptance in new.history if not _known(acceptance, old.history)]
    for name, old in before.baselines.items():
        if name in followed:
            continue
        shelved = after.retired.get(name)
        retirements = [each for each in (shelved.history if shelved else ()) if each.kind == "retired"]
        rows += _gone(name, old, retirements)
        weakened += [] if retirements else [(name, Weakening("gone", name))]
        accepted += [(name, each) for each in (shelved.history if shelved else ()) if not _known(each, old.history)]
    ordered = sorted(rows, key=lambda row: VERDICTS.index(row.verdict))
    return Diff(before, after, tuple(ordered), tuple(weakened), tuple(accepted))


def _read(folder: Path) -> dict[str, Baseline]:
    baselines = ((name, store.read(folder, name)) for name in store.names(folder))
    return {name: baseline for name, baseline in baselines if baseline is not None}


def _read_at(folder: Path, revision: str, sha: str) -> dict[str, Baseline]:
    paths = [path for path in git.listed(folder, sha) if path.name.endswith(".json")]
    names = {path: path.name.removesuffix(".json") for path in paths}
    return {
        names[path]: store.parse(content, names[path], f"{path.name} at {revision}")
        for (path, _), content in git.shows(paths, [sha]).items()
    }


def _commit(folder: Path, revision: str) -> str:
    top = git.toplevel(folder)
    if top is None:
        raise GitError(
            f"{folder}/ is in no git repository (or git does not trust it): there is no {revision} to compare with",
            f"Run it in a clone; in a container perhaps: git config --global --add safe.directory {Path.cwd()}",
        )
    if (sha := git.resolve(top, revision)) is not None:
        return sha
    if git.resolve(top, "HEAD") is None:
        raise GitError(f"no revision {revision}: this repository has no commits yet", "Commit the baselines first.")
    refs = git.call(top, "for-each-ref", "--format=%(refname:short)").split()
    near = difflib.get_close_matches(revision, refs, n=3)
    meant = f": did you mean {' or '.join(near)}?" if near else ""
    if git.is_shallow(top):
        raise GitError(f"no revision {revision} in this shallow clone{meant}", f"Get all history: {UNSHALLOW}")
    raise GitError(
        f"no revision {revision}{meant}", "A commit, branch or tag is needed. A colleague's: git fetch --all"
    )


def _origin(new: Baseline, name: str, before: Mapping[str, Baseline]) -> str | None:
    """Find under which name it was there before: its own, or one that it had."""
    called = [*new.formerly, name]
    for i in reversed(range(len(called))):
        old = before.get(called[i])
        if old is not None and list(old.formerly) == called[:i]:
            return called[i]
    return name if name in before else None


def _gone(name: str, old: Baseline, retirements: Sequence[Acceptance]) -> list[Row]:
    reason = retirements[-1].reason if retirements else ""
    return [
        Row(
            name,
            metric,
            "retired" if retirements else "gone",
            before=stored.score,
            margin=stored.margin,
            reason=reason,
        )
        for metric, stored in old.metrics.items()
    ]


def _known(acceptance: Acceptance, earlier: Sequence[Acceptance]) -> bool:
    """Whether it had been accepted before; that it was won back since makes it no other."""
    return replace(acceptance, closed=None) in [replace(other, closed=None) for other in earlier]


def _rows(check: str, old: Baseline, new: Baseline) -> list[Row]:
    rows = []
    for name in dict.fromkeys([*old.metrics, *new.metrics]):
        before, after = old.metrics.get(name), new.metrics.get(name)
        if before is None:
            assert after is not None
            rows.append(Row(check, name, "new", after=after.score))
        elif after is None:
            rows.append(Row(check, name, "gone", before=before.score, margin=before.margin))
        else:
            rows.append(_incomparable(check, name, old, new) or _judged(check, name, old, new))
    return rows


def _incomparable(check: str, name: str, old: Baseline, new: Baseline) -> Row | None:
    """Explain why two scores can't be compared; None where they can."""
    before, after = old.metrics[name], new.metrics[name]
    if (because := _why_incomparable(old, new, before, after)) is None:
        return None
    verdict, reason = because
    return Row(check, name, verdict, before.score, after.score, margin=before.margin, reason=reason)


def _why_incomparable(
    old: Baseline, new: Baseline, before: BaselineMetric, after: BaselineMetric
) -> tuple[Literal["other data", "incomparable"], str] | None:
    if old.data != new.data:
        then, now = dict(old.data), dict(new.data)
        changed = next((path for path in dict.fromkeys([*now, *then]) if then.get(path) != now.get(path)), "the files")
        return "other data", f"{changed}: {_short(then.get(changed))} -> {_short(now.get(changed))}"
    if (old.rows, old.target_digest) != (new.rows, new.target_digest):
        return "other data", f"other rows of the same files: {old.rows:,} -> {new.rows:,}"
    if before.definition != after.definition:
        return "incomparable", f"{before.definition} -> {after.definition}"
    if before.scorer and after.scorer and not before.scorer.scores_as(after.scorer):
        return "incomparable", own_scorers.difference(before.scorer, after.scorer, is_known=False)
    if old.protocol.sample_weight != new.protocol.sample_weight:
        return "incomparable", "other sample weights"
    if _folds(old.protocol) != _folds(new.protocol):
        return "incomparable", "other folds"
    if len(before.folds) != len(after.folds):
        return "incomparable", f"other folds: {len(before.folds)} -> {len(after.folds)}"
    return None


def _folds(protocol: Protocol) -> tuple[str, str | None, str | None]:
    return protocol.cv, protocol.groups, protocol.time


def _judged(check: str, name: str, old: Baseline, new: Baseline) -> Row:
    """Judge as `judgement.judge` does, by folds; the loss that the record itself shows counts too."""
    before, after = old.metrics[name], new.metrics[name]
    row = Row(check, name, "reported", before.score, after.score, margin=before.margin)
    delta, skill = after.score - before.score, before.noise_reference.skill(before.score)
    changes = np.array(after.folds) - np.array(before.folds)
    unmoved = max(abs(delta), *np.abs(changes)) <= ROUNDING * skill
    if before.margin is None:
        return replace(row, delta=delta)
    if unmoved or (old.predictions_md5 == new.predictions_md5 and abs(delta) <= ROUNDING * skill):
        return replace(row, verdict="identical", delta=0.0, low=0.0, high=0.0)
    lost = delta <= -before.margin
    if len(changes) < 2:
        return replace(row, verdict="worse" if lost else "inconclusive", delta=delta, reason="one fold alone")
    if np.ptp(changes) <= ROUNDING * (size := abs(delta) or skill / old.rows):  # and that is no certainty
        difference = Difference(delta, size, len(changes) - 1, 0.0, inf)
    else:
        test = statistics.corrected_resampled_t(changes, old.test_train_ratio)
        difference = Difference(delta, test.se, test.dof, 0.0, inf)
    low, high = difference.bounds()
    beats_dummy = before.noise_reference.is_beaten_by(after.score)
    verdict = classify(low, high, before.margin, beats_dummy=beats_dummy, lost_margin=lost)
    return replace(row, verdict=verdict, delta=delta, low=low, high=high)


def _short(md5: str | None) -> str:
    return md5[:8] if md5 else "absent"


def difference(folder: Path, a: str, b: str | None) -> Diff:
    """Compare the baselines of a folder at two revisions; `b` None: the working tree.

    Raises
    ------
    ModelCheckError
        If a side can't be read, or holds no baseline while the other one does not either.
    """
    before, after = at(folder, a), at(folder, b)
    if not before.baselines and not after.baselines:
        raise ModelCheckError(
            f"no baseline in {folder}/ at {before.revision}, nor at {after.revision}",
            "Name the folder: --baselines DIR. To record a first one: pytest --model-check --update-baselines",
        )
    return compare(before, after)
