"""The command ``model-check``: from a table to a first check, and the life of its baseline."""

from __future__ import annotations

import argparse
import io
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_model_check.gate.judge_evidence import Refit

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

JUDGE = """\
Baselines and promises come from the merge base, data from what git and DVC name, predictions from the evidence; scores
and verdicts are computed anew. Run it where pytest is run, in a fresh checkout of the branch, with a Python in which
nothing of the branch is installed. What only the project's code could tell (load= that changes rows, scorers of its
own, data that moved) is refused in words, and fails.

exit code: 0, 1 if a check fails, is absent, or the run said otherwise, 2 if nothing can be judged

example:
  model-check judge evidence --against origin/main --report report.md
"""

INIT = """\
Everything that will be written is shown first, and nothing is written over. If anything fails, nothing is left.

examples:
  model-check init customers.csv
  model-check init data/customers.csv --target churned --yes
"""

COMPARE = """\
Standard pipelines: dummy, logistic (classes) or ridge (numbers), neighbors, forest, boosting. Others are named as
package.module:name, of an estimator, its class, or a function that returns one.
Each is fitted once in every fold. The intervals of a metric hold together, at 95%, however many pairs there are.

example:
  model-check compare tests/test_models.py::test_churn --with logistic,forest,boosting
"""
SCHEMAS = ("report", "baseline", "evidence", "evidence-check")  # the files in the folder schemas

