"""The reports of a run to their files, and its annotations to the places in the code they are about."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_model_check import git
from pytest_model_check.atomic import write_text
from pytest_model_check.baselines import history
from pytest_model_check.errors import ModelCheckError
from pytest_model_check.judgement.verdicts import Run
from pytest_model_check.report import json_report, markdown, openmetrics
from pytest_model_check.report.annotations import lines
from pytest_model_check.report.html import page


def write(run: Run, path: Path, folder: Path) -> None:
    """Write a report, by its ending, whole or not at all.

    Parameters
    ----------
    run : Run
        What it tells of.
    path : Path
        The file; its folder is made.
    folder : Path
        Of the baselines, whose history a page shows.

    Raises
    ------
    OSError
        If it can't be written.
    """
    render: Mapping[str, Callable[[Run], str]] = {
        ".md": markdown.render,
        ".json": json_report.render,
        ".txt": openmetrics.render,
        ".html": lambda run: page.render(run, _histories(run, folder)),
    }
    text = render[path.suffix](run)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)


def _histories(run: Run, folder: Path) -> dict[str, tuple[history.Recording, ...]]:
    """Read how skilled each check's model was, recording by recording; where git can't tell, the page does without."""
    histories: dict[str, tuple[history.Recording, ...]] = {}
    for check in run.checks:
        if check.compared.recording:
            try:
                histories[check.name] = history.recordings(folder, check.name)
            except ModelCheckError:  # it decides nothing, and the command `model-check history` says what is wrong
                continue
    return histories


def annotations_of(run: Run, root: Path, locations: Mapping[str, tuple[str, int | None, str]]) -> list[str]:
    """Return the lines that GitHub Actions turns into marks at the failing tests.

    Parameters
    ----------
    run : Run
        What they tell of.
    root : Path
        pytest's rootdir.
    locations : mapping of str to (file, line, name)
        Where each test stands, as pytest reports it: from rootdir, lines counted from 0.
    """
    top = (git.toplevel(root) or Path(os.environ.get("GITHUB_WORKSPACE") or root)).resolve()
    places = {}
    for nodeid, (file, line, _) in locations.items():
        path = (root / file).resolve()
        shown = path.relative_to(top).as_posix() if path.is_relative_to(top) else path.as_posix()
        places[nodeid] = (shown, None if line is None else line + 1)
    return lines(run, places)
