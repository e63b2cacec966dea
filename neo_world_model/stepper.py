"""From a robot's signals to the steps of an episode: in simulation, from a bag and on the robot alike.

stepper.feel(hands)                          # every 20 ms: a sample of touch
stepper.asked("body", command)               # whatever is commanded
row = stepper.sense(body, hands, picture)    # at a step's beginning: its senses
stepper.action(T_odom_base)                  # at its end: what was asked for meanwhile
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from neo_description.kinematics import Kinematics
from neo_description.signals import BodyState, HandAction, HandCommand, HandState, WholeBodyCommand
from neo_description.tables import CONTROL_RATE, SIDES, TAXELS
from neo_world_model.modalities import pose9, shapes, stack, table

TICKS = round(CONTROL_RATE / table()["rate"])  # of control in a step
SAMPLES = table()["touch"]["samples"]
EVERY = TICKS // SAMPLES  # ticks between two samples of touch
CLOSING = {HandAction.OPEN: 0.0, HandAction.PRESHAPE: 0.5, HandAction.CLOSE: 1.0, HandAction.GIVE: 1.5}
GRASPS = table()["grasps"]
AHEAD = np.array([0.5, 0.0, 0.0])  # m before base_link: where a head looks that was told nothing
CAMERA = "head_left_camera_optical_frame"
PICTURE_AGE = 0.2  # s: a step does not show an older picture


class Stepper:
    """Remembers the touch of the last 0.1 s and the targets in force; where hands are follows from joints."""

    def __init__(self) -> None:
        self._kinematics = Kinematics()
        self._touch = deque([np.zeros((len(SIDES), len(TAXELS), 3), np.float32)] * SAMPLES, SAMPLES)
        self._gaze: tuple[np.ndarray, str] | None = None  # (3,) m, its frame
        self._targets: dict[str, tuple[np.ndarray, str] | None] = dict.fromkeys(SIDES)
        self._closing = dict.fromkeys(SIDES, 0.0)
        self._width = dict.fromkeys(SIDES, 0.0)
        self._grasp = dict.fromkeys(SIDES, "")
        self._speed = 0.0
        self._grippers = {side: np.eye(4) for side in SIDES}

    def feel(self, hands: dict[str, HandState]) -> None:
        """Keep a sample of what the pads read."""
        self._touch.append(np.stack([hands[side].taxel_force for side in SIDES]).astype(np.float32))

    def asked(self, target: str, command: Any) -> None:
        """Note a command to ``body``, ``l_hand`` or ``r_hand``; others do not matter here."""
        if isinstance(command, HandCommand):
            side = target[0]
            self._closing[side] = CLOSING.get(command.action, self._closing[side])
            self._width[side] = command.width
            if command.action != HandAction.GIVE:  # what is held stays held as it is
                self._grasp[side] = command.grasp
        if not isinstance(command, WholeBodyCommand):
            return
        for side in SIDES:
            T = getattr(command, f"T_{side}_hand")
            if T is not None:
                self._targets[side] = T, command.frame
            elif side in command.release:
                self._targets[side] = None
        if command.T_l_hand is not None or command.T_r_hand is not None:
            self._speed = command.hand_speed
        if command.gaze is not None:
            self._gaze = command.gaze, command.frame

    def sense(
        self, body: BodyState, hands: dict[str, HandState], picture: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        """One step's modalities but its action; without ``vision`` when there is no ``picture``."""
        frames = self._kinematics.frames(body.joint_position, ("l_gripper", "r_gripper", CAMERA))
        self._grippers = {side: frames[f"{side}_gripper"] for side in SIDES}
        proprio = {
            "body_joint_position": body.joint_position,
            "body_joint_velocity": body.joint_velocity,
            "pelvis_angular_velocity": body.pelvis_angular_velocity,
            "pelvis_linear_acceleration": body.pelvis_linear_acceleration,
            "l_gripper": pose9(frames["l_gripper"]),
            "r_gripper": pose9(frames["r_gripper"]),
            "gaze": frames[CAMERA][:3, 2],
            "eye": pose9(frames[CAMERA]),
        }
        force = {"body_tendon_tension": body.tendon_tension}
        for side, hand in hands.items():
            proprio[f"{side}_hand_joint_position"] = hand.joint_position
            proprio[f"{side}_hand_joint_velocity"] = hand.joint_velocity
            force[f"{side}_hand_tendon_tension"] = hand.tendon_tension
            force[f"{side}_sole_wrench"] = getattr(body, f"{side}_sole_wrench")
            force[f"{side}_wrist_wrench"] = getattr(body, f"{side}_wrist_wrench")
        row = {
            "proprio": stack("proprio", proprio),
            "force": stack("force", force),
            "touch": np.array(self._touch),
            "touch_valid": np.stack([np.asarray(hands[side].taxel_valid, bool) for side in SIDES]),
        }
        return row if picture is None else {"vision": picture, **row}

    def action(self, T_odom_base: np.ndarray) -> np.ndarray:
        """(n,) as ``action`` in modalities.yaml: the targets in force, in base_link as it is now."""
        to_base = {"odom": np.linalg.inv(T_odom_base), "base_link": np.eye(4)}
        gaze = AHEAD
        if self._gaze is not None:
            point, frame = self._gaze
            gaze = to_base[frame][:3, :3] @ point + to_base[frame][:3, 3]
        parts: dict[str, np.ndarray] = {"gaze": gaze, "speed": np.array(self._speed)}
        for side in SIDES:
            target = self._targets[side]
            T_base = self._grippers[side] if target is None else to_base[target[1]] @ target[0]
            parts[f"{side}_gripper"] = pose9(T_base)
            parts[f"{side}_moves"] = np.array(float(target is not None))
            parts[f"{side}_closing"] = np.array(self._closing[side])
            parts[f"{side}_grasp"] = np.array([name == self._grasp[side] for name in GRASPS], float)
            parts[f"{side}_width"] = np.array(self._width[side])
        return stack("action", parts)


