"""Pad forces as arrows in the pads' frames, and which pads are dead."""

from __future__ import annotations

import numpy as np

from neo_description.signals import HandState
from neo_description.tables import TAXELS, prefixed

HOT = 10.0  # N: an arrow of this force is fully red


def pad_frames(side: str) -> tuple[str, ...]:
    """The frames of one hand's pads, in table order."""
    return tuple(f"{name}_pad" for name in prefixed(side, TAXELS))


def arrows(state: HandState, newton_length: float) -> np.ndarray:
    """Tips (19, 3) m of arrows from each pad's origin, in its frame: the force that presses on it.

    A normal force pushes into the flesh, so along -x of the pad; dead pads get no arrow.
    """
    force = state.taxel_force * (-1.0, 1.0, 1.0)
    return np.where(state.taxel_valid[:, None], force, 0.0) * newton_length


def color(force: float) -> tuple[float, float, float]:
    """RGB from green (no force, N) to red."""
    share = float(np.clip(force / HOT, 0.0, 1.0))
    return share, 1.0 - share, 0.1


def dead(state: HandState) -> tuple[str, ...]:
    """Names of the pads that report nothing."""
    return tuple(name for name, alive in zip(TAXELS, state.taxel_valid, strict=True) if not alive)
