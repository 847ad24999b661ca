"""The report of `gate_quality.py`: targets, tables, a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from gate_bank import CELLS, KINDS, NULLS
from gate_rules import ALLOWED, Rule, compared, rules
from gate_slices import NULL, SliceTrials
from gate_trials import Key, Trials
from numpy.typing import NDArray
from scipy import stats

CAUGHT = 0.95  # of its replicates: then a planted regression counts as caught
WORSE = 0.005  # of nulls may be called worse at any margin
REACH, REACH_OF_90 = 1.0, 1.15  # the smallest loss caught, in units of what it is held against: median, and 90%
OF_810 = 600  # of the planted regressions that the first cells have
WELL_ABOVE = 1.15  # times the regressions that a tolerance tuned per metric and learner catches
RECORDINGS, LOTTERY = 20, 0.15  # over so many recordings the default margin may be so far from its median
SINKS, ADMITTED = -1.5, 0.01  # drift: no release train ends lower, in margins; null releases blocked
CHECK = "all metrics"  # of a check with several: it is blocked if one of them does not pass
DEFAULTS = ("neg_log_loss", "neg_brier_score")  # that could be the default of classifiers with probabilities
BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#777777"  # Okabe and Ito's


@dataclass(frozen=True)
class Results:
    """What was measured.

    Parameters
    ----------
    nulls, planted : mapping of (learner, data set, condition, metric) to Trials
        The false alarms are in the one, the misses in the other.
    smallest : mapping of (learner, data set, metric) to (float, float)
        The smallest loss that is caught in 95% of cases, and what it is held against.
    drift : mapping of (learner, data set, release train, guarded) to list of (float, float)
        Of each repetition: where it ended, in margins, and the share of releases blocked.
    slices : mapping of (learner, data set, number of slices, damage to the first) to SliceTrials
        Checks with slices.
    bank_seconds, judging_seconds : float
        Processor time of fits, and of everything after them.
    full : bool
        Whether all of it was measured, or a little of it quickly.
    """

    nulls: Mapping[Key, Trials]
    planted: Mapping[Key, Trials]
    smallest: Mapping[tuple[str, str, str], tuple[float, float]]
    drift: Mapping[tuple[str, str, str, bool], Sequence[tuple[float, float]]]
    slices: Mapping[tuple[str, str, int, str], SliceTrials]
    bank_seconds: float
    judging_seconds: float
    full: bool

    @cached_property
    def first(self) -> Results:
        """The cells that there have always been."""
        return self._of(lambda key: key[:2] in CELLS)

    @cached_property
    def later(self) -> Results:
        """The others."""
        return self._of(lambda key: key[:2] not in CELLS)

    def _of(self, keep: Callable[[Any], bool]) -> Results:
        return replace(
            self,
            nulls={key: one for key, one in self.nulls.items() if keep(key)},
            planted={key: one for key, one in self.planted.items() if keep(key)},
            smallest={key: one for key, one in self.smallest.items() if keep(key)},
        )

    @cached_property
    def outcomes(self) -> list[Outcome]:
        """What each rule does with nulls and regressions."""
        nulls, planted = compared(self.nulls), compared(self.planted)
        return [
            Outcome(
                rule,
                {key: float(1 - rule.passes(key, one).mean()) for key, one in nulls.items()},
                {key: float(1 - rule.passes(key, one).mean()) for key, one in planted.items() if one.loss > 0},
            )
            for rule in rules(self.nulls)
        ]

    def outcome(self, short: str) -> Outcome:
        """Find a rule's by its short name."""
        return next(one for one in self.outcomes if one.rule.short == short)

    @cached_property
    def families(self) -> dict[tuple[str, str], list[tuple[Key, Trials]]]:
        """The nulls by learner and kind."""
        return self._by(lambda key: (key[0], key[2]))

    @cached_property
    def checks(self) -> dict[Key, NDArray[np.bool_]]:
        """Which nulls of a check with several metrics are blocked by any of them."""
        found = self._by(lambda key: key[:3])
        return {
            (*key, CHECK): np.any([one.blocked for _, one in members], axis=0)
            for key, members in found.items()
            if len(members) > 1
        }

    def _by(self, name: Callable[[Key], Any]) -> dict[Any, list[tuple[Key, Trials]]]:
        found: dict[Any, list[tuple[Key, Trials]]] = {}
        for key, one in self.nulls.items():
            found.setdefault(name(key), []).append((key, one))
        return found


