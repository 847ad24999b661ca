"""Run what the documentation shows, and put the real output in its place.

An output stands in a fenced block under a line ``<!-- output: NAME -->``. Run from the repository root, with everything
committed: ``python docs/refresh.py``. What is run is a fresh clone of HEAD.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/baselines.md")
NOISE = re.compile(r"^(platform|rootdir|configfile|testpaths|plugins|cachedir|hypothesis profile)")


def main() -> None:
    """Refresh every output of every page."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        outputs = {"model-check": _shown(clone, "--model-check")}
        _edit(
            clone,
            'LogisticRegression(max_iter=1000)),\n        data="data/breast',
            'LogisticRegression(C=0.001)),\n        data="data/breast',
        )
        outputs["worse"] = _shown(clone, "--model-check", "-k", "breast_cancer")
        _edit(clone, "LogisticRegression(C=0.001)", "LogisticRegression(C=0.3)")
        outputs["better"] = _shown(clone, "--update-baselines", "-k", "breast_cancer")
        outputs["history"] = _told(clone, "history", "breast_cancer")
        outputs["diff"] = _told(clone, "diff")
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        for name, output in outputs.items():
            begin, found, rest = text.partition(f"<!-- output: {name} -->\n```text\n")
            if found:
                text = begin + found + output + rest[rest.index("```\n") :]
        path.write_text(text, encoding="utf-8")


def _edit(clone: Path, before: str, after: str) -> None:
    path = clone / "tests" / "checks" / "test_accuracy.py"
    text = path.read_text(encoding="utf-8")
    if before not in text:
        raise SystemExit(f"{path.name} no longer holds {before!r}: change this script with it")
    path.write_text(text.replace(before, after), encoding="utf-8")


def _shown(clone: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=clone, capture_output=True, text=True)
    lines = [line.rstrip() for line in done.stdout.splitlines() if not NOISE.match(line)]
    return f"$ pytest {' '.join(arguments)}\n" + "\n".join(lines) + "\n"


def _told(clone: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())", *arguments]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True)
    lines = [line.rstrip() for line in (done.stdout + done.stderr).splitlines()]
    return f"$ model-check {' '.join(arguments)}\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
