"""The comment on a pull request: what it says first, what it folds, and how it shortens itself."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pytest_model_check.judgement.compared import ChangedRows, Compared, Differences, Moved, ScoreGrid
from pytest_model_check.judgement.verdicts import Acceptance, Concessions, Loss, Run, Verdict
from pytest_model_check.report import markdown, markdown_text, sentences
from support.parsed_html import Page
from support.verdicts import DATA, HELD, WORSE, verdict

LOSS = Loss("roc_auc", "worse", delta=-0.01, low=-0.015, high=-0.008, margin=0.005)
BETTER = replace(HELD, metric="r2", verdict="better", delta=0.02, low=0.01, high=0.03)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip()[1:-1].split("|")]


def table(text: str) -> list[list[str]]:
    """Return the rows of the first table, without its headers."""
    first = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert first is not None
    return [cells(line) for line in first[0].splitlines()[2:]]


def fold(text: str, name: str) -> str:
    """Return what is folded under a name."""
    found = re.search(
        rf"<details(?: open)?><summary>{re.escape(name)}</summary>\n\n(.*?)\n\n</details>", text, re.DOTALL
    )
    assert found is not None, text
    return found[1]


def folds(text: str) -> list[str]:
    return re.findall("<summary>(.*?)</summary>", text)


# -- what it says ------------------------------------------------------------------------------------------------------


def test_the_whole_comment() -> None:
    run = Run((verdict("good", HELD, passed=True), verdict("churn", WORSE), verdict("lost")), passed=False)
    text = markdown.render(replace(run, against="merge base 3f2a1c9 with origin/main"))
    squeezed = re.sub(" +", " ", re.sub("-{3,}", "---", text[: text.index("<details><summary>What")]))
    assert squeezed.splitlines() == [
        markdown.MARKER,
        "## ❌ May not ship: 2 of 3 model checks failed",
        "",
        "| check | metric | baseline | candidate | delta (interval) | margin | verdict |",
        "|:---|:---|---:|---:|---:|---:|:---|",
        "| lost | - | - | - | - | - | **error** |",
        "| churn | roc_auc | 0.9940 | 0.9730 | -0.0210<br>(-0.0250&nbsp;to&nbsp;-0.0160) | 0.0050 | **worse** |",
        "| good | accuracy | 0.900 | 0.900 | 0.000<br>(-0.001&nbsp;to&nbsp;+0.002) | 0.010 | held |",
        "",
        "Baselines: merge base 3f2a1c9 with origin/main.",
        "",
        "<details open><summary>Why, and what to do</summary>",
        "",
        "- lost: a message",
        "- churn: a message",
        "",
        "</details>",
        "",
    ]
    assert folds(text)[1:] == [
        "What this data can tell: resolution, noise floor, dummy",
        "Data version and fits",
        "Fold by fold",
    ]


@pytest.mark.parametrize(
    ("checks", "problems", "headline"),
    [
        ([], ["No model check was collected."], "❌ May not ship: no model check was judged"),
        ([verdict("a", HELD, passed=True)], [], "✅ May ship: 1 of 1 model check passed"),
        ([verdict("a", HELD, passed=True)] * 2, [], "✅ May ship: 2 of 2 model checks passed"),
        ([verdict("a", WORSE)], [], "❌ May not ship: 1 of 1 model check failed"),
        (
            [verdict("a", HELD, passed=True)],
            ["Never judged: b"],
            "❌ May not ship: the run is incomplete, 1 model check passed",
        ),
        (
            [replace(verdict("a", WORSE, passed=True), concessions=Concessions("why not"))],
            [],
            "⚠️ May ship, with 1 loss accepted: 1 of 1 model check passed",
        ),
        (
            [replace(verdict("a", HELD, passed=True), concessions=Concessions("why not", ("a wider margin",)))] * 2,
            [],
            "⚠️ May ship, with 2 weaker promises accepted: 2 of 2 model checks passed",
        ),
    ],
)
def test_the_headline_says_whether_the_release_may_go_out(
    checks: list[Verdict], problems: list[str], headline: str
) -> None:
    passed = bool(checks) and not problems and all(check.passed for check in checks)
    text = markdown.render(Run(tuple(checks), passed, problems=tuple(problems)))
    assert text.splitlines()[:2] == [markdown.MARKER, f"## {headline}"]
    for problem in problems:
        assert f"\n**Problem:** {problem}\n" in text


def test_failing_rows_come_first_even_before_the_passing_rows_of_their_check() -> None:
    everywhere = replace(WORSE, slice="region=south")  # stands in its metric's row
    mixed = verdict("mixed", WORSE, BETTER, replace(WORSE, metric="r2", slice="region=north"), everywhere)
    text = markdown.render(
        Run((verdict("good", HELD, passed=True), mixed, verdict("churn", WORSE, HELD)), passed=False)
    )
    assert [(row[0], row[1].replace("<wbr>", ""), row[-1]) for row in table(text)] == [
        ("mixed", "roc_auc", "**worse**"),
        ("mixed", "r2 &#91;region=north&#93;", "**worse**"),
        ("churn", "roc_auc", "**worse**"),
        ("mixed", "r2", "better"),
        ("churn", "accuracy", "held"),
        ("good", "accuracy", "held"),
    ]


def test_an_accepted_loss_comes_before_the_table_with_its_reason() -> None:
    message = "churn: roc_auc is worse by 0.021; accepted: half the latency"  # as a run says it
    lost = replace(verdict("churn", WORSE, passed=True, message=message), concessions=Concessions("half the latency"))
    text = markdown.render(Run((verdict("good", HELD, passed=True), lost), True))
    told = "**Accepted:** churn: roc_auc is worse by 0.021. Reason: half the latency"
    assert text.splitlines()[3] == told
    assert table(text)[0][-1] == "**worse, accepted**"


def test_a_weaker_promise_fails_in_a_row_of_its_own() -> None:
    weak = replace(
        verdict("churn", HELD), verdict="held", concessions=Concessions(weakened=("the margin was 0.005, is 0.020",))
    )
    text = markdown.render(Run((weak,), passed=False))
    assert text.splitlines()[3] == "**Weaker promise:** churn: the margin was 0.005, is 0.020"
    assert [(row[1], row[-1]) for row in table(text)] == [("-", "**weaker promise**"), ("accuracy", "held")]


def test_a_check_that_fails_for_no_metric_has_a_failing_row() -> None:
    text = markdown.render(Run((replace(verdict("churn", HELD), verdict="held"),), passed=False))
    assert [(row[1], row[-1]) for row in table(text)] == [("-", "**failed**"), ("accuracy", "held")]


def test_what_else_there_is_to_know_is_folded() -> None:
    slices = (replace(HELD, slice="region=north"), replace(HELD, slice="region=south", delta=-0.005))
    full = replace(
        verdict("churn", replace(WORSE, resolution_reused=0.012), HELD, *slices),
        advice="First line.\nSecond line.",
        compared=Compared(
            DATA,
            released="LogisticRegression(C=1)",
            candidate="LogisticRegression(C=2)",
            recording=4,
            reused=3,
            environment=(("numpy", "2.3.1", "2.4.6"),),
        ),
        concessions=Concessions(standing=(Acceptance(2, "half the latency", "loss", (LOSS,)),)),
        differences=Differences(
            ChangedRows(7, 2, (3, 5)),
            Moved(
                "churn.csv a1", "churn.csv b2", "3f2a1c9", (ScoreGrid("roc_auc", 0.99, 0.98, None, 0.97),), "No column."
            ),
        ),
    )
    text = markdown.render(Run((full, verdict("good", HELD, passed=True)), passed=False))
    assert fold(text, "Why, and what to do") == "- churn: a message\n  - First line.\n  - Second line."
    assert fold(text, "The data moved: both models on both versions").splitlines() == [
        "- churn: the data moved, from churn.csv a1 to churn.csv b2; the released model is the code of 3f2a1c9",
        "- roc_auc: the released model scores 0.0100 less on the new data; "
        "there, the candidate scores 0.0100 less than it",
        "- No column.",
        "",
        "| metric   |   released, old data |   released, new data |   candidate, old data |   candidate, new data |",
        "|:---------|---------------------:|---------------------:|----------------------:|----------------------:|",
        "| roc_auc  |               0.9900 |               0.9800 |                     - |                0.9700 |",
    ]
    assert fold(text, "Accepted losses that stand") == (
        "- churn: recording 2 accepted that roc_auc is worse by 0.0100 (0.0080 to 0.0150), margin 0.0050. "
        "Reason: half the latency"
    )
    assert "7 rows are wrong now that were right" in fold(text, "Rows that changed from right to wrong")
    assert [row[1].replace("<wbr>", "") for row in table(fold(text, "Slices") + "\n")] == [
        "accuracy &#91;region=south&#93;",
        "accuracy &#91;region=north&#93;",
    ]
    resolution = fold(text, "What this data can tell: resolution, noise floor, dummy")
    assert "the baseline has been replaced 3 times on this version of the data" in resolution
    assert "they resolve roc_auc 0.0120, not 0.0090" in resolution
    assert table(fold(text, "Environment: what changed since the baseline") + "\n") == [
        ["numpy", "2.3.1", "2.4.6", "churn"]
    ]
    assert table(fold(text, "Data version and fits") + "\n")[0] == [
        "churn", "data/churn.csv", "00000000", "5,690", "4", "30", "1.9 s",
    ]  # fmt: skip
    assert table(fold(text, "Models that changed") + "\n") == [["churn", "C", "1", "2"]]
    assert table(fold(text, "Fold by fold") + "\n")[0] == ["churn", "roc_auc", "1", "0.9900", "0.9700", "-0.0200"]


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        (("age", "income", "region"), ["age", "tenure"], ["income, region", "tenure"]),
        (("age", "income"), ["income"], ["age", "absent"]),
        (None, ["age"], ["every column", "age"]),
        (("age",), None, ["age", "every column"]),
        (("age", "income"), ["income", "age"], None),
        (None, None, None),
    ],
)
def test_a_model_of_other_columns_has_changed(
    before: tuple[str, ...] | None, now: list[str] | None, shown: list[str] | None
) -> None:
    compared = Compared(released="SVC()", candidate="SVC()", protocol={"features": now}, released_features=before)
    text = markdown.render(Run((replace(verdict("churn", WORSE), compared=compared),), passed=False))
    assert ("Models that changed" in text) is (shown is not None)
    if shown is not None:
        assert table(fold(text, "Models that changed") + "\n") == [["churn", "features", *shown]]


def test_long_models_are_shown_where_they_part() -> None:
    steps = ", ".join(f"step{i}" for i in range(100))
    full = replace(
        verdict("churn", WORSE),
        compared=Compared(released=f"{steps}, C=1, x", candidate=f"{steps}, C=2, x"),
    )
    text = markdown.render(Run((full,), passed=False))
    ((_, _, released, candidate),) = table(fold(text, "Models that changed") + "\n")
    assert released.startswith("... ")
    assert released.endswith(", C=1, x")
    assert candidate.endswith(", C=2, x")


def test_a_long_name_is_shortened_in_the_middle_and_breaks_at_its_underscores() -> None:
    name = "begin_" + "x" * 200 + "_end"
    page = Page(markdown.render(Run((verdict(name, WORSE),), passed=False)))
    shown = page.rows[1][0]
    assert len(shown) == markdown_text.NAME
    assert re.fullmatch(r"begin_x+\.\.\.x+_end", shown)
    assert "neg_<wbr>mean_<wbr>absolute_<wbr>error" in markdown.render(
        Run((verdict("a", replace(HELD, metric="neg_mean_absolute_error"), passed=True),), passed=True)
    )


# -- its length --------------------------------------------------------------------------------------------------------


def _many(count: int, share: float, name: str, reason: str, metrics: int) -> Run:
    checks = tuple(
        replace(
            verdict(
                f"{i:04d}{name}",
                *(replace(WORSE if i < share * count else HELD, metric=f"m{m}") for m in range(metrics)),
                passed=i >= share * count,
                message=f"{i:04d}{name}: {reason}",
            ),
            advice=reason,
            compared=Compared(DATA, released="a", candidate=reason, environment=((reason, "1", "2"),)),
            concessions=Concessions(standing=(Acceptance(1, reason, "incomparable", said=reason),)),
        )
        for i in range(count)
    )
    return Run(checks, all(check.passed for check in checks))


@given(
    st.integers(1, 3000),
    st.sampled_from([0.0, 0.01, 0.3, 1.0]),
    st.sampled_from(["", "_a_name_that_is_rather_long" * 9, "|<@#日本" * 40, "😀" * 90]),
    st.sampled_from(["no reason", "|<@#日本 and a lot of words" * 60]),
    st.integers(0, 3),
)
@settings(deadline=None, derandomize=True, max_examples=12, phases=[Phase.generate])
def test_no_length_loses_a_failing_check(count: int, share: float, name: str, reason: str, metrics: int) -> None:
    run = _many(count, share, name, reason, metrics)
    text = markdown.render(run)
    assert len(text) <= len(text.encode()) <= markdown.LIMIT == 65_000
    assert re.match(rf"{markdown.MARKER}\n## . {sentences.headline(run)}\n", text)
    failing = [f"{i:04d}" for i, check in enumerate(run.checks) if not check.passed]
    shown = re.findall(r"^\| (\d{4})|(?<=[:,] )(\d{4})", text, re.MULTILINE)
    assert {one or other for one, other in shown} >= set(failing)
    if rows := re.findall(r"^\| \d{4}.*", text, re.MULTILINE):
        assert sum("**worse**" in row or "**error**" in row for row in rows) >= len(failing)


def test_folded_parts_go_first_then_passing_rows_then_reasons() -> None:
    said = []
    for count in (10, 150, 400, 700, 2500):
        text = markdown.render(_many(count, 0.5, "_name", "why " * 30, 1))
        passing = len(re.findall(r"^\| \d{4}.*held", text, re.MULTILINE))
        said.append(("Left out" in text, passing >= count // 2, "Why, and what to do" in text, "| 0000" in text))
    assert said == [
        (False, True, True, True),
        (True, True, True, True),
        (True, False, True, True),
        (True, False, False, True),
        (True, False, False, True),
    ]


def test_what_is_left_out_is_said_and_where_to_find_it() -> None:
    text = markdown.render(_many(400, 0.5, "_name", "why " * 30, 1))
    assert "200 rows that passed are not shown." in text
    left_out = text.rstrip().splitlines()[-1]
    assert left_out.startswith("Left out, because GitHub takes no more: ")
    assert "Fold by fold" in left_out
    assert left_out.endswith("`--model-check-report report.json` has it all.")


def test_where_no_table_fits_the_failing_checks_are_named() -> None:
    text = markdown.render(_many(3000, 1.0, "_a_long_name" * 9, "why", 1))
    assert "\n**worse** (3,000): 0000" in text
    names = text.partition("**worse** (3,000): ")[2].splitlines()[0].split(", ")
    assert [name[:4] for name in names] == [f"{i:04d}" for i in range(3000)]


def test_more_failing_checks_than_any_comment_can_name_are_counted() -> None:
    run = Run(tuple(Verdict(f"{i}", "t", "error", False, "m") for i in range(20_000)), passed=False)
    text = markdown.render(run)
    assert "May not ship: 20,000 of 20,000 model checks failed" in text
    assert "Not even the names of what failed fit into a comment" in text
