"""The soft skin: shapes that are only seen (group 2, no mass, no contact)."""

from __future__ import annotations

import mujoco

from neo_description import contact, hand
from neo_description.tables import SIDES


def add_skin(spec: mujoco.MjSpec, bodies: dict[str, mujoco.MjsBody], fingers: bool) -> None:
    """Clothe the robot."""
    rows = contact.CAPSULES | {f"{s}_{n}": row for s in SIDES for n, row in contact.SIDE_CAPSULES.items()}
    for link, (start, end, radius) in rows.items():
        contact.add_capsule(bodies[link], "", start, end, radius, contype=0, conaffinity=0, group=2, mass=0,
                            rgba=(0.82, 0.78, 0.72, 1))  # fmt: skip
    for s in SIDES:
        for pad in hand.hand_parts(s)[1]:
            if pad.size is None and fingers:
                contact.add_capsule(bodies[pad.link], "", pad.start, pad.end, pad.radius, contype=0,
                                    conaffinity=0, group=2, mass=0, rgba=(0.82, 0.78, 0.72, 1))  # fmt: skip
