"""From a table to a first approved model: look, choose, show, and only then write. Read this first in this folder."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_model_check.atomic import write_text
from pytest_model_check.baselines import history
from pytest_model_check.candidates import standard
from pytest_model_check.checks.make_check import make_check
from pytest_model_check.checks.toml import FILE, parse
from pytest_model_check.data import dataset
from pytest_model_check.data.dvc_cache import file_md5
from pytest_model_check.data.profile import Column, profile
from pytest_model_check.data.read_table import suggested
from pytest_model_check.errors import ModelCheckError, PromiseError
from pytest_model_check.fitting.local_engine import LocalEngine, start_early
from pytest_model_check.paths import quoted, show
from pytest_model_check.report import document, drawing, history_plot, spot_check_plot, spot_check_text
from pytest_model_check.report.document import Block, Code, Document, Figure, Paragraph, Section
from pytest_model_check.report.text import visible, visible_lines, wrapped
from pytest_model_check.report.text_table import draw
from pytest_model_check.report.writeup import write_up
from pytest_model_check.start import choose, project, source, trial
from pytest_model_check.start.project import Project
from pytest_model_check.start.proposal import Proposal, guess_target, propose
from pytest_model_check.start.trial import Progress, Trial

Ask = Callable[[str, str], str]  # a question and what an empty answer means -> the answer
WIDTH = 80  # columns that every terminal has
MOST_COLUMNS = 20  # that are shown


@dataclass(frozen=True)
class Wishes:
    """What was typed.

    Parameters
    ----------
    data : Path
        The table.
    target, task, name : str
        Empty: it is guessed.
    toml : bool
        Write the check without code.
    yes : bool
        Ask nothing.
    """

    data: Path
    target: str = ""
    task: str = ""
    name: str = ""
    toml: bool = False
    yes: bool = False


def init(wishes: Wishes, say: Callable[[str], object], ask: Ask | None, cores: int, progress: Progress) -> None:
    """Bring a first check of a table, and its baseline; what is written was shown before.

    Parameters
    ----------
    wishes : Wishes
        What was typed.
    say : callable
        Shows lines.
    ask : callable or None
        Asks; None: nobody is there to answer.
    cores : int
        How many fits to make at a time.
    progress : callable
        Is told how the fits come on.

    Raises
    ------
    ModelCheckError
        If there is something to mend first; then nothing was written.
    """
    start_early()  # what fits, while the table is looked at
    there = project.find(wishes.data)
    name = _name(wishes)
    place = there.root / (FILE if wishes.toml else f"tests/test_{name}.py")
    test = name if wishes.toml else f"test_{name}"
    page = there.root / f"{name}.html"
    before = _before(place, name) if wishes.toml else ""
    project.require_free([*([] if before else [place]), page, there.root / "baselines" / f"{name}.json"])

    read = suggested(there.data, there.name)
    table = dataset.table(there.data, there.name, read)
    columns = profile(table)
    say(_table(there.name, len(table), columns))
    target, why = _target(columns, wishes, ask)
    proposal = propose(table, columns, there.name, target, why, wishes.task, read)
    say(_choices(proposal))

    found = _try(there, proposal, cores, progress)
    say("\n".join(["", *spot_check_text.render(found.found, found.seconds)]))
    chosen = choose.choose(found)
    say("\n".join(wrapped(f"Taken: {chosen.reason}.")))

    fewer = choose.seeds(chosen.name, found.rows)
    write = source.toml if wishes.toml else source.python
    text = write(proposal, name, chosen.name, chosen.reason, [fewer] if fewer else [])
    files = {place: before + text, **there.settings()}
    say(_plan(there, files, name, page))
    if not wishes.yes and (ask is None or not ask("Write all this?", "no").casefold().startswith("y")):
        raise ModelCheckError("nothing was written", "With --yes, all this is written, and nothing is asked.")
    nodeid = f"{place.relative_to(there.root).as_posix()}::{test}"
    project.write(there, files, nodeid, name, page, lambda: _write_up(there, name, page, found, chosen.reason))
    say(_next(there, files, name, page))


def _name(wishes: Wishes) -> str:
    """Return a name that is Python's, too: the test is called so."""
    given = wishes.name or wishes.data.stem
    name = re.sub(r"\W+", "_", given.casefold(), flags=re.ASCII).strip("_") or "model"
    if wishes.name and name != wishes.name:
        raise PromiseError(f"--name {wishes.name!r} is no name of a test", f"Use small letters, digits and _: {name}")
    return name


def _before(file: Path, name: str) -> str:
    """Return what the file of checks without code says already: the new one comes after it."""
    if not file.exists():
        return ""
    text = file.read_text(encoding="utf-8")
    if name in {check.name for check in parse(text)}:
        raise project.TakenError(f"{show(file)} has a check {name} already", "Choose another: --name NAME")
    return f"{text.rstrip()}\n\n"


