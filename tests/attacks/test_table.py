"""docs/attacks.md is true: every attack has the test that it names, and every test of attacks stands there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8")
NAMED = re.findall(r"^\| .+ \| .+ \| `(tests/\S+\.py)::(\w+)(?:\[(.+)\])?` \|$", PAGE, re.MULTILINE)
VARIANTS = ("tests/attacks/test_process.py", "tests/sealing/test_sealed_fits.py")  # each variant has its line


def test_every_attack_has_the_test_that_it_names() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and "`tests/" in line]
    assert len(lines) == len(NAMED) >= 78
    for file, function, variant in NAMED:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"def {function}\(", source), f"{file} has no {function}"
        assert not variant or f'"{variant}"' in source, f"{file} has no {variant}"
    assert not [named for named, count in Counter(NAMED).items() if count > 1]


@pytest.mark.parametrize("file", VARIANTS)
def test_every_variant_stands_in_the_table(file: str) -> None:
    source = (ROOT / file).read_text(encoding="utf-8")
    blocks = re.findall(r"^(?:ATTACKS|PATCHES) = \{\n(.*?)^\}", source, re.MULTILINE | re.DOTALL)
    keys = [key for block in blocks for key in re.findall(r'^    "([^"]+)": \(', block, re.MULTILINE)]
    keys += re.findall(r'"(\w+)"', "".join(re.findall(r"^LIES = \((.*)\)$", source, re.MULTILINE)))
    assert keys
    assert {variant for where, _, variant in NAMED if where == file and variant} == set(keys)
