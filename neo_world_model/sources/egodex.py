"""Egocentric human video in EgoDex's layout: ``N.hdf5`` beside ``N.mp4`` (Hoque et al. 2025).

Read are the pictures and the words (``llm_description`` of the HDF5 file's attributes). Hand poses
(``transforms/leftHand``, …, (T, 4, 4)) are checked to have one shape; ``neo retarget`` makes joints of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from neo_description.errors import NeoError
from neo_world_model.episode import Episode
from neo_world_model.sources import video

HANDS = ("transforms/leftHand", "transforms/rightHand", "transforms/camera")


def read(path: Path, source: str) -> Iterator[Episode]:
    """An episode a pair of files under ``path``; NeoError names what a pair lacks."""
    files = [path] if path.is_file() else sorted(path.rglob("*.hdf5"))
    if not files:
        raise NeoError(f"no .hdf5 file under {path}")
    for file in files:
        film = file.with_suffix(".mp4")
        if not film.exists():
            raise NeoError(f"{file} has no {film.name} beside it")
        shown = np.array(list(video.frames(film)))
        if len(shown) >= video.SHORTEST:
            yield video.episode(shown, source, words(file))


def words(file: Path) -> str:
    """What the person did, as the file says it; NeoError when it is of another layout."""
    try:
        with h5py.File(file) as data:
            missing = [name for name in HANDS if name not in data]
            if missing:
                raise NeoError(f"{file} is not EgoDex's layout: no {', '.join(missing)}")
            lengths = {data[name].shape for name in HANDS}
            if len(lengths) != 1 or data[HANDS[0]].shape[1:] != (4, 4):
                raise NeoError(f"{file}: poses of shapes {sorted(lengths)}; all must be (T, 4, 4)")
            which = str(data.attrs.get("which_llm_description", "1"))
            said = data.attrs.get("llm_description2" if which == "2" else "llm_description", "")
            return said.decode() if isinstance(said, bytes) else str(said)
    except OSError as error:
        raise NeoError(f"cannot read {file}: {error}") from None
