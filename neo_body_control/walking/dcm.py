"""The capture point (divergent component of motion, DCM) of a robot taken as a linear inverted pendulum.

With the centre of mass at a constant height, ``w = sqrt(g / z)``, the pressure point ``r`` on the ground,

    xi = c + dc/dt / w        dxi/dt = w (xi - r)        d²c/dt² = w² (c - r)

(Pratt et al. 2006; Englsberger, Ott and Albu-Schäffer 2015). All points (2,) m, horizontal, in one frame.
"""

from __future__ import annotations

import math

import daqp
import numpy as np


def capture_point(com: np.ndarray, velocity: np.ndarray, w: float) -> np.ndarray:
    """``xi`` (2,) m of a centre of mass (3,) m that moves with (3,) m/s."""
    return com[:2] + velocity[:2] / w


def flown(xi: np.ndarray, r: np.ndarray, w: float, time: float) -> np.ndarray:
    """Where ``xi`` is after ``time`` s with the pressure at ``r``; before, for a negative one."""
    return r + (xi - r) * math.exp(w * time)


def offset(velocity: np.ndarray, width: float, time: float, w: float) -> np.ndarray:
    """``xi - u`` (2,) m where a foot comes to bear at ``u`` in a periodic gait, in the gait's frame.

    ``velocity`` (2,) m/s forward and left; ``width`` m the step to the side, positive when the left foot
    comes to bear; ``time`` s of a step. Both parts repeat: the one each step, the other each second step
    (Khadiv et al. 2020).
    """
    e = math.exp(w * time)
    b = np.asarray(velocity, float) * time / (e - 1.0)
    b[1] -= width / (1.0 + e)
    return b


class StepAdjuster:
    """Where and when the swinging foot shall come to bear, so that the capture point is where it belongs.

    After Khadiv, Herzog, Moosavian and Righetti 2020: with ``tau = exp(w T)``, ``T`` what is left of the
    step and ``r`` where the pressure is, everything is linear in ``(u, tau)``, and the next offset of the
    capture point is ``b = r + (xi - r) tau - u``:

        min  w_u |u - u_nom|² + w_tau (e (tau - tau_nom))² + w_b |b - b_nom|²
        s.t. u in a box,  tau in [tau_min, tau_max]

    Points (2,) m relative to the standing foot, in its axes; ``e = exp(w t)`` for the ``t`` s that have
    passed.
    """

    def __init__(self, place: float, time: float, offset: float):
        self._weights = (place, time, offset)
        self._A = np.zeros((0, 3))
        self._sense = np.zeros(3, np.int32)

    def solve(
        self,
        xi: np.ndarray,
        r: np.ndarray,
        u_nominal: np.ndarray,
        b_nominal: np.ndarray,
        w: float,
        passed: float,
        left: float,
        box: tuple[np.ndarray, np.ndarray],
        least: float,
        most: float,
    ) -> tuple[np.ndarray, float]:
        """``(u, left)``. ``left`` s of the step by plan, ``least`` and ``most`` s allowed; ``box`` of ``u``:
        low and high (2,) m."""
        place, time, offset = self._weights
        time *= math.exp(2.0 * w * passed)
        tau = math.exp(w * left)
        x, y = (xi - r).tolist()
        H = np.array(
            [
                [place + offset, 0.0, -offset * x],
                [0.0, place + offset, -offset * y],
                [-offset * x, -offset * y, time + offset * (x * x + y * y)],
            ]
        )
        g = np.empty(3)
        g[:2] = -place * u_nominal + offset * (b_nominal - r)
        g[2] = -time * tau - offset * float((xi - r) @ (b_nominal - r))
        low = np.array([*box[0], math.exp(w * least)])
        high = np.array([*box[1], math.exp(w * max(most, least))])
        solution, _, flag, _ = daqp.solve(H, g, self._A, high, low, self._sense)
        if flag <= 0:
            return np.clip((xi - r) * tau + r - b_nominal, *box), left
        return np.array(solution[:2]), math.log(solution[2]) / w
