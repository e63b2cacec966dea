"""Publishing: a model folder becomes a release of the image repository (:mod:`manifest`)."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError
from neo_flywheel import files
from neo_flywheel.update.manifest import (
    CANARY,
    MANIFEST,
    REPLAY,
    STABLE,
    Content,
    Release,
    check_file_name,
    check_name,
)
from neo_flywheel.update.repository import Repository

ROLE = {STABLE: "targets", CANARY: "canary"}  # channel → who signs it
WANTED = ("model.json", "encode.onnx", "imagine.onnx", "read.onnx", "act.onnx")


def check_folder(folder: Path) -> list[Path]:
    """The files of the model in ``folder``, each what its name says; NeoError names the first that is not."""
    if not folder.is_dir():
        raise NeoError(f"no model folder {folder}")
    found = []
    for file in sorted(folder.iterdir()):
        if file.is_symlink() or not file.is_file():
            raise NeoError(f"{file} is no plain file; a release holds plain files only")
        check_file_name(file.name)
        _check_content(file)
        found.append(file)
    missing = [name for name in WANTED if not (folder / name).is_file()]
    if missing:
        raise NeoError(f"{folder} lacks {', '.join(missing)}; `neo export RUN --out {folder}` writes a model")
    return found


def _check_content(file: Path) -> None:
    try:
        if file.suffix == ".json":
            json.loads(file.read_bytes())
        elif file.suffix == ".md":
            file.read_text("utf-8")
        elif file.suffix == ".safetensors":
            from safetensors import safe_open

            with safe_open(file, framework="np") as tensors:
                tensors.keys()
        else:
            _check_graph(file)
    except NeoError:
        raise
    except Exception as error:  # the readers have no common root
        raise NeoError(f"{file} is not what its name says: {str(error)[:200]}") from None


def _check_graph(file: Path) -> None:
    import onnx

    model = onnx.load(file, load_external_data=False)
    if not model.graph.node:
        raise NeoError(f"{file} is not what its name says: a graph without nodes")
    outside = [t.name for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    if outside:
        raise NeoError(f"{file} keeps numbers in another file ({outside[0]}); export it in one")


def publish(
    repository: Repository, folder: Path, version: str, channel: str, made: dict[str, Any]
) -> list[str]:
    """Lists the model in ``folder`` as ``version``; the names of its files. ``made``: who, when, of what.

    What was released never changes: the same files again do nothing, or promote a canary, and others are a
    NeoError, as is what is no model.
    """
    check_name(version, "version")
    given = {file.name: file for file in check_folder(folder) if file.name != MANIFEST}
    there = releases(repository)
    for one in dict.fromkeys((channel, CANARY)):
        if (listed := there[one].get(version)) is None:
            continue
        if not _same(listed, given):
            raise NeoError(f"{one}/{version} is released already and never changes; choose another version")
        if one != channel:
            promote(repository, version)
        return sorted(listed)
    with tempfile.TemporaryDirectory() as scratch:
        if REPLAY not in given:
            from neo_flywheel.update import replay

            given[REPLAY] = replay.record(folder, Path(scratch) / REPLAY)
        rows = {name: vars(Content.of(file)) for name, file in sorted(given.items())}
        given[MANIFEST] = Path(scratch) / MANIFEST
        files.write_json(given[MANIFEST], {"version": version, "files": rows, "made": made})
        repository.change(
            ROLE[channel], {f"{channel}/{version}/{name}": (f, {}) for name, f in given.items()}
        )
    return sorted(given)


def _same(listed: dict[str, Content], given: dict[str, Path]) -> bool:
    """Whether these files are that release; its manifest and replay are made at publishing."""
    names = {MANIFEST, REPLAY} | set(given)
    return names == set(listed) and all(listed[name].holds(file) for name, file in given.items())


def promote(repository: Repository, version: str) -> None:
    """What was a canary is listed as stable, to the byte."""
    listed = releases(repository)
    if version in listed[STABLE]:
        raise NeoError(f"{version} is stable already")
    given = find(repository, version, CANARY).files
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in given.items():
            kept = repository.folder / "targets" / CANARY / version / f"{content.sha256}.{name}"
            if not content.holds(kept):
                raise NeoError(f"{kept} is not what was signed")
            shutil.copyfile(kept, Path(scratch) / name)
        repository.change(
            ROLE[STABLE], {f"{STABLE}/{version}/{name}": (Path(scratch) / name, {}) for name in given}
        )


def withdraw(repository: Repository, channel: str, version: str) -> None:
    """No robot installs ``version`` any more, whatever a director says. The files stay where they are."""
    release = find(repository, version, channel)
    repository.change(ROLE[channel], {}, gone=[release.path(name) for name in release.files])


def releases(repository: Repository) -> dict[str, dict[str, dict[str, Content]]]:
    """Channel → version → file name → content."""
    found: dict[str, dict[str, dict[str, Content]]] = {channel: {} for channel in ROLE}
    for channel, role in ROLE.items():
        for path, info in repository.targets(role).targets.items():
            _, version, name = path.split("/")
            found[channel].setdefault(version, {})[name] = Content(info.length, info.hashes["sha256"])
    return found


def find(repository: Repository, version: str, channel: str = "") -> Release:
    """The release ``version``, stable before canary; NeoError lists the ones there are."""
    known = releases(repository)
    for one in (channel,) if channel else (STABLE, CANARY):
        if version in known.get(one, {}):
            return Release(one, version, known[one][version])
    there = [f"{one}/{name}" for one, names in known.items() for name in names]
    raise NeoError(f"no release {channel or 'called'} {version}; there are {', '.join(there) or 'none'}")
