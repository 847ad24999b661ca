"""The checks of ``model_checks.toml`` as pytest's items: each calls what the fixture would give to a test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_model_check.errors import ModelCheckError, PromiseError
from pytest_model_check.report.text import failure
from pytest_model_check.session.names import NAME, SESSION

if TYPE_CHECKING:
    from pytest_model_check.checks.toml import DeclaredCheck
    from pytest_model_check.session.session import ModelCheckSession


class TomlFile(pytest.File):
    """The file."""

    def collect(self) -> Iterator[TomlCheck]:
        """Yield its checks."""
        from pytest_model_check.checks.toml import parse

        try:
            declared = parse(self.path.read_text(encoding="utf-8"))
        except PromiseError as error:
            raise self.CollectError(failure(error.message, error.advice)) from error
        except (OSError, UnicodeDecodeError) as error:
            raise self.CollectError(failure(f"{self.path.name} can't be read: {error}")) from error
        for check in declared:
            yield TomlCheck.from_parent(self, name=check.name, declared=check)


class TomlCheck(pytest.Item):
    """One check of it.

    Parameters
    ----------
    declared : DeclaredCheck
        What is promised.
    """

    fixturenames = (NAME,)  # by which a session knows its checks

    def __init__(self, *, declared: DeclaredCheck, **more: Any) -> None:
        super().__init__(**more)
        self.declared = declared

    def runtest(self) -> None:
        """Judge it."""
        from pytest_model_check.candidates.declaration import Declaration
        from pytest_model_check.data import splits

        folder = str(self.path.parent)
        if folder not in sys.path:  # as pytest does for a test's module: import paths begin here
            sys.path.insert(0, folder)
        promise = dict(self.declared.promise)
        if isinstance(words := promise.get("cv"), str):
            promise["cv"] = splits.from_words(words) or words  # and the check says what is wrong with the words
        session: ModelCheckSession | None = self.config.pluginmanager.get_plugin(SESSION)
        if session is None:
            pytest.skip("run with --model-check")
        session.check_of(self)(Declaration(self.declared.candidate, self.declared.task), **promise)

    def located(self, error: ModelCheckError) -> ModelCheckError:
        """Say where in the file a promise is that can't be kept."""
        if not isinstance(error, PromiseError):
            return error
        return PromiseError(self.declared.located(error.message), error.advice)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where it is declared."""
        return self.path, self.declared.where[""] - 1, self.name
