"""Run the tutorial of docs/first-hour.md, and put the real output into it.

Run from the repository root: ``python docs/first_hour.py``. It works in a folder of its own, with the package that is
installed; the table is scikit-learn's of 442 patients.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "first-hour.md"
NOISE = re.compile(r"^(platform|rootdir|configfile|testpaths|plugins|cachedir|hypothesis profile|=+ test session)")
BETWEEN = ("higher is better", "This will be done:")  # where the output of init is parted


def main() -> None:
    """Refresh every output of the page."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "patients")
        folder.mkdir()
        outputs = _run(folder)
    text = PAGE.read_text(encoding="utf-8")
    for name, output in outputs.items():
        begin, found, rest = text.partition(f"<!-- output: {name} -->\n```text\n")
        if not found:
            raise SystemExit(f"{PAGE.name} shows no {name}: change this script with it")
        text = begin + found + output.strip("\n") + "\n" + rest[rest.index("```\n") :]
    PAGE.write_text(text, encoding="utf-8")


def _run(folder: Path) -> dict[str, str]:
    sys.path.insert(0, str(ROOT / "tests"))
    from support.make_data import diabetes

    diabetes().to_csv(folder / "patients.csv", index=False)
    shown = _told(folder, "model-check", "init", "patients.csv", "--target", "progression", "--yes")
    look, tried = shown.split(BETWEEN[0], 1)
    tried, written = tried.split(BETWEEN[1], 1)
    outputs = {"look": look, "try": BETWEEN[0] + tried, "write": BETWEEN[1] + written}
    for line in re.findall(r"^  (git .*)$", written, flags=re.MULTILINE):
        _git(folder, *shlex.split(line)[1:])
    _git(folder, "branch", "-m", "main")
    outputs["check"] = _told(folder, "pytest", "--model-check")
    _git(folder, "checkout", "-qb", "quicker")
    test = folder / "tests" / "test_patients.py"
    code = test.read_text(encoding="utf-8")
    if "Ridge()" not in code:
        raise SystemExit("another model was chosen: change this script and the page with it")
    test.write_text(code.replace("Ridge()", "Ridge(alpha=2000)"), encoding="utf-8")
    _git(folder, "commit", "-qam", "Shrink the coefficients")
    arguments = ("--model-check", "--model-check-against", "main", "--model-check-report", "report.md")
    outputs["loss"] = _told(folder, "pytest", *arguments)
    report = (folder / "report.md").read_text(encoding="utf-8")
    outputs["report"] = report.partition("<details")[0]
    _git(folder, "checkout", "-q", "main")
    outputs["compare"] = _told(
        folder, "model-check", "compare", "tests/test_patients.py::test_patients", "--with", "sklearn.svm:SVR,forest"
    )
    return outputs


def _git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=A reader", "-c", "user.email=reader@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def _told(folder: Path, *command: str) -> str:
    module = {"pytest": "pytest", "model-check": "pytest_model_check.cli"}[command[0]]
    # what a developer of this package has installed is not what a reader sees
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_model_check.plugin"}
    done = subprocess.run(
        [sys.executable, "-m", module, *command[1:]],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    lines = [line.rstrip() for line in (done.stdout + done.stderr).splitlines() if not NOISE.match(line)]
    return f"$ {shlex.join(command)}\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
