"""The command line: paths and node ids as they would be typed on it."""

from __future__ import annotations

from pathlib import Path

import pytest


def as_typed(config: pytest.Config, path: Path) -> str:
    """Write a path as the user would type it."""
    here = config.invocation_params.dir
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def test_as_typed(config: pytest.Config, nodeid: str) -> str:
    """Write a node id as the user would type it."""
    file, colons, test = nodeid.partition("::")
    return f"{as_typed(config, config.rootpath / file)}{colons}{test}"
