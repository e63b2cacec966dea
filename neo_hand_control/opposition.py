"""How squarely the thumb faces what it presses against: kinematics of a grasp, without an object.

From its pre-shape the hand closes at the grasp's closing speeds until the thumb's pads stand the thing's
width from the pads that press against them. There the angle is

    cos(angle) = -n_thumb · n_fingers,      n = Σ_p w_p n_p / |Σ_p w_p n_p|

with the normals n_p out of the flesh and the grasp's shares w_p. At 0 thumb and fingers press straight at
each other; beyond twice the angle of friction nothing can be held between them alone.
"""

from __future__ import annotations

import numpy as np

from neo_description.errors import NeoError
from neo_description.tables import HAND, TAXELS
from neo_hand_control.grasps import MARGIN, Grasp
from neo_hand_control.hand_kinematics import HandKinematics

THUMB = np.array([name.startswith("thumb") for name in TAXELS])
PALM = np.array([name.startswith("palm") for name in TAXELS])
STEP = 0.02  # rad of the fastest joint


def opposes(grasp: Grasp) -> bool:
    """Whether thumb and fingers both press: hooks and fists have no opposing thumb."""
    return bool(grasp.push[THUMB].any() and grasp.push[~THUMB & ~PALM].any())


def closed(grasp: Grasp, width: float, hand: HandKinematics) -> np.ndarray:
    """Joint angles (22,) rad where thumb and fingers stand ``width`` m apart; ``hand`` is left there.

    NeoError when they never come that near.
    """
    thumb = np.flatnonzero(THUMB & (grasp.push > 0.0))
    fingers = np.flatnonzero(~THUMB & ~PALM & (grasp.push > 0.0))
    q = grasp.preshape(width)
    high = HAND.q_max - MARGIN
    while True:
        hand.move(q)
        if min(hand.nearest(int(a), int(b))[0] for a in thumb for b in fingers) <= width:
            return q
        if (q >= high)[grasp.closing > 0.0].all():
            raise NeoError(f"{grasp.name} does not close to {1e3 * width:.0f} mm")
        q = np.minimum(q + STEP * grasp.closing, high)


def thumb_angle(grasp: Grasp, width: float, hand: HandKinematics) -> float:
    """Angle (rad) between thumb and fingers closed to ``width`` m; 0: straight at each other."""
    closed(grasp, width, hand)
    normals = hand.R[:, :, 0] * grasp.push[:, None]
    thumb, fingers = normals[THUMB].sum(0), normals[~THUMB & ~PALM].sum(0)
    cosine = -thumb @ fingers / (np.linalg.norm(thumb) * np.linalg.norm(fingers))
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))
