"""What is written of a proposal: Python and TOML that mean the same, whatever the columns are called."""

import ast
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_model_check.checks.toml import parse
from pytest_model_check.start import source
from pytest_model_check.start.proposal import Choice, Proposal

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
settings.register_profile("source", deadline=None, derandomize=True, max_examples=60)


def proposal(names, target="y"):
    choices = (
        Choice("data", "t.csv", "10 rows"),
        Choice("read", {"sep": ";", "decimal": ","}, "so it is written"),
        Choice("target", target, f"it is called {target}"),
        Choice("features", names, f"left out: {target}"),
        Choice("cv", 10, "ten folds"),
    )
    return Proposal(target, "classification", choices, ())


@given(st.lists(NAMES, min_size=1, max_size=30), NAMES)
@settings(settings.get_profile("source"))
def test_python_and_toml_say_what_was_proposed(names, target):
    made = proposal(names, target)
    code = ast.parse(source.python(made, "check", "forest", f"because of {target}"))
    call = next(node for node in ast.walk(code) if isinstance(node, ast.Call) and any(node.keywords) and
                getattr(node.func, "id", "") == "model_check")  # fmt: skip
    assert {word.arg: ast.literal_eval(word.value) for word in call.keywords} == made.arguments()
    text = source.toml(made, "check", "forest", f"because of {target}")
    written = tomllib.loads(text)["check"]
    assert written == {"candidate": "forest", "task": "classification", **made.arguments()}
    assert parse(text)[0].promise == made.arguments()


@pytest.mark.parametrize("name", ["dummy", "logistic", "forest"])
def test_lines_are_short(name):
    made = proposal([f"a column with a long name {k}" for k in range(40)])
    for text in (source.python(made, "check", name, "a reason " * 40), source.toml(made, "check", name, "r " * 200)):
        assert max(len(line) for line in text.splitlines() if not line.startswith("features")) <= 108