@dataclass
class Cut:
    """A step begins with the senses ``row``; the one before it ended with ``action``, None where none did.

    ``hole``: states are missing for a step or more, or time went back, so nothing before leads here.
    """

    row: dict[str, np.ndarray]
    action: np.ndarray | None
    hole: bool


class Cutter:
    """Cuts a stream of states into steps; pictures go to :meth:`see`, set ``T_odom_base`` as it comes.

    ``picture_age``: s; a step of which the last picture is older has none.
    """

    def __init__(self, picture_age: float = PICTURE_AGE) -> None:
        self.stepper = Stepper()
        self.picture: np.ndarray | None = None
        self._seen, self._picture_age = -np.inf, picture_age
        self.T_odom_base = np.eye(4)
        self._slot = -1  # of EVERY ticks
        self._open = False

    def see(self, left: np.ndarray, right: np.ndarray, time: float) -> None:
        """A stereo pair (H, W, 3) of any size, taken at plant time ``time`` (s): what the next steps show."""
        self.picture, self._seen = picture(left, right), time

    def due(self, tick: int) -> bool:
        """Whether the states of ``tick`` are wanted: one in ``EVERY`` is."""
        return tick // EVERY > self._slot or self._began_again(tick)

    def take(self, tick: int, body: BodyState, hands: dict[str, HandState]) -> Cut | None:
        """The states of all three groups at ``tick``; a :class:`Cut` when a step begins."""
        if not self.due(tick):
            return None
        again = self._began_again(tick)
        if again:
            self.stepper, self.picture, self._open = Stepper(), None, False
        slot, before = tick // EVERY, -1 if again else self._slot
        self._slot = slot
        self.stepper.feel(hands)
        if slot // SAMPLES == before // SAMPLES:
            return None
        hole = again or slot - before > SAMPLES
        action = self.stepper.action(self.T_odom_base) if self._open and not hole else None
        self._open = True
        fresh = abs(tick / CONTROL_RATE - self._seen) < self._picture_age + 0.5 / CONTROL_RATE
        return Cut(self.stepper.sense(body, hands, self.picture if fresh else None), action, hole)

    def _began_again(self, tick: int) -> bool:
        """Whether time went back by more than messages change places: a plant reset, a bag begun anew."""
        return tick < self._slot * EVERY - TICKS


def picture(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(2, H, W, 3) uint8 as the model sees a stereo pair of any size: of a wider one, the middle."""
    (_, height, width, _), _ = shapes()["vision"]
    wide = min(left.shape[1], round(left.shape[0] * width / height))
    first = (left.shape[1] - wide) // 2
    middles = (eye[:, first : first + wide] for eye in (left, right))
    return np.stack([cv2.resize(eye, (width, height), interpolation=cv2.INTER_AREA) for eye in middles])