@dataclass(frozen=True)
class Outcome:
    """What a rule does: which share of a null's replicates it blocks, and of a real regression's."""

    rule: Rule
    alarms: dict[Key, float]
    detection: dict[Key, float]

    @property
    def false_alarms(self) -> float:
        """Over all nulls, each alike."""
        return float(np.mean(list(self.alarms.values())))

    @property
    def worst_family(self) -> float:
        """In the family that fares worst."""
        families: dict[tuple[str, str], list[float]] = {}
        for key, share in self.alarms.items():
            families.setdefault((key[0], key[2]), []).append(share)
        return max(float(np.mean(shares)) for shares in families.values())

    @property
    def caught(self) -> int:
        """How many regressions."""
        return sum(share >= CAUGHT for share in self.detection.values())


@dataclass(frozen=True)
class Target:
    """A promise of the design, what was measured, and whether that meets it."""

    promise: str
    measured: str
    met: bool


def allowed(verdicts: int, rate: float = ALLOWED) -> int:
    """Return the alarms that a cell may show: of 2000 what the rate says; of fewer, what it exceeds once in 10,000."""
    return int(rate * verdicts) if verdicts >= 2000 else int(stats.binom.ppf(0.9999, verdicts, rate))


def targets(results: Results) -> list[Target]:
    """Hold what was measured against the targets; those of planted regressions need the full mode."""
    found = [*_alarm_targets(results), *_reach_targets(results), *_drift_targets(results)]
    if results.full:
        found += [*_regression_targets(results), _margin_target(results)]
    return [*found, _slice_target(results)] if results.slices else found


def _alarm_targets(results: Results) -> list[Target]:
    blocked = {key: one.blocked for key, one in results.nulls.items()}
    worse = {key: one.worse for key, one in results.nulls.items()}
    return [
        _alarms("nulls blocked: at most 12 of 2000 in every cell", blocked, ALLOWED),
        _alarms("nulls blocked by any metric of a check: at most 12 of 2000 in every cell", results.checks, ALLOWED),
        _alarms(f"nulls worse at any margin (U < 0): at most {WORSE:.1%} in every cell", worse, WORSE),
    ]


def _alarms(promise: str, found: Mapping[Key, NDArray[np.bool_]], rate: float) -> Target:
    above = sum(some.sum() > allowed(len(some), rate) for some in found.values())
    key = max(found, key=lambda key: found[key].mean())
    everything = np.concatenate(list(found.values()))
    return Target(
        promise,
        f"{above} of {len(found)} cells above; {found[key].sum()} of {len(found[key])} ({', '.join(key)}); "
        f"over all {everything.mean():.2%}",
        above == 0,
    )


def _reach_targets(results: Results) -> list[Target]:
    found = []
    for part, words in ((results.first, ""), (results.later, ", later cells")):
        reach = [loss / unit for loss, unit in part.smallest.values()]
        if reach:
            median, most = np.median(reach), np.quantile(reach, 0.9)
            promise = f"smallest loss caught{words}: median at most {REACH:.1f}, 90% of cells at most {REACH_OF_90}"
            measured = f"median {median:.2f}, 90% {most:.2f}, largest {max(reach):.2f}, of {len(reach)} cells"
            # as they are shown: a median of 1.004 is one
            met = round(float(median), 2) <= REACH and round(float(most), 2) <= REACH_OF_90
            if not results.full:
                met = bool(median <= REACH_OF_90)
            found.append(Target(promise, measured, met))
    return found


