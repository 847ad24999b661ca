"""What git says about the files under DVC: reads `.dvc` files, `dvc.lock` and folder manifests, and hashes as DVC does.

Nothing here imports dvc (that costs 0.4 s), touches the network or writes: `dvcfiles` does what this module finds out
to be necessary.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_model_check.errors import DataError

CONFLICT = re.compile(r"^(<<<<<<<|>>>>>>>)( |$)", re.MULTILINE)


@dataclass(frozen=True)
class Output:
    """A file or folder that DVC tracks.

    Parameters
    ----------
    tracker : Path
        The `.dvc` file, or the `dvc.lock`, that names it.
    path : Path
        Where it belongs, absolute.
    md5 : str
        Its digest; a folder's ends in `.dir`; empty where none is recorded yet.
    legacy : bool
        Hashed with md5-dos2unix, as DVC 2 did.
    remote : str or None
        The remote of its own, if it has one.
    cached : bool
        False where it is kept in git (`cache: false`).
    files : mapping of str to str, or None
        Relative path to md5, where the tracker itself lists a folder's files (cloud versioning).
    """

    tracker: Path
    path: Path
    md5: str
    legacy: bool = False
    remote: str | None = None
    cached: bool = True
    files: Mapping[str, str] | None = None

    @property
    def is_folder(self) -> bool:
        """Whether a folder was tracked, as one."""
        return self.md5.endswith(".dir")


def show(path: Path) -> str:
    """Name a path as the user would: relative to the working directory where it lies in it, with `/`."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def quoted(path: Path) -> str:
    """Name a path in a command that the user may copy."""
    return shlex.quote(show(path))


def absolute(path: Path) -> Path:
    """Make a path absolute without following links: DVC may link a file into its cache, outside the repository."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow the links


def find_root(path: Path) -> Path | None:
    """Find the nearest folder above `path` that holds a DVC repository."""
    return next((folder for folder in (path, *path.parents) if (folder / ".dvc").is_dir()), None)


def find_output(root: Path, path: Path) -> Output | None:
    """Find what tracks `path` itself, or a folder above it.

    Raises
    ------
    DataError
        If nothing does, and one of the files that might can't be read.
    """
    broken: DataError | None = None
    for tracker in _trackers(root, path):
        try:
            for output in _outputs(tracker):
                if path == output.path or output.path in path.parents:
                    return output
        except DataError as error:  # a neighbour's tracker may be broken while ours is sound
            broken = broken or error
    if broken:
        raise broken
    return None


def _trackers(root: Path, path: Path) -> Iterator[Path]:
    """Yield the files that may name `path`: its folder's and those of the folders above, likeliest first."""
    above = [folder for folder in path.parents if folder.is_relative_to(root)]
    for named in (path, *above[:-1]):
        if (likely := named.with_name(named.name + ".dvc")).is_file():
            yield likely
    for folder in above:
        yield from sorted(file for file in folder.glob("*.dvc") if file.is_file())
        if (lock := folder / "dvc.lock").is_file():
            yield lock


def _outputs(tracker: Path) -> Iterator[Output]:
    document = read_yaml(tracker)
    if tracker.name != "dvc.lock":
        yield from _listed(tracker, tracker.parent / str(document.get("wdir", ".")), document.get("outs"))
        return
    stages = document.get("stages", document)
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        wdir = _wdir(tracker.with_name("dvc.yaml"), str(name))
        if isinstance(stage, dict) and "${" not in wdir:  # only DVC itself can fill in a template
            yield from _listed(tracker, tracker.parent / wdir, stage.get("outs"))


def _wdir(pipeline: Path, name: str) -> str:
    """Look up a stage's working directory; `train@3` is one of the stages that `train` unfolds to."""
    stages = read_yaml(pipeline).get("stages") if pipeline.is_file() else None
    stage = stages.get(name, stages.get(name.partition("@")[0])) if isinstance(stages, dict) else None
    if not isinstance(stage, dict):
        return "."
    inner = stage.get("do")
    return str(stage.get("wdir") or (inner.get("wdir") if isinstance(inner, dict) else None) or ".")


