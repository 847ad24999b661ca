"""`model-check diff`: the baselines at two revisions, side by side."""

from __future__ import annotations

import argparse

from pytest_model_check.commands.parser import Commands

DIFF = """\
verdicts, of the same rows in the same folds, by the scores of the folds:
  identical     the same predictions, or the same scores
  better        95% sure that B is better
  held          95% sure that B loses less than A's margin
  worse         B loses A's margin or more, as recorded; or it is 99.75% sure that B loses something
  inconclusive  the folds can't tell (pytest --model-check sees more: it compares row by row)
other data, incomparable (other folds, another definition): the scores are shown, and nothing is claimed.
A promise is weakened where a baseline, metric or slice is gone, a named margin is wider, or the protocol is another.

exit code: 0, 1 if something is worse, gone or weakened (accepted losses too), 2 if it can't be told

examples:
  model-check diff                    # HEAD against the working tree
  model-check diff origin/main HEAD --format markdown
  model-check diff v1.0 v2.0
"""


def add(commands: Commands) -> None:
    """Declare the command and what it takes."""
    command = commands.add(
        "diff",
        run,
        "the accuracy diff table between the baselines at two revisions, without fitting anything",
        DIFF,
    )
    command.add_argument("a", nargs="?", default="HEAD", metavar="A", help="a commit, branch or tag (default: HEAD)")
    command.add_argument("b", nargs="?", metavar="B", help="another one (default: the working tree)")
    command.add_argument("--format", choices=("text", "markdown", "json"), default="text", help="default: text")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run it; return what to print, and the exit code."""
    from pytest_model_check.baselines import diff
    from pytest_model_check.report import diff_table

    difference = diff.difference(options.baselines, options.a, options.b)
    return diff_table.FORMATS[options.format](difference), int(difference.worse)