def _regression_targets(results: Results) -> list[Target]:
    mine, total = results.first.outcome("ours").caught, len(results.first.outcome("ours").detection)
    found = [
        Target(
            f"regressions caught, of the first cells: at least {OF_810} of 810", f"{mine} of {total}", mine >= OF_810
        )
    ]
    for part, words in ((results.first, "first cells"), (results.later, "later cells")):
        if not part.planted:
            continue
        mine, tuned = (part.outcome(short).caught for short in ("ours", "tuned per learner"))
        promise = f"{WELL_ABOVE} times those of a tolerance tuned per metric and learner, {words}"
        found.append(Target(promise, f"{mine}, against {tuned}", mine >= WELL_ABOVE * tuned))
    return found


def _slice_target(results: Results) -> Target:
    nulls = {
        (learner, dataset, f"{number} slices", damage): one.alarms
        for (learner, dataset, number, damage), one in results.slices.items()
        if damage == NULL
    }
    return _alarms("nulls alarmed by a slice: at most 12 of 2000 in every cell", nulls, ALLOWED)


def _drift_targets(results: Results) -> list[Target]:
    means = {key[:3]: np.mean(runs, axis=0) for key, runs in results.drift.items() if key[3]}
    ends = {key: end for key, (end, _) in means.items() if "null" not in key[2]}
    blocked = {key: share for key, (_, share) in means.items() if "null" in key[2]}
    lowest, most = min(ends, key=ends.__getitem__), max(blocked, key=blocked.__getitem__)
    return [
        Target(
            f"drift: with the guard, releases that lose end above {SINKS} m, the mean of each cell",
            f"at the lowest {ends[lowest]:.2f} m ({', '.join(lowest)})",
            ends[lowest] > SINKS,
        ),
        Target(
            f"drift: at most {ADMITTED:.0%} of null releases blocked, the mean of each cell",
            f"{np.mean(list(blocked.values())):.2%}; at most {blocked[most]:.2%} ({', '.join(most[:2])})",
            blocked[most] <= ADMITTED,
        ),
    ]


def report(results: Results, machine: str, command: str) -> str:
    """Return the results in Markdown."""
    first, later = results.first, results.later
    parts = [
        answer(results),
        "![False alarms against detection; smallest loss caught](gate-quality.svg)",
        "## Targets",
        _table(
            ("target", "measured", ""),
            [(one.promise, one.measured, "met" if one.met else "**missed**") for one in targets(results)],
        ),
        "## Rules",
        *(["The first cells:", rules_table(first), "The later cells:", rules_table(later)] if results.full else []),
        *([] if results.full else [rules_table(first)]),
        "## Nulls",
        families_table(results),
        cells_table(results),
        weak_cells(results),
        "## Regressions",
        sizes_table(results),
        kinds_table(results),
        "## By metric",
        metrics_table(results),
        defaults_table(results),
        "## Smallest loss",
        smallest_table(results),
        *(["## Slices", slices_table(results)] if results.slices else []),
        "## Drift",
        drift_table(results),
        "## This run",
        f"`{command}`, {machine}: {results.bank_seconds:.0f} s for the bank, {results.judging_seconds:.0f} s for "
        "judging, of processor time.",
    ]
    return "\n\n".join(parts)


def cells_table(results: Results) -> str:
    """Show each learner on each table: its worst metric and null, and how much its margins vary."""
    rows = []
    for (learner, dataset), members in results._by(lambda key: key[:2]).items():
        blocked, worse = (max(members, key=lambda one: getattr(one[1], what).mean()) for what in ("blocked", "worse"))
        off = {key: one.lottery(RECORDINGS) for key, one in members}
        key = max(off, key=off.__getitem__)
        within = sum(share <= LOTTERY for share in off.values())
        rows.append(
            (
                f"{learner}, {dataset}",
                len(members),
                f"{blocked[1].blocked.sum()} ({', '.join(blocked[0][2:])})" if blocked[1].blocked.any() else "0",
                f"{worse[1].worse.sum()} ({', '.join(worse[0][2:])})" if worse[1].worse.any() else "0",
                f"{within} of {len(off)}; {off[key]:.0%} ({', '.join(key[2:])})",
            )
        )
    head = (
        "learner, table",
        "cells",
        "most false alarms",
        "most worse at any margin",
        f"margins within {LOTTERY:.0%} over {RECORDINGS} recordings; furthest off",
    )
    return "By learner and table, of so many cells (null, metric) the worst:\n\n" + _table(head, rows, "lrlll")


