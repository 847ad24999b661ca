"""Run what the documentation shows, and put the real output in its place.

An output stands in a fenced block under a line ``<!-- output: NAME -->``. Run from the repository root, with everything
committed: ``python docs/refresh.py``. What is run is a fresh clone of HEAD.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from pytest_model_check.baselines.baseline_json import from_json, to_text

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/baselines.md", "docs/plan.md")
PROGRESS = re.compile(r"(\n[^\n]+: [^\n]+ \d+/\d+[^\n]*\n)+")  # every half minute, where no terminal is
NOISE = re.compile(r"^(platform|rootdir|configfile|testpaths|plugins|cachedir|hypothesis profile)")


def main() -> None:
    """Refresh every output of every page."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        outputs = {
            "model-check": _shown(clone, "--model-check"),
            "yardstick": _told(clone, "show", "breast_cancer"),
            "plan": _told(clone, "plan", "breast_cancer", "--metric", "neg_log_loss", "--margin", "0.005"),
        }
        for make in (_loss, _improvement, _invention, _wider_margin, _april):
            outputs |= make(clone)
            _git(clone, "reset", "-q", "--hard", "origin/HEAD")
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        for name, output in outputs.items():
            begin, found, rest = text.partition(f"<!-- output: {name} -->\n```text\n")
            if found:
                text = begin + found + output + rest[rest.index("```\n") :]
        for name in re.findall(r"<!-- example: (\S+) -->", text):
            begin, mark, rest = text.partition(f"<!-- example: {name} -->\n")
            text = f"{begin}{mark}\n{_quoted(name)}\n{rest[rest.index('<!-- /example -->') :]}"
        path.write_text(text, encoding="utf-8")


def _quoted(name: str) -> str:
    """Return the part of an example that a reader sees first."""
    comment = (ROOT / "docs" / "examples" / f"{name}.md").read_text(encoding="utf-8")
    shown = comment[comment.index("## ") : comment.index("<details")].strip()
    return "".join(f"> {line}".rstrip() + "\n" for line in f"#{shown}".splitlines())


CHECK = ("--model-check", "-k", "breast_cancer")
BRANCH = ("--model-check", "--model-check-against", "origin/main", "-k", "breast_cancer")
MODEL = 'LogisticRegression(max_iter=1000)),\n        data="data/breast'


def _loss(clone: Path) -> dict[str, str]:
    """Make the model worse, have it accepted, and look at it as a pull request."""
    _edit(clone, MODEL, MODEL.replace("max_iter=1000", "C=0.001"))
    worse = _shown(clone, *CHECK)
    accept = _shown(clone, "--model-check-accept", "the clinics ask for a simpler model", "-k", "breast_cancer")
    _git(clone, "commit", "-qam", "Accept a simpler model")
    return {"worse": worse, "accept": accept, "accepted": _shown(clone, *BRANCH)}


def _improvement(clone: Path) -> dict[str, str]:
    _edit(clone, MODEL, MODEL.replace("max_iter=1000", "C=0.3"))
    better = _shown(clone, "--update-baselines", "-k", "breast_cancer")
    return {"better": better, "history": _told(clone, "history", "breast_cancer"), "diff": _told(clone, "diff")}


def _invention(clone: Path) -> dict[str, str]:
    """Write a number into the JSON that nobody has measured, sealed as a recording is."""
    path = clone / "baselines" / "breast_cancer.json"
    plain = json.loads(path.read_text(encoding="utf-8"))
    metric = plain["metrics"]["neg_log_loss"]
    path.write_text(
        to_text(from_json(plain | {"metrics": plain["metrics"] | {"neg_log_loss": metric | {"score": -0.3}}})),
        encoding="utf-8",
    )
    return {"invented": _shown(clone, *BRANCH)}


def _wider_margin(clone: Path) -> dict[str, str]:
    _edit(clone, 'metrics=["neg_log_loss", "roc_auc"]', 'metrics={"neg_log_loss": 0.2, "roc_auc": None}')
    return {"weakened": _shown(clone, *BRANCH)}


def _april(clone: Path) -> dict[str, str]:
    """Let a month of flights come."""
    subprocess.run(
        [sys.executable, "tests/support/make_data.py", "--months", "4"], cwd=clone, check=True, capture_output=True
    )
    subprocess.run([sys.executable, "-m", "dvc", "add", "-q", "data"], cwd=clone, check=True)
    return {"moved": _shown(clone, "--model-check", "-k", "flights")}


def _edit(clone: Path, before: str, after: str) -> None:
    path = clone / "tests" / "checks" / "test_accuracy.py"
    text = path.read_text(encoding="utf-8")
    if before not in text:
        raise SystemExit(f"{path.name} no longer holds {before!r}: change this script with it")
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def _git(clone: Path, *arguments: str) -> None:
    who = ("-c", "user.name=A maintainer", "-c", "user.email=maintainer@example.org")
    subprocess.run(["git", *who, *arguments], cwd=clone, check=True)


def _shown(clone: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=clone, capture_output=True, text=True)
    lines = [line.rstrip() for line in PROGRESS.sub("", done.stdout).splitlines() if not NOISE.match(line)]
    return f"$ pytest {shlex.join(arguments)}\n" + "\n".join(lines) + "\n"


def _told(clone: Path, *arguments: str) -> str:
    command = [
        sys.executable,
        "-c",
        "import sys; from pytest_model_check.cli import main; sys.exit(main())",
        *arguments,
    ]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True)
    lines = [line.rstrip() for line in (done.stdout + done.stderr).splitlines()]
    return f"$ model-check {' '.join(arguments)}\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
