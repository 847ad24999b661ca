"""What the tests of workflows do to a repository."""

from __future__ import annotations

from support.project import Project

QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_model_check.plugin"}


def propose(project: Project, candidate: str) -> None:
    """Commit another model to the branch."""
    project.check(candidate)
    project.git("commit", "-qam", "Another model")
