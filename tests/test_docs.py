"""What the pages promise is there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_readme_begins_with_two_commands() -> None:
    first = re.search(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert first is not None
    main_job, tests = first[1].strip().splitlines()
    assert main_job.endswith("pytest --model-check")
    assert "[test]" in tests


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere_and_outputs_are_shown(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / link).exists(), link
    for name, output in re.findall(r"<!-- output: (\S+) -->\n```text\n(.*?)```", text, re.DOTALL):
        assert output.strip(), f"{name}: run python docs/refresh.py"


def test_the_picture_shows_what_the_judge_says() -> None:
    drawn = runpy.run_path(str(ROOT / "docs" / "draw_verdicts.py"))["picture"]()
    kept = (ROOT / "docs" / "verdicts.svg").read_text(encoding="utf-8")
    assert drawn == kept, "run python docs/draw_verdicts.py"


def test_every_module_is_in_the_plan_of_the_house() -> None:
    plan = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    modules = {path.name for path in (ROOT / "harness").glob("*.py")} - {"__init__.py"}
    assert {name for name in modules if f"`{name}`" not in plan} == set()