def _margin_target(results: Results) -> Target:
    off = {key: one.lottery(RECORDINGS) for key, one in results.nulls.items()}
    key = max(off, key=off.__getitem__)
    return Target(
        f"default margins over {RECORDINGS} recordings: at most {LOTTERY:.0%} from their median, in every cell",
        f"{sum(share <= LOTTERY for share in off.values())} of {len(off)} cells; at most {off[key]:.0%} "
        f"({', '.join(key)})",
        off[key] <= LOTTERY,
    )


def answer(results: Results) -> str:
    """Say in three sentences what came out."""
    parts = [part for part in (results.first, results.later) if part.planted]
    outcomes = [
        [part.outcome(short) for part in parts] for short in ("ours", "mean", "tuned", "tuned per learner", "safe")
    ]
    total = sum(len(one.detection) for one in outcomes[0])
    mine, _, tuned, known, safe = (sum(one.caught for one in some) for some in outcomes)
    alarms_of_mean = np.mean([share for one in outcomes[1] for share in one.alarms.values()])
    reach = [loss / unit for loss, unit in results.smallest.values()]
    count = sum(one.count for one in results.nulls.values())
    alarms = sum(int(one.blocked.sum()) for one in results.nulls.values())
    return (
        f"Of {count:,} comparisons in which nothing had changed that matters, {alarms:,} were blocked "
        f"({alarms / count:.2%}); `mean >= baseline` blocks {alarms_of_mean:.0%}. "
        f"Of {total:,} planted regressions that lose anything, {mine:,} are caught at least "
        f"{CAUGHT:.0%} of the time, against {tuned:,} by the best tolerance tuned per metric, {known:,} by one tuned "
        f"per metric and learner, and {safe:,} by the single tolerance that is as safe. "
        f"The smallest loss that is caught {CAUGHT:.0%} of the time is {np.median(reach):.2f} times what two single "
        f"runs could tell from none (2% of the skill, where that is more); 90% of the cells are below "
        f"{np.quantile(reach, 0.9):.2f}."
    )


def rules_table(results: Results) -> str:
    """Show each rule's false alarms and catches."""
    total = len(results.outcomes[0].detection)
    rows = [
        (
            one.rule.name,
            f"{one.false_alarms:.2%}",
            f"{one.worst_family:.2%}",
            one.caught,
            f"{np.mean(list(one.detection.values())):.0%}",
        )
        for one in results.outcomes
    ]
    return _table(("rule", "false alarms", "worst family", f"caught of {total}", "detection"), rows, "lrrrr")


def families_table(results: Results) -> str:
    """Show the false alarms of each family, and its worst cell."""
    rows = []
    for family, members in results.families.items():
        count, blocked = (
            sum(int(number) for number in numbers)
            for numbers in ([one.count for _, one in members], [one.blocked.sum() for _, one in members])
        )
        checks: dict[str, list[NDArray[np.bool_]]] = {}
        for key, one in members:
            checks.setdefault(key[1], []).append(one.blocked)
        whole = np.mean([np.any(some, axis=0).mean() for some in checks.values()])
        key, worst = max(members, key=lambda member: member[1].blocked.mean())
        rows.append(
            (
                ", ".join(family),
                f"{count:,}",
                blocked,
                f"{2000 * blocked / count:.1f}",
                sum(int(one.worse.sum()) for _, one in members),
                f"{whole:.2%}",
                f"{worst.blocked.mean():.2%} {key[1]}, {key[3]}" if blocked else "",
            )
        )
    head = ("family", "verdicts", "false alarms", "of 2000", "worse at any margin", "checks blocked", "worst cell")
    return _table(head, rows, "lrrrrrl")


