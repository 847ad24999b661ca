"""What a judge can't tell without code of the project's."""

from __future__ import annotations

from pytest_model_check.errors import IncomparableError

BY_PYTEST = "pytest --model-check judges it, in one process with the branch's code; a reviewer has to go by that."


class NeedsCodeError(IncomparableError):
    """Judging takes code of the project's, and none is run here."""
