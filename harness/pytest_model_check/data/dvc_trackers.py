"""What git says about the files under DVC: which `.dvc` file or `dvc.lock` names a path, and with which digest.

Read without DVC (that costs 0.5 s to import) where these say enough; DVC itself is asked where they don't.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_model_check.data import dvc_manifests, dvc_repository, dvc_yaml
from pytest_model_check.data.dvc_output import Output, is_digest
from pytest_model_check.errors import DataError
from pytest_model_check.paths import absolute, clipped, quoted, show

NAMES = 2_000  # of files that a mistyped name is compared with


def find_root(path: Path) -> Path | None:
    """Find the nearest folder above `path` that holds a DVC repository."""
    return next((folder for folder in (path, *path.parents) if (folder / ".dvc").is_dir()), None)


def require_root(path: Path) -> Path:
    """Find the nearest folder above `path` that holds a DVC repository.

    Raises
    ------
    DataError
        If there is none.
    """
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


def require_output(root: Path, path: Path) -> Output:
    """Find what tracks `path` itself, or a folder above it.

    Raises
    ------
    DataError
        If nothing does, or without a digest, or not in a way that may be followed.
    """
    output = find_output(root, path) or _ask_dvc(root, path)
    if output is None:
        raise _untracked(path)
    if not output.md5:
        raise DataError(
            f"{show(output.tracker)} records no md5 for {show(output.path)} yet",
            f"Record it: dvc commit {quoted(output.path)} (the output of a stage: dvc repro; an import: "
            f"dvc update {quoted(output.tracker)}), then commit {show(output.tracker)} to git",
        )
    return output


def find_output(root: Path, path: Path) -> Output | None:
    """Find what tracks `path` itself, or a folder above it, without DVC; None where that finds nothing.

    Raises
    ------
    DataError
        If nothing does, and one of the files that might can't be read.
    """
    broken: DataError | None = None
    for tracker in _trackers(root, path):
        try:
            for output in _outputs(root, tracker):
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
    likely = [named.with_name(f"{named.name}.dvc") for named in (path, *above[:-1])]
    yield from (tracker for tracker in likely if _is_there(tracker))
    for folder in above:
        yield from sorted(tracker for tracker in folder.glob("*.dvc") if _is_there(tracker))
        if _is_there(lock := folder / "dvc.lock"):
            yield lock


def _is_there(tracker: Path) -> bool:
    """Whether there is something to read, or to complain of."""
    return (tracker.exists() or tracker.is_symlink()) and not tracker.is_dir()


def _outputs(root: Path, tracker: Path) -> Iterator[Output]:
    document = dvc_yaml.read(tracker)
    if tracker.name != "dvc.lock":
        wdir, outs = str(document.get("wdir") or "."), document.get("outs")
        alone = isinstance(outs, list) and len(outs) == 1
        yield from [_output(root, tracker, wdir, out, alone=alone) for out in _files_among(tracker, outs)]
        return
    stages = document.get("stages", document)
    pipeline = tracker.with_name("dvc.yaml")
    defined = dvc_yaml.read(pipeline).get("stages") if _is_there(pipeline) else None
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        wdir = _wdir(defined, str(name))
        if not isinstance(stage, dict) or "${" in wdir:  # only DVC itself can fill in a template
            continue
        for out in _files_among(tracker, stage.get("outs")):
            if absolute(tracker.parent / wdir / out["path"]).is_relative_to(root):  # a pipeline may write elsewhere
                yield _output(root, tracker, wdir, out)


def _wdir(stages: object, name: str) -> str:
    """Look up a stage's working directory; `train@3` is one of the stages that `train` unfolds to."""
    stage = stages.get(name, stages.get(name.partition("@")[0])) if isinstance(stages, dict) else None
    if not isinstance(stage, dict):
        return "."
    inner = stage.get("do")
    return str(stage.get("wdir") or (inner.get("wdir") if isinstance(inner, dict) else None) or ".")


