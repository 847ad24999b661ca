"""Checks without code: model_checks.toml is collected, judged and recorded as tests in Python are."""

import json
import tomllib
from textwrap import dedent

import pytest
from jsonschema import Draft202012Validator
from pytest_model_check.checks import toml
from pytest_model_check.cli import main
from pytest_model_check.errors import PromiseError

TUMOURS = """
[tumours]
candidate = "{candidate}"
data = "data/tumours.csv"
target = "diagnosis"
metrics = {{ neg_brier_score = 0.02, roc_auc = "default" }}
cv = 4
slices = []
seeds = 2
"""
PYTHON = """
from pytest_model_check.candidates import standard

def test_tumours_in_python(model_check):
    model_check(
        standard.make("logistic", "classification"), data="data/tumours.csv", target="diagnosis",
        metrics={"neg_brier_score": 0.02, "roc_auc": None}, cv=4, seeds=2,
    )
"""


def write(project, text):
    (project.path / "model_checks.toml").write_text(dedent(text), encoding="utf-8")


def test_a_declared_check_and_the_same_in_python_have_identical_baselines(project):
    write(project, TUMOURS.format(candidate="logistic"))
    project.source(PYTHON)
    assert project.run("--update-baselines").ret == 0
    declared, coded = project.baseline("tumours"), project.baseline("tumours_in_python")
    assert (declared["nodeid"], coded["nodeid"]) == (
        "model_checks.toml::tumours",
        "test_models.py::test_tumours_in_python",
    )
    for name in ("name", "nodeid", "digest"):
        del declared[name], coded[name]
    assert declared == coded
    (project.path / "test_models.py").unlink()
    result = project.run("model_checks.toml::tumours")
    assert project.verdicts() == {"tumours": "identical"}
    assert result.ret == 0
    write(project, TUMOURS.format(candidate="sklearn.linear_model:RidgeClassifier"))
    assert project.run("model_checks.toml::tumours").ret == 1  # it has no probabilities


def test_without_model_check_it_is_skipped(project):
    write(project, TUMOURS.format(candidate="logistic"))
    result = project._pytester.runpytest_inprocess("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*run with --model-check*"])


def test_it_is_collected_beside_the_paths_that_an_ini_file_names(project):
    (project.path / "pytest.ini").write_text("[pytest]\nmodel_check_testpaths = tests\n", encoding="utf-8")
    (project.path / "tests").mkdir()
    write(project, TUMOURS.format(candidate="logistic"))
    result = project.run("--collect-only", "-q")
    result.stdout.fnmatch_lines(["model_checks.toml::tumours"])


def test_what_is_wrong_is_named_with_its_line(project):
    write(
        project,
        """\
        [ambiguous]
        candidate = "forest"
        data = "data/tumours.csv"
        target = "diagnosis"

        [misspelt]
        candidate = "logistic"
        data = "data/tumours.csv"
        target = "diagnosis"
        metrics = ["neg_brier"]

        [splitter]
        candidate = "logistic"
        data = "data/tumours.csv"
        target = "diagnosis"
        cv = "KFold(n_split=3)"

        [program]
        candidate = { program = "awk", colour = "red" }
        data = "data/tumours.csv"
        target = "diagnosis"
        """,
    )
    assert project.run().ret == 1
    messages = [check["message"] for check in project.report()["checks"]]
    assert messages == [
        "ambiguous: model_checks.toml:2: candidate= 'forest' is for classes and for numbers",
        "misspelt: model_checks.toml:10: 'neg_brier' is no scorer of scikit-learn's: did you mean neg_brier_score?",
        "splitter: model_checks.toml:16: cv='KFold(n_split=3)' is neither a number of folds (2 or more) nor a splitter",
        "program: model_checks.toml:19: candidate= program: got an unexpected keyword argument 'colour'",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a]\ncandidate = 'logistic'\nmetric = 'r2'\n", "model_checks.toml:3: [a] has no key 'metric': did you mean"),
        ("# x\n[a]\ndata = 'x.csv'\n", "model_checks.toml:2: [a] has no candidate"),
        (
            "[a]\ncandidate = 'logistic'\n\nseeds = 'ten'\n",
            "model_checks.toml:4: [a] seeds is a whole number, not 'ten'",
        ),
        ("[a]\ncandidate = {}\n", "model_checks.toml:2: [a] candidate is a standard pipeline's name"),
        ("target = 'x'\n", "model_checks.toml:1: target stands outside of a check"),
        ("[a]\ncandidate = \n", "model_checks.toml is no TOML: Invalid value (at line 2"),
        ('[a]\ndescription = """\nseeds = 3\n"""\ncandidate = "x"\nseeds = true', "model_checks.toml:6: [a] seeds is"),
        ("['a b'.metrics]\nr2 = 'x'\n['a b']\ncandidate = 'x'", "model_checks.toml:1: [a b] metrics is a metric"),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_with_line_and_key(text, words):
    with pytest.raises(PromiseError) as error:
        toml.parse(text)
    assert error.value.message.startswith(words)


def test_editors_get_a_schema_that_takes_what_is_taken_and_refuses_what_is_refused(capsys):
    assert main(["schema", "model-checks"]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    judge = Draft202012Validator(schema)
    assert judge.is_valid(tomllib.loads(TUMOURS.format(candidate="logistic")))
    assert judge.is_valid({"a": {"candidate": {"program": "Rscript fit.R", "task": "regression"}}})
    for table in ({}, {"candidate": {}}, {"candidate": "x", "metric": "r2"}, {"candidate": "x", "seeds": 0}):
        assert not judge.is_valid({"a": table})
    assert all(key["description"] for key in schema["additionalProperties"]["properties"].values())
