"""Definitions and hashes of message types, from ``share/PKG/msg/NAME.msg`` and ``.json``."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from neo_description.errors import NeoError

SEPARATOR = "=" * 80
PRIMITIVES = re.compile(
    r"bool|byte|char|float32|float64|u?int(8|16|32|64)|w?string(<=\d+)?"  # <=N: bounded
)
FIELD = re.compile(r"^\s*([A-Za-z_][\w/]*(?:<=\d+)?)(?:\[[^\]]*\])?\s+[A-Za-z_]\w*")


@dataclass(frozen=True)
class MessageType:
    """``definition``: text with all types inside, as rosbag2 stores it; ``type_hash``: RIHS01."""

    name: str
    definition: str
    type_hash: str


class TypeBook:
    """Looks types up in ament ``prefixes``, nearest first, then among ``known``."""

    def __init__(self, prefixes: Iterable[Path], known: Iterable[MessageType] = ()):
        self._prefixes = list(prefixes)
        self._known = {row.name: row for row in known}

    def find(self, name: str) -> MessageType:
        """The type ``package/msg/Name``; NeoError when no prefix has it."""
        if name in self._known and self._installed(name, "msg") is None:
            return self._known[name]
        file = self._file(name, "msg")
        parts, listed, queue = [file.read_text()], {name}, self._inner(name, file.read_text())
        while queue:
            inner = queue.pop(0)
            if inner in listed:
                continue
            listed.add(inner)
            text = self._file(inner, "msg").read_text()
            package, _, short = inner.split("/")
            parts.append(f"{SEPARATOR}\nMSG: {package}/{short}\n{text}")
            queue += self._inner(inner, text)
        hashes = json.loads(self._file(name, "json").read_text())["type_hashes"]
        type_hash = next(row["hash_string"] for row in hashes if row["type_name"] == name)
        return MessageType(name, "\n".join(parts), type_hash)

    def _installed(self, name: str, suffix: str) -> Path | None:
        package, kind, short = name.split("/")
        files = (prefix / "share" / package / kind / f"{short}.{suffix}" for prefix in self._prefixes)
        return next((file for file in files if file.is_file()), None)

    def _file(self, name: str, suffix: str) -> Path:
        file = self._installed(name, suffix)
        if file is not None:
            return file
        looked = ", ".join(map(str, self._prefixes)) or "no prefix: AMENT_PREFIX_PATH is empty"
        raise NeoError(f"no definition of the message type {name} in {looked}")

    def _inner(self, name: str, text: str) -> list[str]:
        package = name.split("/")[0]
        found = []
        for line in text.splitlines():
            match = FIELD.match(line.split("#")[0])
            if not match or PRIMITIVES.fullmatch(match[1]):
                continue
            words = match[1].split("/")
            owner = words[0] if len(words) > 1 else package
            found.append(f"{owner}/msg/{words[-1]}")
        return found


def ament_prefixes() -> list[Path]:
    """Where message definitions are installed."""
    return [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]


def installed() -> TypeBook:
    """Of the ament prefixes, then of this Python's."""
    return TypeBook([*ament_prefixes(), Path(sys.prefix)])