def weak_cells(results: Results) -> str:
    """List the cells whose false alarms of either kind exceed their rate."""
    rows = [
        (", ".join(key), one.count, one.blocked.sum(), one.worse.sum(), f"{np.median(one.margin):.4g}")
        for key, one in results.nulls.items()
        if one.blocked.sum() > allowed(one.count) or one.worse.sum() > allowed(one.count, WORSE)
    ]
    if not rows:
        return f"No cell (learner, table, null, metric) is above {ALLOWED:.1%}, nor above {WORSE:.1%} worse."
    return f"Cells above {ALLOWED:.1%}, or above {WORSE:.1%} worse at any margin:\n\n" + _table(
        ("cell", "verdicts", "false alarms", "worse at any margin", "margin"), rows, "lrrrr"
    )


def sizes_table(results: Results) -> str:
    """Show what is caught by the size of the loss."""
    edges = (0, 0.5, 1, 1.5, 2, 3, np.inf)
    parts = [part for part in (results.first, results.later) if part.planted]
    shown = [
        [part.outcome(short) for part in parts]
        for short in ("ours", "tuned", "tuned per learner", "safe", "corrected t", "corrected t, NI")
    ]
    sizes = {key: one.loss / one.margin.mean() for key, one in compared(results.planted).items() if one.loss > 0}
    detection = [{key: share for one in some for key, share in one.detection.items()} for some in shown]
    rows = []
    for low, high in pairwise(edges):
        keys = [key for key, size in sizes.items() if low < size <= high]
        name = f"{low} to {high} margins" if high < np.inf else f"above {low} margins"
        rows.append((name, len(keys), *(sum(one[key] >= CAUGHT for key in keys) for one in detection)))
    names = [some[0].rule.name.split(" (")[0] for some in shown]
    return _table(("true loss", "regressions", *names), rows, "l" + "r" * (len(names) + 1))


def kinds_table(results: Results) -> str:
    """Show each kind of damage, for each learner: its median loss in margins, and how often it is caught."""
    mine = _mine(results)
    learners = list(dict.fromkeys(key[0] for key in results.planted))
    rows = []
    for kind in KINDS:
        for condition in dict.fromkeys(key[2] for key in results.planted if key[2].startswith(kind)):
            row = [condition]
            for learner in learners:
                keys = [key for key in mine if key[0] == learner and key[2] == condition]
                sizes = [results.planted[key].loss / results.planted[key].margin.mean() for key in keys]
                caught = sum(mine[key] >= CAUGHT for key in keys)
                row.append(f"{caught}/{len(keys)} ({np.median(sizes):.1f} m)" if keys else "no loss")
            rows.append(tuple(row))
    return "Caught of the cells that lose anything, and their median loss in margins:\n\n" + _table(
        ("regression, strength", *learners), rows, "l" + "r" * len(learners)
    )


def _mine(results: Results) -> dict[Key, float]:
    """Return the share of each regression's replicates that ours blocks."""
    parts = [part for part in (results.first, results.later) if part.planted]
    return {key: share for part in parts for key, share in part.outcome("ours").detection.items()}


def metrics_table(results: Results) -> str:
    """Show what each metric of classifiers is worth."""
    mine, rows = _mine(results), []
    for metric in ("accuracy", *DEFAULTS, "roc_auc"):
        nulls = {key: one for key, one in results.nulls.items() if key[3] == metric}
        caught = [share >= CAUGHT for key, share in mine.items() if key[3] == metric]
        sizes = [one.loss / one.margin.mean() for key, one in results.planted.items() if key[3] == metric]
        reach = [loss / unit for key, (loss, unit) in results.smallest.items() if key[2] == metric]
        blocked, worse = (
            sum(getattr(one, what).sum() > allowed(one.count, rate) for one in nulls.values())
            for what, rate in (("blocked", ALLOWED), ("worse", WORSE))
        )
        rows.append(
            (
                metric,
                f"{sum(caught)} of {len(caught)}",
                f"{np.median(sizes):.2f} m",
                f"{np.mean(np.concatenate([one.blocked for one in nulls.values()])):.2%}",
                f"{blocked} and {worse} of {len(nulls)}",
                f"{sum(one.lottery(RECORDINGS) <= LOTTERY for one in nulls.values())} of {len(nulls)}",
                f"{np.median(reach):.2f}, {np.quantile(reach, 0.9):.2f}",
            )
        )
    head = (
        "metric",
        "caught",
        "median loss",
        "nulls blocked",
        "cells with too many blocked, too many worse",
        f"margins within {LOTTERY:.0%}",
        "smallest loss: median, 90%",
    )
    return _table(head, rows, "lrrrrrr")


