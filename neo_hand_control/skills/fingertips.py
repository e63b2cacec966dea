"""Fingertips that go to places, feel, and push: what scripts of several fingers have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from neo_description.hand import directions
from neo_description.tables import HAND, TAXELS
from neo_hand_control.skills.frames import Tips
from neo_hand_control.skills.reach import Goal, reach
from neo_hand_control.skills.skill import Script, Steps

ALONG = 0.8  # share of half the bone's length: the point of the tip that is placed
BENT = {"mcp": 1.45, "pip": 1.6, "dip": 0.8}  # rad: fingers out of the way
TARE = 50  # ticks
FOLLOW = 0.01  # s
MOST = 0.9  # share of a joint's effort


def bent(joints: Mapping[str, float], fingers: Iterable[str] = ()) -> np.ndarray:
    """(22,) rad: ``joints`` as told, ``fingers`` bent out of the way, the others straight."""
    q = np.zeros(len(HAND.joints))
    for finger in fingers:
        for joint, angle in BENT.items():
            q[HAND.index(f"{finger}_{joint}_flex")] = angle
    for joint, angle in joints.items():
        q[HAND.index(joint)] = angle
    return q


class Fingertips:
    """The last phalanges of ``fingers`` of hand ``side``: ``k`` of them, points in the wrist's frame.

    ``D`` (3, 3): the hand's own directions u, v, w as columns. ``flesh`` (k,) m: radius of each. ``bending``
    (22,): 1 where a joint of ``fingers`` bends. :meth:`move` first, the rest speaks of that posture.
    """

    def __init__(self, side: str, fingers: Sequence[str]):
        self.side, self.fingers = side, tuple(fingers)
        self.D = directions(side)
        self.pads = [TAXELS.index(f"{finger}_distal") for finger in fingers]
        self._tips = Tips(side)
        self.kinematics = self._tips.kinematics
        self.flesh = self._tips.radius[self.pads]
        self.own = [np.array([name.startswith(f"{f}_") for name in HAND.joints]) for f in fingers]
        bends = np.array([name.endswith("_flex") for name in HAND.joints])
        self.bending = (np.any(self.own, axis=0) & bends).astype(float)
        self._point = [np.array([-self._tips.radius[p], ALONG * self._tips.half[p], 0.0]) for p in self.pads]
        self._rest = np.zeros((len(self.pads), 3))
        self._felt = np.zeros(len(self.pads))
        self._asked = 0.0

    def move(self, q: np.ndarray) -> None:
        """Go to joint angles ``q`` (22,) rad."""
        self.kinematics.move(q)

    def ends(self) -> np.ndarray:
        """(k, 3) m: the points of the bones that :meth:`postures` places, near their ends."""
        k = self.kinematics
        return np.array([k.p[p] + k.R[p] @ point for p, point in zip(self.pads, self._point, strict=True)])

    def normals(self) -> np.ndarray:
        """(k, 3): out of each fingertip's flesh."""
        return self.kinematics.R[self.pads, :, 0]

    def bones(self) -> np.ndarray:
        """(k, 2, 3) m: both ends of each bone."""
        return np.array([self._tips.bone(p) for p in self.pads])

    def postures(self, places: np.ndarray, q: np.ndarray) -> np.ndarray:
        """(n, 22) rad near ``q``: the fingertips' ends at ``places`` (n, k, 3) m, as near as they reach."""
        out = []
        for row in places:
            goals = [Goal(*each) for each in zip(self.pads, self._point, row, strict=True)]
            out.append(reach(self.kinematics, goals, q))
        return np.array(out)

    def posture(self, path: np.ndarray, at: np.ndarray) -> np.ndarray:
        """(22,) rad: each finger at its own place ``at`` (k,) on ``path`` (n, 22), counted in rows."""
        q = path[0].copy()
        for own, place in zip(self.own, at, strict=True):
            i = int(np.clip(np.floor(place), 0, len(path) - 2))
            q[own] = path[i][own] + np.clip(place - i, 0.0, 1.0) * (path[i + 1][own] - path[i][own])
        return q

    def tare(self, script: Script) -> Steps:
        """Learn what the pads read in free air."""
        readings = []
        for _ in range(TARE):
            yield
            readings.append(script.sensed[self.side].state.taxel_force[self.pads])
        self._rest = np.mean(readings, axis=0)

    def reading(self, script: Script) -> np.ndarray:
        """(k, 3) N in the pads' frames, beside what they read in free air; dead pads silent."""
        state = script.sensed[self.side].state
        return (state.taxel_force[self.pads] - self._rest) * state.taxel_valid[self.pads][:, None]

    def feel(self, script: Script) -> np.ndarray:
        """(k,) N: length of each fingertip's force, smoothed over the ticks in which it was asked for."""
        if script.time > self._asked + 1.5 * script.dt:
            self._felt = np.zeros(len(self.pads))
        self._asked = script.time
        now = np.linalg.norm(self.reading(script), axis=1)
        self._felt = self._felt + min(script.dt / FOLLOW, 1.0) * (now - self._felt)
        return self._felt

    def forces(self, script: Script) -> np.ndarray:
        """(k, 3) N in the wrist's frame: what pushes on each fingertip."""
        R = self.kinematics.R[self.pads] * [-1.0, 1.0, 1.0]
        return np.einsum("pij,pj->pi", R, self.reading(script))

    def effort(self, points: np.ndarray, push: np.ndarray) -> np.ndarray:
        """(22,) N m with which the fingertips push at ``points`` (k, 3) m with ``push`` (k, 3) N."""
        out = np.zeros(len(HAND.joints))
        for pad, point, force in zip(self.pads, points, push, strict=True):
            out += self.kinematics.jacobian(pad, point).T @ force
        return np.clip(out, -MOST * HAND.effort, MOST * HAND.effort)

    def velocities(self, points: np.ndarray, qd: np.ndarray) -> np.ndarray:
        """(k, 3) m/s: of the flesh at ``points`` (k, 3) m when the joints move at ``qd`` (22,) rad/s."""
        return np.array([self.kinematics.jacobian(p, x) @ qd for p, x in zip(self.pads, points, strict=True)])
