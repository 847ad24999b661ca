"""A file of a fitted model as the candidate: loaded where it may be, never refitted (docs/artifacts.md)."""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_model_check.candidates import loaders, mlflow_folder
from pytest_model_check.candidates.estimator import warnings_once
from pytest_model_check.candidates.fitted_model import Source, read
from pytest_model_check.candidates.loaders import FORMATS
from pytest_model_check.candidates.responses import Answers
from pytest_model_check.checks.declared import Declared, Origin
from pytest_model_check.errors import CandidateError

if TYPE_CHECKING:
    from pytest_model_check.candidates.candidate import Fold
    from pytest_model_check.candidates.place import Place, Trust


@dataclass(frozen=True)
class Artifact(Declared):
    """A fitted model in a file, or a folder of MLflow's: it predicts the rows of ``holdout=``, and is not refitted.

    A path stands for it where there is nothing to add: ``model_check("models/churn.skops", ...)``.

    Parameters
    ----------
    path : str or Path
        From pytest's rootdir: .skops, .onnx, XGBoost's .ubj and .json, LightGBM's .txt and .lgb, CatBoost's .cbm, a
        pickle (.pkl, .joblib), or a folder of MLflow's.
    classes : sequence, optional
        The labels in the order in which the model numbers them, where it does not know them itself.
    """

    path: str | Path
    classes: Sequence[Any] | None = None
    task: str = field(default="classification", init=False)
    has_probabilities: bool = field(default=False, init=False)
    provenance: tuple[str, ...] = field(default=(), init=False)
    _source: Source | None = field(default=None, init=False, repr=False, compare=False)

    origin: ClassVar[Origin] = "loaded"
    runs = 1
    id = None

    @property
    def description(self) -> str:
        """The file and its version."""
        version = "" if self._source is None else f", md5 {self._source.md5}"
        return f"Artifact({Path(self.path).as_posix()}{version})"

    def bound(self, place: Place) -> Artifact:
        """Load it, if it may be loaded."""
        path, where = place.root / self.path, Path(self.path).as_posix()
        md5 = place.version(path)
        file, kind = path, FORMATS.get(path.suffix.lower(), "")
        if path.is_dir():
            if not (path / "MLmodel").is_file():
                raise CandidateError(f"{where} is a folder without a file MLmodel", "Name a file, or MLflow's folder.")
            file, kind = mlflow_folder.model_file(path, where)
        elif not kind:
            raise CandidateError(
                f"{where}: no model is loaded from {path.suffix or 'a file without an ending'}",
                f"These are: {', '.join(FORMATS)}, and folders of MLflow's.",
            )
        if kind == "pickle":
            _require_trust(path, where, md5, place.trust)
        digest = hashlib.md5(read(file, where), usedforsecurity=False).hexdigest()
        labels = None if self.classes is None else tuple(self.classes)
        source = Source(file, where, digest, kind, place.trust.types, place.trust.decides, labels)
        model, notes = loaders.load(source)
        bound = replace(self)
        for name, value in (
            ("task", model.task),
            ("has_probabilities", model.has_probabilities),
            ("provenance", (*notes, *_provenance(path, place))),
            ("_source", source),
        ):
            object.__setattr__(bound, name, value)
        return bound

    def answer(self, fold: Fold) -> Answers:
        """Ask it about the rows held out."""
        from threadpoolctl import threadpool_limits

        if self._source is None:
            raise CandidateError(f"{self.path} has not been loaded", "Artifact(...) is for model_check(...).")
        model, _ = loaders.load(self._source)
        with warnings.catch_warnings(record=True) as caught, threadpool_limits(limits=1):
            warnings.simplefilter("always")
            began = time.perf_counter()
            found = model.ask(fold.test(), fold.classes)
            seconds = time.perf_counter() - began
        return Answers(found, warnings_once(caught), (0.0, seconds))


def _provenance(path: Path, place: Place) -> tuple[str, ...]:
    """Return what is known of how it was made, and of rows that it may have been fitted on."""
    made = place.made_by(path)
    if made is None:
        return ()
    words, sources = made
    seen = [
        file.name for file in place.data if any(file == source or file.is_relative_to(source) for source in sources)
    ]
    warning = f"IT WAS MADE FROM {', '.join(seen)}, WHICH IS JUDGED: only holdout= keeps rows apart that it has seen"
    return (words, warning) if seen else (words,)


def _require_trust(path: Path, where: str, md5: str, trust: Trust) -> None:
    """Refuse to unpickle what nobody has vouched for: whoever wrote a pickle decides what loading it does."""
    if path.resolve() in trust.paths or md5 in trust.digests():
        return
    raise CandidateError(
        f"{where} is a pickle, which can run any code, and no .dvc file of {trust.decides} names it (md5 {md5})",
        f"If you know who made it: pytest --model-check --model-check-trust {where}\n"
        "Or save the model as .skops or .onnx, which can't.",
    )
