"""The evidence of several runs, each of some of the checks -> that of one run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_model_check.errors import EvidenceError
from pytest_model_check.evidence.record import Bundle


def merge(bundles: Mapping[Path, Bundle]) -> tuple[Bundle, dict[str, Path]]:
    """Put the evidence of shards together.

    Parameters
    ----------
    bundles : mapping of Path to Bundle
        By the folder that each was read from.

    Returns
    -------
    bundle : Bundle
        It passes where all do. A check that two of them hold can't be judged.
    folders : dict of str to Path
        By check, where its predictions lie.
    """
    folders: dict[str, Path] = {}
    broken: dict[str, EvidenceError] = {}
    for folder, bundle in bundles.items():
        broken |= bundle.broken
        for name in bundle.checks:
            if name in folders:
                broken[name] = EvidenceError(
                    f"{name}: both {_shown(folders[name])} and {_shown(folder)} hold evidence of it",
                    "Let each check be judged by one job: split them by paths, node ids or -k.",
                )
            folders[name] = folder
    found = list(bundles.values())
    merged = Bundle(
        passed=bool(found) and all(bundle.passed for bundle in found),
        said={name: said for bundle in found for name, said in bundle.said.items()},
        problems=tuple(dict.fromkeys(problem for bundle in found for problem in bundle.problems)),
        checks={name: check for bundle in found for name, check in bundle.checks.items() if name not in broken},
        broken=broken,
    )
    return merged, folders


def _shown(folder: Path) -> str:
    return "/".join((*folder.parts[-2:], ""))
