"""Episodes as a LeRobot dataset, version 3: many episodes a Parquet file, many a film, and what is where.

    export(episodes, Path("dataset"))      # an iterator; one episode at a time is in memory

Layout: github.com/huggingface/lerobot, ``docs/source/lerobot-dataset-v3.mdx``. For everybody: joint positions
(rad) as ``observation.state``, what was asked for in SI units as ``action``, a film of each eye. For us:
``neo.<modality>``, an episode's numbers as they are, for :mod:`neo_world_model.sources.lerobot` to read back.
A dataset is only there when it is whole: LeRobot loses one that was not finished.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from neo_description.errors import NeoError
from neo_description.tables import BODY, HAND, SIDES
from neo_flywheel.store.film import Film
from neo_flywheel.store.statistics import Statistics
from neo_world_model.episode import Episode
from neo_world_model.modalities import PROVENANCE, features, part, shapes, table

VERSION = "v3.0"
EYES = ("observation.images.head_left", "observation.images.head_right")
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
FILMS = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
CHUNK = 1000  # files a folder
DATA_SIZE, FILM_SIZE = 100, 200  # MB, after which a new file begins
JOINTS = ("body_joint_position", *(f"{side}_hand_joint_position" for side in SIDES))
COUNTERS = {"timestamp": "float32", "frame_index": "int64", "episode_index": "int64", "index": "int64",
            "task_index": "int64"}  # fmt: skip
Rows = dict[str, np.ndarray]


def export(episodes: Iterable[Episode], out: Path, say: Callable[[str], None] = lambda _: None) -> int:
    """How many episodes were written into ``out``, a new folder. All have the modalities of the first."""
    if out.exists():
        raise NeoError(f"{out} is there already; name a new folder")
    scratch = out.with_name(f".{out.name}.partial")
    shutil.rmtree(scratch, ignore_errors=True)  # of an export that was killed
    try:
        writer = None
        for episode in episodes:
            writer = writer or _Writer(scratch, episode)
            writer.add(episode)
            say(f"{writer.count}: {len(episode)} steps, {episode.prompt or '-'}")
        if writer is None:
            raise NeoError("nothing to export: no episode")
        writer.finish()
        scratch.rename(out)
        return writer.count
    except OSError as error:
        raise NeoError(f"cannot write {out}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class _Writer:
    """Writes a dataset; ``first`` says which modalities there are."""

    def __init__(self, folder: Path, first: Episode):
        self.count = self._frames = 0
        self._folder, self._rate = folder, round(table()["rate"])
        self._modalities = sorted(first.fields)
        self._features = _features(first)
        self._tasks: dict[str, int] = {}
        self._about: list[dict[str, Any]] = []
        self._whole = Statistics()
        self._data = _Numbers(folder)
        self._films = {eye: Film(folder, FILMS, eye, self._rate, FILM_SIZE) for eye in EYES} if (
            "vision" in first.fields
        ) else {}  # fmt: skip

    def add(self, episode: Episode) -> None:
        if sorted(episode.fields) != self._modalities:
            raise NeoError(
                f"episode {self.count} has {', '.join(sorted(episode.fields))}; a dataset is of one kind, "
                f"and the first has {', '.join(self._modalities)}"
            )
        steps = len(episode)
        task = self._tasks.setdefault(episode.prompt, len(self._tasks))
        rows = _numbers(episode)
        rows["timestamp"] = (np.arange(steps) / self._rate).astype(np.float32)
        rows["frame_index"] = np.arange(steps)
        rows["episode_index"] = np.full(steps, self.count)
        rows["index"] = self._frames + np.arange(steps)
        rows["task_index"] = np.full(steps, task)
        about: dict[str, Any] = {
            "episode_index": self.count, "tasks": [episode.prompt], "length": steps,
            "dataset_from_index": self._frames, "dataset_to_index": self._frames + steps,
            "meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0,
        }  # fmt: skip
        own = Statistics()
        for name, values in rows.items():
            own.add(name, values)
        at = self._data.add(rows)
        about["data/chunk_index"], about["data/file_index"] = divmod(at, CHUNK)
        for eye, (name, film) in enumerate(self._films.items()):
            shown = episode.fields["vision"][:, eye]
            at, begin, end = film.add(shown)
            about[f"videos/{name}/chunk_index"], about[f"videos/{name}/file_index"] = divmod(at, CHUNK)
            about[f"videos/{name}/from_timestamp"], about[f"videos/{name}/to_timestamp"] = begin, end
            own.add_pictures(name, shown)
        self._whole.take(own)
        about |= {
            f"stats/{name}/{what}": value for name, row in own.rows().items() for what, value in row.items()
        }
        self._about.append(about)
        self.count += 1
        self._frames += steps

    def finish(self) -> None:
        """Closes the files and writes ``meta``."""
        self._data.close()
        for film in self._films.values():
            film.close()
        file = self._folder / EPISODES.format(chunk_index=0, file_index=0)
        file.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(self._about), file)
        tasks = {"task_index": list(self._tasks.values()), "task": list(self._tasks)}
        pq.write_table(_indexed(pa.table(tasks)), self._folder / "meta" / "tasks.parquet")
        (self._folder / "meta" / "stats.json").write_text(json.dumps(self._whole.rows(), indent=2) + "\n")
        info = {
            "codebase_version": VERSION, "robot_type": "neo", "total_episodes": self.count,
            "total_frames": self._frames, "total_tasks": len(self._tasks), "chunks_size": CHUNK,
            "data_files_size_in_mb": DATA_SIZE, "video_files_size_in_mb": FILM_SIZE, "fps": self._rate,
            "splits": {"train": f"0:{self.count}"}, "data_path": DATA,
            "video_path": FILMS if self._films else None, "features": self._features,
        }  # fmt: skip
        (self._folder / "meta" / "info.json").write_text(json.dumps(info, indent=2) + "\n")


class _Numbers:
    """The Parquet files."""

    def __init__(self, folder: Path):
        self._folder, self._file = folder, -1
        self._writer: pq.ParquetWriter | None = None
        self._path = folder

    def add(self, rows: Rows) -> int:
        """Writes an episode; the number of its file."""
        block = pa.table({name: _column(values) for name, values in rows.items()})
        if self._writer is None or self._path.stat().st_size > DATA_SIZE * 1e6:
            self.close()
            self._file += 1
            chunk, file = divmod(self._file, CHUNK)
            self._path = self._folder / DATA.format(chunk_index=chunk, file_index=file)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._path, block.schema)
        self._writer.write_table(block)
        return self._file

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _numbers(episode: Episode) -> Rows:
    """Column → (T,) or (T, n) of all but pictures and counters."""
    rows: Rows = {}
    if "proprio" in episode.fields:
        parts = [_si("proprio", name, episode.fields["proprio"]) for name in JOINTS]
        rows["observation.state"] = np.concatenate(parts, axis=1)
    if "action" in episode.fields:
        parts = [_si("action", name, episode.fields["action"]) for name in features("action")]
        rows["action"] = np.concatenate(parts, axis=1)
    for name, values in episode.fields.items():
        if name != "vision":
            rows[f"neo.{name}"] = values.reshape(len(episode), -1)
    rows["neo.provenance"] = episode.provenance.astype(np.int64)
    return rows


def _si(modality: str, name: str, values: np.ndarray) -> np.ndarray:
    return (values[:, part(modality, name)] * features(modality)[name][1]).astype(np.float32)


def _features(episode: Episode) -> dict[str, Any]:
    """What ``info.json`` says of each column and film."""
    names = {
        "observation.state": [*BODY.joints, *(f"{side}_{joint}" for side in SIDES for joint in HAND.joints)],
        "action": [f"{name}.{i}" for name, (n, _) in features("action").items() for i in range(n)],
    }
    found: dict[str, Any] = {}
    for name, values in _numbers(episode).items():
        size = 1 if values.ndim == 1 else values.shape[1]
        found[name] = {"dtype": str(values.dtype), "shape": [size], "names": names.get(name)}
    found["neo.provenance"]["info"] = {"values": list(PROVENANCE)}
    if "vision" in episode.fields:
        (_, height, width, colors), _ = shapes()["vision"]
        about = {"video.fps": round(table()["rate"]), "video.height": height, "video.width": width,
                 "video.channels": colors, "video.codec": "h264", "video.pix_fmt": "yuv420p",
                 "video.is_depth_map": False, "has_audio": False}  # fmt: skip
        for eye in EYES:
            found[eye] = {"dtype": "video", "shape": [height, width, colors],
                          "names": ["height", "width", "channels"], "info": about}  # fmt: skip
    return found | {name: {"dtype": kind, "shape": [1], "names": None} for name, kind in COUNTERS.items()}


def _column(values: np.ndarray) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def _indexed(rows: pa.Table) -> pa.Table:
    """With the words as pandas' index, as LeRobot keeps its tasks."""
    pandas = {
        "index_columns": ["task"], "column_indexes": [],
        "columns": [
            {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64",
             "metadata": None},
            {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object",
             "metadata": None},
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__}, "pandas_version": "2.2.3",
    }  # fmt: skip
    return rows.replace_schema_metadata({"pandas": json.dumps(pandas)})
