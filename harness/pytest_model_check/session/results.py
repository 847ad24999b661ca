"""What a run has found of its checks: which verdicts stand, which tests proved nothing, and what may be written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_model_check.judgement.verdicts import Verdict
from pytest_model_check.report.text import failure

if TYPE_CHECKING:
    from pytest_model_check.baselines.store import Pending


@dataclass(frozen=True)
class CheckResult:
    """What one call of ``model_check`` found.

    Parameters
    ----------
    verdict : Verdict
        Of the check.
    pending : Pending or None
        The baseline that waits to be written when the run is over.
    """

    verdict: Verdict
    pending: Pending | None = None

    @property
    def failure(self) -> str:
        """The words with which the test fails, where the verdict does not pass."""
        return failure(self.verdict.message, self.verdict.advice)


@dataclass(frozen=True)
class ItemResult:
    """What a test, as far as it has been run, found and proved.

    Parameters
    ----------
    name : str
        The name that the test gives to its check.
    checks : tuple of CheckResult
        One for each call of ``model_check``.
    broken : str or None
        Why the test failed, if not for a verdict; then none of its verdicts stands.
    """

    name: str
    checks: tuple[CheckResult, ...] = ()
    broken: str | None = None


@dataclass(frozen=True)
class LateError:
    """Why a test fails after it has been reported.

    Parameters
    ----------
    nodeid, name : str
        Of the test, and of the check that is concerned.
    reason, advice : str
        What is wrong, in one line; what to do next.
    """

    nodeid: str
    name: str
    reason: str
    advice: str = ""


@dataclass
class RunResults:
    """Everything known of the checks of a run, by the node ids of their tests.

    Parameters
    ----------
    expected : list of str
        The tests that are to be judged, in the order of the report.
    checks : dict of str to tuple of CheckResult
        What each call of ``model_check`` found.
    broken : dict of str to (name, reason)
        Tests that failed for another reason than their verdict, or proved nothing: none of their verdicts stands.
    """

    expected: list[str] = field(default_factory=list)
    checks: dict[str, tuple[CheckResult, ...]] = field(default_factory=dict)
    broken: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, nodeid: str, item: ItemResult) -> None:
        """Take in what a test found so far."""
        self.checks[nodeid] = item.checks
        if item.broken:
            self.void(nodeid, item.name, item.broken)

    def void(self, nodeid: str, name: str, reason: str) -> None:
        """Let none of a test's verdicts stand; the first reason stays."""
        self.broken.setdefault(nodeid, (name, reason))

    def unjudged(self) -> list[str]:
        """Return the tests that were to be judged, and of which nothing was heard."""
        return [nodeid for nodeid in self.expected if not self.checks.get(nodeid) and nodeid not in self.broken]

    def double_claims(self) -> Iterator[LateError]:
        """Return an error for each test that claims a name which another check claims too."""
        claims: dict[str, list[tuple[str, str]]] = {}  # file systems may ignore case
        for nodeid in self._in_order():
            for check in self.checks.get(nodeid, ()):
                claims.setdefault(check.verdict.name.casefold(), []).append((nodeid, check.verdict.name))
        for claimed in claims.values():
            if len(claimed) > 1:
                tests = dict.fromkeys(nodeid for nodeid, _ in claimed)
                who = (
                    f"both {' and '.join(tests)}" if len(tests) > 1 else f"{len(claimed)} calls in {next(iter(tests))}"
                )
                for nodeid, name in dict(claimed).items():
                    yield LateError(nodeid, name, f"two checks claim this name: {who}")

    def verdicts(self) -> list[Verdict]:
        """Return the verdicts that stand, and an error for every test that proved nothing."""
        return [check.verdict for nodeid in self._in_order() for check in self._standing(nodeid)]

    def to_write(self) -> list[tuple[str, CheckResult]]:
        """Return the node ids and results whose baselines may be written."""
        return [
            (nodeid, check)
            for nodeid in self._in_order()
            for check in self._standing(nodeid)
            if check.pending is not None and check.verdict.passed
        ]

    def discard(self, reason: str) -> None:
        """Take back what was only to be recorded: nothing of this run is written."""
        for nodeid, checks in self.checks.items():
            for check in checks:
                if check.verdict.verdict == "recorded":
                    self.void(nodeid, check.verdict.name, reason)

    def _in_order(self) -> list[str]:
        """Return the tests in the order of collection: under pytest-xdist they end in any order."""
        heard = dict.fromkeys([*self.checks, *self.broken])
        return list(dict.fromkeys([*(nodeid for nodeid in self.expected if nodeid in heard), *heard]))

    def _standing(self, nodeid: str) -> tuple[CheckResult, ...]:
        checks = self.checks.get(nodeid, ())
        if nodeid not in self.broken:
            return checks
        name, reason = self.broken[nodeid]
        if not checks:
            return (CheckResult(Verdict(name, nodeid, "error", False, f"{name}: {reason}")),)
        return tuple(CheckResult(_voided(check.verdict, reason)) for check in checks)


def _voided(verdict: Verdict, reason: str) -> Verdict:
    """Let an error stand for a verdict that passed: its numbers would look like a judgement."""
    if not verdict.passed:
        return verdict
    message = f"{verdict.name}: {reason}"
    return replace(verdict, verdict="error", passed=False, message=message, advice="", metrics=())
