"""The aligned cache that training reads: one raw file a modality, one index, random windows at memory speed.

    Store.create(folder).add(episode)
    store = Store(folder); store.window(3, 10, 16)["vision"]      # (16, 2, 48, 64, 3)

Episodes are only ever appended: their numbers first, then the index, which is replaced in one move. So a
writer that is cut off loses at most the episode it was writing; what its numbers left behind is overwritten.
Modalities an episode lacks take no space.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from neo_description.errors import NeoError
from neo_world_model.episode import LABELS, Episode
from neo_world_model.modalities import shapes

INDEX = "index.json"
VERSION = 2


def columns() -> dict[str, tuple[tuple[int, ...], str]]:
    """File → (shape, dtype) of one row: modalities, provenance, progress, privileged labels."""
    labels = {f"privileged_{name}": (shape, "float32") for name, shape in LABELS.items()}
    return {**shapes(), "provenance": ((), "int8"), "progress": ((), "float32"), **labels}


class Store:
    """A folder of episodes; ``episodes``: one dict each with steps, source, prompt, rows, …"""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)
        try:
            index = json.loads((self.folder / INDEX).read_text())
        except (OSError, json.JSONDecodeError) as error:
            raise NeoError(f"{self.folder} is no store of episodes: {error}") from None
        wanted = {name: [list(shape), dtype] for name, (shape, dtype) in columns().items()}
        if index["version"] != VERSION or index["columns"] != wanted:
            raise NeoError(
                f"{self.folder} was made by another version of the tables (neo_world_model/modalities.yaml); "
                "make it anew from its recordings"
            )
        self.episodes: list[dict[str, Any]] = index["episodes"]
        self._maps: dict[str, np.ndarray] = {}

    @classmethod
    def create(cls, folder: Path | str) -> Store:
        """An empty store; one that is there already is opened."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / INDEX).exists():
            _write_index(folder, [])
        return cls(folder)

    @property
    def steps(self) -> int:
        """Of all episodes."""
        return sum(e["steps"] for e in self.episodes)

    def add(self, episode: Episode) -> int:
        """Append; the episode's number."""
        given = {**episode.fields, "provenance": episode.provenance}
        if episode.progress is not None:
            given["progress"] = episode.progress
        given |= {f"privileged_{name}": values for name, values in episode.privileged.items()}
        rows = {}
        for name, values in given.items():
            shape, dtype = columns()[name]
            file, size = self.folder / f"{name}.bin", _row_size(shape, dtype)
            rows[name] = self.rows(name)
            with open(file, "r+b" if file.exists() else "w+b") as out:
                out.seek(rows[name] * size)
                out.write(np.ascontiguousarray(values, dtype).tobytes())
                out.truncate()
                os.fsync(out.fileno())
        about = {
            "steps": len(episode), "source": episode.source, "rows": rows, "kind": episode.kind,
            "seed": episode.seed, "success": episode.success, "prompt": episode.prompt,
            "things": list(episode.things), "target": episode.target, "place": episode.place,
        }  # fmt: skip
        self.episodes.append(about)
        _write_index(self.folder, self.episodes)
        self._maps.clear()
        return len(self.episodes) - 1

    def window(
        self, number: int, start: int, steps: int, only: Collection[str] = ()
    ) -> dict[str, np.ndarray]:
        """What episode ``number`` has of ``steps`` steps from ``start``: column → (steps, …), a copy.

        ``only``: these columns; empty: all.
        """
        about = self.episodes[number]
        if not 0 <= start <= about["steps"] - steps:
            raise NeoError(
                f"episode {number} has {about['steps']} steps; asked for {steps} from step {start}"
            )
        return {
            name: np.array(self._map(name)[row + start : row + start + steps])
            for name, row in about["rows"].items()
            if not only or name in only
        }

    def rows(self, name: str) -> int:
        """How many steps of all episodes have column ``name``."""
        ends = [e["rows"][name] + e["steps"] for e in self.episodes if name in e["rows"]]
        return max(ends, default=0)

    def column(self, name: str, first: int, last: int) -> np.ndarray:
        """Rows ``first`` to ``last`` of column ``name``, a copy; ``rows`` in :attr:`episodes` says whose."""
        return np.array(self._map(name)[first:last])

    def _map(self, name: str) -> np.ndarray:
        if name not in self._maps:
            shape, dtype = columns()[name]
            rows = self.rows(name)
            self._maps[name] = np.memmap(self.folder / f"{name}.bin", dtype, "r", shape=(rows, *shape))
        return self._maps[name]


def _row_size(shape: tuple[int, ...], dtype: str) -> int:
    return int(np.prod(shape, initial=1)) * np.dtype(dtype).itemsize


def _write_index(folder: Path, episodes: list[dict[str, Any]]) -> None:
    index = {"version": VERSION, "columns": {n: [list(s), d] for n, (s, d) in columns().items()},
             "episodes": episodes}  # fmt: skip
    new = folder / (INDEX + ".new")
    new.write_text(json.dumps(index))
    os.replace(new, folder / INDEX)
