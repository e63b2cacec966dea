"""Tables in YAML, read once a process and again when the file has changed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml


def read(file: Path) -> Any:
    """The content of ``file``, shared by all who read it: not to be changed. OSError, YAMLError."""
    return _parsed(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _parsed(file: Path, changed: int) -> Any:
    return yaml.safe_load(file.read_text())
