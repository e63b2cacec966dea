"""Video files through PyAV: pictures at ten a second, nothing else. One camera fills both eyes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from neo_description.errors import NeoError
from neo_world_model.episode import Episode
from neo_world_model.modalities import table
from neo_world_model.stepper import picture

SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov")
LONGEST = 600  # steps of an episode; a longer video becomes several
SHORTEST = 12
CUT = 60.0  # of 255: a larger mean change from step to step is another scene


def read(path: Path, source: str) -> Iterator[Episode]:
    """Episodes of a file, or of every video under a folder; a cut to another scene begins a new one."""
    files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES)
    if not files:
        raise NeoError(f"no video under {path}; looked for {', '.join(SUFFIXES)}")
    for file in files:
        for shown in scenes(frames(file)):
            yield episode(shown, source)


def episode(shown: np.ndarray, source: str, prompt: str = "") -> Episode:
    """``shown`` (T, 2, H, W, 3) as an episode in which nobody's actions are known."""
    return Episode(source, {"vision": shown}, np.zeros(len(shown), np.int8), prompt=prompt, kind="video")


def frames(file: Any, begin: float = 0.0, end: float = np.inf) -> Iterator[np.ndarray]:
    """(2, H, W, 3) ten times a second from ``begin`` to ``end`` s: at each instant the last frame before it.

    ``file``: a path or an open binary file. NeoError when it is no video.
    """
    step, k = 1.0 / table()["rate"], 0
    try:
        with av.open(file) as container:
            stream = container.streams.video[0]
            last = None
            if begin > 0.0:  # to the key frame before it
                container.seek(round(begin * av.time_base))
            for frame in container.decode(stream):
                at = float(frame.time or 0.0)
                while last is not None and begin + k * step < min(at, end) - 1e-6:
                    yield last
                    k += 1
                if at >= end:
                    return
                if at >= begin - step:
                    rgb = frame.to_ndarray(format="rgb24")
                    last = picture(rgb, rgb)
            if last is not None:
                yield last
    except (av.FFmpegError, IndexError) as error:
        raise NeoError(f"cannot read video {getattr(file, 'name', file)}: {error}") from None


def scenes(shown: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """(T, 2, H, W, 3) of each scene of 12 to 600 steps; what is shorter is left out."""
    found: list[np.ndarray] = []
    for image in shown:
        if found and (len(found) == LONGEST or _changed(found[-1], image) > CUT):
            yield from _long_enough(found)
            found = []
        found.append(image)
    yield from _long_enough(found)


def _long_enough(found: list[np.ndarray]) -> Iterator[np.ndarray]:
    if len(found) >= SHORTEST:
        yield np.array(found)


def _changed(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(np.int16) - b).mean())
