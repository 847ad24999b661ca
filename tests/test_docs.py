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


def test_the_reference_can_be_written_from_the_code(tmp_path: Path) -> None:
    folder = tmp_path / "reference"
    runpy.run_path(str(ROOT / "docs" / "make_reference.py"))["write"](folder)
    pages = {page.name: page.read_text(encoding="utf-8") for page in folder.iterdir()}
    assert "--model-check-against" in pages["options.md"]
    assert "## model-check judge" in pages["commands.md"]
    assert "| `read` | {columns, comment," in pages["json-model-checks.md"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "blocked-regression",
            ["**Model checks: failed**", "❌ May not ship: 1 of 2 model checks", "**worse**"],
        ),
        ("approved-improvement", ["**Model checks: passed**", "✅ May ship: 2 of 2 model checks passed", "| better "]),
        ("accepted-loss", ["**Model checks: passed**", "with 1 loss accepted", "**Accepted:** ", "worse, accepted"]),
        (
            "data-moved",
            ["✅ May ship", "The data moved: both models on both versions", "released, old data"],
        ),
    ],
)
def test_every_example_of_a_comment_shows_what_it_is_named_for(name: str, words: list[str]) -> None:
    text = (ROOT / "docs" / "examples" / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith("<!-- model-check -->\n**Model checks: ")
    assert [word for word in words if word not in text] == [], "run python docs/make_examples.py"
    assert f"]({name}.md)" in (ROOT / "docs" / "examples" / "README.md").read_text(encoding="utf-8")


def test_every_wing_is_in_the_plan_of_the_house() -> None:
    plan = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    package = ROOT / "harness" / "pytest_model_check"
    wings = {folder.parent.relative_to(package).as_posix() for folder in package.rglob("*/__init__.py")} - {"."}
    assert {wing for wing in wings if f"`{wing}/`" not in plan} == set()
