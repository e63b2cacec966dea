"""WebDataset shards: tar files in which a sample's files share a name: ``a.mp4`` and ``a.txt`` or ``a.json``.

The words are ``.txt``, or ``caption``, ``prompt`` or ``text`` of ``.json``. Python's own ``tarfile`` reads
them in order: a shard on disk needs no streaming library.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

from neo_description.errors import NeoError
from neo_world_model.episode import Episode
from neo_world_model.sources import video

WORDS = ("caption", "prompt", "text")


def read(path: Path, source: str) -> Iterator[Episode]:
    """Episodes of a shard or of every shard in a folder; samples without a video are passed over."""
    shards = [path] if path.is_file() else sorted(path.rglob("*.tar"))
    if not shards:
        raise NeoError(f"no .tar under {path}")
    for shard in shards:
        for files in samples(shard):
            film = next((files[s] for s in video.SUFFIXES if s in files), None)
            if film is not None:
                for shown in video.scenes(video.frames(io.BytesIO(film))):
                    yield video.episode(shown, source, _words(files))


def samples(shard: Path) -> Iterator[dict[str, bytes]]:
    """Each sample of a shard: suffix (all behind the first dot) → content."""
    try:
        with tarfile.open(shard) as tar:
            key, files = "", dict[str, bytes]()
            for member in tar:
                if not member.isfile():
                    continue
                folder, _, name = member.name.rpartition("/")
                stem, dot, suffix = name.partition(".")
                if f"{folder}/{stem}" != key and files:
                    yield files
                    files = {}
                key = f"{folder}/{stem}"
                content = tar.extractfile(member)
                assert content is not None
                files[dot + suffix.lower()] = content.read()
            if files:
                yield files
    except tarfile.TarError as error:
        raise NeoError(f"cannot read {shard}: {error}") from None


def _words(files: dict[str, bytes]) -> str:
    if ".txt" in files:
        return files[".txt"].decode(errors="replace").strip()
    about = json.loads(files.get(".json", b"{}"))
    return next((str(about[name]) for name in WORDS if about.get(name)), "")
