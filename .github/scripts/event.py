"""What GitHub says of the event that a run is for."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read() -> dict[str, Any]:
    """Read the event; nothing away from GitHub."""
    path = os.environ.get("GITHUB_EVENT_PATH")
    return dict(json.loads(Path(path).read_text(encoding="utf-8"))) if path else {}


def actor() -> str:
    """Return who started the run; for a run that is started again, who started it first."""
    return os.environ.get("GITHUB_ACTOR", "")


def at(content: Any, *keys: str) -> Any:
    """Look deep into JSON; None where a part is missing or is no object."""
    for key in keys:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content