def _target(columns: Sequence[Column], wishes: Wishes, ask: Ask | None) -> tuple[str, str]:
    if wishes.target:
        return wishes.target, "it was named"
    guess, why = guess_target(columns)
    if ask is None or wishes.yes:
        return guess, why
    answer = ask(f"Which column is to be predicted? ({why})", guess)
    return answer, why if answer == guess else "it was named"


def _try(there: Project, proposal: Proposal, cores: int, progress: Progress) -> Trial:
    models = {name: standard.make(name, proposal.task) for name in standard.names(proposal.task)}
    check = make_check(models[choose.DUMMY], name="trial", **proposal.arguments())
    rows = dataset.read(check, there.root, file_md5)
    with LocalEngine(cores, nested=cores == 1) as engine:
        return trial.run(check, models, there.root, engine, progress, data=rows)


# -- what is shown -----------------------------------------------------------------------------------------------------


def _table(name: str, rows: int, columns: Sequence[Column]) -> str:
    shown = [
        (visible(c.name)[:28], c.kind, f"{c.missing:,}", f"{c.distinct:,}", visible(", ".join(c.values))[:24])
        for c in columns[:MOST_COLUMNS]
    ]
    headers, align = ("column", "kind", "missing", "distinct", "e.g."), ("left", "left", "right", "right", "left")
    more = [f"and {len(columns) - MOST_COLUMNS} more columns"] if len(columns) > MOST_COLUMNS else []
    return "\n".join(
        [visible(f"{name}: {rows:,} rows, {len(columns)} columns"), "", *draw(headers, shown, align), *more]
    )


def _choices(proposal: Proposal) -> str:
    lines = ["", "The check:"]
    for choice in proposal.choices:
        lines += _set_in(f"{choice.key} = {_clipped(source.literal(choice.value))}", "  ")
        lines += _set_in(choice.reason, "      ")
    return "\n".join(lines)


def _set_in(text: str, by: str) -> list[str]:
    return textwrap.wrap(visible(text), WIDTH, initial_indent=by, subsequent_indent=by, break_on_hyphens=False)


def _clipped(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:190]} ...]"


def _plan(there: Project, files: dict[Path, str], name: str, page: Path) -> str:
    lines = ["", "This will be done:", *(f"  {step}" for step in there.steps())]
    lines += [f"  pytest --update-baselines: baselines/{name}.json and .parquet"]
    lines += [f"  a write-up: {show(page)}"]
    lines += (
        [f"  dvc push: to {'.dvc/remote' if there.remote == 'inside' else 'its remote'}"]
        if there.remote != "none"
        else []
    )
    for path, text in files.items():
        lines += [
            "",
            f"  {show(path)}:",
            *(f"  | {line}".rstrip() for line in visible_lines(text.rstrip()).split("\n")),
        ]
    return "\n".join([*lines, ""])


def _next(there: Project, files: dict[Path, str], name: str, page: Path) -> str:
    written = [*files, page, *there.to_commit(name)]
    names = " ".join(quoted(path) for path in dict.fromkeys(written))
    push = [] if there.remote != "none" else ["  dvc remote add -d storage URL && git add .dvc/config && dvc push"]
    return "\n".join([
        f"Written and recorded. {show(page)} is an account of it, to keep. To approve:",
        f"  git add {names}",
        f'  git commit -m "Approve the first baseline of {name}"',
        *push,
        "Then check every change of the model, the data or the code: pytest --model-check",
        "",
    ])  # fmt: skip


# -- the write-up ------------------------------------------------------------------------------------------------------


def _write_up(there: Project, name: str, page: Path, found: Trial, reason: str) -> None:
    past = history.read(there.root / "baselines", name)
    drawn = drawing.available()
    account = write_up(past, "baselines", plot=history_plot.inline(past) if drawn else None)
    section = Section("How it was chosen", _how(found, reason, spot_check_plot.inline(found.found) if drawn else None))
    first, second, *others = account.sections
    whole = Document(account.title, account.byline, (first, second, section, *others))
    write_text(page, document.html(whole))


def _how(found: Trial, reason: str, plot: str | None) -> tuple[Block, ...]:
    figure = [] if plot is None else [Figure(plot, "The candidates, fold by fold, and every pair, as in the tables.")]
    return (
        Paragraph(
            f"Standard pipelines were fitted once in each of the same {found.folds} folds. The intervals hold "
            "together, at 95%:"
        ),
        Code(found.splitter),
        *spot_check_text.blocks(found.found, found.seconds),
        *figure,
        Paragraph(f"Taken: {reason}."),
    )
