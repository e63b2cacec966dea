"""A table on which things move as told: grippers are at once where they are sent. For tests of skills."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neo_description.signals import (
    BodyEstimate,
    DetectedObject,
    GraspPhase,
    GraspStatus,
    HandAction,
    Safety,
    Scene,
)
from neo_task.planner import Observation
from neo_task.prompt import Query, Task
from neo_task.scripted import load_parameters, scripted

DT = 0.02
SIZE = np.array([0.066, 0.066, 0.22])
LANDMARKS = {"tray": np.array([0.26, 0.20, 0.016]), "basket": np.array([0.22, 0.18, 0.07])}


def pose(x, y, z):
    T = np.eye(4)
    T[:3, 3] = x, y, z
    return T


class World:
    """Grippers go where they are sent at once; a hand that closes near an object holds it."""

    def __init__(self, objects, slippery=False, stuck=False, safety=Safety.ACTIVE):
        self.time = 0.0
        self.T = {"l": pose(0.25, 0.2, 0.95), "r": pose(0.25, -0.2, 0.95)}
        self.hands = {side: GraspStatus() for side in ("l", "r")}
        self.objects = [
            DetectedObject(
                i, name, color, pose(*at), np.eye(6) * 1e-6, LANDMARKS.get(name, SIZE), 0.9, 1.0, 0.0
            )
            for i, (color, name, at) in enumerate(objects)
        ]
        self.slippery = slippery
        self.stuck = stuck
        self.safety = safety
        self.sent = []
        self.expires = {}

    def observation(self):
        estimate = BodyEstimate(
            0, self.time, np.eye(4), np.zeros(6), self.T["l"], self.T["r"], np.eye(4), self.safety, ""
        )
        return Observation(
            self.time,
            estimate,
            dict(self.hands),
            Scene(self.time, [replace(o, last_seen=self.time) for o in self.objects]),
        )

    def apply(self, step):
        for side, command in step.hands:
            self.sent.append((side, command.action.name))
            self.hands[side] = GraspStatus(phase=self._phase(side, command), normal_force=7.0)
        for command in step.body:
            for side, T in (("l", command.T_l_hand), ("r", command.T_r_hand)):
                if T is not None:
                    self.expires[side] = self.time + command.valid_for
                    if not np.array_equal(T, self.T[side]):  # not only said again
                        self.sent.append((side, "move"))
                    rise = T[2, 3] - self.T[side][2, 3]
                    self._carry(side, T)
                    self.T[side] = T
                    if self.slippery and rise > 0.1:
                        self.hands[side] = GraspStatus(phase=GraspPhase.LOST)
        self.time += DT

    def _carry(self, side, T):
        """What a hand holds moves with it, unless it is stuck to the table."""
        for o in self.objects:
            near = np.hypot(*(o.T_base_object[:2, 3] - self.T[side][:2, 3])) < 0.03
            if near and not self.stuck and self.hands[side].phase is GraspPhase.HOLDING:
                o.T_base_object[:3, 3] += T[:3, 3] - self.T[side][:3, 3]

    def _phase(self, side, command):
        if command.action is HandAction.CLOSE:
            near = any(np.hypot(*(o.T_base_object[:2, 3] - self.T[side][:2, 3])) < 0.03 for o in self.objects)
            return GraspPhase.HOLDING if near else GraspPhase.LOST
        return GraspPhase.PRESHAPED if command.action is HandAction.PRESHAPE else GraspPhase.IDLE

    def run(self, task, seconds=120.0, **params):
        planner = scripted(task, load_parameters(**params))
        while self.time < seconds:
            step = planner.step(self.observation())
            self.apply(step)
            if step.outcome is not None:
                return step.outcome
        raise AssertionError("the planner did not end")


TABLE = [("red", "bottle", (0.45, -0.15, 0.89)), ("green", "cup", (0.45, 0.20, 0.85))]
PICK = Task("pick", Query("red", "bottle"))


def place_of(world, name):
    return next(o.T_base_object[:3, 3] for o in world.objects if o.class_name == name)
