"""Puts the Shadow hand's tables in the place of ours, in this process, before our core is imported.

Our core reads its hand from three places: :data:`neo_description.tables.HAND` (joints and tendons),
``grasps.yaml`` (the grasps) and :class:`HandKinematics` (where the pads are). They are data about a hand;
everything else of :mod:`neo_hand_control` runs as it is.
"""

from __future__ import annotations

import sys

import mujoco

from benchmarks.shadow.hand import HERE, Addresses, Kinematics
from neo_description import tables
from neo_description.errors import NeoError


def fit(model: mujoco.MjModel) -> None:
    """From now on ``neo_hand_control`` is about the hand in ``model``; NeoError when it is too late."""
    early = sorted(name for name in sys.modules if name.startswith("neo_hand_control."))
    if early:
        raise NeoError(f"our core is already about our own hand: {', '.join(early)} imported")
    tables.HAND = Addresses(model).joint_group(model)
    from neo_hand_control import controller, grasps

    grasps.GRASPS_YAML = HERE / "grasps.yaml"
    controller.HandKinematics = lambda side: Kinematics(model)  # type: ignore[assignment,misc,return-value]
