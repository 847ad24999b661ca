"""The fits of a run, made once more by its judge, where none can see an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pytest_model_check.data.splits import CrossValidation
from pytest_model_check.errors import EvidenceError
from pytest_model_check.evidence.record import Answers, Evidence
from pytest_model_check.fitting import crossval
from pytest_model_check.fitting.engine import Engine
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate.context import Context


@dataclass(frozen=True)
class Refit:
    """How a judge makes the fits once more.

    Parameters
    ----------
    engine : Engine
        Makes them, and lets none see an answer.
    candidate_of : callable
        Returns what is fitted for a check's evidence and target.
    """

    engine: Engine
    candidate_of: Callable[[Evidence, str], Any]


@dataclass(frozen=True)
class Refitting:
    """The refits of one check.

    Parameters
    ----------
    context : Context
        The check's.
    evidence : Evidence
        What its run has left.
    refit : Refit
        Makes the fits.
    """

    context: Context
    evidence: Evidence
    refit: Refit

    def answers(self, found: Answers, claimed_entropy: int | None) -> Answers:
        """Return the answers to the data as it is, made again; those on the old data as they were found."""
        cv, baseline = self.context.cross_validation, self.context.approval.baseline
        again = self.predictions
        return Answers(
            again("predictions", cv, found.candidate, None if baseline is None else baseline.entropy),
            found.on_old_data,
            again("recorded predictions", cv, found.recording, claimed_entropy),
            again("replicates", cv, found.replicates, claimed_entropy, leave_out=True),
        )

    def predictions(
        self, kind: str, cv: CrossValidation, said: Predictions | None, entropy: int | None, *, leave_out: bool = False
    ) -> Predictions | None:
        """Make predictions again; others than the run says it has made are a failure.

        Raises
        ------
        EvidenceError
            If they differ, though the learner is the same at the same seed.
        """
        if said is None or entropy is None:
            return None
        check, evidence, approval = self.context.check, self.evidence, self.context.approval
        cv = self._as_promised(cv)
        self.refit.engine.share(cv.dataset)  # its files are no code, whatever git says of them
        candidate = self.refit.candidate_of(evidence, check.target or "")
        made = crossval.predict(
            candidate, cv, seeds=said.seeds, entropy=entropy, engine=self.refit.engine, leave_out=leave_out
        )
        reference = approval.baseline or approval.claimed
        learners = {evidence.learner, reference.learner if reference else ""}
        if "nondeterministic" not in learners and not made.agrees(said):
            raise EvidenceError(
                f"{check.name}: the {kind} in the evidence are not what the model of {evidence.nodeid} predicts where "
                "it can't see the answers",
                "Sealed fits have made them again, with the same seeds. Does the model, or its test, read data?",
            )
        return made

    def _as_promised(self, cv: CrossValidation) -> CrossValidation:
        """Leave the columns that the branch's model looks at."""
        features = self.evidence.promise.protocol.features
        if features is None:
            return cv
        unknown = [name for name in features if name not in cv.dataset.X.columns]
        if unknown:
            raise EvidenceError(
                f"{self.context.check.name}: the evidence names the feature {unknown[0]!r}, which the data lacks"
            )
        return replace(cv, dataset=replace(cv.dataset, X=cv.dataset.X[list(features)]))
