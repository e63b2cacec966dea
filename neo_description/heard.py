"""What a node last heard of body and hands, put together into one estimate, and refused when it is old."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neo_description.errors import RefusedError
from neo_description.kinematics import Kinematics
from neo_description.signals import BodyEstimate, GraspStatus, Safety
from neo_description.tables import BODY, HAND, prefixed

ORDERS = 8  # orders of joints that are remembered
STALE_AFTER = 0.3  # s of plant time without a message that others stand on
JOINTS_LATE = 1.0  # s of plant time by which joint states may lag behind the hands; they come another way


class Heard:
    """Latest values by topic; :meth:`estimate` says what is missing instead of guessing."""

    def __init__(self) -> None:
        self.safety = Safety.STOP
        self.safety_reason = ""
        self._kinematics = Kinematics()
        self._hands: dict[str, tuple[float, GraspStatus]] = {}
        self._odom: tuple[float, np.ndarray] | None = None
        self._joints: tuple[float, np.ndarray] | None = None
        self._every: tuple[tuple[str, ...], Sequence[float]] = (), ()  # joints as they were heard
        self._since: float | None = None  # the first joint states
        self._order: dict[tuple[str, ...], list[int]] = {}

    def on_joints(self, time: float, names: Sequence[str], position: Sequence[float]) -> None:
        """Joint encoders by name (rad) at plant time ``time``; RefusedError when some are missing."""
        key = tuple(names)
        if len(position) != len(key) or not np.isfinite(position).all():
            raise RefusedError(f"{len(position)} positions for {len(key)} joints; one finite rad each needed")
        if key not in self._order:
            missing = [name for name in BODY.joints if name not in key]
            if missing:
                raise RefusedError(f"{len(key)} joints; {missing[0]} is not among them")
            if len(self._order) > ORDERS:
                self._order.clear()
            self._order[key] = [key.index(name) for name in BODY.joints]
        if self._since is None or time < self._since:
            self._since = time
            self.begun_anew()
        self._joints = (time, np.asarray(position, float)[self._order[key]])
        self._every = key, position

    def begun_anew(self) -> None:
        """The first joint states came, or the plant was started anew."""

    def on_odom(self, time: float, T_odom_base: np.ndarray) -> None:
        """The body's own estimate of its base (4, 4)."""
        self._odom = (time, T_odom_base)

    def on_hand(self, side: str, time: float, status: GraspStatus) -> None:
        """What a hand feels."""
        self._hands[side] = (time, status)

    def on_safety(self, safety: Safety, reason: str) -> None:
        """What the body may do."""
        self.safety, self.safety_reason = safety, reason

    def motionless(self) -> str:
        """Why the posture is not known any more although the hands are still heard; else empty."""
        if self._joints is None or not self._hands:
            return ""
        age = max(time for time, _ in self._hands.values()) - self._joints[0]
        return f"joint states are {age:.1f} s old" if age > JOINTS_LATE else ""

    def hands(self) -> dict[str, GraspStatus]:
        """What each hand that was heard feels, by side."""
        return {side: status for side, (_, status) in self._hands.items()}

    def fingers(self, side: str) -> np.ndarray | None:
        """Joint positions (22,) rad of a hand as they were heard last; None: not among them."""
        names, position = self._every
        places = {name: i for i, name in enumerate(names)}
        wanted = prefixed(side, HAND.joints)
        if any(name not in places for name in wanted):
            return None
        return np.array([position[places[name]] for name in wanted])

    def estimate(self) -> BodyEstimate | str:
        """The body at the last joint reading, or what is missing or too old."""
        if self._joints is None:
            return "no joint states"
        now, q = self._joints
        needed = {"odom": self._odom, "left hand": self._hands.get("l"), "right hand": self._hands.get("r")}
        for name, item in needed.items():
            if item is None:
                return f"nothing heard of {name}"
            if now - item[0] > STALE_AFTER:
                return f"{name} is {now - item[0]:.1f} s old"
        assert self._odom is not None
        T_odom_base = self._odom[1]
        T_base = self._kinematics.frames(q, ("l_gripper", "r_gripper", "head_left_camera_optical_frame"))
        return BodyEstimate(
            tick=0,
            time=now,
            T_odom_base=T_odom_base,
            base_velocity=np.zeros(6),
            T_odom_l_gripper=T_odom_base @ T_base["l_gripper"],
            T_odom_r_gripper=T_odom_base @ T_base["r_gripper"],
            T_odom_head_camera=T_odom_base @ T_base["head_left_camera_optical_frame"],
            safety=self.safety,
            reason=self.safety_reason,
        )
