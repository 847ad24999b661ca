"""The shipped JSON Schemas say what is written, neither more nor less."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import fields, is_dataclass
from random import Random
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from jsonschema import Draft202012Validator
from pytest_model_check.baselines.baseline_json import to_json
from pytest_model_check.baselines.record import Baseline
from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.cli import main
from pytest_model_check.evidence import bundle
from pytest_model_check.evidence.record import Answers, Evidence, Promise
from pytest_model_check.judgement.verdicts import Run, Verdict, Weakening
from pytest_model_check.report import json_report
from support import lives, make_schemas, pages, verdicts

VALUES: Mapping[Any, Sequence[Any]] = {
    str: ("", "text", "42"),
    int: (1, 17),
    float: (-0.5, 0.0, 1e-9, 2.5),
    bool: (True, False),
    type(None): (None,),
    Any: ("text", 3, 0.5),
    Weakening: (Weakening("said", "words"), Weakening("margin", "roc_auc", 0.1, 0.2), Weakening("cv", "", "a", "b")),
}


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((make_schemas.SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


REPORT, BASELINE = validator("report"), validator("baseline")


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def filled(kind: Any, draw: Random) -> Any:
    """Return a value of a type; of a record every field is filled, those with a default too."""
    if kind in VALUES:
        return draw.choice(VALUES[kind])
    inside = get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{field.name: filled(hints[field.name], draw) for field in fields(kind)})
    if get_origin(kind) is tuple:
        if inside[1:] == (...,):
            return tuple(filled(inside[0], draw) for _ in range(draw.randrange(3)))
        return tuple(filled(each, draw) for each in inside)
    if get_origin(kind) in (Union, types.UnionType):
        return filled(draw.choice(inside), draw)
    if get_origin(kind) is Literal:
        return draw.choice(inside)
    if get_origin(kind) is Mapping:
        return {filled(inside[0], draw): filled(inside[1], draw) for _ in range(draw.randrange(3))}
    raise AssertionError(f"name values for {kind}")


@pytest.mark.parametrize("name", make_schemas.SCHEMA_OF)
def test_the_shipped_schema_is_the_one_of_the_records(name, capsys):
    shipped = (make_schemas.SCHEMAS / f"{name}.json").read_text(encoding="utf-8")
    assert shipped == make_schemas.text(name), "run: PYTHONPATH=tests python tests/support/make_schemas.py"
    assert main(["schema", name]) == 0
    assert capsys.readouterr().out == shipped


@pytest.mark.parametrize("seed", range(20))
def test_every_report_is_valid(seed):
    run = Run((filled(Verdict, Random(seed)),), True, None, ("a",), ("b",), {"c": "d"}, ("e",))
    REPORT.validate(json.loads(json_report.render(run)))


@pytest.mark.parametrize("seed", range(20))
def test_every_baseline_is_valid(seed):
    BASELINE.validate(plain(to_json(filled(Baseline, Random(seed)))))


@pytest.mark.parametrize("entropy", [None, 3])
def test_all_evidence_is_valid(tmp_path, entropy):
    promise = Promise(filled(Protocol, Random(entropy)), {"roc_auc": None, "accuracy": 0.01})
    found = Evidence("churn", "t.py::test_churn", "model", promise, (("data.csv", "0" * 32),), entropy, entropy)
    bundle.leave(tmp_path / "left", found, Answers())
    bundle.publish(tmp_path / "left", tmp_path, Run((verdicts.verdict(),), False, problems=("a",)))
    validator("evidence").validate(json.loads((tmp_path / "evidence.json").read_text(encoding="utf-8")))
    validator("evidence-check").validate(json.loads((tmp_path / "checks/churn.json").read_text(encoding="utf-8")))


def objects(schema: Mapping[str, Any], value: Any, shape: Any, path: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Yield where each object with keys of its own stands, and what may be missing there."""
    if "$ref" in shape:
        shape = schema["$defs"][shape["$ref"].rpartition("/")[2]]
    if "anyOf" in shape and value is not None:
        shape = next(each for each in shape["anyOf"] if each.get("type") != "null")
        yield from objects(schema, value, shape, path)
    elif "properties" in shape:
        yield path, set(shape["properties"]) - set(shape["required"])
        for key, each in value.items():
            yield from objects(schema, each, shape["properties"][key], (*path, key))
    elif isinstance(shape.get("additionalProperties"), Mapping):
        for key, each in value.items():
            yield from objects(schema, each, shape["additionalProperties"], (*path, key))
    elif isinstance(shape.get("items"), Mapping):
        for i, each in enumerate(value):
            yield from objects(schema, each, shape["items"], (*path, i))


FULL = json.loads(json_report.render(Run((pages.full(),), False)))
RECORDED = plain(to_json(lives.baseline(history=(lives.accepted(1, "so it is"),))))


@pytest.mark.parametrize(("judge", "whole"), [(REPORT, FULL), (BASELINE, RECORDED)], ids=["report", "baseline"])
def test_a_key_more_or_less_is_no_valid_file(judge, whole):
    assert judge.is_valid(whole)
    places = list(objects(judge.schema, whole, judge.schema))
    assert len(places) > 5
    for path, optional in places:
        for key in [*_at(whole, path), "surplus"]:
            changed = deepcopy(whole)
            if key == "surplus":
                _at(changed, path)[key] = 1
            else:
                del _at(changed, path)[key]
            assert judge.is_valid(changed) == (key in optional), (path, key)


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value
