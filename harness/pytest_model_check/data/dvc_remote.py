"""What needs DVC itself (0.5 s to import, so only where `dvcfiles` can't settle it): fetching, placing, adding.

Whatever goes wrong in DVC or in a storage plugin leaves as one DataError in words, without secrets.
"""

from __future__ import annotations

import gc
import logging
import os
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_model_check.data.dvc_trackers import (
    Output,
    absolute,
    corrupt,
    file_md5,
    is_sound,
    quoted,
    read_manifest,
    read_yaml,
    show,
)
from pytest_model_check.errors import DataError

if TYPE_CHECKING:
    from dvc.repo import Repo


T = TypeVar("T")
LOCK_PATIENCE = 600.0  # seconds for which another DVC process may hold the repository's lock


def add(root: Path, path: Path) -> None:
    """Track a file or folder, as `dvc add` does."""
    with locked(root), _dvc(root, show(path)) as (repo, _):
        _patiently(lambda: repo.add([str(path)]))


@contextmanager
def _dvc(root: Path, subject: str, remote: str | None = None) -> Iterator[tuple[Repo, list[logging.LogRecord]]]:
    """Open the DVC repository, silenced; yields it with the log of what went wrong in it.

    DVC's own errors leave as DataErrors about `subject`.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")  # or DVC starts a process that calls home
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # DVC and its plugins use deprecated calls of their libraries
        from dvc.exceptions import DvcException
        from dvc.repo import Repo
        from dvc_objects.errors import ObjectDBError, ObjectFormatError

        with _hushed() as records:
            try:
                with Repo(str(root)) as repo:
                    name = remote or repo.config["core"].get("remote")
                    if name in repo.config["remote"]:
                        repo.config["remote"][name]["verify"] = True
                    yield repo, records
            except (DvcException, ObjectDBError, ObjectFormatError, ImportError, OSError) as error:
                raise failed(subject, error) from error
            finally:
                gc.collect()  # DVC leaves databases open, and from Python 3.13 on these warn when they are collected


class _Kept(logging.Handler):
    """Keeps the log records that tell why something failed."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or "corrupted" in str(record.msg):
            self.records.append(record)


@contextmanager
def _hushed() -> Iterator[list[logging.LogRecord]]:
    """Keep DVC's logs and progress bars off the terminal; yields the records that tell why something failed."""
    records: list[logging.LogRecord] = []
    handler = _Kept(records)
    quiet = [logging.getLogger(name) for name in ("dvc", "dvc_data", "dvc_objects")]
    # Progress bars ask these loggers' level whether to show; the HTTP client complains when it is collected, later.
    mute = [logging.getLogger(name) for name in ("dvc.progress", "dvc_data.callbacks")]
    logging.getLogger("aiohttp_retry").setLevel(logging.CRITICAL)
    before = [(logger, logger.handlers, logger.propagate, logger.level) for logger in (*quiet, *mute)]
    for logger in quiet:
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.DEBUG)
    for logger in mute:
        logger.setLevel(logging.CRITICAL)
    try:
        yield records
    finally:
        for logger, handlers, propagate, level in before:
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)


@contextmanager
def locked(root: Path, name: str = "model-check.lock") -> Iterator[None]:
    """Let one process at a time pull or add; the system frees the lock of a process that dies."""
    from filelock import FileLock

    folder = root / ".dvc" / "tmp"
    try:
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / name)
        lock.acquire()
    except OSError as error:
        raise failed(show(folder), error) from error
    try:
        yield
    finally:
        lock.release()


def _patiently(action: Callable[[], T]) -> T:
    """Call into DVC; wait for the lock of another DVC process, but not for ever."""
    from dvc.lock import LockError

    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            return action()
        except LockError:  # DVC itself has waited for 3 s
            if time.monotonic() > deadline:
                raise


def find_output(root: Path, path: Path) -> Output | None:
    """Find what tracks `path` where the plain search can't: wdir from afar, templates, pipelines not yet run."""
    with _dvc(root, show(path)) as (repo, _):
        from dvc.exceptions import OutputNotFoundError

        try:
            out = repo.find_outs_by_path(str(path), strict=False)[0]
        except OutputNotFoundError:
            return None
        return Output(
            tracker=Path(out.stage.dvcfile.path).with_name("dvc.lock") if out.stage.cmd else Path(out.stage.path),
            path=Path(out.fs_path),
            md5=out.hash_info.value or "",
            legacy=out.hash_name == "md5-dos2unix",
            remote=out.remote,
            cached=out.use_cache,
        )