def _files_among(tracker: Path, outs: object) -> list[Mapping[str, Any]]:
    """Keep the entries of `outs` that name a file or folder; others lie in a cloud, not among the files here."""
    listed = outs if isinstance(outs, list) else []
    for out in listed:
        if not isinstance(out, dict) or not isinstance(out.get("path"), str) or not out["path"]:
            raise dvc_yaml.unreadable(tracker, "an entry of `outs` has no path")
    return [out for out in listed if "://" not in out["path"]]


def _output(root: Path, tracker: Path, wdir: str, out: Mapping[str, Any], *, alone: bool = False) -> Output:
    """Read an entry of `outs`; what it names must lie in the repository."""
    name: str = out["path"]
    if dvc_manifests.CONTROL.search(name):
        raise dvc_yaml.unreadable(tracker, f"the path {clipped(name)} has control characters")
    path = absolute(tracker.parent / wdir / name)
    _require_inside(root, tracker, name, path)
    files = dvc_manifests.entries(out["files"], tracker, path) if "files" in out else None
    md5 = out.get("md5") or (dvc_manifests.folder_md5(files) if files is not None else "")
    remote, cached = out.get("remote"), out.get("cache", True)
    if not isinstance(md5, str) or (md5 and not is_digest(md5)):
        raise dvc_yaml.unreadable(tracker, f"the md5 of {clipped(name)} is none")
    if not isinstance(remote, str | None) or not isinstance(cached, bool):
        raise dvc_yaml.unreadable(tracker, f"remote: or cache: of {clipped(name)} is malformed")
    return Output(
        tracker=tracker,
        path=path,
        md5=md5,
        legacy=out.get("hash") != "md5",
        remote=remote,
        cached=cached,
        files=files,
        alone=alone,
    )


def _require_inside(root: Path, tracker: Path, name: str, path: Path) -> None:
    """Refuse to look for data, or to put any, where DVC would never have found it."""
    if not path.is_relative_to(root) or path == root:
        where = "out of the repository" if path != root else "into all of the repository"
    elif dvc_manifests.is_kept(path.relative_to(root).as_posix()):
        where = "into what git or DVC keep for themselves"
    else:
        return
    raise DataError(
        f"{show(tracker)}: path: {clipped(name)} of `outs` leads {where}",
        f"Nothing was fetched. See who brought it: git log -- {quoted(tracker)}\n"
        f"Restore it (git checkout -- {quoted(tracker)}), or track the data where it is needed: dvc add",
    )


def _ask_dvc(root: Path, path: Path) -> Output | None:
    """Find what tracks `path` where the plain search can't: wdir from afar, templates, pipelines not yet run."""
    with dvc_repository.opened(root, show(path), collects=True) as (repo, _):
        from dvc.exceptions import OutputNotFoundError

        try:
            out = repo.find_outs_by_path(str(path), strict=False)[0]
        except OutputNotFoundError:
            return None
        tracker = Path(out.stage.dvcfile.path).with_name("dvc.lock") if out.stage.cmd else Path(out.stage.path)
        entry = {"path": out.fs_path, "md5": out.hash_info.value, "remote": out.remote, "cache": out.use_cache}
        entry["hash"] = "legacy" if out.hash_name == "md5-dos2unix" else "md5"
        return _output(root, tracker, ".", entry)


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
        f"{show(path)} does not exist, and DVC tracks no such file" + similar(path.name, names - {""}),
        "Check the path. If the data is elsewhere, copy it there, then track it: "
        f"dvc add {quoted(path)}. If a colleague tracks it: git pull",
    )


def similar(name: str, names: Iterable[str]) -> str:
    """Name the few that a mistyped name may have meant, in brackets."""
    likely = sorted(names, key=lambda other: (abs(len(other) - len(name)), other))[:NAMES]
    near = difflib.get_close_matches(name, likely, n=3) if len(name) < 256 else []
    return f" (similar: {', '.join(near)})" if near else ""