def _listed(tracker: Path, folder: Path, outs: object) -> Iterator[Output]:
    for out in outs if isinstance(outs, list) else ():
        if not isinstance(out, dict) or not isinstance(out.get("path"), str):
            raise _unreadable(tracker, "an entry of `outs` has no path")
        if "://" in out["path"]:  # lies in a cloud, not among the files here
            continue
        files = _entries(tracker, out["files"]) if "files" in out else None
        md5 = out.get("md5") or (folder_md5(files) if files is not None else "")
        if not isinstance(md5, str):  # digits alone are a number in YAML; DVC quotes them
            raise _unreadable(tracker, f"the md5 of {out['path']} is no text")
        yield Output(
            tracker=tracker,
            path=absolute(folder / out["path"]),
            md5=md5,
            legacy=out.get("hash") != "md5",
            remote=out.get("remote"),
            cached=out.get("cache", True),
            files=files,
        )


def read_yaml(file: Path) -> dict[str, Any]:
    """Read a `.dvc` file, `dvc.lock` or `dvc.yaml`.

    Raises
    ------
    DataError
        If it has merge conflict markers, or is no YAML mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = file.read_text(encoding="utf-8")
        if CONFLICT.search(text):
            raise DataError(
                f"{show(file)} has merge conflict markers (<<<<<<<)",
                f"Decide which version of the data is meant, then save {show(file)} without the markers, "
                f"or take one side: git checkout --ours {quoted(file)} (or --theirs), then dvc checkout",
            )
        document = YAML(typ="safe").load(text)
    except (YAMLError, ValueError, OSError) as error:
        raise _unreadable(file, " ".join(str(getattr(error, "problem", None) or error).split())) from error
    if not isinstance(document, dict):
        raise _unreadable(file, "it is empty or no mapping")
    return document


def _unreadable(file: Path, why: str) -> DataError:
    return DataError(
        f"{show(file)} can't be read: {why}",
        f"Restore it: git checkout -- {quoted(file)} (what changed: git diff {quoted(file)})",
    )


def _entries(source: Path, listed: object) -> dict[str, str]:
    """Turn a manifest's list into relative path -> md5."""
    try:
        return {entry["relpath"]: entry["md5"] for entry in listed}  # type: ignore[attr-defined]
    except (TypeError, KeyError) as error:
        raise _unreadable(source, "its list of files is malformed") from error


def cache_folder(root: Path) -> Path:
    """Find DVC's cache, without DVC: where the repository's own configuration puts it.

    A cache configured for the user or the machine is not seen here; `dvcfiles` asks DVC for that one.
    """
    for name in ("config.local", "config"):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(root / ".dvc" / name, encoding="utf-8")
        except (configparser.Error, ValueError):  # DVC itself will say what is wrong with it
            continue
        if folder := parser.get("cache", "dir", fallback=""):
            return absolute(root / ".dvc" / Path(folder).expanduser())
    return root / ".dvc" / "cache"


def object_in(cache: Path, md5: str, *, legacy: bool) -> Path:
    """Name the cache's object for a digest, whether it is there or not."""
    return (cache if legacy else cache / "files" / "md5") / md5[:2] / md5[2:]


def read_manifest(stored: Path, md5: str) -> dict[str, str] | None:
    """Read a folder's list of files (relative path -> md5) from a cache object; None where that is absent.

    Raises
    ------
    DataError
        If the object is not what its name says.
    """
    try:
        text = stored.read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.md5(text, usedforsecurity=False).hexdigest() + ".dir" != md5:
        raise corrupt(stored, None)
    return _entries(stored, json.loads(text))


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


def file_md5(path: Path, *, legacy: bool = False) -> str:
    """Hash a file as DVC does."""
    if legacy:
        from dvc_data.hashfile.hash import file_md5 as dos2unix_md5

        return str(dos2unix_md5(str(path), name="md5-dos2unix"))
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def is_sound(file: Path, md5: str, output: Output) -> bool:
    """Say whether a file's content is what a digest of this output says."""
    return file.is_file() and file_md5(file, legacy=output.legacy) == md5


def folder_md5(entries: Mapping[str, str]) -> str:
    """Hash a folder, given the md5 of each file in it, as DVC does."""
    listed = [{"md5": md5, "relpath": name} for name, md5 in sorted(entries.items())]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def files_in(folder: Path) -> dict[str, Path]:
    """List a folder's files, however deep: relative path, with `/`, -> path."""
    return {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if not file.is_dir()}
