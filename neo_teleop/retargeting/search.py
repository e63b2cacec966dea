"""Inverse kinematics as a search: quadratic programs by mink, one after another, until the joints settle."""

from __future__ import annotations

from collections.abc import Sequence

import mink
import mujoco
import numpy as np
from mink.tasks import BaseTask

from neo_teleop.retargeting.limits import Apart, Within, clearance

DAMPING = 1e-6  # [cost]²/[rad]²
CLEARANCE = 5e-4  # m between parts
PUSH = 2e-3  # m that parts which are too close go apart in one program
STEP = 0.5  # rad: largest change of a joint in one program
EXTRA = 10  # programs
SETTLED = 6e-3  # rad: a change so small ends the search; what is left is of its second order


class Search:
    """Over all joints of ``model``, within ``q_min`` to ``q_max`` (nq,) rad; ``q`` is where it stands."""

    def __init__(
        self, model: mujoco.MjModel, tasks: Sequence[BaseTask], q_min: np.ndarray, q_max: np.ndarray
    ):
        self._configuration = mink.Configuration(model)
        self._tasks, self._q_min, self._q_max = tasks, q_min, q_max
        within = Within(q_min, q_max, STEP)
        self._limits = [[within, Apart(CLEARANCE, push)] for push in (PUSH, 0.0)]

    @property
    def q(self) -> np.ndarray:
        """(nq,) rad, a copy."""
        return np.array(self._configuration.data.qpos)

    @property
    def data(self) -> mujoco.MjData:
        """The model at :attr:`q`."""
        return self._configuration.data

    def start(self, q: np.ndarray) -> None:
        """Stand at ``q`` (nq,) rad."""
        self._configuration.update(q)

    def run(self, programs: int) -> None:
        """Go on from where it stands, by at most so many programs, ``EXTRA`` more while parts overlap.

        Where they still are then, it stands where it stood before.
        """
        configuration, before = self._configuration, self.q
        for done in range(1, programs + EXTRA + 1):
            step = self._step()
            if step is None:
                break
            configuration.update(np.clip(configuration.data.qpos + step, self._q_min, self._q_max))
            settled = done >= programs or float(np.abs(step).max()) < SETTLED
            if settled and self._free():
                return
        if not self._free():
            configuration.update(before)

    def _free(self) -> bool:
        return clearance(self._configuration.model, self._configuration.data) >= 0.0

    def _step(self) -> np.ndarray | None:
        """(nq,) rad; None where no step keeps all limits, pushing or not."""
        for limits in self._limits:
            try:
                return mink.solve_ik(
                    self._configuration, self._tasks, 1.0, "daqp", damping=DAMPING, limits=limits
                )
            except mink.NoSolutionFound:
                continue
        return None
