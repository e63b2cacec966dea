"""``metadata.yaml`` of a bag, as rosbag2 writes it (version 9)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

NEVER = {"sec": 9223372036, "nsec": 854775807}  # rmw's infinite duration
CUSTOM = "neo_flywheel"  # the MCAP metadata record that holds a bag's custom data


class _Plain(yaml.SafeDumper):
    """Writes equal parts out in full: no anchors, which few readers expect."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@dataclass(frozen=True)
class Qos:
    """What rosbag2 keeps of a publisher's quality of service."""

    reliable: bool = True
    latched: bool = False
    depth: int = 10

    def entry(self) -> dict[str, Any]:
        """As in ``metadata.yaml``, version 9."""
        return {
            "history": "keep_last",
            "depth": self.depth,
            "reliability": "reliable" if self.reliable else "best_effort",
            "durability": "transient_local" if self.latched else "volatile",
            "deadline": dict(NEVER),
            "lifespan": dict(NEVER),
            "liveliness": "automatic",
            "liveliness_lease_duration": dict(NEVER),
            "avoid_ros_namespace_conventions": False,
        }


@dataclass
class TopicRow:
    """One topic of a bag. ``qos``: entries as of :meth:`Qos.entry`."""

    name: str
    type_name: str
    type_hash: str
    qos: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0


@dataclass(frozen=True)
class FileRow:
    """One file of a bag; ``first`` and ``last``: log times (ns) of its messages, 0 when it has none."""

    name: str
    first: int
    last: int
    count: int

    def duration(self) -> dict[str, int]:
        return {"nanoseconds": max(0, self.last - self.first)}


def write_metadata(
    folder: Path, files: list[FileRow], topics: list[TopicRow], custom: dict[str, str] | None = None
) -> None:
    """Writes ``folder/metadata.yaml``, whole or not at all."""
    filled = [file for file in files if file.count]
    whole = FileRow(
        "",
        min((file.first for file in filled), default=0),
        max((file.last for file in filled), default=0),
        sum(file.count for file in files),
    )
    content = {
        "rosbag2_bagfile_information": {
            "version": 9,
            "storage_identifier": "mcap",
            "duration": whole.duration(),
            "starting_time": {"nanoseconds_since_epoch": whole.first},
            "message_count": whole.count,
            "topics_with_message_count": [
                {
                    "topic_metadata": {
                        "name": row.name,
                        "type": row.type_name,
                        "serialization_format": "cdr",
                        "offered_qos_profiles": row.qos,
                        "type_description_hash": row.type_hash,
                    },
                    "message_count": row.count,
                }
                for row in topics
            ],
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [file.name for file in files],
            "files": [
                {
                    "path": file.name,
                    "starting_time": {"nanoseconds_since_epoch": file.first},
                    "duration": file.duration(),
                    "message_count": file.count,
                }
                for file in files
            ],
            "custom_data": custom or None,
            "ros_distro": os.environ.get("ROS_DISTRO", "kilted"),
        }
    }
    target = folder / "metadata.yaml"
    partial = target.with_suffix(".yaml.partial")
    partial.write_text(yaml.dump(content, Dumper=_Plain, sort_keys=False))
    partial.replace(target)


def read_custom(folder: Path) -> dict[str, str]:
    """``custom_data`` of ``folder/metadata.yaml``; nothing where it is missing or broken."""
    try:
        rows = yaml.safe_load((folder / "metadata.yaml").read_text())
        return dict(rows["rosbag2_bagfile_information"].get("custom_data") or {})
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return {}
