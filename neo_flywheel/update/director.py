"""Who gets what: the director's repository lists one assignment a robot, ``robots/ID.json`` (after Uptane).

An assignment names its robot and every file of its release with length and hash. The robot installs only what
the image repository, other keys, lists in the same way. So whoever holds the director's keys cannot make a
robot run what was not released, and whoever holds the image keys cannot choose robots.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError
from neo_flywheel import files
from neo_flywheel.update.manifest import Release, check_name
from neo_flywheel.update.repository import Repository

ASSIGNMENT_BYTES = 1 << 16


def path_of(robot: str) -> str:
    """Of a robot's assignment, in the director's repository."""
    return f"robots/{check_name(robot, 'robot')}.json"


def assignments(director: Repository) -> dict[str, dict[str, Any]]:
    """Robot → what it is assigned: ``number`` (one more each time) and ``release`` (channel and id)."""
    found = {}
    for path, info in director.targets().targets.items():
        custom = info.custom or {}
        found[Path(path).stem] = {"number": custom["number"], "release": custom["release"]}
    return found


def assign(director: Repository, wanted: Mapping[str, Release | None]) -> list[str]:
    """Gives every robot its release (None: nothing); the robots whose assignment changed.

    One signature for all of them: a robot never sees half of a decision.
    """
    now = assignments(director)
    changed = {
        robot: release
        for robot, release in wanted.items()
        if (_listed(release) if release else None) != now.get(robot, {}).get("release")
    }
    if not changed:
        return []
    # no assignment that ever was has a higher number than there are versions, also one that was taken back
    number = 1 + max([director.targets().version, *(row["number"] for row in now.values())])
    with tempfile.TemporaryDirectory() as scratch:
        given: dict[str, tuple[Path, dict[str, Any]]] = {}
        for robot, release in changed.items():
            if release is None:
                continue
            file = Path(scratch) / f"{check_name(robot, 'robot')}.json"
            files.write_json(file, {"robot": robot, "number": number, **release.row()})
            given[path_of(robot)] = file, {"number": number, "release": _listed(release)}
        director.change("targets", given, gone=[path_of(robot) for robot, r in changed.items() if r is None])
    return sorted(changed)


def _listed(release: Release) -> str:
    return f"{release.channel}/{release.id}"


def parse(content: bytes, robot: str) -> tuple[int, Release]:
    """Number and release of an assignment; NeoError when it is none, or another robot's."""
    try:
        row = json.loads(content)
        whose, number = row["robot"], int(row["number"])
    except (ValueError, KeyError, TypeError) as error:
        raise NeoError(f"no assignment: {error!r}") from None
    if whose != robot:
        raise NeoError(f"the assignment is for robot {whose!r}; this is {robot!r}")
    return number, Release.of(row)
