"""What every fit of a run depends on, whatever is fitted: what is installed, the machine, the environment."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import site
import sys
import sysconfig
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from pytest_model_check.fitting.installed import OURS

# Variables that change from run to run, and that no model reads: every other one counts. docs/cache.md lists them.
VOLATILE = re.compile(
    r"""(
    PYTEST_(CURRENT_TEST|XDIST_\w+|VERSION|ADDOPTS) | PYTHONHASHSEED | COV_\w+ | COVERAGE_\w+
    | PWD | OLDPWD | SHLVL | _ | PS\d | TERM\w* | COLUMNS | LINES | COLORTERM | LS_COLORS | DISPLAY | WINDOWID
    | HOSTNAME
    | (NO|FORCE|CLICOLOR)_?\w*COLOR\w* | (XDG|SSH|DBUS|TMUX|VSCODE|VTE|GNOME|KDE|WSL|ITERM|STY)_?\w* | INVOCATION_ID
    | JOURNAL_STREAM | SYSTEMD_\w+ | MAIL | EDITOR | VISUAL | PAGER | HIST\w+ | PROMPT_\w+ | DIRENV_\w+
    | (GITHUB|RUNNER|ACTIONS|CI|GITLAB|BUILD|JENKINS|HUDSON|SYSTEM|AGENT|BITBUCKET|BUILDKITE|CIRCLE|TRAVIS|CHANGE)_\w+
    | JOB_NAME | EXECUTOR_NUMBER | NODE_NAME | WORKSPACE\w* | RUN_(ID|\w*DISPLAY_URL) | ImageOS | ImageVersion
    | \w*(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|ACCESS_KEY|API_KEY|PRIVATE_KEY|OIDC)\w* | DVC_\w+ | GIT_\w+
    )""",
    re.VERBOSE,
)
# Every process has another one.
NEVER = frozenset(
    ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID", "PYTHONHASHSEED", "SHLVL", "_")
)


@dataclass(frozen=True)
class Machine:
    """What is the same for every fit of a run.

    Parameters
    ----------
    digest : str
        Of everything but the environment.
    tops : frozenset of str
        The top levels that distributions have installed: what else lies beside them is told by its content.
    """

    digest: str
    tops: frozenset[str]


@lru_cache(maxsize=1)
def machine() -> Machine:
    """Find out what is installed, and where this runs; once a process."""
    installed: list[str] = []
    tops: set[str] = set()
    for distribution in distributions():
        told, here = _installed(distribution)
        installed.append(told)
        tops |= here
    facts = {
        "distributions": sorted(installed),
        "pth": _path_files(),
        "python": [sys.version, platform.python_implementation(), list(map(str, sys.version_info)), sys.flags.optimize],
        "flags": [sys.flags.isolated, sys.flags.no_site, sys.flags.utf8_mode, sys.flags.dev_mode],
        "x": sorted(map(str, sys._xoptions.items())),
        "build": [sysconfig.get_platform(), sysconfig.get_config_var("SOABI"), sys.maxsize],
        "machine": [platform.system(), platform.machine(), platform.libc_ver(), _processor()],
        "ours": tree_digest(Path(OURS)),
        "graphics": _text("/proc/driver/nvidia/version"),
    }
    return Machine(hashlib.sha256(json.dumps(facts).encode()).hexdigest(), frozenset(tops))


def variables(environment: Mapping[str, str], mentioned: Collection[str]) -> list[tuple[str, str]]:
    """Return the environment variables that count: all but the volatile ones, and of those what a file mentions.

    Parameters
    ----------
    environment : mapping
        Such as `os.environ`.
    mentioned : collection of str
        The names in the project's files.
    """
    return sorted((name, value) for name, value in environment.items() if _counts(name, mentioned))


def _counts(name: str, mentioned: Collection[str]) -> bool:
    return name not in NEVER and (name in mentioned or not VOLATILE.fullmatch(name))


def libraries() -> list[dict[str, Any]]:
    """Return the numerical libraries that are loaded, and how many threads each may use."""
    import numpy  # noqa: F401 - so that its library is loaded
    from threadpoolctl import threadpool_info

    kept = ("user_api", "internal_api", "version", "threading_layer", "architecture", "num_threads")
    found = [{key: str(entry.get(key)) for key in kept} for entry in threadpool_info()]
    return sorted(found, key=str)


def tree_digest(folder: Path) -> str:
    """Return the digest of the sources in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _installed(distribution: Distribution) -> tuple[str, set[str]]:
    """Return the digest of what a distribution has installed, by its own list of digests, and its top levels."""
    record = distribution.read_text("RECORD")
    if not record:
        tops = (distribution.read_text("top_level.txt") or str(distribution.name)).split()
        return f"{distribution.name} {distribution.version}", set(tops)
    # Its scripts name their interpreter, and what Python has compiled has no digest.
    lines = [line for line in record.splitlines() if not (line.startswith(("..", "/")) or line.endswith(",,"))]
    own = ("/INSTALLER,", "/REQUESTED,", "/direct_url.json,")
    kept = [line for line in lines if ".dist-info/" not in line or not any(name in line for name in own)]
    firsts = {line.partition(",")[0].partition("/")[0].partition(".")[0] for line in lines}
    return hashlib.sha256("\n".join(kept).encode()).hexdigest(), firsts


def _path_files() -> list[list[str]]:
    """Return what is run when Python starts, and what puts folders on its path."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    folders.add(site.getusersitepackages())
    files = [path for folder in sorted(folders) for path in sorted(Path(folder).glob("*.pth"))]
    for name in ("sitecustomize", "usercustomize"):
        file = getattr(sys.modules.get(name), "__file__", None)
        files += [Path(file)] if isinstance(file, str) else []
    return [[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in files]


def _processor() -> str:
    """Return the model and the abilities of the processor: libraries choose their code by them."""
    lines = _text("/proc/cpuinfo").splitlines()
    told = [line for line in lines if re.match(r"(model name|flags|Features|CPU implementer|CPU part)\s*:", line)]
    return "\n".join(dict.fromkeys(told)) or platform.processor()


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def working_folder(top: Path) -> str:
    """Return where relative paths start, as seen from the top of the project."""
    return os.path.relpath(os.getcwd(), top)  # noqa: PTH109
