"""What robots and publishers agree on about a release: names, channels, contents.

A release is a model's files as targets ``CHANNEL/VERSION/NAME``. ``release.json`` among them lists all the
others, so that a robot gets the whole of a release or nothing; ``replay.safetensors`` holds inputs of every
graph with what it answered (:mod:`neo_flywheel.update.replay`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from neo_description.errors import NeoError
from neo_flywheel import files

MANIFEST, REPLAY = "release.json", "replay.safetensors"
STABLE, CANARY = "stable", "canary"
SUFFIXES = (".safetensors", ".onnx", ".json", ".md")
PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".npy", ".npz")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Content:
    """What a file must be: its length in bytes and its SHA-256 in hex."""

    length: int
    sha256: str

    @classmethod
    def of(cls, file: Path) -> Content:
        return cls(file.stat().st_size, files.sha256(file))

    def holds(self, file: Path) -> bool:
        """Whether ``file`` is there and is that."""
        return file.is_file() and file.stat().st_size == self.length and files.sha256(file) == self.sha256


@dataclass(frozen=True)
class Release:
    """``files``: name → content of every file, the manifest too."""

    channel: str
    version: str
    files: Mapping[str, Content]

    @property
    def id(self) -> str:
        """Version and hash of the manifest, as in ``1.2.0@1a2b3c4d``: a promoted canary keeps it."""
        return f"{self.version}@{self.files[MANIFEST].sha256[:8]}"

    def path(self, name: str) -> str:
        """Of a file, in the image repository."""
        return f"{self.channel}/{self.version}/{name}"

    def wrong(self, folder: Path) -> str:
        """What is missing or other than listed in ``folder``; empty when all is right."""
        bad = [name for name, content in self.files.items() if not content.holds(folder / name)]
        return f"{', '.join(bad)} not as released" if bad else ""

    def row(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"files": {name: asdict(content) for name, content in self.files.items()}}

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Release:
        """Of a :meth:`row`, every name checked; NeoError."""
        try:
            listed = {check_file_name(name): Content(int(c["length"]), str(c["sha256"]))
                      for name, c in row["files"].items()}  # fmt: skip
            channel, version = row["channel"], check_name(row["version"], "version")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise NeoError(f"no release: {error!r}") from None
        if channel not in (STABLE, CANARY):
            raise NeoError(f"channel {channel!r}; {STABLE} or {CANARY}")
        if MANIFEST not in listed:
            raise NeoError(f"release {version} has no {MANIFEST}")
        return cls(channel, version, listed)


def check_name(word: str, what: str) -> str:
    """``word`` when it may stand in a path; NeoError else."""
    if not NAME.fullmatch(word):
        raise NeoError(
            f"{what} {word!r}; letters, digits, dot, dash and underscore, 64 at most, no dot first"
        )
    return word


def check_file_name(name: str) -> str:
    """``name`` when a release may hold such a file; NeoError says why not."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in PICKLED:
        raise NeoError(f"{name} may hold pickle, which runs code when it is loaded; weights are .safetensors")
    if suffix not in SUFFIXES:
        raise NeoError(f"{name}: a release holds {', '.join(SUFFIXES)} only")
    return check_name(name, "file")
