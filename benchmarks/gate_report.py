"""The report of `gate_quality.py`: targets, tables, a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from gate_bank import KINDS, NULLS
from gate_rules import ALLOWED, Rule, compared, rules
from gate_trials import Key, Trials
from numpy.typing import NDArray
from scipy import stats

CAUGHT = 0.95  # of its replicates: then a planted regression counts as caught
REACH = 1.25  # the smallest loss caught, at most, in units of what it is held against
EXEMPT = ("wine", "accuracy")  # one row is two standard errors
SINKS, ADMITTED = -1.5, 0.01  # drift: no release train ends lower, in margins; null releases blocked
WELL_ABOVE = 1.1  # times the regressions that the best tolerance tuned per metric catches
RECORDINGS, LOTTERY = 20, 0.15  # over so many recordings the default margin may be so far from its median
OF_72 = 25  # of the forests' 72 under the Brier score: more than the single tolerance that is safe
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
    bank_seconds, judging_seconds : float
        Processor time of fits, and of everything after them.
    full : bool
        Whether all of it was measured, or a little of it quickly.
    """

    nulls: Mapping[Key, Trials]
    planted: Mapping[Key, Trials]
    smallest: Mapping[tuple[str, str, str], tuple[float, float]]
    drift: Mapping[tuple[str, str, str, bool], Sequence[tuple[float, float]]]
    bank_seconds: float
    judging_seconds: float
    full: bool

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
        found: dict[tuple[str, str], list[tuple[Key, Trials]]] = {}
        for key, one in self.nulls.items():
            found.setdefault((key[0], key[2]), []).append((key, one))
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

    def caught(self, *, forests: str = "") -> int:
        """How many regressions; or of the forests' classifiers, under one metric."""
        return sum(
            share >= CAUGHT
            for key, share in self.detection.items()
            if not forests or (key[0] == "forest" and key[3] == forests)
        )


@dataclass(frozen=True)
class Target:
    """A promise of the design, what was measured, and whether that meets it."""

    promise: str
    measured: str
    met: bool


def allowed(verdicts: int) -> int:
    """Give the false alarms that a family may show: 12 of 2000; of fewer, what that rate exceeds in 1% of cases."""
    return int(ALLOWED * verdicts) if verdicts >= 2000 else int(stats.binom.ppf(0.99, verdicts, ALLOWED))


def targets(results: Results) -> list[Target]:
    """Hold what was measured against the targets; those of planted regressions need the full mode."""
    found = [*_alarm_targets(results), _reach_target(results), *_drift_targets(results)]
    return found + _regression_targets(results) if results.full else found


def _alarm_targets(results: Results) -> list[Target]:
    found = []
    for alarm, attribute in (("blocked", "blocked"), ("worse at any margin", "worse")):
        counted = {
            family: (
                sum(int(getattr(one, attribute).sum()) for _, one in members),
                sum(one.count for _, one in members),
            )
            for family, members in results.families.items()
        }
        worst = max(counted, key=lambda family: counted[family][0] / counted[family][1])
        found.append(
            Target(
                f"nulls {alarm}: at most {2000 * ALLOWED:.0f} of 2000 in every family",
                f"{counted[worst][0]} of {counted[worst][1]} ({', '.join(worst)})",
                all(alarms <= allowed(verdicts) for alarms, verdicts in counted.values()),
            )
        )
    weak = _weak(results)
    key, weakest = max(results.nulls.items(), key=lambda pair: pair[1].blocked.mean())
    return [
        *found,
        Target(
            "both, of every cell (learner, data set, null, metric) by itself",
            f"{len(weak)} of {len(results.nulls)} above; {weakest.blocked.sum()} of {weakest.count} ({', '.join(key)})",
            not weak,
        ),
    ]


def _reach_target(results: Results) -> Target:
    reach = list(_reach(results).values())
    met, median = sum(ratio <= REACH for ratio in reach), float(np.median(reach))
    return Target(
        f"smallest loss caught: at most {REACH} max(2% of skill, 3.97 SE of two runs); exempt: {' '.join(EXEMPT)}",
        f"{met} of {len(reach)} cells; median {median:.2f}, largest {max(reach):.2f}",
        met == len(reach) if results.full else median <= REACH,
    )


