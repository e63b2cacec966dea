"""Other people's data as episodes: one reader a format, each ``read(path, …) -> Iterator[Episode]``.

What a format does not know (a robot's joints in a video) is left out and masked in training.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from neo_description.errors import NeoError
from neo_world_model.episode import Episode

FORMATS = ("video", "egodex", "lerobot", "webdataset")


def read(form: str, path: Path | str, source: str) -> Iterator[Episode]:
    """Episodes of ``path`` in format ``form``; NeoError names the formats, or what is wrong with it."""
    if form not in FORMATS:
        raise NeoError(f"no format {form!r}; one of {', '.join(FORMATS)}")
    path = Path(path)
    if not path.exists():
        raise NeoError(f"{path} does not exist")
    yield from importlib.import_module(f"neo_world_model.sources.{form}").read(path, source)
