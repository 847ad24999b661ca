"""Make docs/examples/: what a reviewer sees on four pull requests, by running the workflows of this repository.

Run from the repository root: ``python docs/make_examples.py``. It makes a temporary repository with real data and
approved models, proposes four changes on branches, runs ``model-check.yml`` for each as GitHub would, then
``model-check-comment.yml`` against a stand-in for GitHub's API, and keeps the comment that arrives there. Where there
is a Chromium, it takes the picture of the page, too.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import make_data  # noqa: E402
from support.fake_github import OWN, FakeGitHub, archive, pull_request  # noqa: E402
from support.run_workflow import Event, Job, Runner, make_hub  # noqa: E402

EXAMPLES = ROOT / "docs" / "examples"
TODAY = "2026-01-12T09:00:00+00:00"  # of all commits, so that their hashes are the same each time
NOBODY = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
          for what, value in {"NAME": "Someone", "EMAIL": "someone@example.org", "DATE": TODAY}.items()}  # fmt: skip
# The workflow installs from an index; here the package is there already.
OVERRIDE = {"install": ":"}
PLUGIN = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_model_check.plugin", "DVC_NO_ANALYTICS": "1"}
TIME = "…"  # in place of how long a check took

CHECKS = '''
from models import delay, progression


def test_late_flights(model_check):
    """Will a flight from New York be 30 minutes late?"""
    model_check(
        delay(),
        data="data/flights.parquet",
        target="late",
        metrics=["neg_log_loss", "roc_auc"],
        slices=["origin"],
    )


def test_progression(model_check):
    """How far does diabetes go in a year?"""
    model_check(
        progression(),
        data="data/patients.csv",
        target="progression",
        metrics=["r2", "neg_mean_absolute_error"],
        slices=["sex"],
    )
'''
MODELS = """
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier


def columns():
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore", min_frequency=20), make_column_selector(dtype_include="category")),
    )


def delay():
    return make_pipeline(columns(), LogisticRegression(max_iter=1000))


def progression():
    return make_pipeline(StandardScaler(), Ridge())
"""


@dataclass(frozen=True)
class Proposal:
    """A pull request.

    Parameters
    ----------
    name : str
        Of its branch, and of the file with its comment.
    title : str
        Its commit.
    before, after : str
        What it changes in the models' code.
    months : int
        Of the flights.
    record : sequence of str or None
        How it brings a new baseline; None: it brings none.
    """

    name: str
    title: str
    before: str = ""
    after: str = ""
    months: int = 1
    record: Sequence[str] | None = None


PROPOSALS = (
    Proposal(
        "blocked-regression",
        "Name the columns that are numbers",
        'make_column_selector(dtype_include="number")',
        'make_column_selector(pattern="hour|minute|weekday|distance|plane_year|engines|seats")',
    ),
    Proposal(
        "approved-improvement",
        "Boost trees",
        "make_pipeline(columns(), LogisticRegression(max_iter=1000))",
        'HistGradientBoostingClassifier(max_iter=40, early_stopping=False, categorical_features="from_dtype")',
        record=(),
    ),
    Proposal(
        "accepted-loss",
        "A tree that dispatchers can read",
        "LogisticRegression(max_iter=1000)",
        "DecisionTreeClassifier(max_depth=5, min_samples_leaf=50)",
        record=("--model-check-accept", "Dispatchers must be able to read why a flight is called late"),
    ),
    Proposal(
        "data-moved",
        "February, and a little more regularisation",
        "LogisticRegression(max_iter=1000)",
        "LogisticRegression(C=0.1, max_iter=1000)",
        months=2,
    ),
)
PICTURED = "accepted-loss"


def main() -> None:
    """Make every example again."""
    os.environ |= NOBODY | PLUGIN | {"PYTHONPATH": str(ROOT / "harness")}
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "project")
        set_up(project)
        for number, proposal in enumerate(PROPOSALS, 1):
            print(f"{proposal.name} ...", flush=True)
            propose(project, proposal)
            reports, text = review(project, proposal.name, number, Path(folder, proposal.name))
            (EXAMPLES / f"{proposal.name}.md").write_text(timeless(text), encoding="utf-8")
            if proposal.name == PICTURED:
                picture(reports / "report.html", EXAMPLES / "page.png")


# -- the repository ----------------------------------------------------------------------------------------------------


def set_up(project: Path) -> None:
    """Make a repository with data, two models and their approved baselines."""
    project.mkdir()
    write_data(project, months=1)
    shutil.copytree(ROOT / ".github", project / ".github", ignore=shutil.ignore_patterns("__pycache__"))
    write(project / "pytest.ini", "[pytest]\n")
    write(project / ".gitignore", ".pytest_cache/\n__pycache__/\n")
    write(project / "models.py", MODELS.lstrip())
    write(project / "test_models.py", CHECKS.lstrip())
    run(project, "git", "init", "-q", "-b", "main")
    dvc(project, "init")
    dvc(project, "remote", "add", "-d", "inside", ".dvc/remote")  # in git: a clone has everything
    dvc(project, "add", "data")
    commit(project, "Two models and their data")
    pytest(project, "--update-baselines")
    commit(project, "Approve the first baselines")


def propose(project: Path, proposal: Proposal) -> None:
    """Commit a change, and the baseline that it brings, to a branch of its own."""
    run(project, "git", "checkout", "-q", "-b", proposal.name, "main")
    dvc(project, "checkout")
    models = project / "models.py"
    text = models.read_text(encoding="utf-8")
    if text.count(proposal.before) != 1:
        raise SystemExit(f"{proposal.name}: models.py does not hold {proposal.before!r} once: change this script")
    write(models, text.replace(proposal.before, proposal.after))
    if proposal.months > 1:
        write_data(project, proposal.months)
        dvc(project, "add", "data")
    if proposal.record is not None:
        pytest(project, "--update-baselines", "-k", "late_flights", *proposal.record)
    commit(project, proposal.title)


def write_data(project: Path, months: int) -> None:
    """Write every other flight of so many months, which only adds rows with a month more, and the patients."""
    (project / "data").mkdir(exist_ok=True)
    flights = make_data.flights(months).drop(columns="departure").iloc[::2]
    flights.to_parquet(project / "data" / "flights.parquet", index=False)
    make_data.diabetes().to_csv(project / "data" / "patients.csv", index=False, lineterminator="\n")


def commit(project: Path, title: str) -> None:
    """Push the data, and commit all that is there."""
    dvc(project, "push")
    run(project, "git", "add", "-A")
    run(project, "git", "-c", "commit.gpgsign=false", "commit", "-q", "-m", title)


def write(path: Path, text: str) -> None:
    """Write a file, the same on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def dvc(project: Path, *arguments: str) -> None:
    """Run DVC."""
    run(project, sys.executable, "-m", "dvc", "-q", *arguments)


