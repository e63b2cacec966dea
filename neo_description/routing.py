"""How the body's tendons run: with constant moment arms, or through sites on two links over a pulley.

    routing = routing_of("routed")
    length, scale = routing.lengths(q), routing.scale(q)

``fixed``: the table's moment arms ``r0`` in every posture, ``l = -A.T q``.

``routed``: in the plane through the joint across its axis a tendon runs from a site on the parent to a site
on the child, both ``a`` from the axis, and bends over a round pulley of radius ``R = a / REACH`` about the
axis. Seen from the axis the sites are ``phi`` apart, ``SPARE`` where the joint is at the limit that the
tendon pulls it to, and more by the way from there. With ``phi_w = 2 acos(1 / REACH)``, from which on the
tendon lies on the pulley, and ``c = min(phi, phi_w)``:

    length  L(phi) = 2 a sin(c / 2) + R (phi - c)
    arm     r(phi) = dL/dphi = a cos(c / 2)                 between R and a: never zero, never of other sign

``a`` is such that the arm at the zero posture is the table's. Lengths count from the zero posture, where
reels are homed, in both routings. Only the body's tendons can be routed; those of the hands, which cross
several joints, stay fixed.
"""

from __future__ import annotations

from functools import cache
from typing import Protocol

import numpy as np

from neo_description.errors import NeoError
from neo_description.tables import BODY

ROUTINGS = ("fixed", "routed")
REACH = 1.25  # distance of the sites from the axis, over the pulley's radius
SPARE = 0.3  # rad between the sites where the tendon is shortest
ON_PULLEY = 2.0 * float(np.arccos(1.0 / REACH))  # rad between the sites from which on the tendon bends

SIGN = np.tile([1.0, -1.0], len(BODY.joints))  # (62,): which way a tendon turns its joint
ARM = np.abs(BODY.moment_arms).max(axis=0)  # (62,) m: the table's
APART = SPARE + np.column_stack([BODY.q_max, -BODY.q_min]).ravel()  # (62,) rad between sites at zero posture
FARTHEST = SPARE + np.repeat(BODY.q_max - BODY.q_min, 2)  # (62,) rad: where the tendon is longest
RADIUS = ARM / np.cos(0.5 * np.minimum(APART, ON_PULLEY))  # (62,) m: of the sites about the axis
PULLEY = RADIUS / REACH  # (62,) m: radius


class Routing(Protocol):
    """Of the body's 62 tendons; ``q`` (31,) rad. ``varies``: whether moment arms change with posture."""

    varies: bool

    def scale(self, q: np.ndarray) -> np.ndarray:
        """(62,): moment arms over those of the table."""

    def lengths(self, q: np.ndarray) -> np.ndarray:
        """(62,) m beyond the zero posture's."""

    def straight(self, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(62,) m that tendons with the table's arms would measure where these measure ``length`` (62,) m;
        and their :meth:`scale` there."""


class FixedRouting:
    """Constant arms."""

    varies = False

    def scale(self, q: np.ndarray) -> np.ndarray:
        """Ones."""
        return np.ones(len(BODY.tendons))

    def lengths(self, q: np.ndarray) -> np.ndarray:
        """``-A.T q``."""
        return -BODY.moment_arms.T @ np.asarray(q, float)

    def straight(self, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``length`` itself."""
        return length, np.ones(len(BODY.tendons))


class SiteRouting:
    """Through sites, over pulleys: see the module. Beyond a joint's limits all goes on without a jump."""

    varies = True

    def __init__(self) -> None:
        self._most = RADIUS / ARM
        self._bend = float(np.sin(0.5 * ON_PULLEY))
        self._across = 2.0 * RADIUS
        self._lifts = self._across * self._bend  # m: length at which the tendon lifts off the pulley
        self._zero = self._from_angle(APART)

    def scale(self, q: np.ndarray) -> np.ndarray:
        half = self._half(q)
        np.minimum(np.maximum(half, 0.0, out=half), 0.5 * ON_PULLEY, out=half)
        np.cos(half, out=half)
        half *= self._most
        return half

    def lengths(self, q: np.ndarray) -> np.ndarray:
        return self._from_angle(2.0 * self._half(q)) - self._zero

    def straight(self, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        L = length + self._zero
        sine = L / self._across
        np.minimum(np.maximum(sine, 0.0, out=sine), self._bend, out=sine)
        phi = np.arcsin(sine)
        phi *= 2.0
        phi += np.maximum(L - self._lifts, 0.0) / PULLEY
        if L.min() < 0.0:  # only where a reel has wound in more than there is
            phi += np.minimum(L, 0.0) / RADIUS
        phi -= APART
        phi *= ARM
        sine *= sine
        return phi, self._most * np.sqrt(1.0 - sine)

    def _half(self, q: np.ndarray) -> np.ndarray:
        """(62,) rad: half the angle between the sites."""
        half = np.repeat(q, 2)
        half *= -0.5 * SIGN
        half += 0.5 * APART
        return half

    def _from_angle(self, phi: np.ndarray) -> np.ndarray:
        """(62,) m from site to site, ``phi`` (62,) rad apart."""
        c = np.minimum(np.maximum(phi, 0.0), ON_PULLEY)
        out: np.ndarray = self._across * np.sin(0.5 * c)
        out += PULLEY * np.maximum(phi - c, 0.0) + RADIUS * np.minimum(phi, 0.0)
        return out


@cache
def routing_of(name: str) -> Routing:
    """One of ``ROUTINGS``; NeoError names them."""
    if name not in ROUTINGS:
        raise NeoError(f"no routing {name!r} of tendons; one of {', '.join(ROUTINGS)}")
    return SiteRouting() if name == "routed" else FixedRouting()
