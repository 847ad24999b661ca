"""What a fit asked of the world, as it was noted while it ran. Records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["file", "module", "refused"]


@dataclass(frozen=True)
class Note:
    """One thing that was asked of the world.

    Parameters
    ----------
    kind : {'file', 'module', 'refused'}
        A file was read; one of the project's modules was imported; or what can't be told by a file.
    what : str
        The absolute path, or what was done, in words.
    by : str
        The project's file whose code asked; empty where no code of the project's did.
    digest : str or None
        Of the file, when it was first read; None: it was not there.
    """

    kind: Kind
    what: str
    by: str
    digest: str | None = None