Command = Callable[[argparse.Namespace], tuple[str, int]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 for what the user must mend)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an author's name must not break an ASCII terminal
            stream.reconfigure(errors="backslashreplace")
    typed = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(typed)
    if options.command == "judge" and not sys.flags.isolated:  # what a branch put where Python looks stays outside
        command = [sys.executable, "-P", "-I", "-m", "pytest_model_check.cli", *typed]
        return subprocess.run(command, check=False).returncode  # noqa: S603

    from pytest_model_check.errors import ModelCheckError

    try:
        text, code = options.run(options)
    except ModelCheckError as error:
        from pytest_model_check.report.text import failure

        sys.stderr.write(f"model-check: {failure(error.message, error.advice)}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nmodel-check: interrupted\n")
        return 130
    sys.stdout.write(text)
    return int(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="model-check", description="Look at model baselines. To judge a model: pytest --model-check"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, run: Command, summary: str, more: str = "", *, reads_baselines: bool = True
    ) -> argparse.ArgumentParser:
        subparser = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        subparser.set_defaults(run=run)
        if reads_baselines:
            subparser.add_argument(
                "--baselines", type=Path, default=Path("baselines"), metavar="DIR", help="default: baselines"
            )
        return subparser

    init = command(
        "init",
        _init,
        "from a table to a first approved model: look, try standard pipelines, write the check, record its baseline",
        INIT,
        reads_baselines=False,
    )
    init.add_argument("data", type=Path, metavar="DATA", help="the table: .csv or .parquet")
    init.add_argument("--target", default="", metavar="COLUMN", help="what is to be predicted (default: guessed)")
    init.add_argument("--task", default="", choices=("classification", "regression"), help="default: by the target")
    init.add_argument("--name", default="", metavar="NAME", help="of the check (default: the table's)")
    init.add_argument("--toml", action="store_true", help="write the check without code, into model_checks.toml")
    init.add_argument("--yes", action="store_true", help="ask nothing")

    show = command("show", _show, "what is promised: score, margin and dummy of each baseline")
    show.add_argument("names", nargs="*", metavar="NAME", help="baselines to show (default: all)")

    history = command(
        "history",
        _history,
        "every recording of a baseline, with the commit that brought it",
        "examples:\n  model-check history churn\n  model-check history --plot skill.svg",
    )
    history.add_argument("names", nargs="*", metavar="NAME", help="baselines to show (default: all)")
    history.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw it too: .png or .svg (needs pytest-model-check[report])"
    )

    diff = command(
        "diff",
        _diff,
        "the accuracy diff table between the baselines at two revisions, without fitting anything",
        DIFF,
    )
    diff.add_argument("a", nargs="?", default="HEAD", metavar="A", help="a commit, branch or tag (default: HEAD)")
    diff.add_argument("b", nargs="?", metavar="B", help="another one (default: the working tree)")
    diff.add_argument("--format", choices=("text", "markdown", "json"), default="text", help="default: text")

    plan = command(
        "plan",
        _plan,
        "what a margin needs: rows, splits and seeds, by the noise of a baseline; nothing is fitted",
        "examples:\n  model-check plan churn --margin 0.005\n"
        "  model-check plan churn --metric roc_auc --margin 0.005 --svg power.svg",
    )
    plan.add_argument("name", metavar="NAME", help="the baseline whose noise is taken")
    plan.add_argument(
        "--margin", type=float, required=True, metavar="M", help="the harmless loss, in the metric's unit"
    )
    plan.add_argument("--metric", metavar="METRIC", help="which one (default: the only one that is judged)")
    plan.add_argument("--svg", type=Path, metavar="FILE", help="draw it too (needs pytest-model-check[report])")

    merge = command(
        "merge",
        _merge,
        "one verdict from the reports of shards: CI that splits the checks over several jobs",
        "exit code: 0 if all may ship, 1 if not, 2 if a report can't be read\n\nexample:\n"
        "  model-check merge report-*.json --report report.md --report report.html",
    )
    merge.add_argument("reports", nargs="+", type=Path, metavar="JSON", help="what each shard wrote")
    merge.add_argument(
        "--report",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="write the report of all, repeatable: .md, .html, .json or .txt",
    )
    merge.add_argument("--shards", type=int, metavar="N", help="how many there are: with fewer reports it fails")

    compare = command(
        "compare",
        _compare,
        "candidates of one check side by side, in the same folds; every pair with its interval, nothing recorded",
        COMPARE,
        reads_baselines=False,
    )
    compare.add_argument("test", metavar="TEST", help="the test that makes the check: FILE::NAME")
    compare.add_argument(
        "--with", dest="others", required=True, metavar="NAMES", help="what its candidate is compared with: A,B,..."
    )
    compare.add_argument("--svg", type=Path, metavar="FILE", help="draw it too (needs pytest-model-check[report])")

    rename = command(
        "rename",
        _rename,
        "give a baseline the new name of its check, and keep its history",
        'example:\n  model-check rename churn attrition    # then rename the test, or pass name="attrition"',
    )
    rename.add_argument("old", metavar="OLD", help="as the baseline is called now")
    rename.add_argument("new", metavar="NEW", help="letters, digits, . _ -")

    retire = command(
        "retire",
        _retire,
        "put the baseline of a check that is given up aside, with the reason",
        'example:\n  model-check retire churn "the shop was closed"',
    )
    retire.add_argument("name", metavar="NAME", help="the baseline")
    retire.add_argument("reason", metavar="REASON", help="why nobody needs the check any more; every diff shows it")

    judge = command(
        "judge",
        _judge,
        "judge a run by the evidence it left, in a process that imports and runs nothing of the branch",
        JUDGE,
    )
    judge.add_argument(
        "evidence",
        nargs="+",
        type=Path,
        metavar="EVIDENCE",
        help="what --model-check-evidence wrote; of checks that are split over jobs, the folder of each",
    )
    judge.add_argument(
        "--against",
        metavar="REV",
        help="take promises and baselines from the merge base of HEAD and REV (default: of a pull request's target, in "
        "CI)",
    )
    judge.add_argument(
        "--report",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="write the report to FILE, repeatable; by its ending .md, .html, .json or .txt",
    )
    judge.add_argument(
        "--sealed-refit",
        action="store_true",
        help="make the fits that decide here, in sandboxes that see code and rows, but no answers (Linux, bubblewrap)",
    )

    write_up = command(
        "write-up",
        _write_up,
        "an account of a model to keep: problem, data, protocol, skill, history, caveats, how to reproduce it",
        "examples:\n  model-check write-up churn\n  model-check write-up churn --out churn.html --author 'Ada Byron'",
    )
    write_up.add_argument("name", metavar="NAME", help="the baseline")
    write_up.add_argument("--out", type=Path, metavar="FILE", help=".md or .html (default: Markdown, to the terminal)")
    write_up.add_argument("--author", default="", help="who signs it")
    _add_files_of_machines(command)
    return parser


