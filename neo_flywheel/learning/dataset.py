"""From the catalogue to a store of episodes that training, or the gate, reads.

    made = dataset.make(library, Choice(Filters(outcome="done")), read, Path("round/dataset"), print)

What the filters find is looked up once and kept in ``rows.json``; so a store that was cut off goes on with
the same episodes. An episode's sha256 says whether it is held out, so it is held out in every round.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError
from neo_flywheel import files
from neo_flywheel.store import episode_file
from neo_flywheel.store.catalogue import Catalogue, Row
from neo_flywheel.store.library import Library
from neo_flywheel.store.query import Filters
from neo_world_model.episode import Episode
from neo_world_model.store import Store

ROWS, TAKEN = "rows.json", "taken.json"
TRAIN, HELD = "train", "held-out"
Read = Callable[[Path, Row], Iterable[Episode]]  # a fetched recording → its episodes
Say = Callable[[str], None]


@dataclass(frozen=True)
class Choice:
    """``filters`` and at most ``limit`` episodes, the newest; one of ``every`` is held out."""

    filters: Filters = Filters()
    limit: int = 100_000
    every: int = 5

    def __post_init__(self) -> None:
        if self.every < 2 or self.limit < 1:
            raise NeoError(f"every {self.every}, limit {self.limit}; at least 2 and 1")

    def held(self, row: Row) -> bool:
        """Whether the episode is for the gate, and never for training."""
        return int(row.sha256[:8], 16) % self.every == 0


class Episodes:
    """Episodes of ``rows``, one recording at a time on the disk; ``left_out`` says what could not be read,
    ``taken`` what could.

    ``alike``: what has other modalities than the first is left out, too.
    """

    def __init__(self, library: Library, rows: Sequence[Row], read: Read, say: Say, alike: bool = False):
        self.taken: list[int] = []
        self.left_out: list[str] = []
        self._library, self._rows, self._read, self._say, self._alike = library, rows, read, say, alike
        self._modalities: list[str] = []

    def __iter__(self) -> Iterator[Episode]:
        for row in self._rows:
            yield from self.of(row)
        if not self.taken:
            raise NeoError(f"no episode could be read; first: {self.left_out[0]}")

    def of(self, row: Row) -> list[Episode]:
        """The episodes of one row; its bytes are checked against their hashes on the way."""
        with tempfile.TemporaryDirectory() as scratch:
            try:
                folder = self._library.fetch(row, Path(scratch) / "bag", self._say)
                if (folder / episode_file.NAME).exists():
                    found: Iterable[Episode] = [episode_file.load(folder / episode_file.NAME)]
                else:
                    found = self._read(folder, row)
                found = [episode for episode in found if self._fits(row, episode)]
            except NeoError as error:
                self._leave_out(f"episode {row.id}: {error}")
                return []
        for episode in found:
            if row.outcome and episode.success is None:
                episode.success = row.outcome == "done"
        self.taken += [row.id] if found else []
        return found

    def _fits(self, row: Row, episode: Episode) -> bool:
        has = sorted(episode.fields)
        self._modalities = self._modalities or has
        if self._alike and has != self._modalities:
            first = ", ".join(self._modalities)
            self._leave_out(f"episode {row.id} has {', '.join(has)}; the dataset's first has {first}")
            return False
        return True

    def _leave_out(self, why: str) -> None:
        self.left_out.append(why)
        self._say(f"left out: {why}")


def make(library: Library, choice: Choice, read: Read, folder: Path, say: Say) -> dict[str, Any]:
    """Stores ``train`` and ``held-out`` in ``folder``, gone on with where they were cut off; how many
    episodes each has, and what was left out. NeoError when nothing is found to train on.
    """
    rows = _chosen(library.catalogue, choice, folder)
    parts = {TRAIN: [r for r in rows if not choice.held(r)], HELD: [r for r in rows if choice.held(r)]}
    if not parts[TRAIN]:
        raise NeoError(f"no episode to train on: {len(rows)} match, {len(parts[HELD])} of them are held out")
    return {name: _stored(library, mine, read, folder / name, say) for name, mine in parts.items()}


def check_free(catalogue: Catalogue, name: str, folder: Path) -> None:
    """NeoError when the catalogue has a dataset ``name`` that is in another folder."""
    for product in catalogue.products("dataset"):
        where = product["about"].get("folder")
        if product["name"] == name and where != str(folder.resolve()):
            raise NeoError(f"a dataset {name!r} is in the catalogue, in {where}; give this one another name")


def enter(catalogue: Catalogue, name: str, folder: Path, made: dict[str, Any]) -> None:
    """The row in the catalogue of what :func:`make` has ``made`` in ``folder``."""
    about = {"format": "store", "folder": str(folder.resolve()), "episodes": made[TRAIN]["episodes"]}
    catalogue.add_product("dataset", name, episodes=made[TRAIN]["taken"], about=about)


def _chosen(catalogue: Catalogue, choice: Choice, folder: Path) -> list[Row]:
    """Oldest first."""
    if not (folder / ROWS).exists():
        found = catalogue.find(choice.filters, choice.limit)
        files.write_json(folder / ROWS, [row.sha256 for row in found[::-1]])
    return [catalogue.get(digest) for digest in files.read_json(folder / ROWS, "chosen episodes")]


def _stored(library: Library, rows: Sequence[Row], read: Read, folder: Path, say: Say) -> dict[str, Any]:
    """``taken.json`` says how many episodes each row gave; one that was cut off may have left some."""
    store, file = Store.create(folder), folder / TAKEN
    given: dict[str, int] = files.read_json(file, "episodes taken") if file.exists() else {}
    episodes = Episodes(library, rows, read, say)
    for i, row in enumerate(rows):
        if row.sha256 in given:
            continue
        there = len(store.episodes) - sum(given.values())
        found = episodes.of(row)
        for episode in found[there:]:
            store.add(episode)
        given[row.sha256] = len(found)
        files.write_json(file, given)
        say(f"{folder.name}: {i + 1} of {len(rows)}, {len(store.episodes)} episodes")
    return {
        "episodes": len(store.episodes),
        "steps": store.steps,
        "taken": [row.id for row in rows if given[row.sha256]],
        "left_out": [row.id for row in rows if not given[row.sha256]],
    }
