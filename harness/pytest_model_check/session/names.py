"""The names under which plugin and session know one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


NAME = "model_check"
SESSION = "model_check_session"  # the plugin that is registered while --model-check is on
