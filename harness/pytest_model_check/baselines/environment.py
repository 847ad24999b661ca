"""The environment a baseline was recorded in: the versions that decide what a fit computes."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata

version = cache(metadata.version)  # it reads and parses a file every time


def environment() -> dict[str, str]:
    """Return the versions of what computes."""
    packages = ("numpy", "pandas", "scikit-learn", "scipy", "pytest-model-check")
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        **{package: version(package) for package in packages},
    }
