"""Typed parameters of launch files: YAML typing of values as launch_ros does it, and parameter files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from neo_description.errors import NeoError

SCALARS = (bool, int, float, str)
TYPES = ("bool", "int", "float", "str")


def typed(text: str, type_name: str | None) -> Any:
    """``text`` as ``type_name`` (bool, int, float, str), or by YAML's rules when None; ValueError else."""
    if type_name is not None and type_name not in TYPES:
        raise ValueError(f"type {type_name!r} is not supported; one of {', '.join(TYPES)}")
    if type_name == "str" or (type_name is None and not text):
        return text
    if type_name == "bool" and text in ("0", "1"):
        return text == "1"
    if type_name in ("int", "float"):
        return int(text) if type_name == "int" else float(text)
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError(f"{text!r} is no YAML value") from None
    if type_name == "bool" and not isinstance(value, bool):
        raise ValueError(f"{text!r} is no bool")
    items = value if isinstance(value, list) else [value]
    kinds = {type(item) for item in items}
    if len(kinds) > 1 or not kinds <= set(SCALARS):
        raise ValueError(f"{text!r} is no bool, number, string or list of one of them")
    return value


def check_file(file: Path) -> None:
    """NeoError in one line when ``file`` is no readable ROS parameter file."""
    try:
        content = yaml.safe_load(file.read_text())
    except OSError as error:
        raise NeoError(f"{file}: cannot read the parameter file: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NeoError(f"{file}: the parameter file is no text") from None
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        problem = getattr(error, "problem", None) or "not YAML"
        raise NeoError(f"{file}:{line}: the parameter file is broken or cut short: {problem}") from None
    if not isinstance(content, dict) or not content:
        raise NeoError(f"{file}: the parameter file is empty or no mapping of node names")
    for node, body in content.items():
        if not isinstance(body, dict) or not isinstance(body.get("ros__parameters"), dict):
            raise NeoError(
                f"{file}: {node}: needs a mapping named ros__parameters; the file may be cut short"
            )


def write_file(file: Path, node: str, values: dict[str, Any]) -> None:
    """A parameter file for the fully qualified ``node`` (``/**`` for any)."""
    file.write_text(yaml.safe_dump({node: {"ros__parameters": values}}))
