"""Fingertips round an upright cylinder: where it is and how thick, and how far they have gone about it.

All in the wrist's frame; the cylinder's axis is along w, out of the palm. What is felt is the circle that
touches the bones of the fingertips, each padded with its flesh: Gauss-Newton on

    | x_i - c | - flesh_i - R = 0        x_i: the point of bone i nearest to the axis through c

for the fingertips that met it; for the others it is at least 0.
"""

from __future__ import annotations

import numpy as np

from neo_hand_control.skills.fingertips import Fingertips

STEPS = 6
LONGEST = 0.005  # m a step
RADII = (0.008, 0.030)  # m
ENOUGH = 3  # fingertips that tell the radius


class Around:
    """Geometry of ``tips`` round a cylinder; ``centre`` (3,) m a point of its axis, ``radius`` m.

    ``usual`` m: its radius as long as fewer than three fingertips touch it.
    """

    def __init__(self, tips: Fingertips, centre: np.ndarray, usual: float):
        self._tips = tips
        self.centre, self.radius = centre.copy(), usual
        self._begun = np.zeros((len(tips.pads), 3))

    def locate(self, near: np.ndarray, met: np.ndarray) -> None:
        """``centre``, ``radius`` from the fingertips ``met`` (k,) bool, beginning at ``near`` (3,) m."""
        u, v, _ = self._tips.D.T
        self.centre = near.copy()
        told = float(met.sum() >= ENOUGH)
        for _ in range(STEPS):
            away = self.away()
            far = np.linalg.norm(away, axis=1)
            r = away / far[:, None]
            A = np.column_stack([-r @ u, -r @ v, -np.full(len(far), told)])
            gap = far - self._tips.flesh - self.radius
            counts = met | (gap < 0.0)  # where a fingertip met nothing the cylinder cannot be
            step = np.linalg.lstsq(A[counts], -gap[counts], rcond=None)[0]
            x, y = np.clip(step[:2], -LONGEST, LONGEST)
            self.centre = self.centre + x * u + y * v
            self.radius = float(np.clip(self.radius + step[2], *RADII))
        self.mark()

    def away(self) -> np.ndarray:
        """(k, 3) m: from the axis to the nearest points of the bones."""
        w = self._tips.D[:, 2]
        bones = self._tips.bones() - self.centre
        bones = bones - (bones @ w)[..., None] * w
        a, way = bones[:, 0], bones[:, 1] - bones[:, 0]
        share = -np.sum(a * way, axis=1) / np.maximum(np.sum(way * way, axis=1), 1e-12)
        return a + np.clip(share, 0.0, 1.0)[:, None] * way

    def mark(self) -> None:
        """Count :meth:`twist` from here."""
        self._begun = self.away()

    def twist(self, axis: np.ndarray) -> float:
        """Mean angle (rad) by which the fingertips have gone about ``axis`` (3,) since :meth:`mark`."""
        now = self.away()
        sine = np.cross(self._begun, now) @ axis
        return float(np.mean(np.arctan2(sine, np.sum(self._begun * now, axis=1))))

    def torque(self, forces: np.ndarray, axis: np.ndarray) -> float:
        """N m about ``axis`` of ``forces`` (k, 3) N on the fingertips, at the cylinder's radius."""
        return float(np.sum(np.cross(axis, self._radial()) * forces) * self.radius)

    def effort(self, squeeze: np.ndarray, turn: np.ndarray, axis: np.ndarray) -> np.ndarray:
        """(22,) N m that press ``squeeze`` (k,) N towards the axis and ``turn`` (k,) N about it."""
        radial = self._radial()
        push = turn[:, None] * np.cross(axis, radial) - squeeze[:, None] * radial
        points = self._tips.bones().mean(axis=1) - self._tips.flesh[:, None] * radial
        return self._tips.effort(points, push)

    def _radial(self) -> np.ndarray:
        away = self.away()
        return away / np.linalg.norm(away, axis=1)[:, None]
