"""Run ``model-check merge`` on the reports of shards, and show the verdict of them all in the step summary."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import tell


def main(arguments: list[str]) -> int:
    """Merge, and tell; the exit code is that of ``model-check merge``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", type=Path, help="the folder that holds a folder for each shard")
    parser.add_argument("reports", type=Path, help="the folder for the reports")
    parser.add_argument("--count", required=True, help="how many shards there are")
    parser.add_argument("--formats", default="md json", help="the reports to write, by their endings")
    parser.add_argument("--baselines", type=Path, default=Path("baselines"), help="the folder of the baselines")
    options = parser.parse_args(arguments)
    # a shard that wrote no report is named, and fails: nothing stands in for it
    shards = sorted(path / "report.json" for path in options.shards.iterdir() if path.is_dir())
    written = [
        f"--report={options.reports / f'report.{ending}'}" for ending in dict.fromkeys(["md", *options.formats.split()])
    ]
    command = [sys.executable, "-m", "pytest_model_check.cli", "merge", *map(str, shards), *written]
    command += [f"--shards={options.count}", f"--baselines={options.baselines}"]
    code = subprocess.run(command, check=False).returncode
    report = options.reports / "report.md"
    if report.is_file():
        tell.summary(report.read_text(encoding="utf-8") + "\n")
    if code:
        tell.error("The model checks did not pass: the log and the report say why.")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
