"""Two slots, one of them used; what is in them, and which start is a trial: one small file, replaced whole.

    HOME/state.json       active, trial, starts, what each slot holds
    HOME/slots/a, b       the files of a release
    HOME/download/SHA256  files on their way

Between any two writes a power cut leaves a state that the next start goes on from: a slot is listed only
while its files are whole and synced, and the one that is used is not touched.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError
from neo_flywheel import files
from neo_flywheel.update.manifest import Release

SLOTS = ("a", "b")
EVENTS = 50  # kept


@dataclass
class Slot:
    """``good``: it passed its first start once."""

    release: Release
    good: bool = False


@dataclass
class State:
    """``trial``: the active slot was not marked good yet, ``starts`` times begun. ``died``: release id →
    first starts that ended without a word. ``refused``: release id → why it is not installed again.
    """

    active: str | None = None
    trial: bool = False
    starts: int = 0
    slots: dict[str, Slot | None] = field(default_factory=lambda: dict.fromkeys(SLOTS))
    died: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, str]] = field(default_factory=list)

    @property
    def other(self) -> str:
        """The slot that is not used."""
        return "b" if self.active == "a" else "a"

    def slot(self, name: str | None) -> Slot | None:
        return self.slots[name] if name else None

    def note(self, now: datetime, what: str) -> None:
        """Remembers that something happened."""
        self.events = [*self.events, {"time": now.isoformat(timespec="seconds"), "what": what}][-EVENTS:]


class Home:
    """The folder ``root`` of a robot's agent."""

    def __init__(self, root: Path):
        self.root = root
        self.downloads = root / "download"

    def folder(self, slot: str) -> Path:
        """Of a slot's files."""
        return self.root / "slots" / slot

    def load(self) -> State:
        """The state; a new one when nothing was installed yet. NeoError when the file is damaged."""
        file = self.root / "state.json"
        if not file.exists():
            return State()
        row = files.read_json(file, "state of the agent")
        try:
            row["slots"] = {
                name: Slot(Release.of(slot["release"]), slot["good"]) if slot else None
                for name, slot in row["slots"].items()
            }
            return State(**row)
        except (KeyError, TypeError) as error:
            raise NeoError(f"{file} is no state of an agent: {error!r}") from None

    def save(self, state: State) -> None:
        """On the disk when this returns; a power cut before leaves the old one."""
        slots: dict[str, Any] = {
            name: {"release": slot.release.row(), "good": slot.good} if slot else None
            for name, slot in state.slots.items()
        }
        files.write_json(self.root / "state.json", vars(state) | {"slots": slots})

    def fill(self, state: State, slot: str, release: Release) -> None:
        """Puts the downloaded files of ``release`` into ``slot``, which is not the active one.

        The downloads stay until the state lists the slot: interrupted anywhere, it is done again.
        """
        if slot == state.active:
            raise NeoError(f"slot {slot} is used")
        state.slots[slot] = None
        self.save(state)
        new = self.root / "slots" / ".new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for name, content in release.files.items():
            if not (self.downloads / content.sha256).is_file():
                raise NeoError(f"{release.path(name)} was not downloaded yet")
            _link(self.downloads / content.sha256, new / name)
        files.sync_folder(new)
        shutil.rmtree(self.folder(slot), ignore_errors=True)
        new.replace(self.folder(slot))
        files.sync_folder(self.root / "slots")
        state.slots[slot] = Slot(release)
        self.save(state)
        self.clear_downloads()

    def clear_downloads(self, but: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        """Removes what was downloaded, but the files with these hashes."""
        for file in self.downloads.glob("*"):
            if (
                file.name.removesuffix(".part") not in but
                and file.is_file()
                and not file.name.startswith(".")
            ):
                file.unlink()


def _link(file: Path, to: Path) -> None:
    try:
        os.link(file, to)
    except OSError:  # a file system without links
        shutil.copyfile(file, to)
        files.sync_file(to)
