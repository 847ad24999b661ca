"""The files that DVC tracks: held against what git says, pulled where missing, added.

DVC trusts itself: it checks out a corrupt object as it is, and a checkout that fails removes the whole output, edits
included. So everything is hashed here, before and after; DVC only fetches into its cache, and from there only files
that are missing are put in place. A file that is there is never written.
"""

import difflib
import logging
import os
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.dvctrackers import (
    Output,
    absolute,
    cache_folder,
    corrupt,
    file_md5,
    files_in,
    find_output,
    find_root,
    folder_md5,
    object_in,
    quoted,
    read_manifest,
    read_yaml,
    show,
)
from harness.errors import DataError

if TYPE_CHECKING:
    from dvc.repo import Repo

T = TypeVar("T")
LOCK_PATIENCE = 600.0  # seconds for which another DVC process may hold the repository's lock


def verified(path: Path) -> str:
    """Make sure that a file or folder is here and is exactly what git says; pull it where it is missing.

    Parameters
    ----------
    path : Path
        A tracked file or folder, or one inside a tracked folder. Only what lies under it is pulled and hashed.

    Returns
    -------
    str
        Its md5; a folder's ends in `.dir`.

    Raises
    ------
    DataError
        If it can't be had, or differs.
    """
    path = absolute(path)
    root = _root(path)
    try:
        output = find_output(root, path) or _ask_dvc(root, path)
        if output is None:
            raise _untracked(path)
        if not output.md5:
            raise _unrecorded(output)
        expected, digest = _expected(root, output, path)
        missing = _compare(root, output, path, expected)
        if missing:
            _pull(root, output, path, missing)
            _compare(root, output, path, expected)
    except OSError as error:
        raise _failed(show(path), error) from error
    return digest


def add(path: Path) -> str:
    """Track a file or folder with DVC, as `dvc add` does.

    Parameters
    ----------
    path : Path
        The file or folder, inside a DVC repository.

    Returns
    -------
    str
        Its md5; a folder's ends in `.dir`.

    Raises
    ------
    DataError
        If DVC can't track it.
    """
    path = absolute(path)
    root = _root(path)
    if not path.exists():
        raise DataError(
            f"{show(path)} does not exist, so DVC can't track it", "Check the path, or write the file first"
        )
    with _locked(root), _dvc(root, show(path)) as (repo, _):
        _patiently(lambda: repo.add([str(path)]))
    return verified(path)


def _root(path: Path) -> Path:
    if root := find_root(path):
        return root
    if here := find_root(Path.cwd() / "_"):
        raise DataError(
            f"{show(path)} lies outside the DVC repository {here.as_posix()}",
            f"Copy it into the repository and track it there: dvc add {quoted(here / path.name)}",
        )
    raise DataError(
        f"{show(path)}: there is no DVC repository here, nor in any folder above",
        "Make one, and track the data in it: "
        f"git init && dvc init && dvc add {quoted(path)} && git add . && git commit -m 'Track the data'",
    )


def _expected(root: Path, output: Output, path: Path) -> tuple[dict[Path, str], str]:
    """Say which files must be at or under `path`, with their md5, and the md5 of the whole."""
    if not output.is_folder:
        if path != output.path:
            raise DataError(
                f"{show(path)} can't be: {show(output.tracker)} says that {show(output.path)} is a file",
                f"Check the path, or what is tracked: dvc list . {quoted(output.path)}",
            )
        return {path: output.md5}, output.md5
    if output.path.is_file():
        raise _edited(output, [output.path], [])
    manifest = _manifest(root, output)
    inside = path.relative_to(output.path).as_posix()
    if inside in manifest:
        return {path: manifest[inside]}, manifest[inside]
    prefix = "" if path == output.path else f"{inside}/"
    under = {name.removeprefix(prefix): md5 for name, md5 in manifest.items() if name.startswith(prefix)}
    if prefix and not under:
        raise _not_inside(output, path, manifest)
    return {path / name: md5 for name, md5 in under.items()}, folder_md5(under) if prefix else output.md5


def _manifest(root: Path, output: Output) -> Mapping[str, str]:
    """Get the list of a tracked folder's files, from where it costs least."""
    if output.files is not None:
        return output.files
    stored = object_in(cache_folder(root), output.md5, legacy=output.legacy)
    if (manifest := read_manifest(stored, output.md5)) is not None:
        return manifest
    # Not in the cache, at least not where we look: what lies here proves itself if it hashes to what git says.
    present = {file: file_md5(file, legacy=output.legacy) for file in files_in(output.path).values()}
    for keep in (list, partial(_not_ignored, root)):
        listed = {file.relative_to(output.path).as_posix(): present[file] for file in keep(present)}
        if folder_md5(listed) == output.md5:
            return listed
    try:
        return _fetch_manifest(root, output)
    except DataError as error:
        if not present:
            raise
        raise DataError(
            f"{show(output.path)} differs from {show(output.tracker)}, and its list of files can't be had",
            f"{_keep_or_revert(output)}\nWhy there is no list to compare with: {error}",
        ) from error


