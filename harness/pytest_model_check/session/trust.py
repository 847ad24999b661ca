"""What may be loaded although loading it can run code: said by the commit that decides, or typed; never by a branch."""

from __future__ import annotations

import argparse
import re
import tomllib
from configparser import ConfigParser
from configparser import Error as ConfigError
from functools import lru_cache
from pathlib import Path

import pytest

from pytest_model_check import git
from pytest_model_check.candidates.place import Trust
from pytest_model_check.git import GitError

KEY = "model_check_trusted_types"
SECTIONS = {"setup.cfg": "tool:pytest", "pytest.ini": "pytest", ".pytest.ini": "pytest", "tox.ini": "pytest"}
MD5 = re.compile(rb"^\s*-?\s*md5:\s*['\"]?([0-9a-f]{32}(?:\.dir)?)['\"]?\s*$", re.MULTILINE)


def find(config: pytest.Config, typed: argparse.Namespace, revision: str | None) -> Trust:
    """Return what may be loaded in a run.

    Parameters
    ----------
    config : pytest.Config
        pytest's.
    typed : argparse.Namespace
        What was typed, as pytest parses it.
    revision : str or None
        The commit whose baselines decide; None: HEAD's word counts.
    """
    here = config.invocation_params.dir
    paths = frozenset((here / path).resolve() for path in typed.model_check_trust)
    return at(config.rootpath, revision, config.inipath, paths)


def at(root: Path, revision: str | None, inipath: Path | None, paths: frozenset[Path] = frozenset()) -> Trust:
    """Return what a commit says may be loaded.

    Parameters
    ----------
    root : Path
        A folder of the repository.
    revision : str or None
        The commit; None: HEAD.
    inipath : Path or None
        The file that pytest is configured by.
    paths : frozenset of Path
        What was typed.
    """
    commit = revision or "HEAD"
    words = "HEAD" if revision is None else f"the merge base {revision[:7]}"
    return Trust(_types(inipath, commit), lambda: _digests(root, git.resolve(root, commit) or commit), paths, words)


def _types(inipath: Path | None, commit: str) -> frozenset[str]:
    """Read the ini key as it was committed: one type a line."""
    if inipath is None:
        return frozenset()
    try:
        content = git.show(inipath, commit)
    except GitError:
        return frozenset()
    if content is None:
        return frozenset()
    text = content.decode("utf-8", errors="replace")
    try:
        if inipath.suffix == ".toml":
            pytest_table = tomllib.loads(text).get("tool", {}).get("pytest", {})
            value = pytest_table.get("ini_options", pytest_table).get(KEY, [])
        else:
            parser = ConfigParser(interpolation=None)
            parser.read_string(text)
            value = parser.get(SECTIONS.get(inipath.name, "pytest"), KEY, fallback="")
    except (tomllib.TOMLDecodeError, ConfigError, AttributeError):
        return frozenset()
    words = value.split() if isinstance(value, str) else value
    return frozenset(str(word) for word in words)


@lru_cache(maxsize=8)
def _digests(root: Path, commit: str) -> frozenset[str]:
    """Return the md5 of everything that the ``.dvc`` files and ``dvc.lock`` of a commit name."""
    top = git.toplevel(root)
    if top is None:
        return frozenset()
    try:
        paths = [path for path in git.listed(top, commit, recursive=True) if path.suffix == ".dvc"]
        contents = git.shows(paths, [commit], top=top)
    except GitError:
        return frozenset()
    return frozenset(digest.decode() for content in contents.values() for digest in MD5.findall(content))
