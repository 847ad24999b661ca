"""What has to be brought: fetched from a remote into DVC's cache, put in its place, added.

DVC only fetches into its cache, and what it brings is hashed before it is used.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_model_check.data import dvc_cache, dvc_manifests, dvc_repository
from pytest_model_check.data.dvc_failures import corrupt_remote, unreachable, why_absent
from pytest_model_check.data.dvc_output import Output
from pytest_model_check.data.dvc_repository import locked, patiently
from pytest_model_check.errors import DataError
from pytest_model_check.paths import quoted, show

if TYPE_CHECKING:
    from dvc.repo import Repo


def add(root: Path, path: Path) -> None:
    """Track a file or folder, as `dvc add` does."""
    with locked(root), dvc_repository.opened(root, show(path), collects=True) as (repo, _):
        patiently(lambda: repo.add([str(path)]))


def pull(root: Path, output: Output, path: Path, missing: Mapping[Path, str]) -> None:
    """Fetch what is missing into the cache, make sure that it is sound, and put it in place.

    Parameters
    ----------
    root : Path
        The repository's.
    output : Output
        What git says.
    path : Path
        What is asked for: the output, or something in it.
    missing : mapping of Path to str
        The files at or under `path` that are not here, with their md5.

    Raises
    ------
    DataError
        If they can't be had.
    """
    if not output.cached:
        raise DataError(f"{show(path)} is missing; it is kept in git", f"Restore it: git checkout -- {quoted(path)}")
    # By the name of its .dvc file where possible: DVC then reads no other, which may be broken.
    alone = path == output.path and output.alone
    target = str(output.tracker if alone else path)
    with locked(root), dvc_repository.opened(root, show(path), output.remote, collects=not alone) as (repo, records):
        # Another process may have pulled while this one waited for the lock.
        wanted = {file: md5 for file, md5 in missing.items() if not file.exists()}
        stored = _into_cache(repo, output, wanted, lambda _: repo.fetch([target]), records)
        for file, place in stored.items():
            _put(root, _store(repo, output), place, file)


def fetch_objects(root: Path, output: Output, wanted: Mapping[Path, str]) -> dict[Path, Path]:
    """Fetch a version that git names no longer, or not yet, into the cache.

    Parameters
    ----------
    root : Path
        The repository's.
    output : Output
        The version.
    wanted : mapping of Path to str
        The files of it, as a message names them, with their md5.

    Returns
    -------
    dict of Path to Path
        Where in the cache each is.

    Raises
    ------
    DataError
        If one can't be had.
    """
    with locked(root), dvc_repository.opened(root, show(output.path), output.remote) as (repo, records):
        from dvc_data.hashfile.hash_info import HashInfo

        name = _store(repo, output).hash_name

        def fetch(md5s: Iterable[str]) -> object:
            return repo.cloud.pull([HashInfo(name, md5) for md5 in md5s], remote=output.remote)

        return _into_cache(repo, output, wanted, fetch, records)


def fetch_manifest(root: Path, output: Output) -> dict[str, str]:
    """Fetch the manifest of a tracked folder into the cache: without DVC, which parses whatever comes.

    Raises
    ------
    DataError
        If it can't be had, or may not be used.
    """
    with locked(root), dvc_repository.opened(root, show(output.path), output.remote) as (repo, _):
        store, path, md5 = _store(repo, output), output.path, output.md5
        stored = Path(store.oid_to_path(md5))
        if (manifest := dvc_cache.read_manifest(stored, output)) is not None:  # DVC may know of another cache
            return manifest
        remote = repo.cloud.get_remote_odb(output.remote, "pull", hash_name=store.hash_name)
        _require_regular(repo, output, {path: md5})
        try:
            with remote.fs.open(remote.oid_to_path(md5), "rb") as file:
                content = file.read(dvc_manifests.LIMIT + 1)
        except Exception as error:  # every storage plugin has its own tree
            raise why_absent(repo, output, path, md5, [_record(error)]) from error
        if len(content) > dvc_manifests.LIMIT:
            raise dvc_manifests.too_large(output.tracker, path)
        if f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}.dir" != md5:
            raise corrupt_remote(repo, output, path, md5)
        manifest = dvc_manifests.parse(content, output.tracker, path)
        store.add_bytes(md5, content)
        store.protect(str(stored))
        return manifest


def _store(repo: Repo, output: Output) -> Any:
    return repo.cache.legacy if output.legacy else repo.cache.local


def _into_cache(
    repo: Repo,
    output: Output,
    wanted: Mapping[Path, str],
    fetch: Callable[[Iterable[str]], object],
    records: list[logging.LogRecord],
) -> dict[Path, Path]:
    """Fetch what the cache lacks: returns where each file's object is."""
    stored = {file: Path(_store(repo, output).oid_to_path(md5)) for file, md5 in wanted.items()}
    absent = {file: md5 for file, md5 in wanted.items() if not _is_cached(stored[file], file, md5, output)}
    if absent:
        _require_regular(repo, output, absent)
        _from_remote(repo, output, lambda: fetch(absent.values()), records)
    for file, md5 in absent.items():
        if not stored[file].is_file():
            raise why_absent(repo, output, file, md5, records)
        if not dvc_cache.is_sound(stored[file], md5, output):
            # `verify` trusts what has the mode 0444, as all in a remote on a disk has. DVC would take it for sound.
            stored[file].chmod(0o644)  # Windows deletes nothing that is read-only
            stored[file].unlink()
            raise corrupt_remote(repo, output, file, md5)
    return stored


