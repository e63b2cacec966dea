"""A folder that holds what was recorded: objects, catalogue and quarantine.

library = Library(Path("runs/flywheel"))
added = library.add_bag(Path("runs/2026-11-21_12-00-00/bag"))
library.fetch(library.catalogue.get(str(added.id)), Path("copy"))

catalogue.sqlite      rows
objects/              bytes; elsewhere where objects.yaml says ``url: s3://…`` (``endpoint``, ``region``)
quarantine/SHA256/    a bag that is broken as it was given, and reason.txt
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from neo_description.errors import NeoError
from neo_flywheel import files
from neo_flywheel.store import episode_file
from neo_flywheel.store.catalogue import Catalogue, Row
from neo_flywheel.store.objects import ObjectStore
from neo_flywheel.store.validate import Checked, validate
from neo_world_model.episode import Episode

Say = Callable[[str], None]
REASON = "reason.txt"


@dataclass(frozen=True)
class Added:
    """What became of something given: a row ``id``, ``new`` or known; or the ``reason`` of its quarantine."""

    sha256: str
    id: int = 0
    new: bool = False
    reason: str = ""


class Library:
    """Opens ``folder``, or begins it. NeoError when it cannot be."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.catalogue = Catalogue(folder / "catalogue.sqlite")
        self.objects = _objects(folder)

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.catalogue.close()

    def add_bag(self, folder: Path, tags: Iterable[str] = (), say: Say = lambda _: None) -> Added:
        """Validates a recording and stores it, or quarantines it; the same one again is the same row.

        The recording itself stays where it is. NeoError when ``folder`` holds no recording at all.
        """
        if not folder.is_dir() or not (any(folder.glob("*.mcap")) or (folder / "metadata.yaml").is_file()):
            raise NeoError(f"{folder} holds no recording: neither metadata.yaml nor .mcap")
        say(f"{folder}: hashing")
        try:
            digests = {file.name: files.sha256(file) for file in sorted(folder.iterdir()) if _plain(file)}
        except OSError as error:
            raise NeoError(f"cannot read {folder}: {error}") from None
        bags = [digest for name, digest in digests.items() if name.endswith(".mcap")]
        sha256 = hashlib.sha256(json.dumps(bags).encode()).hexdigest()
        known = self._known(sha256)
        if known is not None:
            return known
        try:
            checked = validate(folder, progress=lambda line: say(f"{folder}: {line}"))
        except NeoError as error:
            everything = hashlib.sha256(json.dumps(digests).encode()).hexdigest()
            return self._quarantine(folder, everything, str(error))
        names = [file.name for file in checked.files] + ["metadata.yaml"]
        manifest = self._put("bag", {name: folder / name for name in names}, say)
        size = sum((folder / name).stat().st_size for name in names)
        row = _row(checked, sha256, manifest, size, folder, tags)
        number, new = self.catalogue.add(row)
        return Added(sha256, number, new)

    def add_episode(
        self, episode: Episode, kind: str, path: str, time: float, tags: Iterable[str] = (), robot: str = ""
    ) -> Added:
        """Stores an episode of somebody's data; ``time``: s since the epoch. Again: the same row."""
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / episode_file.NAME
            episode_file.save(episode, file)
            sha256 = files.sha256(file)
            known = self._known(sha256)
            if known is not None:
                return known
            manifest = self._put("episode", {file.name: file}, lambda _: None)
            row = Row(
                sha256, manifest, robot, episode.prompt, kind, time,
                outcome={True: "done", False: "failed"}.get(episode.success, ""),  # type: ignore[arg-type]
                duration=len(episode) / 10.0, messages=len(episode), size=file.stat().st_size,
                autonomy=episode.autonomy, path=path, tags=tuple(sorted({*tags, f"source:{episode.source}"})),
            )  # fmt: skip
        number, new = self.catalogue.add(row)
        return Added(sha256, number, new)

    def files(self, row: Row) -> dict[str, dict[str, Any]]:
        """Name → sha256 and size of what an episode's row is about."""
        return json.loads(self.objects.get_bytes(row.manifest))["files"]

    def fetch(self, row: Row, folder: Path, say: Say = lambda _: None) -> Path:
        """The files of a row, in ``folder``; goes on where it was cut off."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, about in self.files(row).items():
            if Path(name).name != name:
                raise NeoError(f"episode {row.id} has a file {name!r}; a plain name is allowed")
            if not (folder / name).exists():
                self.objects.get(about["sha256"], folder / name, _progress(say, name))
        return folder

    def _known(self, sha256: str) -> Added | None:
        row = self.catalogue.by_digest(sha256)
        return Added(sha256, row.id) if row is not None and self.objects.has(row.manifest) else None

    def _put(self, kind: str, files: dict[str, Path], say: Say) -> str:
        """The digest of the list of ``files``, which are there when this returns."""
        rows = {}
        for name, file in files.items():
            digest = self.objects.put(file, _progress(say, str(file)))
            rows[name] = {"sha256": digest, "size": file.stat().st_size}
        return self.objects.put_bytes(json.dumps({"kind": kind, "files": rows}, sort_keys=True).encode())

    def _quarantine(self, folder: Path, sha256: str, reason: str) -> Added:
        kept = self.folder / "quarantine" / sha256
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".") as scratch:
                copy = Path(scratch) / sha256
                copy.mkdir()
                for file in folder.iterdir():
                    if _plain(file):
                        shutil.copy2(file, copy)
                (copy / REASON).write_text(f"{reason}\nfrom {folder.resolve()}\n")
                if not kept.exists():
                    copy.rename(kept)
        new = self.catalogue.quarantine(sha256, str(folder.resolve()), str(kept), reason)
        return Added(sha256, new=new, reason=reason)


def recordings(path: Path) -> list[Path]:
    """Folders of recordings at or under ``path``."""
    if not path.exists():
        raise NeoError(f"{path} does not exist")
    files = [*path.rglob("*.mcap"), *path.rglob("metadata.yaml")] if path.is_dir() else [path]
    return sorted({file.parent for file in files})


def _objects(folder: Path) -> ObjectStore:
    file = folder / "objects.yaml"
    if not file.exists():
        return ObjectStore(folder / "objects")
    try:
        settings = yaml.safe_load(file.read_text())
        url = settings.pop("url")
    except (OSError, yaml.YAMLError, AttributeError, KeyError) as error:
        raise NeoError(
            f"{file}: {error}; it says url, and endpoint and region where they are needed"
        ) from None
    return ObjectStore(url, {name: str(value) for name, value in settings.items()})


def _row(checked: Checked, sha256: str, manifest: str, size: int, folder: Path, tags: Iterable[str]) -> Row:
    """What the catalogue says of a bag: its custom data, else its notes and surprise."""
    custom, notes, surprise = checked.custom, dict[str, str](), []
    for topic, messages in checked.said.items():
        if topic.endswith("/recorder/notes"):
            notes |= {str(getattr(m, "key", "")): str(getattr(m, "value", "")) for m in messages}
        else:
            surprise += [float(getattr(m, "value", 0.0)) for m in messages]
    triggers = {f"trigger:{said}" for said in (custom.get("trigger"), notes.get("trigger")) if said}
    outcome = custom.get("outcome") or notes.get("outcome", "")
    return Row(
        sha256, manifest,
        robot=custom.get("robot") or custom.get("namespace", "").strip("/"),
        prompt=custom.get("task") or custom.get("prompt") or notes.get("prompt", ""),
        kind="clip" if triggers else "bag",
        outcome=outcome.partition(":")[0].strip(),
        time=checked.first / 1e9, duration=(checked.last - checked.first) / 1e9,
        messages=checked.messages, size=size, autonomy=_number(custom.get("autonomy")),
        surprise=max((s for s in surprise if s == s), default=_number(custom.get("surprise"))),
        path=str(folder.resolve()), tags=tuple(sorted({*tags, *triggers})),
    )  # fmt: skip


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if value == value else None


def _plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def _progress(say: Say, name: str) -> Callable[[int, int], None]:
    return lambda done, size: say(f"{name}: {done / 1e6:.0f} of {size / 1e6:.0f} MB")