def not_ignored(root: Path, files: Iterable[Path]) -> list[Path]:
    """Drop what `.dvcignore` excludes from a folder's version."""
    with _dvc(root, show(root / ".dvcignore")) as (repo, _):
        return [file for file in files if not repo.dvcignore.is_ignored_file(str(file))]


def fetch_manifest(root: Path, output: Output) -> Mapping[str, str]:
    """Fetch the list of a tracked folder's files into the cache, and read it."""
    stored = fetch_object(root, output)
    manifest = read_manifest(stored, output.md5)
    assert manifest is not None  # it is in the cache
    return manifest


def fetch_object(root: Path, output: Output) -> Path:
    """Fetch one object, a file or the list of a folder's files, into the cache, and give its place there."""
    with locked(root), _dvc(root, show(output.path), output.remote) as (repo, records):
        from dvc_data.hashfile.hash_info import HashInfo

        store = repo.cache.legacy if output.legacy else repo.cache.local
        stored = Path(store.oid_to_path(output.md5))
        if stored.is_file():
            if not _sound_object(stored, output):
                raise corrupt(stored, None)
            return stored
        info = HashInfo("md5-dos2unix" if output.legacy else "md5", output.md5)
        _from_remote(repo, output, output.path, lambda: repo.cloud.pull([info], remote=output.remote), records)
        if not stored.is_file():
            raise _why_absent(repo, output, output.path, output.md5, records)
        if not _sound_object(stored, output):  # `verify` trusts what has the mode 0444, as all in a folder remote has
            _discard(stored)
            raise _corrupt_remote(repo, output, output.path, output.md5)
        return stored


def _sound_object(stored: Path, output: Output) -> bool:
    """Say whether an object of the cache is what its name says: a folder's is the plain list of its files."""
    legacy = output.legacy and not output.is_folder
    return file_md5(stored, legacy=legacy) == output.md5.removesuffix(".dir")


def pull(root: Path, output: Output, path: Path, missing: Mapping[Path, str]) -> None:
    """Fetch what is missing into the cache, make sure that it is sound, and put it in place."""
    if not output.cached:
        raise DataError(f"{show(path)} is missing; it is kept in git", f"Restore it: git checkout -- {quoted(path)}")
    with locked(root), _dvc(root, show(path), output.remote) as (repo, records):
        store = repo.cache.legacy if output.legacy else repo.cache.local
        # Another process may have pulled while this one waited for the lock.
        wanted = {file: md5 for file, md5 in missing.items() if not file.exists()}
        absent = {file: md5 for file, md5 in wanted.items() if not _in_cache(store, file, md5, output)}
        if absent:
            # By the name of its .dvc file where possible: DVC then reads no other, which may be broken.
            alone = path == output.path and output.tracker.suffix == ".dvc"
            target = str(output.tracker if alone else path)
            _from_remote(repo, output, path, lambda: repo.fetch([target]), records)
        for file, md5 in absent.items():
            stored = Path(store.oid_to_path(md5))
            if not stored.is_file():
                raise _why_absent(repo, output, file, md5, records)
            if not is_sound(
                stored, md5, output
            ):  # `verify` trusts what has the mode 0444, as all in a folder remote has
                _discard(stored)
                raise _corrupt_remote(repo, output, file, md5)
        for file, md5 in wanted.items():
            _place(root, store, Path(store.oid_to_path(md5)), file)


def _in_cache(store: Any, file: Path, md5: str, output: Output) -> bool:
    stored = Path(store.oid_to_path(md5))
    if stored.is_file() and not is_sound(stored, md5, output):
        raise corrupt(stored, file)
    return stored.is_file()


def _discard(stored: Path) -> None:
    """Delete from the cache what has just arrived corrupt, or DVC would take it for sound from now on."""
    stored.chmod(0o644)  # Windows deletes nothing that is read-only
    stored.unlink()


