"""``metadata.yaml`` of a recording: whether everything stands in it that rosbag2 puts there, as it should.

Version by version: github.com/ros2/rosbag2, ``rosbag2_storage/src/rosbag2_storage/metadata_io.cpp`` and
``yaml.hpp``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from neo_description.errors import NeoError

INFORMATION = "rosbag2_bagfile_information"
LARGEST = 8 * 2**20  # bytes
VERSIONS = range(4, 10)
FILES, CUSTOM, HASHES, DISTRO, QOS_AS_LIST = 5, 6, 7, 8, 9  # versions that brought these
POLICIES = {  # by rmw's numbers, rmw/types.h; older versions wrote these
    "history": ("system_default", "keep_last", "keep_all", "unknown"),
    "reliability": ("system_default", "reliable", "best_effort", "unknown", "best_available"),
    "durability": ("system_default", "transient_local", "volatile", "unknown", "best_available"),
    "liveliness": (
        "system_default", "automatic", "manual_by_node", "manual_by_topic", "unknown", "best_available",
    ),
}  # fmt: skip
TIMES = ("deadline", "lifespan", "liveliness_lease_duration")


def load(folder: Path) -> dict[str, Any]:
    """What stands below ``rosbag2_bagfile_information``; NeoError says what is missing or wrong."""
    file = folder / "metadata.yaml"
    if not file.is_file():
        raise NeoError("metadata.yaml is missing: the recording was cut off, or is not done yet")
    if file.stat().st_size > LARGEST:
        raise NeoError(f"metadata.yaml has {file.stat().st_size} bytes; at most {LARGEST}")
    try:
        content = yaml.safe_load(file.read_bytes())
    except (yaml.YAMLError, ValueError) as error:
        raise NeoError(f"metadata.yaml is no YAML: {' '.join(str(error).split())[:200]}") from None
    about = _of(_of({"content": content}, "content", dict), INFORMATION, dict)
    version = _of(about, "version", int)
    if version not in VERSIONS:
        raise NeoError(f"metadata.yaml is of version {version}; 4 to 9 are read")
    if about.get("storage_identifier") != "mcap":
        raise NeoError(f"stored as {about.get('storage_identifier')!r}; mcap is read")
    if _of(about, "compression_mode", str) or _of(about, "compression_format", str):
        raise NeoError("compressed from outside; MCAP compresses its chunks itself")
    _of(_of(about, "starting_time", dict), "nanoseconds_since_epoch", int)
    _of(_of(about, "duration", dict), "nanoseconds", int)
    _of(about, "message_count", int)
    for row in _of(about, "topics_with_message_count", list):
        _topic(row, version)
    _files(about, version)
    if version >= DISTRO:
        _of(about, "ros_distro", str)
    if version >= CUSTOM and "custom_data" not in about:
        raise NeoError("metadata.yaml has no custom_data")
    return about


def topics(about: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Name → row; NeoError when one stands there twice."""
    found = {row["topic_metadata"]["name"]: row for row in about["topics_with_message_count"]}
    if len(found) != len(about["topics_with_message_count"]):
        raise NeoError("metadata.yaml names a topic twice")
    return found


def custom(about: dict[str, Any]) -> dict[str, str]:
    """The recorder's own data; NeoError when they are none."""
    rows = about.get("custom_data") or {}
    if not isinstance(rows, dict) or not all(isinstance(v, (str, int, float)) for v in rows.values()):
        raise NeoError("metadata.yaml has custom_data that are no words")
    return {str(name): str(value) for name, value in rows.items()}


def _topic(row: Any, version: int) -> None:
    about = _of(_of({"topic": row}, "topic", dict), "topic_metadata", dict)
    _of(row, "message_count", int)
    for name in ("name", "type"):
        _of(about, name, str)
    if about.get("serialization_format") != "cdr":
        raise NeoError(f"{about['name']} is serialised as {about.get('serialization_format')!r}; cdr is read")
    if version >= HASHES:
        _of(about, "type_description_hash", str)
    profiles(_of(about, "offered_qos_profiles", list if version >= QOS_AS_LIST else str))


def profiles(offered: list[Any] | str) -> list[dict[str, Any]]:
    """What each publisher offered, policies in words, from a list or its YAML; NeoError when it is none."""
    if isinstance(offered, str):
        try:
            offered = yaml.safe_load(offered) or []
        except yaml.YAMLError:
            raise NeoError("offered_qos_profiles are no YAML") from None
    rows = _of({"offered_qos_profiles": offered}, "offered_qos_profiles", list)
    return [_profile(_of({"profile": row}, "profile", dict)) for row in rows]


def _profile(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, words in POLICIES.items():
        value = _of(row, name, (str, int))
        if value not in (*words, *range(len(words))):
            raise NeoError(f"metadata.yaml: {name} {value!r}; one of {', '.join(words)}")
        found[name] = words[value] if isinstance(value, int) else value
    for name in TIMES:
        time = _of(row, name, dict)
        found[name] = _of(time, "sec", int), _of(time, "nsec", int)
    for name, kind in (("depth", int), ("avoid_ros_namespace_conventions", bool)):
        found[name] = _of(row, name, kind)
    return found


def _files(about: dict[str, Any], version: int) -> None:
    names = _of(about, "relative_file_paths", list)
    for name in names:
        if not isinstance(name, str) or Path(name).name != name:
            raise NeoError(f"metadata.yaml names the file {name!r}; a plain name beside it is allowed")
    if version < FILES:
        return
    rows = _of(about, "files", list)
    if [row.get("path") if isinstance(row, dict) else row for row in rows] != names:
        raise NeoError("metadata.yaml: files and relative_file_paths do not name the same")
    for row in rows:
        _of(_of(row, "starting_time", dict), "nanoseconds_since_epoch", int)
        _of(_of(row, "duration", dict), "nanoseconds", int)
        _of(row, "message_count", int)


def _of(rows: dict[Any, Any], name: str, kind: Any) -> Any:
    """``rows[name]``, which has to be there and of this kind. Numbers are 0 or more, in 64 bits."""
    value = rows.get(name)
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not fits or (isinstance(value, int) and not 0 <= value < 2**63):
        given = "is missing" if name not in rows else f"is {str(value)[:40]!r}"
        raise NeoError(f"metadata.yaml: {name} {given}")
    return value