def _add_files_of_machines(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add what reads and writes files for other tools."""
    export = command(
        "export",
        _export,
        "a JSON report to MLflow, DVCLive or the Hugging Face Hub's .eval_results",
        "examples:\n  model-check export report.json --to mlflow      # MLFLOW_TRACKING_URI says where\n"
        "  model-check export report.json --to dvclive     # dvc metrics show dvclive/metrics.json\n"
        "  model-check export report.json --to hf --dataset OWNER/NAME",
        reads_baselines=False,
    )
    export.add_argument("report", type=Path, metavar="JSON", help="what --model-check-report FILE.json wrote")
    export.add_argument("names", nargs="*", metavar="NAME", help="checks to export (default: all)")
    export.add_argument("--to", choices=("mlflow", "dvclive", "hf"), required=True, help="for whom")
    export.add_argument(
        "--out", type=Path, metavar="DIR", help="the folder (default: dvclive, .eval_results); not of mlflow"
    )
    export.add_argument("--dataset", metavar="OWNER/NAME", help="hf: the benchmark's dataset on the Hub")
    export.add_argument("--task", metavar="ID", help="hf: which of its tasks (default: the check's name)")
    export.add_argument("--metric", metavar="METRIC", help="hf: whose score (default: the only one that is judged)")

    lint = command(
        "lint",
        _lint,
        "whether baselines may be committed: well-formed, not edited, with reasons and their predictions' .dvc file",
        "exit code: 0 if all may, 2 if not\n\nexample:\n  model-check lint baselines/churn.json",
    )
    lint.add_argument("files", nargs="*", type=Path, metavar="JSON", help="baselines (default: all)")

    schema = command(
        "schema",
        _schema,
        "the JSON Schema of a file that machines read",
        "example:\n  model-check schema report > report.schema.json",
        reads_baselines=False,
    )
    schema.add_argument(
        "name", choices=SCHEMAS, metavar="NAME", help="report, baseline, evidence (its manifest) or evidence-check"
    )


def _show(options: argparse.Namespace) -> tuple[str, int]:
    from pytest_model_check.baselines import history, store
    from pytest_model_check.report import promise_table

    names = history.names(options.baselines, options.names)
    baselines = [baseline for name in names if (baseline := store.read(options.baselines, name)) is not None]
    return promise_table.render(baselines, _width()), 0


def _history(options: argparse.Namespace) -> tuple[str, int]:
    from pytest_model_check.baselines import history
    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.report import history_plot, history_table

    form = options.plot.suffix.lower().removeprefix(".") if options.plot else ""
    if options.plot and form not in history_plot.FORMATS:
        raise ModelCheckError(f"--plot {options.plot}: can't draw {form or 'that'}", "Name a .png or .svg file.")
    histories = [history.read(options.baselines, name) for name in options.names or history.names(options.baselines)]
    text = history_table.render(histories, _width())
    if options.plot:
        drawable = [each for each in histories if each.recordings]
        if not drawable:
            raise ModelCheckError("--plot: there is no recording to draw", text)
        _save(options.plot, history_plot.draw(drawable, form))
        text += f"\nDrawn: {options.plot}\n"
    return text, 0


def _width() -> int | None:
    """Return how wide the terminal is; None where the output goes into a file, which is as wide as it takes."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _diff(options: argparse.Namespace) -> tuple[str, int]:
    from pytest_model_check.baselines import diff
    from pytest_model_check.report import diff_table

    difference = diff.difference(options.baselines, options.a, options.b)
    return diff_table.FORMATS[options.format](difference), int(difference.worse)


def _plan(options: argparse.Namespace) -> tuple[str, int]:
    from pytest_model_check.baselines import planned
    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.report import plan_plot, plan_text

    if options.svg and options.svg.suffix.lower() != ".svg":
        raise ModelCheckError(f"--svg {options.svg}: can draw SVG only", "Name a .svg file.")
    baseline, metric = planned.read(options.baselines, options.name, options.metric, options.margin)
    text = plan_text.render(baseline, metric, options.margin)
    if options.svg:
        _save(options.svg, plan_plot.draw(baseline, metric, options.margin))
        text += f"\nDrawn: {options.svg}\n"
    return text, 0


def _init(options: argparse.Namespace) -> tuple[str, int]:
    from joblib import cpu_count

    from pytest_model_check.start import init, trial_progress

    wishes = init.Wishes(options.data, options.target, options.task, options.name, options.toml, options.yes)
    ask = _asked if sys.stdin.isatty() and not options.yes else None
    init.init(wishes, _say, ask, cpu_count(), trial_progress.on(sys.stderr))
    return "", 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _asked(question: str, default: str) -> str:
    from pytest_model_check.report.text import visible

    try:
        return input(visible(f"{question} [{default}] ")).strip() or default
    except EOFError:
        return default


def _compare(options: argparse.Namespace) -> tuple[str, int]:
    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.report import spot_check_plot, spot_check_text
    from pytest_model_check.report.text import visible
    from pytest_model_check.session import spot_check_session

    if options.svg and options.svg.suffix.lower() != ".svg":
        raise ModelCheckError(f"--svg {options.svg}: can draw SVG only", "Name a .svg file.")
    names = [name.strip() for name in options.others.split(",") if name.strip()]
    trial = spot_check_session.compare(options.test, names)
    head = [f"{trial.check.name}: {trial.rows:,} rows, the same {trial.folds} folds for all", trial.splitter]
    lines = [*map(visible, head), "", *spot_check_text.render(trial.found, trial.seconds), "Nothing was recorded."]
    if options.svg:
        _save(options.svg, spot_check_plot.draw(trial.found))
        lines.append(f"Drawn: {options.svg}")
    return "\n".join(lines) + "\n", 0


def _merge(options: argparse.Namespace) -> tuple[str, int]:
    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.report import json_report, sentences, shards, terminal, text
    from pytest_model_check.session import outputs
    from pytest_model_check.session.names import ENDINGS

    for path in options.report:
        if path.suffix not in ENDINGS:
            raise ModelCheckError(
                f"--report {path}: can't tell the format by its ending", f"Use one of {', '.join(ENDINGS)}."
            )
    runs = {path.as_posix(): json_report.read_report(path) for path in options.reports}
    run = shards.merge(runs, options.shards)
    for path in options.report:
        try:
            outputs.write(run, path, options.baselines)
        except OSError as error:
            raise ModelCheckError(f"{path} can't be written: {error.strerror}") from error
    lines = [*terminal.summary(run.checks, 0), *map(text.visible_lines, (*run.retired, *run.problems))]
    return "\n".join([*lines, sentences.headline(run), ""]), int(not run.passed)


def _rename(options: argparse.Namespace) -> tuple[str, int]:
    from pytest_model_check.baselines import rename

    folder, old, new = options.baselines, options.old, options.new
    paths = rename.rename(folder, old, new)
    return (
        f"renamed {folder / old}.json to {folder / new}.json; its history comes with it\n"
        f'Now rename the test to test_{new}, or pass name="{new}" to model_check. To approve:\n'
        f"{_commit(paths, f'Rename the baseline {old} to {new}')}"
        "DVC keeps the same predictions: there is nothing to push.\n"
    ), 0


def _retire(options: argparse.Namespace) -> tuple[str, int]:
    from pytest_model_check.baselines import retire
    from pytest_model_check.baselines.record import RETIRED

    paths = retire.retire(options.baselines, options.name, options.reason)
    return (
        f"retired {options.name}: its record is {options.baselines / RETIRED / options.name}.json, with the reason\n"
        "Now delete the test. To approve:\n"
        f"{_commit(paths, f'Retire the check {options.name}')}"
    ), 0


def _commit(paths: Sequence[Path], message: str) -> str:
    files = " ".join(shlex.quote(path.as_posix()) for path in paths)
    return f"  git add -A -- {files}\n  git commit -m {shlex.quote(message)}\n"


def _write_up(options: argparse.Namespace) -> tuple[str, int]:
    from pytest_model_check.baselines import history
    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.report import document, drawing, history_plot
    from pytest_model_check.report.writeup import write_up

    form = options.out.suffix.lower() if options.out else ".md"
    if form not in (".md", ".html"):
        raise ModelCheckError(f"--out {options.out}: can't write {form or 'that'}", "Name a .md or .html file.")
    past = history.read(options.baselines, options.name)
    if not past.recordings:
        raise ModelCheckError(f"{options.name}: no recording of it can be read", "\n".join(past.remarks))
    plot, note = None, ""
    if form == ".html":
        try:
            plot = history_plot.inline(past)
        except drawing.NoMatplotlibError as error:  # the table says the same
            note = f"Without the plot: {error}\n"
    account = write_up(past, options.baselines.as_posix(), author=options.author, plot=plot)
    if options.out is None:
        return document.markdown(account), 0
    _save(options.out, (document.html if form == ".html" else document.markdown)(account).encode())
    return f"written: {options.out}\n{note}", 0


def _judge(options: argparse.Namespace) -> tuple[str, int]:
    import os
    import tempfile
    from dataclasses import replace

    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.gate import judge_run
    from pytest_model_check.pull_requests import merge_base
    from pytest_model_check.report import terminal, text
    from pytest_model_check.session import outputs
    from pytest_model_check.session.names import ENDINGS
    from pytest_model_check.settings import Settings

    if wrong := next((path for path in options.report if path.suffix not in ENDINGS), None):
        raise ModelCheckError(f"--report {wrong}: can't tell the format", f"Use one of {', '.join(ENDINGS)}.")
    root = Path.cwd()
    folder = root / options.baselines
    against = merge_base.find(root, options.against, os.environ, (root, folder))
    if against is None:
        raise ModelCheckError("nothing says what to judge against", "Name the target branch: --against origin/main")
    if options.against is not None:
        against = replace(against, source="--against")
    with tempfile.TemporaryDirectory(prefix="model-check-") as scratch:
        charts = any(path.suffix == ".html" for path in options.report)
        settings = Settings(root, folder, Path(scratch), revision=against.sha, charts=charts)
        with _refit(root, folder, options.evidence, Path(scratch)) if options.sealed_refit else nullcontext() as refit:
            run = judge_run.judge(options.evidence, against, settings, str(options.baselines), refit)
    for path in options.report:
        try:
            outputs.write(run, path, folder)
        except OSError as error:
            raise ModelCheckError(f"{path} can't be written: {error.strerror}", "Name another file.") from error
    table = terminal.summary(run.checks, 0, width=_width()) if run.checks else []
    words = [text.failure(check.message, check.advice) for check in run.checks if not check.passed]
    lines = [*map(text.visible_lines, (*run.problems, *run.retired)), *table, *words, text.visible(str(run.against))]
    return "\n".join(lines) + "\n", 0 if run.passed else 1


def _export(options: argparse.Namespace) -> tuple[str, int]:
    from dataclasses import replace

    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.exports import eval_results, trackers
    from pytest_model_check.report.json_report import read_report

    run, of_hub = read_report(options.report), ("dataset", "task", "metric")
    if unknown := set(options.names) - {check.name for check in run.checks}:
        known = ", ".join(check.name for check in run.checks) or "none"
        raise ModelCheckError(f"{options.report} has no check {min(unknown)}", f"It has: {known}.")
    if options.names:
        run = replace(run, checks=tuple(check for check in run.checks if check.name in options.names))
    meant_for = {"mlflow": (), "dvclive": ("out",), "hf": ("out", *of_hub)}[options.to]
    if idle := [name for name in ("out", *of_hub) if getattr(options, name) is not None and name not in meant_for]:
        raise ModelCheckError(f"--{idle[0]} says nothing to {options.to}", "Leave it out.")
    if options.to == "mlflow":
        return f"{trackers.to_mlflow(run, options.report)}\n", 0
    if options.to == "dvclive":
        return f"{trackers.to_dvclive(run, options.out or Path('dvclive'))}\n", 0
    if options.dataset is None:
        raise ModelCheckError("the Hub shows a result beside its benchmark's dataset", "Name it: --dataset OWNER/NAME")
    files = eval_results.render(run, options.dataset, options.task, options.metric)
    folder = options.out or Path(".eval_results")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelCheckError(f"{folder} can't be made: {error.strerror}", "Name another: --out DIR") from error
    for name, content in files.items():
        _save(folder / name, content.encode())
    return "".join(f"written: {folder / name}\n" for name in files), 0


def _lint(options: argparse.Namespace) -> tuple[str, int]:
    from pytest_model_check.baselines import history
    from pytest_model_check.baselines.lint import require_sound
    from pytest_model_check.errors import BaselineError
    from pytest_model_check.report.text import failure

    files = options.files or [options.baselines / f"{name}.json" for name in history.names(options.baselines)]
    wrong = []
    for path in files:
        try:
            require_sound(path)
        except BaselineError as error:
            wrong.append(failure(error.message, error.advice))
    lines = [*wrong, f"{len(files) - len(wrong)} of {len(files)} baselines may be committed"]
    return "\n".join(lines) + "\n", 2 if wrong else 0


def _schema(options: argparse.Namespace) -> tuple[str, int]:
    path = Path(__file__).parent / "schemas" / f"{options.name}.json"
    return path.read_text(encoding="utf-8"), 0


@contextmanager
def _refit(root: Path, baselines: Path, evidence: Sequence[Path], scratch: Path) -> Iterator[Refit]:
    """Yield what makes the fits of a judge."""
    from pytest_model_check.errors import ModelCheckError
    from pytest_model_check.gate.judge_evidence import Refit
    from pytest_model_check.sealing import view
    from pytest_model_check.sealing.engine import SealedEngine
    from pytest_model_check.session import engines
    from pytest_model_check.session.refit import FromTest

    if problem := view.problem():
        raise ModelCheckError(f"--sealed-refit: {problem}")
    hidden = (baselines, *(root / path for path in evidence))
    with SealedEngine(engines.cores(), root, scratch, hidden=hidden, apart=True) as engine:
        yield Refit(engine, lambda found, target: FromTest(found.name, found.nodeid, root, target, found.candidate))


def _save(path: Path, content: bytes) -> None:
    from pytest_model_check.atomic import write_bytes
    from pytest_model_check.errors import ModelCheckError

    try:
        write_bytes(path, content)
    except OSError as error:
        raise ModelCheckError(
            f"{path} can't be written: {error.strerror}", "Name a file in a folder that is there."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