def _regression_targets(results: Results) -> list[Target]:
    mine, tuned, safe = (results.outcome(short) for short in ("ours", "tuned", "safe"))
    brier, safe_brier = (one.caught(forests="neg_brier_score") for one in (mine, safe))
    return [
        Target(
            f"regressions caught: {WELL_ABOVE} times those of the best tolerance tuned per metric, or more",
            f"{mine.caught()}, against {tuned.caught()}",
            mine.caught() >= WELL_ABOVE * tuned.caught(),
        ),
        Target(
            f"of the forests' 72 under the Brier score, {OF_72} more than the single tolerance that is safe",
            f"{brier}, against {safe_brier}",
            brier >= safe_brier + OF_72,
        ),
    ]


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
    """Give the results in Markdown."""
    parts = [
        answer(results),
        "![False alarms against detection; smallest loss caught](gate-quality.svg)",
        "## Targets",
        _table(
            ("target", "measured", ""),
            [(one.promise, one.measured, "met" if one.met else "**missed**") for one in targets(results)],
        ),
        "## Rules",
        rules_table(results),
        "## Nulls",
        families_table(results),
        weak_cells(results),
        "## Regressions",
        sizes_table(results),
        kinds_table(results),
        "## Smallest loss",
        smallest_table(results),
        "## Drift",
        drift_table(results),
        "## This run",
        f"`{command}`, {machine}: {results.bank_seconds:.0f} s for the bank, {results.judging_seconds:.0f} s for "
        "judging, of processor time.",
    ]
    return "\n\n".join(parts)


def nulls_report(results: Results, machine: str, command: str) -> str:
    """Show what nulls alone tell: false alarms, and how much the default margin varies."""
    found = [*_alarm_targets(results), _margin_target(results)]
    parts = [
        _table(("target", "measured", ""), [(one.promise, one.measured, _met(one)) for one in found], "lll"),
        nulls_table(results),
        f"`{command}`, {machine}: {results.bank_seconds:.0f} s for the bank, {results.judging_seconds:.0f} s for "
        "judging, of processor time.",
    ]
    return "\n\n".join(parts)


def nulls_table(results: Results) -> str:
    """Show every cell: its false alarms, its margin, and how much that varies over twenty recordings."""
    rows = []
    for key, one in results.nulls.items():
        margins = one.margins(RECORDINGS)
        rows.append(
            (
                ", ".join(key),
                one.count,
                one.blocked.sum(),
                one.worse.sum(),
                f"{np.median(one.margin):.4g}",
                f"{margins.min():.2f} to {margins.max():.2f}",
            )
        )
    head = ("cell", "verdicts", "false alarms", "worse at any margin", "margin", f"over {RECORDINGS} recordings")
    return _table(head, rows, "lrrrrr")


def _margin_target(results: Results) -> Target:
    off = {key: float(np.abs(one.margins(RECORDINGS) - 1).max()) for key, one in results.nulls.items()}
    key = max(off, key=off.__getitem__)
    return Target(
        f"default margins over {RECORDINGS} recordings: at most {LOTTERY:.0%} from their median, in every cell",
        f"{sum(share <= LOTTERY for share in off.values())} of {len(off)} cells; at most {off[key]:.0%} "
        f"({', '.join(key)})",
        off[key] <= LOTTERY,
    )


def _met(target: Target) -> str:
    return "met" if target.met else "**missed**"


def answer(results: Results) -> str:
    """Say in three sentences what came out."""
    mine, mean, tuned, safe = (results.outcome(short) for short in ("ours", "mean", "tuned", "safe"))
    reach = list(_reach(results).values())
    count = sum(one.count for one in results.nulls.values())
    alarms = sum(int(one.blocked.sum()) for one in results.nulls.values())
    return (
        f"Of {count:,} comparisons in which nothing had changed that matters, {alarms:,} were blocked "
        f"({alarms / count:.2%}); `mean >= baseline` blocks {mean.false_alarms:.0%}. "
        f"Of {len(mine.detection)} planted regressions that lose anything, {mine.caught()} are caught at least "
        f"{CAUGHT:.0%} of the time, against {tuned.caught()} by the best tolerance tuned per metric and "
        f"{safe.caught()} by the single tolerance that is as safe. "
        f"The smallest loss that is caught {CAUGHT:.0%} of the time is {np.median(reach):.2f} times what two single "
        f"runs could tell from none (2% of the skill, where that is more); 90% of the cells are below "
        f"{np.quantile(reach, 0.9):.2f}."
    )


def rules_table(results: Results) -> str:
    """Show each rule's false alarms and catches."""
    total = len(results.outcomes[0].detection)
    forests = sum(key[0] == "forest" and key[3] == "neg_brier_score" for key in results.outcomes[0].detection)
    rows = [
        (
            one.rule.name,
            f"{one.false_alarms:.2%}",
            f"{one.worst_family:.2%}",
            one.caught(),
            f"{np.mean(list(one.detection.values())):.0%}",
            one.caught(forests="neg_brier_score"),
        )
        for one in results.outcomes
    ]
    head = ("rule", "false alarms", "worst family", f"caught of {total}", "detection", f"forests, Brier: of {forests}")
    return _table(head, rows, "lrrrrr")


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
    """List the cells whose false alarms of either kind exceed the rate."""
    rows = [
        (", ".join(key), one.count, one.blocked.sum(), one.worse.sum(), f"{one.margin.mean():.4f}")
        for key, one in _weak(results).items()
    ]
    if not rows:
        return f"No cell (learner, data set, null, metric) is above {ALLOWED:.1%}."
    return f"Cells above {ALLOWED:.1%}:\n\n" + _table(
        ("cell", "verdicts", "false alarms", "worse at any margin", "margin"), rows, "lrrrr"
    )


