"""A metric with a hostile name, from its first recording to its failure, as terminals and logs see it."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pytest_model_check.cli import main
from support.project import Project

SOURCE = """
    from sklearn.metrics import make_scorer
    from sklearn.tree import DecisionTreeClassifier

    def share(y, p):
        return (y == p).mean()

    share.__name__ = "share\\u202e\\x1b[31m\\n::error::owned\\r##[add-mask]x"

    def test_tumours(model_check):
        model_check({candidate}, data="data/tumours.csv", target="diagnosis", cv=5, metrics=make_scorer(share))
"""


def test_a_metrics_name_is_never_obeyed(project: Project, monkeypatch, capfd) -> None:
    project.source(SOURCE.format(candidate="DecisionTreeClassifier(max_depth=3, random_state=0)"))
    assert project.run("--update-baselines").ret == 0
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "Record")
    project.source(SOURCE.format(candidate='DummyClassifier(strategy="most_frequent")'))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert project.run("-v", "--junitxml=junit.xml", "-o", "model_check_junit_properties=true").ret == 1
    for command in (["show"], ["history"], ["diff"], ["diff", "--format", "markdown"], ["write-up", "tumours"]):
        assert main(command) == 0
    printed = capfd.readouterr().out
    assert printed.count("share\\u202e") > 10
    xml = Path("junit.xml").read_text(encoding="utf-8")
    for text in (printed, xml):
        assert {one for one in text if unicodedata.category(one) in ("Cc", "Cf")} <= {"\n", "\t"}
    commands = [line for line in printed.splitlines() if re.search(r"^\s*::|##\[", line)]
    assert [line[:20] for line in commands] == ["::error file=test_mo"]  # ours
    assert "owned" in ElementTree.fromstring(xml).find(".//failure").get("message")


@pytest.mark.parametrize("name", ["\u202e", "a\n::error::b"])
def test_what_is_wrong_with_a_command_is_said_in_one_visible_line(name: str, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("baselines").mkdir()
    assert main(["show", name]) == 2
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("model-check: no baseline ")
    assert second.startswith("There are: ")
