"""A candidate as ``model_checks.toml`` declares it -> the candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pytest_model_check.candidates import binding, standard
from pytest_model_check.candidates.artifact import Artifact
from pytest_model_check.candidates.named import imported
from pytest_model_check.candidates.place import Place
from pytest_model_check.candidates.program import Program
from pytest_model_check.candidates.results import Results
from pytest_model_check.candidates.service import Service
from pytest_model_check.checks.declared import Declared, Origin
from pytest_model_check.checks.toml import KINDS
from pytest_model_check.errors import PromiseError

CLASSES = {"program": Program, "artifact": Artifact, "service": Service, "results": Results}


@dataclass(frozen=True)
class Declaration(Declared):
    """What is written for a candidate; `binding.bind` makes it.

    Parameters
    ----------
    written : str or mapping
        The name of a standard pipeline, an import path, or a table.
    wanted : str
        The task of a standard pipeline; empty: the only one that it is for.
    """

    written: str | Mapping[str, Any]
    wanted: str

    origin: ClassVar[Origin] = "refitted"

    def bound(self, place: Place) -> Any:
        """Return the candidate, as it is judged in a place.

        Raises
        ------
        ModelCheckError
            If there is none.
        """
        if isinstance(self.written, str) and ":" not in self.written:
            return standard.make(self.written, self.wanted or _only_task(self.written))
        if self.wanted:
            raise PromiseError("task= is for standard pipelines", "Every other candidate says itself what it is.")
        if isinstance(self.written, str):
            return imported(self.written, {})
        kind = next(kind for kind in KINDS if kind in self.written)
        more = {key: value for key, value in self.written.items() if key != kind}
        if kind == "import":
            return imported(self.written[kind], more)
        try:
            return binding.bind(CLASSES[kind](self.written[kind], **more), place)
        except TypeError as error:
            words = str(error).replace(f"{CLASSES[kind].__name__}.__init__() ", "")
            raise PromiseError(f"candidate= {kind}: {words}", "docs/models.md says what it takes.") from error


def _only_task(name: str) -> str:
    tasks = [task for task in ("classification", "regression") if name in standard.names(task)]
    if len(tasks) == 2:
        raise PromiseError(
            f"candidate= {name!r} is for classes and for numbers", 'Say which: task = "classification" or "regression"'
        )
    return tasks[0] if tasks else "classification"  # and standard.make says which there are