def pytest(project: Path, *arguments: str) -> None:
    """Run the model checks."""
    run(project, sys.executable, "-m", "pytest", *arguments)


def run(folder: Path, *command: str) -> None:
    """Run a command that must succeed."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}")


# -- what GitHub does --------------------------------------------------------------------------------------------------


def review(project: Path, branch: str, number: int, work: Path) -> tuple[Path, str]:
    """Run both workflows for a branch; give the folder of its reports, and the comment that arrived."""
    event = Event(project, head=branch)
    hub = make_hub(event, work / "hub.git")
    runner = Runner(event, hub, work / "check", work / "artifacts", OVERRIDE, env=PLUGIN)
    job = runner.run(".github/workflows/model-check.yml", {"judge": Job()})["model-check"]  # its report is the example
    reports = work / "artifacts" / "model-check"
    if not (reports / "report.md").is_file():
        raise SystemExit(f"{branch}: there is no report\n{job.log}")
    return reports, comment(project, branch, number, hub.head, job, reports, work)


def comment(project: Path, branch: str, number: int, sha: str, job: Job, reports: Path, work: Path) -> str:
    """Run the workflow that comments, against a stand-in for GitHub's API; give what was posted there."""
    github = FakeGitHub()
    github.pulls = [pull_request(number, sha, branch=branch)]
    github.upload(number, archive(report__md=(reports / "report.md").read_bytes()))
    ended = {
        "id": number,
        "event": "pull_request",
        "path": ".github/workflows/model-check.yml",
        "conclusion": job.result,
        "head_sha": sha,
        "head_branch": branch,
        "head_repository": {"id": OWN, "owner": {"login": "owner"}},
        "run_started_at": "2026-01-01T00:00:00Z",
        "html_url": f"https://github.com/owner/project/actions/runs/{number}",
        "pull_requests": [{"number": number}],
    }
    event = Event(project, "workflow_run", "main", payload={"action": "completed", "workflow_run": ended})
    with github.serve():
        hub = make_hub(event, work / "again.git")
        runner = Runner(event, hub, work / "comment", work / "none", env={"GITHUB_API_URL": github.url})
        (done,) = runner.run(".github/workflows/model-check-comment.yml").values()
    if len(github.changes) != 1:
        raise SystemExit(f"{branch}: no comment was posted\n{done.log}")
    return str(github.changes[0][2]["body"])


def timeless(text: str) -> str:
    """Leave out how long each check took: the last column of one table."""
    head = re.compile(r"^\| check .*\| +fits \| +time \|$")
    lines, inside = text.split("\n"), False
    for i, line in enumerate(lines):
        inside = line.startswith("|") and (inside or head.match(line) is not None)
        if inside:
            cells = line.split("|")
            last = "-----:" if cells[-2].startswith("-") else " time " if "time" in cells[-2] else f"    {TIME} "
            lines[i] = "|".join([*cells[:-2], last, cells[-1]])
    return "\n".join(lines)


# -- the picture -------------------------------------------------------------------------------------------------------


def picture(page: Path, target: Path) -> None:
    """Take a picture of the top of a page, in the colours that a palette holds."""
    from PIL import Image

    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print(f"No Chromium: {target.name} stays as it is")
        return
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder, "shot.png")
        run(
            page.parent, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            f"--user-data-dir={folder}/profile", "--window-size=1100,1200", f"--screenshot={shot}", page.as_uri(),
        )  # fmt: skip
        packed = BytesIO()
        with Image.open(shot) as image:
            image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    target.write_bytes(packed.getvalue())


if __name__ == "__main__":
    main()
