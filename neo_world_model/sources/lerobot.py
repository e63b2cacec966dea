"""LeRobot datasets, version 3: Parquet with many episodes a file, MP4 with many episodes a film.

Pictures of the first camera and the words of the task are read. States and actions are read where the dataset
is of this robot (features ``neo.<modality>`` of our shapes, as we export them); another robot's are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from neo_description.errors import NeoError
from neo_world_model.episode import Episode
from neo_world_model.modalities import PROVENANCE, shapes, table
from neo_world_model.sources import video

OURS = "neo."


def read(path: Path, source: str) -> Iterator[Episode]:
    """Every episode; NeoError when it is no dataset of version 3."""
    try:
        info = json.loads((path / "meta" / "info.json").read_text())
        tasks = _tasks(path)
    except (OSError, ValueError) as error:
        raise NeoError(f"{path} is no LeRobot dataset: {error}") from None
    if not str(info.get("codebase_version", "")).startswith("v3"):
        raise NeoError(f"{path} is of version {info.get('codebase_version')}; version 3 is read")
    cameras = [name for name, feature in info["features"].items() if feature["dtype"] == "video"]
    for row in _rows(path / "meta" / "episodes"):
        yield _episode(path, info, row, cameras, tasks, source)


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.rglob("*.parquet")):
        yield from pq.read_table(file).to_pylist()


def _tasks(path: Path) -> dict[int, str]:
    """Number → words. The words are a column, or pandas' index."""
    rows = pq.read_table(path / "meta" / "tasks.parquet").to_pylist()
    return {row["task_index"]: row.get("task", row.get("__index_level_0__", "")) for row in rows}


def _episode(
    path: Path,
    info: dict[str, Any],
    row: dict[str, Any],
    cameras: list[str],
    tasks: dict[int, str],
    source: str,
) -> Episode:
    number = row["episode_index"]
    file = info["data_path"].format(chunk_index=row["data/chunk_index"], file_index=row["data/file_index"])
    data = pq.read_table(path / file, filters=[("episode_index", "=", number)]).sort_by("frame_index")
    times = np.arange(0.0, data.num_rows / info["fps"] - 1e-6, 1.0 / table()["rate"])
    at = np.minimum(np.round(times * info["fps"]).astype(int), data.num_rows - 1)
    fields: dict[str, np.ndarray] = {}
    if cameras:
        key = cameras[0]
        film = info["video_path"].format(
            video_key=key,
            chunk_index=row[f"videos/{key}/chunk_index"],
            file_index=row[f"videos/{key}/file_index"],
        )
        begin, end = row[f"videos/{key}/from_timestamp"], row[f"videos/{key}/to_timestamp"]
        shown = np.array(list(video.frames(path / film, begin, end)))
        times, at = times[: len(shown)], at[: len(shown)]
        fields["vision"] = shown[: len(at)]
    for name, (shape, dtype) in shapes().items():
        if f"{OURS}{name}" in data.column_names:
            values = np.array(data[f"{OURS}{name}"].to_pylist(), dtype)[at]
            fields[name] = values.reshape(len(at), *shape)
    if not fields:
        raise NeoError(f"{path}: episode {number} has no camera and none of {OURS}{', '.join(shapes())}")
    by = "teleop" if "action" in fields else "none"
    provenance = np.full(len(at), PROVENANCE.index(by), np.int8)
    said = tasks.get(data["task_index"][0].as_py(), "") if "task_index" in data.column_names else ""
    return Episode(source, fields, provenance, prompt=said, kind="lerobot")