def _place(root: Path, store: Any, stored: Path, file: Path) -> None:
    """Link or copy an object of the cache, as DVC is configured to; whole or not at all."""
    from dvc_objects.fs.generic import transfer

    # Beside the file, what a killed run leaves would count as the user's edit of a tracked folder.
    temporary = root / ".dvc" / "tmp" / f"model-check.{os.getpid()}.tmp"
    temporary.unlink(missing_ok=True)
    transfer(store.fs, str(stored), store.fs, str(temporary), links=store.cache_types)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)  # a link into a cache that is gone
    shutil.move(temporary, file)


def _from_remote(
    repo: Repo, output: Output, file: Path, action: Callable[[], object], records: list[logging.LogRecord]
) -> None:
    """Let DVC fetch into its cache; what it leaves absent is explained by `_why_absent`."""
    from dvc.exceptions import DownloadError, DvcException
    from dvc_objects.errors import ObjectFormatError

    try:
        _patiently(action)
    except DownloadError as error:
        records.append(logging.makeLogRecord({"msg": "", "exc_info": (type(error), error, None)}))
    except ObjectFormatError as error:  # of a list of files: nothing else is parsed
        raise _corrupt_remote(repo, output, file, output.md5) from error
    except (DvcException, ImportError):
        raise
    except Exception as error:
        # Every storage plugin has its own tree of exceptions. One that names a file is about a disk, not a remote.
        if isinstance(error, OSError) and error.filename:
            raise
        raise _unreachable(repo, output, file, error) from error


def _why_absent(repo: Repo, output: Output, file: Path, md5: str, records: list[logging.LogRecord]) -> DataError:
    """Find out why an object did not arrive: DVC's errors don't tell refused, missing and corrupt apart."""
    from dvc_data.hashfile.hash import fobj_md5

    if any("corrupted" in (said := record.getMessage()) and md5[2:] in said for record in records):
        return _corrupt_remote(repo, output, file, md5)
    remote = repo.cloud.get_remote(output.remote)
    place = (remote.legacy_odb if output.legacy else remote.odb).oid_to_path(md5)
    try:
        remote.fs.info(place)
        with remote.fs.open(place, "rb") as stored:
            actual = fobj_md5(stored, name="md5-dos2unix" if output.legacy else "md5")
        if actual != md5.removesuffix(".dir"):
            return _corrupt_remote(repo, output, file, md5)
        causes = [record.exc_info[1] for record in records if record.exc_info and record.exc_info[1]]
        return _unreachable(repo, output, file, causes[0] if causes else FileNotFoundError(place))
    except FileNotFoundError as error:
        over_http = remote.fs.protocol.startswith("http")
        if over_http and (cause := _cause(error)):
            reason = _unreachable(repo, output, file, cause)
        elif not over_http and not _exists(remote):
            reason = _no_folder(repo, output, file)
        else:
            reason = _not_pushed(repo, output, file, md5)
        reason.__cause__ = error
    except Exception as error:  # noqa: BLE001 - every storage plugin has its own tree; it is passed on in words
        reason = _unreachable(repo, output, file, error)
        reason.__cause__ = error
    return reason


def _cause(error: FileNotFoundError) -> BaseException | None:
    """Tell "not found" from "not asked": over HTTP, fsspec says FileNotFoundError for everything."""
    cause = error.__cause__
    if isinstance(cause, FileNotFoundError) or getattr(cause, "status", 0) == 404:
        return None
    return cause


def _exists(remote: Any) -> bool:
    """Whether a remote's folder or bucket is there; who may not ask is told of the object, which is not."""
    try:
        return bool(remote.fs.exists(remote.path))
    except Exception:  # noqa: BLE001 - every storage plugin has its own tree; the object's absence is known
        return True


def _remote_of(repo: Repo, output: Output) -> str:
    name = output.remote or repo.config["core"].get("remote")
    return f"the remote '{name}' ({_redacted(str(repo.config['remote'].get(name, {}).get('url', '?')))})"


def _corrupt_remote(repo: Repo, output: Output, file: Path, md5: str) -> DataError:
    kind = "the list of its files" if md5.endswith(".dir") else "its data"
    return DataError(
        f"{show(file)}: {kind} (object {md5}) in {_remote_of(repo, output)} is corrupt, so it was not used",
        f"Delete files/md5/{md5[:2]}/{md5[2:]} there, if DVC has not; then, where the data is whole: "
        f"dvc push {quoted(output.path)}",
    )


