"""What a run has seen of its checks: which verdicts stand, which tests proved nothing, and what may be written.

Plain types until the end: what a check found travels from pytest-xdist's workers on the reports of the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Found = Mapping[str, Any]  # {"verdict": as report.machine gives it, "pending": a baseline to be written, or None}


@dataclass
class Evidence:
    """Everything known of the checks of a run, by the node ids of their tests.

    Parameters
    ----------
    expected : list of str
        The tests that are to be judged, in the order of the report.
    found : dict of str to list of Found
        What each call of ``model_check`` found.
    broken : dict of str to (name, reason)
        Tests that failed for another reason than their verdict, or proved nothing: none of their verdicts stands.
    """

    expected: list[str] = field(default_factory=list)
    found: dict[str, list[Found]] = field(default_factory=dict)
    broken: dict[str, tuple[str, str]] = field(default_factory=dict)

    def unjudged(self) -> list[str]:
        """Give the tests that were to be judged, and of which nothing was heard."""
        return [nodeid for nodeid in self.expected if not self.found.get(nodeid) and nodeid not in self.broken]

    def double_claims(self) -> Iterator[tuple[str, str, str]]:
        """Give test, name and reason wherever a name was claimed more than once."""
        claims: dict[str, list[tuple[str, str]]] = {}  # file systems may ignore case
        for nodeid, found in self._in_order():
            for one in found:
                name = str(one["verdict"]["name"])
                claims.setdefault(name.casefold(), []).append((nodeid, name))
        for claimed in claims.values():
            if len(claimed) > 1:
                tests = dict.fromkeys(nodeid for nodeid, _ in claimed)
                who = (
                    f"both {' and '.join(tests)}" if len(tests) > 1 else f"{len(claimed)} calls in {next(iter(tests))}"
                )
                for nodeid, name in dict(claimed).items():
                    yield nodeid, name, f"two checks claim this name: {who}"

    def settled(self) -> list[Found]:
        """Give one entry for each check, in the order of the tests; of broken tests no verdict passes or is written."""
        return [one for nodeid, found in self._in_order() for one in self._standing(nodeid, found)]

    def to_write(self) -> list[tuple[str, Found]]:
        """Give the node ids and findings whose baselines may be written."""
        return [
            (nodeid, one)
            for nodeid, found in self._in_order()
            for one in self._standing(nodeid, found)
            if one["pending"] and one["verdict"]["passed"]
        ]

    def discard(self, reason: str) -> None:
        """Take back what was only to be recorded: nothing of this run is written."""
        for nodeid, found in self.found.items():
            for verdict in (one["verdict"] for one in found):
                if verdict["verdict"] == "recorded":
                    self.broken.setdefault(nodeid, (verdict["name"], reason))

    def _in_order(self) -> Iterable[tuple[str, list[Found]]]:
        """Go through the tests in the order of collection: under pytest-xdist they end in any order."""
        heard = dict.fromkeys([*self.found, *self.broken])
        known = [nodeid for nodeid in self.expected if nodeid in heard]
        return [(nodeid, self.found.get(nodeid, [])) for nodeid in dict.fromkeys([*known, *heard])]

    def _standing(self, nodeid: str, found: list[Found]) -> list[Found]:
        if nodeid not in self.broken:
            return found
        name, reason = self.broken[nodeid]
        if not found:
            return [{"verdict": _error(name, nodeid, reason), "pending": None}]
        verdicts = [one["verdict"] for one in found]
        return [{"verdict": _voided(v, reason) if v["passed"] else v, "pending": None} for v in verdicts]


def _error(name: str, nodeid: str, reason: str) -> dict[str, Any]:
    from pytest_model_check.judgement import verdict_json
    from pytest_model_check.judgement.verdicts import Verdict

    return verdict_json.to_dict(Verdict(name, nodeid, "error", False, f"{name}: {reason}"))


def _voided(verdict: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Let an error stand for a verdict: its numbers would look like a judgement."""
    message = f"{verdict['name']}: {reason}"
    return {**verdict, "verdict": "error", "passed": False, "message": message, "advice": "", "metrics": []}
