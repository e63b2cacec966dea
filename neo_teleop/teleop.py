"""From an operator's frames to commands for body and hands: the only way that a person moves the robot.

teleop = Teleop()
orders = teleop.step(frame, estimate, hands)     # 50 times a second; frame None: nothing new came
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from neo_description import parameters
from neo_description.signals import BodyEstimate, GraspStatus, HandCommand, WholeBodyCommand
from neo_description.tables import SIDES
from neo_teleop.clutch import Clutch, about_z, heading
from neo_teleop.fingers import Fingers
from neo_teleop.frames import OperatorFrame
from neo_teleop.grip import Grip
from neo_teleop.walk import Walk

PARAMETERS = Path(__file__).with_name("parameters.yaml")


def load_parameters(**overrides: object) -> SimpleNamespace:
    """The room's parameters, without ROS."""
    return parameters.load(PARAMETERS, **overrides)


@dataclass(slots=True)
class Orders:
    """Commands to send now; empty while nothing is engaged."""

    body: list[WholeBodyCommand] = field(default_factory=list)
    hands: list[tuple[str, HandCommand]] = field(default_factory=list)


class Teleop:
    """Both hands and the gaze; ``clutches`` by side say what is engaged and why not."""

    def __init__(self, params: SimpleNamespace | None = None):
        self.params = params or load_parameters()
        self.clutches = {side: Clutch(side, self.params) for side in SIDES}
        self._grips = {side: Grip(self.params) for side in SIDES}
        self._fingers = {side: Fingers(self.params) for side in SIDES}
        self.walk = Walk(self.params)
        self._newest: float | None = None  # device's time
        self._heard = 0.0  # plant time

    @property
    def engaged(self) -> bool:
        """Whether anything of the operator's moves the robot."""
        return self.walk.engaged or any(clutch.engaged for clutch in self.clutches.values())

    def release(self, reason: str) -> None:
        """Let go of everything now; each button must be seen released before it counts again."""
        for clutch in self.clutches.values():
            clutch.release(reason)
        self.walk.release(reason)

    def step(
        self,
        frame: OperatorFrame | None,
        estimate: BodyEstimate,
        hands: dict[str, GraspStatus],
        fingers: dict[str, np.ndarray | None] | None = None,
    ) -> Orders:
        """What ``frame`` asks of a robot that is, and holds, as ``estimate`` and ``hands`` say now.

        ``fingers``: measured joint positions (22,) rad by side, without which an operator's fingers move
        nothing.
        """
        frame = self._fresh(frame, estimate.time)
        orders = Orders()
        targets: dict[str, np.ndarray | None] = dict.fromkeys(SIDES)
        for side, clutch in self.clutches.items():
            was = clutch.engaged
            targets[side] = clutch.step(frame, estimate)
            if frame is None or side not in frame.hands or not clutch.engaged:
                continue
            measured = (fingers or {}).get(side)
            if not was:
                self._grips[side].take_over(hands[side])
                self._fingers[side].take_over(hands[side], measured)
            joints = frame.hands[side].joints
            command = (
                self._grips[side].step(frame.hands[side])
                if joints is None
                else self._fingers[side].step(joints, estimate.time)
            )
            if command is not None:
                orders.hands.append((side, command))
        if any(T is not None for T in targets.values()):
            orders.body.append(
                WholeBodyCommand(
                    self.params.valid_for, T_l_hand=targets["l"], T_r_hand=targets["r"],
                    hand_speed=self.params.hand_speed, gaze=self._gaze(frame, estimate),
                )
            )  # fmt: skip
        velocity = self.walk.step(frame, estimate)
        if velocity is not None:  # by itself: a body that refuses to walk refuses no hands with it
            orders.body.append(WholeBodyCommand(self.params.valid_for, base_velocity=velocity))
        return orders

    def _fresh(self, frame: OperatorFrame | None, time: float) -> OperatorFrame | None:
        """``frame`` when it is newer than all before it; after a silence the clock may be another."""
        if self._newest is not None and time - self._heard >= self.params.link_timeout:
            self._newest = None
        if frame is None or not np.isfinite(frame.time):
            return None
        if self._newest is not None and frame.time <= self._newest:
            return None
        self._newest, self._heard = frame.time, time
        return frame

    def _gaze(self, frame: OperatorFrame | None, estimate: BodyEstimate) -> np.ndarray | None:
        """(3,) m in odom: on the line of the operator's look from the robot's own head."""
        if frame is None or frame.look is None or not any(c.engaged for c in self.clutches.values()):
            return None
        if np.shape(frame.look) != (3,):
            return None
        length = float(np.linalg.norm(frame.look))
        if not np.isfinite(length) or length == 0.0 or not np.isfinite(frame.heading):
            return None
        look = about_z(heading(estimate.T_odom_base) - frame.heading) @ frame.look
        return estimate.T_odom_head_camera[:3, 3] + self.params.gaze_distance / length * look
