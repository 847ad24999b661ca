"""What DVC, a remote or the disk fails with, in words and without secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_model_check.data import dvc_yaml
from pytest_model_check.data.dvc_output import Output
from pytest_model_check.errors import DataError
from pytest_model_check.paths import absolute, quoted, show

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from dvc.repo import Repo


def failed(subject: str, error: Exception) -> DataError:
    """Put an error of DVC, or of the disk, into words."""
    from dvc.config import ConfigError, NoRemoteError
    from dvc.lock import LockError
    from dvc.scm import SCMError
    from dvc.utils.strictyaml import YAMLSyntaxError, YAMLValidationError

    reason = _one_line(error)
    plugin = re.search(r"requires '?dvc-(\w+)", reason) if isinstance(error, ImportError) else None
    if plugin:
        return DataError(
            f"{subject}: the DVC remote needs a plugin that is not installed: dvc-{plugin[1]}",
            f'Install it: pip install "dvc[{plugin[1]}]"',
        )
    if "already tracked by SCM" in reason:
        return DataError(
            f"{subject} is tracked by git, so DVC can't track it",
            f"Move it from git to DVC: git rm -r --cached {subject} && dvc add {subject} && git add {subject}.dvc",
        )
    if isinstance(error, YAMLSyntaxError | YAMLValidationError):
        try:
            dvc_yaml.read(absolute(Path(error.path)))
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
        f"{subject}: {reason}",
        advice[kind] if kind else f"More about it: dvc status -v {subject}; dvc pull -v {subject}",
    )


def why_absent(repo: Repo, output: Output, file: Path, md5: str, records: Sequence[logging.LogRecord]) -> DataError:
    """Find out why an object did not arrive: DVC's errors don't tell refused, missing and corrupt apart."""
    from dvc_data.hashfile.hash import fobj_md5

    if any("corrupted" in (message := record.getMessage()) and md5[2:] in message for record in records):
        return corrupt_remote(repo, output, file, md5)
    remote = repo.cloud.get_remote(output.remote)
    place = (remote.legacy_odb if output.legacy else remote.odb).oid_to_path(md5)
    try:
        remote.fs.info(place)
        with remote.fs.open(place, "rb") as stored:
            actual = fobj_md5(stored, name="md5-dos2unix" if output.legacy else "md5")
        if actual != md5.removesuffix(".dir"):
            return corrupt_remote(repo, output, file, md5)
        causes = [record.exc_info[1] for record in records if record.exc_info and record.exc_info[1]]
        return unreachable(repo, output, file, causes[0] if causes else FileNotFoundError(place))
    except FileNotFoundError as error:
        over_http = remote.fs.protocol.startswith("http")
        if over_http and (cause := _cause(error)):
            reason = unreachable(repo, output, file, cause)
        elif not over_http and not _exists(remote):
            reason = _no_folder(repo, output, file)
        else:
            reason = _not_pushed(repo, output, file, md5)
        reason.__cause__ = error
    except Exception as error:  # noqa: BLE001 - every storage plugin has its own tree; it is passed on in words
        reason = unreachable(repo, output, file, error)
        reason.__cause__ = error
    return reason


def _cause(error: FileNotFoundError) -> BaseException | None:
    """Return why an object could not be asked for, None if it is absent; over HTTP, fsspec raises the same for both."""
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


def corrupt_remote(repo: Repo, output: Output, file: Path, md5: str) -> DataError:
    """Describe an object of a remote whose content is not what its name says."""
    kind = "the list of its files" if md5.endswith(".dir") else "its data"
    folder = "" if output.legacy else "files/md5/"
    return DataError(
        f"{show(file)}: {kind} (object {md5}) in {_remote_of(repo, output)} is corrupt, so it was not used",
        f"Delete {folder}{md5[:2]}/{md5[2:]} there, if DVC has not; then, where the data is whole: "
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


def unreachable(repo: Repo, output: Output, file: Path, error: BaseException) -> DataError:
    """Describe a remote that refuses, or does not answer."""
    reason = _one_line(error)
    settings = repo.config["remote"].get(output.remote or repo.config["core"].get("remote"), {})
    over_webdav = str(settings.get("url", "")).startswith("webdav")  # whose client speaks of this in riddles
    if over_webdav and isinstance(error, TypeError) and "user" in settings and not settings.get("password"):
        reason = "no credentials: there is a user, but no password"
    words = r"credential|denied|forbidden|unauthori|\b40[13]\b|permission|authenticat"
    refused = re.search(words, reason, re.IGNORECASE)
    return DataError(
        f"{show(file)}: {_remote_of(repo, output)} {'refuses access' if refused else 'can not be reached'}: {reason}",
        "Check the network, and the remote's address and credentials (dvc remote list; secrets belong in "
        f"dvc remote modify --local NAME OPTION VALUE, or in the environment); then: dvc pull {quoted(output.path)}",
    )


def _one_line(error: BaseException) -> str:
    return _redacted(" ".join(str(error).split())) or type(error).__name__


def _redacted(text: str) -> str:
    """Strike out what may be a secret: user and password, and the query, of any address; values of telling names."""
    text = re.sub(r"(?<=://)[^\s'\"]*@", "***@", text)
    text = re.sub(r"(://[^\s'\"?]*\?)[^\s'\"]+", r"\1***", text)
    names = "password|secret|token|signature|credential|key"
    return re.sub(rf"(?i)\b([\w-]*(?:{names})[\w-]*\s*=\s*)[^\s&,;]+", r"\1***", text)
