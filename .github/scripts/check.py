"""Run ``pytest --model-check`` and fail unless its report holds every expected verdict, and all pass.

The exit code of pytest alone is not believed: a run that judged nothing must not be green. The reports go to a folder
outside the checkout that was not there before, so that no file of the branch can stand in for them.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import credentials
import event
import tell

SCHEMA = 1


def main(arguments: list[str]) -> int:
    """Run, verify, and tell; the exit code is pytest's, or 1 where that was 0 for lack of evidence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path, help="the folder for the reports; must not exist")
    parser.add_argument("--formats", default="md json", help="the reports to write, by their endings")
    parser.add_argument("--baselines", type=Path, default=Path("baselines"), help="the folder of the baselines")
    parser.add_argument("--expected", default="", help="the checks that must have a verdict (default: each baseline)")
    parser.add_argument("--evidence", choices=["true", "false"], default="false", help="whether to keep evidence")
    parser.add_argument("--arguments", default="", help="more arguments for pytest, quoted as in a shell")
    parser.add_argument(
        "--fits", default="", help="the folder of the fits of earlier runs (default: every fit is made)"
    )
    parser.add_argument("--shard", default="false", help='"true": no baseline needs a verdict here, unless it is named')
    options = parser.parse_args(arguments)
    try:
        options.reports.mkdir(parents=True)
    except FileExistsError:
        tell.error(f"{options.reports} is there already: its reports could be another run's. Name another report.")
        return 1
    cached = [f"--model-check-cache={options.fits}"] if options.fits else ["--model-check-refit"]
    kept = [f"--model-check-evidence={options.reports / 'evidence'}"] if options.evidence == "true" else []
    code = run_pytest(options.reports, options.formats.split(), [*cached, *kept, *shlex.split(options.arguments)])
    expected = options.expected.split() or ([] if options.shard == "true" else baselines_in(options.baselines))
    found = problems(options.reports / "report.json", expected)
    report = options.reports / "report.md"
    if report.is_file():
        tell.summary(report.read_text(encoding="utf-8") + "\n")
    for problem in found:
        tell.error(problem)
        tell.summary(f"- {problem}\n")
    return code or bool(found)


def run_pytest(reports: Path, formats: Sequence[str], arguments: Sequence[str]) -> int:
    """Run the checks in this Python, in the current folder."""
    written = dict.fromkeys(["md", "json", *formats])
    options = [f"--model-check-report={reports / f'report.{ending}'}" for ending in written]
    command = [sys.executable, "-m", "pytest", "--model-check", *options, f"--junitxml={reports / 'junit.xml'}"]
    print(shlex.join(["pytest", *command[3:], *arguments]), flush=True)
    return subprocess.run([*command, *arguments], check=False).returncode


def baselines_in(folder: Path) -> list[str]:
    """Return the names of the baselines that are checked out."""
    return sorted(path.stem for path in folder.glob("*.json"))


def problems(report: Path, expected: Sequence[str]) -> list[str]:
    """Say what of the evidence is missing from a JSON report; nothing where all is there and passes."""
    try:
        content = json.loads(report.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ["There is no report: pytest ended before it wrote one. The log of this step says why."]
    except ValueError as error:
        return [f"The report is no JSON ({error})."]
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        return [f"The report is not of schema {SCHEMA}, the one that this action reads: update the action."]
    checks = content.get("checks")
    if not isinstance(checks, list) or not checks:
        return ["No check was judged. A check is a test that uses the fixture model_check."]
    judged = {check.get("name") for check in checks if isinstance(check, dict)}
    missing = [name for name in expected if name not in judged]
    found = [
        f"{name}: no verdict, although one is expected. Was the check renamed, deselected or deleted?"
        for name in missing
    ]
    failed = [check for check in checks if not isinstance(check, dict) or check.get("passed") is not True]
    if content.get("passed") is not True or failed:
        found.append(f"The model checks did not pass: {len(failed)} of {len(checks)} failed.")
        found += [str(problem) for problem in content.get("problems") or ()]
    if any(isinstance(check, dict) and check.get("verdict") == "error" for check in failed):
        found += why_the_data_may_be_missing()
    return found


def why_the_data_may_be_missing() -> list[str]:
    """Say, to a fork and to Dependabot, why a remote may have refused them; nothing to others."""
    if credentials.origin_of(event.read(), event.actor()) == "here":
        return []
    return [f"If the data could not be read: {credentials.remedy()}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