def _not_pushed(repo: Repo, output: Output, file: Path, md5: str) -> DataError:
    return DataError(
        f"{show(file)}: {_remote_of(repo, output)} does not have it (object {md5})",
        f"Whoever has this version of the data runs: dvc push {quoted(output.path)}",
    )


def _no_folder(repo: Repo, output: Output, file: Path) -> DataError:
    return DataError(
        f"{show(file)}: the folder or bucket of {_remote_of(repo, output)} does not exist, or is empty",
        "Check its address (dvc remote list; dvc remote modify NAME url URL), mount or create it; "
        f"then, where the data is: dvc push {quoted(output.path)}",
    )


def _unreachable(repo: Repo, output: Output, file: Path, error: BaseException) -> DataError:
    said = _one_line(error)
    settings = repo.config["remote"].get(output.remote or repo.config["core"].get("remote"), {})
    over_webdav = str(settings.get("url", "")).startswith("webdav")  # whose client speaks of this in riddles
    if over_webdav and isinstance(error, TypeError) and "user" in settings and not settings.get("password"):
        said = "no credentials: there is a user, but no password"
    refused = re.search(r"credential|denied|forbidden|unauthori|\b40[13]\b|permission|authenticat", said, re.IGNORECASE)
    return DataError(
        f"{show(file)}: {_remote_of(repo, output)} {'refuses access' if refused else 'can not be reached'}: {said}",
        "Check the network, and the remote's address and credentials (dvc remote list; secrets belong in "
        f"dvc remote modify --local NAME OPTION VALUE, or in the environment); then: dvc pull {quoted(output.path)}",
    )


def failed(subject: str, error: Exception) -> DataError:
    """Put an error of DVC, or of the disk, into words."""
    from dvc.config import ConfigError, NoRemoteError
    from dvc.lock import LockError
    from dvc.scm import SCMError
    from dvc.utils.strictyaml import YAMLSyntaxError, YAMLValidationError

    said = _one_line(error)
    plugin = re.search(r"requires '?dvc-(\w+)", said) if isinstance(error, ImportError) else None
    if plugin:
        return DataError(
            f"{subject}: the DVC remote needs a plugin that is not installed: dvc-{plugin[1]}",
            f'Install it: pip install "dvc[{plugin[1]}]"',
        )
    if "already tracked by SCM" in said:
        return DataError(
            f"{subject} is tracked by git, so DVC can't track it",
            f"Move it from git to DVC: git rm -r --cached {subject} && dvc add {subject} && git add {subject}.dvc",
        )
    if isinstance(error, YAMLSyntaxError | YAMLValidationError):
        try:
            read_yaml(absolute(Path(error.path)))
        except DataError as better:
            return better
    advice = {
        NoRemoteError: f"Tell DVC where the data is: dvc remote add -d NAME URL (or, of several remotes: dvc remote "
        f"default NAME), then dvc pull; whoever has the data runs: dvc push {subject}",
        LockError: "Wait for the other DVC process, then run again. If there is none: rm .dvc/tmp/lock .dvc/tmp/rwlock",
        SCMError: "DVC needs git: git init (or, to do without: dvc config core.no_scm true)",
        ConfigError: "Mend .dvc/config or .dvc/config.local (dvc config --list; dvc remote list)",
    }
    kind = next((kind for kind in advice if isinstance(error, kind)), None)
    if kind is NoRemoteError:
        return DataError(f"{subject} is not here, and no DVC remote is configured to pull it from", advice[kind])
    if kind is LockError:
        return DataError(f"{subject}: another DVC process holds the repository's lock", advice[kind])
    return DataError(
        f"{subject}: {said}",
        advice[kind] if kind else f"More about it: dvc status -v {subject}; dvc pull -v {subject}",
    )


def _one_line(error: BaseException) -> str:
    return _redacted(" ".join(str(error).split())) or type(error).__name__


def _redacted(text: str) -> str:
    """Strike out what may be a secret: user and password, and the query, of any address; values of telling names."""
    text = re.sub(r"(?<=://)[^\s'\"]*@", "***@", text)
    text = re.sub(r"(://[^\s'\"?]*\?)[^\s'\"]+", r"\1***", text)
    names = "password|secret|token|signature|credential|key"
    return re.sub(rf"(?i)\b([\w-]*(?:{names})[\w-]*\s*=\s*)[^\s&,;]+", r"\1***", text)
