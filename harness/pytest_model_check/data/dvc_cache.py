"""DVC's cache, without DVC: where it is, and whether a file or an object is what a digest says."""

from __future__ import annotations

import configparser
import hashlib
from pathlib import Path

from pytest_model_check import bounded
from pytest_model_check.data import dvc_manifests
from pytest_model_check.data.dvc_output import Output
from pytest_model_check.errors import DataError
from pytest_model_check.paths import absolute, quoted, show


def file_md5(path: Path, *, legacy: bool = False) -> str:
    """Hash a file as DVC does."""
    if legacy:
        from dvc_data.hashfile.hash import file_md5 as dos2unix_md5

        return str(dos2unix_md5(str(path), name="md5-dos2unix"))
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def is_sound(file: Path, md5: str, output: Output) -> bool:
    """Whether a file's content is what a digest of this output says."""
    return file.is_file() and file_md5(file, legacy=output.legacy) == md5


def object_of(root: Path, output: Output, md5: str) -> Path:
    """Name the cache's object of a digest, whether it is there or not."""
    cache = _folder(root)
    return (cache if output.legacy else cache / "files" / "md5") / md5[:2] / md5[2:]


def _folder(root: Path) -> Path:
    """Find the cache where the repository's own configuration puts it.

    One that is configured for the user or the machine is not seen here; DVC itself finds that.
    """
    for name in ("config.local", "config"):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(bounded.read_bytes(root / ".dvc" / name, limit=1_000_000).decode("utf-8"))
        except (configparser.Error, ValueError, OSError):  # DVC itself will say what is wrong with it
            continue
        if folder := parser.get("cache", "dir", fallback=""):
            return absolute(root / ".dvc" / Path(folder).expanduser())
    return root / ".dvc" / "cache"


def read_manifest(stored: Path, output: Output) -> dict[str, str] | None:
    """Read the manifest of a tracked folder from an object of the cache; None where that is absent.

    Raises
    ------
    DataError
        If the object is not what its name says, or no manifest that may be used.
    """
    try:
        content = bounded.read_bytes(stored, dvc_manifests.LIMIT)
    except FileNotFoundError:
        return None
    except ValueError as error:
        if stored.is_file():
            raise dvc_manifests.too_large(output.tracker, output.path) from error
        raise corrupt(stored, None) from error
    if f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}.dir" != output.md5:
        raise corrupt(stored, None)
    return dvc_manifests.parse(content, output.tracker, output.path)


def corrupt(stored: Path, path: Path | None) -> DataError:
    """Describe an object of the cache whose content is not what its name says."""
    where = f"{show(path)}: " if path else ""
    made = [path] if path else []
    remove = " ".join(quoted(file) for file in (stored, *made) if file.exists())
    pull = " ".join(["dvc pull", *map(quoted, made)])
    return DataError(
        f"{where}DVC's cache object {show(stored)} is corrupt: its content is not what its name says",
        f"Delete it and what was made from it, then pull again: rm -f {remove} && {pull}"
        "\n(If the file was edited on purpose through a link into the cache, copy it elsewhere first.)",
    )