def defaults_table(results: Results) -> str:
    """Compare the two metrics that could be the default, on the same regressions of the same models."""
    mine = _mine(results)
    rows = []
    pairs = {key[:3] for key in mine if key[3] in DEFAULTS}
    pairs = {pair for pair in pairs if all((*pair, metric) in results.planted for metric in DEFAULTS)}
    for learner in (*dict.fromkeys(key[0] for key in results.planted), ""):
        caught = [
            tuple(mine.get((*pair, metric), 0.0) >= CAUGHT for metric in DEFAULTS)
            for pair in pairs
            if learner in ("", pair[0])
        ]
        if caught:
            counts = [caught.count(which) for which in ((True, True), (True, False), (False, True), (False, False))]
            rows.append((learner or "all", len(caught), *counts))
    head = ("learner", "regressions", "caught by both", "by log loss alone", "by the Brier score alone", "by neither")
    return "Regressions that lose anything under one of the two:\n\n" + _table(head, rows, "lrrrrr")


def slices_table(results: Results) -> str:
    """Show what checks with slices see."""
    rows = [
        (
            f"{learner}, {dataset}",
            number,
            damage,
            f"{one.lost:.1f} m, {one.lost_overall:.2f} m",
            f"{one.alarms.sum()} of {len(one.alarms)}",
            f"{one.blocked.sum()} of {len(one.blocked)}",
        )
        for (learner, dataset, number, damage), one in results.slices.items()
    ]
    head = (
        "cell",
        "slices",
        "the first loses",
        "its loss, and that of all rows (Brier score)",
        "alarms by a slice",
        "blocked by all rows",
    )
    return _table(head, rows, "lrlrrr")


def smallest_table(results: Results) -> str:
    """Show the smallest loss caught by learner, and the cells where it is larger than it should be."""
    rows = []
    reach = {key: loss / unit for key, (loss, unit) in results.smallest.items()}
    for part, words in ((results.first, "first"), (results.later, "later")):
        for learner in NULLS:
            some = [reach[key] for key in part.smallest if key[0] == learner]
            if some:
                shares = (np.median(some), np.quantile(some, 0.9), max(some))
                rows.append((learner, words, len(some), *(f"{share:.2f}" for share in shares)))
    over = [f"{', '.join(key)}: {share:.2f}" for key, share in reach.items() if share > REACH_OF_90]
    listed = f"Above {REACH_OF_90}: " + "; ".join(over) + "." if over else f"No cell is above {REACH_OF_90}."
    return _table(("learner", "cells", "of them", "median", "90%", "largest"), rows, "llrrrr") + "\n\n" + listed


def drift_table(results: Results) -> str:
    """Show where release trains end, over all learners and data sets."""
    rows = []
    for train, guarded in dict.fromkeys((key[2], key[3]) for key in results.drift):
        cells = [np.array(runs) for key, runs in results.drift.items() if key[2:] == (train, guarded)]
        ends, blocked = (np.concatenate([cell[:, i] for cell in cells]) for i in (0, 1))
        lowest = min(float(cell[:, 0].mean()) for cell in cells)
        rows.append(
            (
                train,
                "with" if guarded else "without",
                len(ends),
                f"{ends.mean():.2f} m",
                f"{lowest:.2f} m",
                f"{ends.min():.2f} m",
                f"{blocked.mean():.2%}",
                f"{(blocked > 0).mean():.1%}",
            )
        )
    head = (
        "releases",
        "guard",
        "trains",
        "end, mean",
        "worst cell",
        "worst train",
        "releases blocked",
        "trains blocked",
    )
    return _table(head, rows, "llrrrrrr")