def _is_cached(stored: Path, file: Path, md5: str, output: Output) -> bool:
    if stored.exists() and not dvc_cache.is_sound(stored, md5, output):
        raise dvc_cache.corrupt(stored, file)
    return stored.exists()


def _require_regular(repo: Repo, output: Output, absent: Mapping[Path, str]) -> None:
    """Refuse pipes and devices in a remote on a disk, which may be a folder of the repository: they never end."""
    if (output.remote or repo.config["core"].get("remote")) not in repo.config["remote"]:
        return  # an import comes from elsewhere; if it is none, DVC will say so
    remote = repo.cloud.get_remote(output.remote)
    if remote.fs.protocol == "local":
        store = remote.legacy_odb if output.legacy else remote.odb
        for file, md5 in absent.items():
            place = Path(store.oid_to_path(md5))
            if place.exists() and not place.is_file():
                raise corrupt_remote(repo, output, file, md5)


def _from_remote(repo: Repo, output: Output, fetch: Callable[[], object], records: list[logging.LogRecord]) -> None:
    """Let DVC fetch into its cache; what it leaves absent is explained by `why_absent`."""
    from dvc.exceptions import DownloadError, DvcException

    try:
        patiently(fetch)
    except DownloadError as error:
        records.append(_record(error))
    except (DvcException, ImportError, RecursionError):
        raise
    except Exception as error:
        # Every storage plugin has its own tree of exceptions. One that names a file is about a disk, not a remote.
        if isinstance(error, OSError) and error.filename:
            raise
        raise unreachable(repo, output, output.path, error) from error


def _record(error: Exception) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": "", "exc_info": (type(error), error, None)})


def _put(root: Path, store: Any, stored: Path, file: Path) -> None:
    """Link or copy an object of the cache, as DVC is configured to; whole or not at all."""
    from dvc_objects.fs.generic import transfer

    # Beside the file, what a killed run leaves would count as the user's edit of a tracked folder.
    temporary = root / ".dvc" / "tmp" / f"model-check.{os.getpid()}.tmp"
    temporary.unlink(missing_ok=True)
    transfer(store.fs, str(stored), store.fs, str(temporary), links=store.cache_types)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)  # a link into a cache that is gone
    shutil.move(temporary, file)