def _compare(root: Path, output: Output, path: Path, expected: Mapping[Path, str]) -> dict[Path, str]:
    """Hold what is here against what should be: returns what is missing, raises for what differs."""
    missing = {file: md5 for file, md5 in expected.items() if not file.exists()}
    wrong = {file: md5 for file, md5 in expected.items() if file not in missing and not _is(file, md5, output)}
    new = [] if path in expected else [file for file in files_in(path).values() if file not in expected]
    if new:
        new = _not_ignored(root, new)
    if wrong or new:
        _blame_cache(root, output, wrong)
        raise _edited(output, list(wrong), new)
    return missing


def _is(file: Path, md5: str, output: Output) -> bool:
    return file.is_file() and file_md5(file, legacy=output.legacy) == md5


def _blame_cache(root: Path, output: Output, wrong: Mapping[Path, str]) -> None:
    """Raise if a file differs because it was made from a corrupt object of the cache."""
    for file, md5 in wrong.items():
        stored = object_in(cache_folder(root), md5, legacy=output.legacy)
        if file.is_file() and stored.is_file() and not _is(stored, md5, output):
            raise corrupt(stored, file)


def _edited(output: Output, wrong: list[Path], new: list[Path]) -> DataError:
    if wrong == [output.path]:
        actual = file_md5(output.path, legacy=output.legacy) if output.path.is_file() else ""
        what = f"md5 {actual}, tracked {output.md5}" if actual else "a folder, not a file"
    else:
        groups = {"changed": wrong, "new": new}
        what = "; ".join(
            f"{len(files)} {kind}: {', '.join(file.relative_to(output.path).as_posix() for file in files[:3])}"
            + (", ..." if len(files) > 3 else "")
            for kind, files in groups.items()
            if files
        )
    return DataError(f"{show(output.path)} differs from {show(output.tracker)} ({what})", _keep_or_revert(output))


def _keep_or_revert(output: Output) -> str:
    path = quoted(output.path)
    if not output.cached:
        return f"To keep the change: dvc commit {path}\nTo go back: git checkout -- {path}"
    keep = "commit" if output.tracker.name == "dvc.lock" else "add"
    return (
        f"To keep the change, as a new version: dvc {keep} {path} && git add {quoted(output.tracker)}\n"
        f"To go back to the tracked version: dvc fetch {path} && dvc checkout --force {path}"
    )


def _untracked(path: Path) -> DataError:
    if path.exists():
        tracker = path.with_name(path.name + ".dvc")
        inside = sorted(path.glob("*.dvc"))
        return DataError(
            f"{show(path)} is not tracked by DVC: nothing says which version of it is meant",
            f"Name the tracked files in it instead: {show(inside[0].with_suffix(''))}"
            if inside
            else f"Track it: dvc add {quoted(path)} && git add {quoted(tracker)}",
        )
    names = {entry.name.removesuffix(".dvc") for entry in path.parent.glob("*")} if path.parent.is_dir() else set()
    return DataError(
        f"{show(path)} does not exist, and DVC tracks no such file" + _similar(path.name, names - {""}),
        "Check the path. If the data is elsewhere, copy it there, then track it: "
        f"dvc add {quoted(path)}. If a colleague tracks it: git pull",
    )


def _not_inside(output: Output, path: Path, manifest: Mapping[str, str]) -> DataError:
    if path.exists():
        return DataError(
            f"{show(path)} is not in the tracked version of {show(output.path)} ({show(output.tracker)})",
            _keep_or_revert(output),
        )
    inside = path.relative_to(output.path).as_posix()
    return DataError(
        f"{show(path)} does not exist, and the tracked folder {show(output.path)} has no such file"
        + _similar(inside, manifest),
        f"Check the path; what the folder has: dvc list . {quoted(output.path)} --recursive",
    )


def _similar(name: str, names: Mapping[str, str] | set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(names), n=3)
    return f" (similar: {', '.join(near)})" if near else ""


def _unrecorded(output: Output) -> DataError:
    return DataError(
        f"{show(output.tracker)} records no md5 for {show(output.path)} yet",
        f"Record it: dvc commit {quoted(output.path)} (the output of a stage: dvc repro; an import: "
        f"dvc update {quoted(output.tracker)}), then commit {show(output.tracker)} to git",
    )


# ---- What needs DVC itself: 0.5 s, so only where the files here don't settle it.


@contextmanager
def _dvc(root: Path, subject: str, remote: str | None = None) -> Iterator[tuple["Repo", list[logging.LogRecord]]]:
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
                raise _failed(subject, error) from error


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
def _locked(root: Path) -> Iterator[None]:
    """Let one process at a time pull or add; the system frees the lock of a process that dies."""
    from filelock import FileLock

    folder = root / ".dvc" / "tmp"
    try:
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / "model-check.lock")
        lock.acquire()
    except OSError as error:
        raise _failed(show(folder), error) from error
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


