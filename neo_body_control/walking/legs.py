"""What walking asks of the rest of the body: one object between the gait and the whole-body controller."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from neo_body_control.dynamics import Dynamics
from neo_body_control.estimator import BaseEstimator
from neo_body_control.rotations import about_z, yaw
from neo_body_control.targets import Targets
from neo_body_control.walking.gait import Walker, WalkReference
from neo_body_control.walking.stance import Sole
from neo_body_control.walking.swing import LEG, FootReference, joint_rates
from neo_description.tables import CONTROL_DT, SIDES


class Legs:
    """``walker``; ``steps``: what it asks for this tick, ``None`` while both soles stay where they are."""

    def __init__(self, p: SimpleNamespace):
        self._p = p
        self.reset()

    def reset(self) -> None:
        """Both feet stand, and nothing is wanted of them."""
        self.walker = Walker(self._p)
        self.steps: WalkReference | None = None
        self._frame: tuple[np.ndarray, float] | None = None  # place and heading that hands are carried with

    def update(self, active: bool, estimator: BaseEstimator, dynamics: Dynamics, targets: Targets) -> None:
        """One tick. Steps are taken only while ``active``; hands with targets are carried along."""
        walked, self.steps = self.steps is not None, None
        if not (active and self._p.walking):
            return
        frames = dynamics.frames
        soles = {
            s: Sole(frames[f"{s}_sole"].R, frames[f"{s}_sole"].p, c.stands, c.load)
            for s, c in estimator.contacts.items()
        }
        self.walker.want(targets.velocity)
        self.steps = self.walker.update(
            dynamics.com, dynamics.com_velocity, yaw(estimator.R), estimator.tilt, soles
        )
        if self.steps is None:
            self._frame = None
            if walked:
                targets.come_to_rest(dynamics.com, dynamics.com_velocity)
            return
        targets.walk(self.steps.heading)
        self._carry(dynamics, targets, self.steps.heading)

    def _carry(self, dynamics: Dynamics, targets: Targets, heading: float) -> None:
        place = dynamics.com.copy()
        place[2] = 0.0
        if self._frame is not None:
            before, heading_before = self._frame
            velocity = np.array([*dynamics.com_velocity[:2], (heading - heading_before) / CONTROL_DT])
            T = np.eye(4)
            T[:3, :3] = about_z(heading - heading_before)
            T[:3, 3] = place - T[:3, :3] @ before
            targets.carry(T, place, velocity)
        self._frame = place, heading

    def foot(self, side: str) -> FootReference | None:
        """Where the sole ``side`` shall be in its swing; ``None`` while it does not swing."""
        return self.steps.foot if self.steps is not None and self.steps.swing == side else None

    def standing(self, stands: dict[str, bool]) -> dict[str, bool]:
        """``stands`` without the foot that swings: it may not push."""
        return {s: stands[s] and self.foot(s) is None for s in SIDES}

    def against_drives(
        self, torque: np.ndarray, damping: np.ndarray, J: dict[str, np.ndarray], v: np.ndarray
    ) -> None:
        """Write into ``torque`` (31,) N m what the drives of a swinging leg cost at the speeds it shall have.

        ``damping`` (31,) N m s/rad of the lagging drives; ``J`` (6, 37) of the soles, ``v`` (37,) of the
        model. The speeds are those of the reference, not the measured ones, so drives better than they are
        taken for leave an error and no oscillation.
        """
        for side in SIDES:
            foot = self.foot(side)
            if foot is not None:
                leg = LEG[side]
                torque[leg] = damping[leg] * joint_rates(foot, J[side], v, leg)
