"""The runs of shards -> one run, whose verdict is that of them all. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_model_check.judgement.verdicts import Run, Verdict


def merge(shards: Mapping[str, Run], count: int | None = None) -> Run:
    """Put runs together that each judged some of the checks.

    Parameters
    ----------
    shards : mapping of str to Run
        By the names of their reports.
    count : int or None
        How many there are, where it is known.

    Returns
    -------
    Run
        It passes if every shard does, and every check that one of them collected, or that is approved, was judged.
    """
    runs = list(shards.values())
    verdicts = tuple(_verdicts(shards))
    against = list(dict.fromkeys(run.against for run in runs))
    problems = [problem for run in runs for problem in run.problems]
    problems += _unjudged(runs, verdicts)
    problems += [
        f"The run of {name} did not pass, although each of its checks does: was it interrupted?"
        for name, run in shards.items()
        if not (run.passed or run.problems or any(not check.passed for check in run.checks))
    ]
    problems += list(_twice(shards))
    if len(against) > 1:
        held = ", ".join("the working tree" if each is None else each for each in against)
        problems.append(f"The shards were held against different baselines: {held}.")
    if count is not None and len(shards) != count:
        problems.append(f"There are {count} shards, and reports of {len(shards)}.")
    if not verdicts:
        problems.append("No shard has judged a check.")
    return Run(
        checks=verdicts,
        passed=not problems and all(run.passed for run in runs) and all(verdict.passed for verdict in verdicts),
        against=against[0] if against else None,
        problems=tuple(dict.fromkeys(problems)),
        retired=tuple(dict.fromkeys(line for run in runs for line in run.retired)),
        silent=_silent(runs),
        collected=tuple(dict.fromkeys(nodeid for run in runs for nodeid in run.collected)),
    )


def _verdicts(shards: Mapping[str, Run]) -> Iterator[Verdict]:
    """Yield every verdict; of a test that two shards have judged that one which fails."""
    found: dict[tuple[str, str], Verdict] = {}
    for run in shards.values():
        for verdict in run.checks:
            key = (verdict.name, verdict.nodeid)
            if key not in found or not verdict.passed:
                found[key] = verdict
    yield from found.values()


def _silent(runs: list[Run]) -> dict[str, str]:
    """Return the approved checks that no shard has judged: one that was renamed, its new name's shard knows of."""
    if not runs:
        return {}
    return {name: words for name, words in runs[0].silent.items() if all(name in run.silent for run in runs)}


def _unjudged(runs: list[Run], verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    judged = {verdict.nodeid for verdict in verdicts}
    collected = dict.fromkeys(nodeid for run in runs for nodeid in run.collected)
    never = [nodeid for nodeid in collected if nodeid not in judged]
    if never:
        yield f"No shard has judged {', '.join(never)}."
    yield from _silent(runs).values()


def _twice(shards: Mapping[str, Run]) -> Iterator[str]:
    """Yield the names that checks of different tests claim."""
    claims: dict[str, dict[str, str]] = {}
    for run in shards.values():
        for verdict in run.checks:
            claims.setdefault(verdict.name.casefold(), {})[verdict.nodeid] = verdict.name
    for tests in claims.values():
        if len(tests) > 1:
            yield f"Two checks claim the name {next(iter(tests.values()))}: {' and '.join(tests)}."