def _ask_dvc(root: Path, path: Path) -> Output | None:
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


def _not_ignored(root: Path, files: Iterable[Path]) -> list[Path]:
    """Drop what `.dvcignore` excludes from a folder's version."""
    with _dvc(root, show(root / ".dvcignore")) as (repo, _):
        return [file for file in files if not repo.dvcignore.is_ignored_file(str(file))]


def _fetch_manifest(root: Path, output: Output) -> Mapping[str, str]:
    with _locked(root), _dvc(root, show(output.path), output.remote) as (repo, records):
        from dvc_data.hashfile.hash_info import HashInfo

        store = repo.cache.legacy if output.legacy else repo.cache.local
        stored = Path(store.oid_to_path(output.md5))
        if (manifest := read_manifest(stored, output.md5)) is not None:
            return manifest
        info = HashInfo("md5-dos2unix" if output.legacy else "md5", output.md5)
        _from_remote(repo, output, output.path, lambda: repo.cloud.pull([info], remote=output.remote), records)
        try:
            manifest = read_manifest(stored, output.md5)
        except DataError as error:
            _discard(stored)
            raise _corrupt_remote(repo, output, output.path, output.md5) from error
        if manifest is None:
            raise _why_absent(repo, output, output.path, output.md5, records)
        return manifest


def _pull(root: Path, output: Output, path: Path, missing: Mapping[Path, str]) -> None:
    """Fetch what is missing into the cache, make sure that it is sound, and put it in place."""
    if not output.cached:
        raise DataError(f"{show(path)} is missing; it is kept in git", f"Restore it: git checkout -- {quoted(path)}")
    with _locked(root), _dvc(root, show(path), output.remote) as (repo, records):
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
            if not _is(stored, md5, output):  # `verify` trusts what has the mode 0444, as all in a folder remote has
                _discard(stored)
                raise _corrupt_remote(repo, output, file, md5)
        for file, md5 in wanted.items():
            _place(root, store, Path(store.oid_to_path(md5)), file)


def _in_cache(store: Any, file: Path, md5: str, output: Output) -> bool:
    stored = Path(store.oid_to_path(md5))
    if stored.is_file() and not _is(stored, md5, output):
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
    repo: "Repo", output: Output, file: Path, action: Callable[[], object], records: list[logging.LogRecord]
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


def _why_absent(repo: "Repo", output: Output, file: Path, md5: str, records: list[logging.LogRecord]) -> DataError:
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
        if cause := _cause(error):
            reason = _unreachable(repo, output, file, cause)
        elif not remote.fs.protocol.startswith("http") and not remote.fs.exists(remote.path):
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


def _remote_of(repo: "Repo", output: Output) -> str:
    name = output.remote or repo.config["core"].get("remote")
    return f"the remote '{name}' ({_redacted(str(repo.config['remote'].get(name, {}).get('url', '?')))})"


def _corrupt_remote(repo: "Repo", output: Output, file: Path, md5: str) -> DataError:
    kind = "the list of its files" if md5.endswith(".dir") else "its data"
    return DataError(
        f"{show(file)}: {kind} (object {md5}) in {_remote_of(repo, output)} is corrupt, so it was not used",
        f"Delete files/md5/{md5[:2]}/{md5[2:]} there, if DVC has not; then, where the data is whole: "
        f"dvc push {quoted(output.path)}",
    )


def _not_pushed(repo: "Repo", output: Output, file: Path, md5: str) -> DataError:
    return DataError(
        f"{show(file)}: {_remote_of(repo, output)} does not have it (object {md5})",
        f"Whoever has this version of the data runs: dvc push {quoted(output.path)}",
    )


def _no_folder(repo: "Repo", output: Output, file: Path) -> DataError:
    return DataError(
        f"{show(file)}: the folder or bucket of {_remote_of(repo, output)} does not exist, or is empty",
        "Check its address (dvc remote list; dvc remote modify NAME url URL), mount or create it; "
        f"then, where the data is: dvc push {quoted(output.path)}",
    )


def _unreachable(repo: "Repo", output: Output, file: Path, error: BaseException) -> DataError:
    said = _one_line(error)
    refused = re.search(r"credential|denied|forbidden|unauthori|\b40[13]\b|permission|authenticat", said, re.IGNORECASE)
    return DataError(
        f"{show(file)}: {_remote_of(repo, output)} {'refuses access' if refused else 'can not be reached'}: {said}",
        "Check the network, and the remote's address and credentials (dvc remote list; secrets belong in "
        f"dvc remote modify --local NAME OPTION VALUE, or in the environment); then: dvc pull {quoted(output.path)}",
    )


def _failed(subject: str, error: Exception) -> DataError:
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
