"""What the console shows, as plain data: filled by the node from the graph, drawn by the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from neo_bringup.supervision import Supervision
from neo_description.signals import Consequences, DriveMode, GraspStatus, Safety, Scene


class Health(Enum):
    """How a node is."""

    OK = "ok"
    WARN = "warn"
    ERROR = "error"
    SILENT = "silent"
    GONE = "gone"
    ABSENT = "not running"


@dataclass(frozen=True)
class NodeState:
    """One line of the list of nodes."""

    name: str
    health: Health
    detail: str = ""


@dataclass
class HandView:
    """``taxel_force`` (19, 3) N, ``tension`` (44,) N of one hand, and what its controller says."""

    taxel_force: np.ndarray
    taxel_valid: np.ndarray
    tension: np.ndarray
    status: GraspStatus = field(default_factory=GraspStatus)


@dataclass
class TaskView:
    """The task the page asked for, or the last one. ``outcome`` is empty while it runs."""

    prompt: str = ""
    running: bool = False
    phase: str = ""
    progress: float = 0.0  # 0..1; NaN: not known
    detail: str = ""
    success: bool = False
    outcome: str = ""
    note: str = ""  # the answer to the last button


@dataclass
class Snapshot:
    """The latest of everything; ``None`` and missing entries were never seen. Ages in s by its own clock."""

    time: float = 0.0  # s: wall time, or where in a recording
    joints: dict[str, float] = field(default_factory=dict)
    T_odom_base: np.ndarray | None = None
    scene: Scene | None = None
    images: dict[str, bytes] = field(default_factory=dict)  # "left", "right": a JPEG
    image_age: dict[str, float] = field(default_factory=dict)
    depth: np.ndarray | None = None  # (H, W) m, NaN where unknown
    imagined: dict[str, np.ndarray] = field(default_factory=dict)  # "left", "right": (H, W, 3) uint8 RGB
    surprise: float | None = None  # 0..1, how unusual the last step was
    surprised_by: dict[str, float] = field(default_factory=dict)  # sense → its share
    surprise_age: float | None = None
    consequences: Consequences | None = None
    consequences_age: float | None = None
    model: str = ""  # the world model that runs, as its node says
    body_tension: np.ndarray | None = None
    hands: dict[str, HandView] = field(default_factory=dict)
    safety: Safety | None = None
    safety_reason: str = ""
    drive_mode: DriveMode | None = None
    runstop: bool = False
    operator: dict[str, bool] = field(default_factory=dict)  # teleop/engaged, teleop/consent: who drives
    state_age: float | None = None  # since the drives were last heard
    posture_age: float | None = None  # since joint positions were last heard
    nodes: list[NodeState] = field(default_factory=list)
    supervision: Supervision | None = None  # what the supervisor last said

    def clear(self) -> None:
        """Forget everything."""
        vars(self).update(vars(Snapshot()))
