"""The one task of retargeting: points of the robot to where a person's are."""

from __future__ import annotations

import mink
import mujoco
import numpy as np


class PointTask(mink.Task):
    """Brings ``sites`` (n,) of a model to ``targets`` (n, 3) m in the world, all in one Jacobian.

    ``moves`` (n, nv): whether a hinge moves a site; ``costs`` (n,) [cost]/[m].
    """

    def __init__(self, sites: np.ndarray, moves: np.ndarray, costs: np.ndarray):
        super().__init__(cost=np.repeat(costs, 3))
        self._sites, self._moves = sites, moves.astype(float)[:, None, :]
        self.targets = np.zeros((len(sites), 3))
        self._points = np.zeros((len(sites), 3))

    def compute_error(self, configuration: mink.Configuration) -> np.ndarray:
        """From the targets to the sites (3n,) m."""
        self._points = configuration.data.site_xpos[self._sites]
        return (self._points - self.targets).ravel()

    def compute_jacobian(self, configuration: mink.Configuration) -> np.ndarray:
        """(3n, nv) m/rad, after :meth:`compute_error`: a hinge moves a point by ``axis × arm``."""
        data = configuration.data
        axis, arm = data.xaxis, self._points[:, None] - data.xanchor
        ax, ay, az = axis.T
        x, y, z = arm[..., 0], arm[..., 1], arm[..., 2]
        moved = np.stack([ay * z - az * y, az * x - ax * z, ax * y - ay * x], axis=1)
        return (moved * self._moves).reshape(-1, moved.shape[2])


def moved(model: mujoco.MjModel, sites: np.ndarray) -> np.ndarray:
    """(n, nv): whether a hinge moves each of ``sites`` (n,): it turns the site's body or one further in."""
    found = np.zeros((len(sites), model.njnt), bool)
    for row, site in zip(found, sites, strict=True):
        body = int(model.site_bodyid[site])
        while body > 0:
            row |= model.jnt_bodyid == body
            body = int(model.body_parentid[body])
    return found
