"""A model folder of MLflow's -> the file in it that holds the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_model_check.bounded import read_bytes
from pytest_model_check.errors import CandidateError, one_line
from pytest_model_check.paths import clipped

LARGEST = 10**6  # bytes of MLmodel
# By flavor: the key that names the file, and the format that it is in; sklearn's says which serialization it has.
FLAVORS = {
    "sklearn": ("pickled_model", "pickle"),
    "xgboost": ("data", "xgboost"),
    "lightgbm": ("data", "lightgbm"),
    "catboost": ("data", "catboost"),
    "onnx": ("data", "onnx"),
}


def model_file(folder: Path, where: str) -> tuple[Path, str]:
    """Find the file of a model, and its format.

    Raises
    ------
    CandidateError
        If it is no folder of MLflow's, or none of a flavor that can be loaded without MLflow.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = read_bytes(folder / "MLmodel", LARGEST).decode("utf-8")
        plain: Any = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise CandidateError(f"{where}/MLmodel is torn: {one_line(error)}", "Save the model anew.") from error
    flavors = plain.get("flavors") if isinstance(plain, dict) else None
    if not isinstance(flavors, dict):
        raise CandidateError(f"{where}/MLmodel names no flavors", "Is it a model of MLflow's?")
    for flavor, (key, kind) in FLAVORS.items():
        said = flavors.get(flavor)
        if isinstance(said, dict) and isinstance(said.get(key), str):
            path = (folder / said[key]).resolve()
            if not path.is_relative_to(folder.resolve()):
                raise CandidateError(f"{where}/MLmodel leads out of its folder: {clipped(said[key])}", "Don't load it.")
            return path, "skops" if said.get("serialization_format") == "skops" else kind
    raise CandidateError(
        f"{where} has the flavors {', '.join(map(str, flavors))}: none that can be loaded here",
        f"These can: {', '.join(FLAVORS)}. Any other can be asked as a service: mlflow models serve, Service(...).",
    )