def figure(results: Results, path: Path) -> None:
    """Draw false alarms against detection, and the smallest loss caught."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "gate", "font.size": 9, "svg.fonttype": "none"})
    import matplotlib.pyplot as plt

    drawing, (left, right) = plt.subplots(1, 2, figsize=(11.5, 5), layout="constrained", width_ratios=(1.25, 1))
    _draw_rules(left, results)
    _draw_smallest(right, results)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    drawing.savefig(path, metadata={"Date": None})
    plt.close(drawing)


def _draw_rules(axes: Any, results: Results) -> None:
    results = results.first
    total = len(results.outcomes[0].detection)
    points: dict[tuple[float, float], list[str]] = {}
    for one in results.outcomes:
        place = round(100 * one.false_alarms, 1), round(100 * one.caught / total, 1)
        points.setdefault(place, []).append(one.rule.short)
    right, top = 1.25 * max(x for x, _ in points), 104
    width, height = right / 70, top / 32  # of a letter and of a line
    taken = [(x - width / 2, x + width / 2, y - height / 2, y + height / 2) for x, y in points]
    for (x, y), names in points.items():
        colour = BLUE if "ours" in names else ORANGE if {"tuned", "safe", "tuned per learner"} & set(names) else GREY
        axes.plot(x, y, "o", color=colour, markersize=9 if colour == BLUE else 5, clip_on=False, zorder=3)
        text, gap = " = ".join(names), 1.7 * width
        for across, up in ((gap, 0), (gap, -1), (gap, 1), (gap, -2), (gap, 2), (5 * gap, -3), (5 * gap, 3)):
            left, line = x + across, y + up * height
            box = (left, left + len(text) * width, line - height / 2, line + height / 2)
            if all(box[1] < a or box[0] > b or box[3] <= c or box[2] >= d for a, b, c, d in taken):
                break
        taken.append(box)
        axes.annotate(
            text,
            (x, y),
            (left, line),
            va="center",
            color=colour,
            weight="bold" if colour == BLUE else "normal",
            arrowprops={"arrowstyle": "-", "color": "#bbbbbb", "lw": 0.5} if abs(up) > 1 else None,
        )
    axes.set(xlim=(0, right), ylim=(0, top), xlabel="false alarms, % of nulls", ylabel="planted regressions caught, %")
    axes.set_title("What each rule blocks (first cells)", loc="left")


def _draw_smallest(axes: Any, results: Results) -> None:
    names = list(dict.fromkeys(key[2] for key in results.smallest))
    looks = {
        "linear": (BLUE, "o"),
        "forest": (GREEN, "s"),
        "boosting": (ORANGE, "^"),
        "network": (PINK, "D"),
        "neighbours": (GREY, "v"),
    }
    for offset, (learner, (colour, marker)) in enumerate(looks.items()):
        for key, (loss, unit) in results.smallest.items():
            if key[0] == learner:
                place = names.index(key[2]) + 0.15 * (offset - 2)
                axes.plot(loss / unit, place, marker, color=colour, markersize=5)
        axes.plot([], [], marker, color=colour, label=learner)
    axes.axvline(REACH_OF_90, color="black", lw=0.8)
    axes.text(REACH_OF_90, -0.62, f" target of 90%: {REACH_OF_90}", va="center", fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.set(
        xlim=(0, 1.08 * max(loss / unit for loss, unit in results.smallest.values())),
        ylim=(len(names) - 0.4, -0.8),
        xlabel="of max(2% of skill, 3.97 SE of two single runs)",
    )
    axes.legend(frameon=False, loc="lower left", fontsize=8)
    axes.set_title("Smallest loss caught", loc="left")


def _table(head: Sequence[str], rows: Sequence[Sequence[object]], align: str = "") -> str:
    marks = {"r": "---:", "l": "---"}
    lines = [head, [marks[one] for one in align or "l" * len(head)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