def sizes_table(results: Results) -> str:
    """Show what is caught by the size of the loss."""
    edges = (0, 0.5, 1, 1.5, 2, 3, np.inf)
    shown = [results.outcome(short) for short in ("ours", "tuned", "safe", "corrected t", "corrected t, NI")]
    sizes = {key: one.loss / one.margin.mean() for key, one in compared(results.planted).items() if one.loss > 0}
    rows = []
    for low, high in pairwise(edges):
        keys = [key for key, size in sizes.items() if low < size <= high]
        name = f"{low} to {high} margins" if high < np.inf else f"above {low} margins"
        rows.append((name, len(keys), *(sum(one.detection[key] >= CAUGHT for key in keys) for one in shown)))
    names = [one.rule.name.split(" (")[0] for one in shown]
    return _table(("true loss", "regressions", *names), rows, "l" + "r" * (len(names) + 1))


def kinds_table(results: Results) -> str:
    """Show each kind of damage, for each learner: its median loss in margins, and how often it is caught."""
    mine = results.outcome("ours").detection
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


def smallest_table(results: Results) -> str:
    """Show the smallest loss caught by learner, and the cells where it is larger than it should be."""
    rows = []
    for learner in NULLS:
        reach = [ratio for key, ratio in _reach(results).items() if key[0] == learner]
        if reach:
            shares = (np.median(reach), np.quantile(reach, 0.9), max(reach))
            rows.append((learner, len(reach), *(f"{share:.2f}" for share in shares)))
    over = [
        f"{', '.join(key)}: {loss / unit:.2f}" + (" (exempt)" if key[1:] == EXEMPT else "")
        for key, (loss, unit) in results.smallest.items()
        if loss / unit > REACH
    ]
    listed = f"Above {REACH}: " + "; ".join(over) + "." if over else f"No cell is above {REACH}."
    return _table(("learner", "cells", "median", "90%", "largest"), rows, "lrrrr") + "\n\n" + listed


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
    total = len(results.outcomes[0].detection)
    points: dict[tuple[float, float], list[str]] = {}
    for one in results.outcomes:
        place = round(100 * one.false_alarms, 1), round(100 * one.caught() / total, 1)
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
    axes.set_title("What each rule blocks", loc="left")


def _draw_smallest(axes: Any, results: Results) -> None:
    names = list(dict.fromkeys(key[2] for key in results.smallest))
    looks = {"linear": (BLUE, "o"), "forest": (GREEN, "s"), "boosting": (ORANGE, "^"), "network": (PINK, "D")}
    for offset, (learner, (colour, marker)) in enumerate(looks.items()):
        for key, (loss, unit) in results.smallest.items():
            if key[0] == learner:
                place = names.index(key[2]) + 0.18 * (offset - 1.5)
                alpha = 0.3 if key[1:] == EXEMPT else 1.0
                axes.plot(loss / unit, place, marker, color=colour, markersize=5, alpha=alpha)
        axes.plot([], [], marker, color=colour, label=learner)
    axes.axvline(REACH, color="black", lw=0.8)
    axes.text(REACH, -0.62, f" target {REACH}", va="center", fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.set(
        xlim=(0, 1.08 * max(loss / unit for loss, unit in results.smallest.values())),
        ylim=(len(names) - 0.4, -0.8),
        xlabel="of max(2% of skill, 3.97 SE of two single runs)",
    )
    axes.legend(frameon=False, loc="lower left", fontsize=8)
    axes.set_title("Smallest loss caught (faded: exempt)", loc="left")


def _weak(results: Results) -> dict[Key, Trials]:
    """Give the nulls with too many false alarms of either kind."""
    return {
        key: one for key, one in results.nulls.items() if max(one.blocked.sum(), one.worse.sum()) > allowed(one.count)
    }


def _reach(results: Results) -> dict[tuple[str, str, str], float]:
    """Give the smallest loss caught in units of what it is held against, where that is promised."""
    return {key: loss / unit for key, (loss, unit) in results.smallest.items() if key[1:] != EXEMPT}


def _table(head: Sequence[str], rows: Sequence[Sequence[object]], align: str = "") -> str:
    marks = {"r": "---:", "l": "---"}
    lines = [head, [marks[one] for one in align or "l" * len(head)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
