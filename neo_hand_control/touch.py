"""What the pads feel: zero drift removed, contact with hysteresis, summed forces, nearness to sliding.

A pad reads ``(n, s_y, s_z)``: the normal force that pushes on it and the shear along its y and z axes (N,
force of the object on the pad). Pads whose validity flag is down count as silent everywhere.

The zero of each pad follows its reading with time constant ``zero_time`` while the hand is known to be
free (:meth:`Touch.update` with ``free=True``) and the reading is near zero, so a zero that drifts is
followed and a touch is not swallowed.

How much of the friction is used, pad by pad, and how slippery the thing is: :mod:`neo_hand_control.friction`.
Whether it slides: :mod:`neo_hand_control.slip`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from neo_description.masks import all_of, any_of
from neo_description.tables import TAXELS
from neo_hand_control.friction import Friction
from neo_hand_control.slip import Slip

FINGERS = ("thumb", "index", "middle", "ring", "little")
GROUPS = (*FINGERS, "palm")
GROUP_OF_PAD = np.array([GROUPS.index(name.split("_")[0]) for name in TAXELS])
_MEMBER = (GROUP_OF_PAD[None, :] == np.arange(len(GROUPS))[:, None]).astype(float)  # (6, 19)


@dataclass
class Feeling:
    """One tick of touch. Forces in N, in the wrist frame where they are vectors.

    ``force`` (19, 3) zeroed pad readings; ``contact`` (19,) bool; ``normal`` the sum of normal forces of pads
    in contact; ``group_normal``/``group_contact`` (6,) the same for thumb, index, middle, ring, little, palm;
    ``shear`` (3,) summed shear; ``net`` (3,) summed force of the object on the hand;
    ``ratio`` the normal-weighted mean of shear over normal; ``friction`` the coefficient believed;
    ``use`` (19,) of each pad and ``used`` of the hand, 0..1: share of the friction that is used; ``slip`` the
    probability that the object slides, made of ``trembling``; ``cop`` (3,) m centre of pressure;
    ``living`` share of the pads that are alive.
    """

    force: np.ndarray
    contact: np.ndarray
    normal: float
    group_normal: np.ndarray
    group_contact: np.ndarray
    shear: np.ndarray
    net: np.ndarray
    ratio: float
    friction: float
    use: np.ndarray
    used: float
    slip: float
    trembling: float
    cop: np.ndarray
    living: float

    @property
    def whole(self) -> bool:
        """Whether every pad is alive."""
        return self.living == 1.0

    @property
    def load(self) -> float:
        """What friction seems to carry (N); see :mod:`neo_hand_control.grip`."""
        carried = float(np.linalg.norm(self.shear))
        return min(carried, float(np.linalg.norm(self.net))) if self.whole else carried / self.living

    @property
    def contacts(self) -> int:
        """Pads that feel something."""
        return int(np.count_nonzero(self.contact))


class Touch:
    """Filters one hand's pads. ``params``: the room's parameters whose names begin with ``touch_``."""

    def __init__(self, params: SimpleNamespace):
        self._p = params
        self.friction = Friction(params)
        self.sliding = Slip(params)
        self.reset()

    def reset(self) -> None:
        """Forget zeros and contacts."""
        self.friction.forget()
        self.sliding.forget()
        n = len(TAXELS)
        self._zero = np.zeros((n, 3))
        self._known = np.zeros(n, bool)  # pads whose zero was found once
        self._contact = np.zeros(n, bool)
        self._learned = False  # friction and slip know something

    def update(
        self,
        reading: np.ndarray,
        valid: np.ndarray,
        R_wrist_pad: np.ndarray,
        p_wrist_pad: np.ndarray,
        dt: float,
        free: bool,
        own: np.ndarray,
    ) -> Feeling:
        """Feel one tick.

        ``reading`` (19, 3) N; ``valid`` (19,) bool; ``R_wrist_pad`` (19, 3, 3) with x out of the flesh and
        ``p_wrist_pad`` (19, 3) m from kinematics; ``dt`` s since the last call; ``free``: the controller
        knows of nothing in the hand, so readings near zero are the pads' zero; ``own`` (19,) bool: pads that
        touch the hand itself, which tell nothing of an object.
        """
        p = self._p
        alive, finite = np.asarray(valid, bool), np.isfinite(reading)
        if not all_of(finite):
            alive = alive & finite.all(1)
        whole = all_of(alive)
        if not whole:
            reading = np.where(alive[:, None], reading, 0.0)
        if free:
            self._follow_zero(reading, alive, dt)
        force = reading - self._zero
        threshold = np.where(self._contact, p.touch_off, p.touch_on) if any_of(self._contact) else p.touch_on
        contact = alive & ~own & (np.maximum(force[:, 0], 0.0) > threshold)
        self._contact = contact
        living = 1.0 if whole else max(float(alive.mean()), 0.1)
        if not any_of(contact):
            nothing = np.zeros(len(contact))
            self._learn(nothing, nothing, dt, free)
            return self._silent(contact, living)
        force = np.where(contact[:, None], force, 0.0)
        n = force[:, 0]
        total = float(n.sum())
        group_normal = _MEMBER @ n
        group_contact = (_MEMBER @ contact) > 0
        s_wrist = R_wrist_pad[:, :, 1] * force[:, 1:2] + R_wrist_pad[:, :, 2] * force[:, 2:3]
        shear = s_wrist.sum(0)
        net = shear - (R_wrist_pad[:, :, 0] * n[:, None]).sum(0)
        lengths = np.hypot(force[:, 1], force[:, 2])
        ratio = float(lengths.sum() / total)
        self._learn(n, lengths, dt, free)
        cop = n @ p_wrist_pad / total
        return Feeling(
            force,
            contact,
            total,
            group_normal,
            group_contact,
            shear,
            net,
            ratio,
            self.friction.coefficient,
            self.friction.use,
            self.friction.total_use,
            self.sliding.probability,
            self.sliding.trembling,
            cop,
            living,
        )

    def _learn(self, normal: np.ndarray, shear: np.ndarray, dt: float, free: bool) -> None:
        """Friction and slip of what is held; forgotten while the hand is free."""
        if not free:
            slides = self.sliding.update(normal, dt) >= self._p.grip_slip_probability
            self.friction.update(normal, shear, slides, dt)
        elif self._learned:
            self.friction.forget()
            self.sliding.forget()
        self._learned = not free

    def _silent(self, contact: np.ndarray, living: float) -> Feeling:
        """What is felt when no pad is in contact: nothing."""
        friction, sliding, groups = self.friction, self.sliding, len(GROUPS)
        return Feeling(
            force=np.zeros((len(contact), 3)),
            contact=contact,
            normal=0.0,
            group_normal=np.zeros(groups),
            group_contact=np.zeros(groups, bool),
            shear=np.zeros(3),
            net=np.zeros(3),
            ratio=0.0,
            friction=friction.coefficient,
            use=friction.use,
            used=friction.total_use,
            slip=sliding.probability,
            trembling=sliding.trembling,
            cop=np.zeros(3),
            living=living,
        )

    def _follow_zero(self, reading: np.ndarray, alive: np.ndarray, dt: float) -> None:
        error = reading - self._zero
        near = alive & (np.abs(error) < self._p.touch_zero_range).all(1)
        first = near & ~self._known
        if any_of(first):
            self._zero[first] = reading[first]
            self._known |= first
        error *= min(dt / self._p.touch_zero_time, 1.0)
        np.add(self._zero, error, out=self._zero, where=near[:, None])
