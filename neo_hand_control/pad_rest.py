"""What pads tell about themselves while an empty hand rests: zeros, noise, and which of them are broken.

A pad whose hardware flag is up may be broken all the same. One that is frozen does not even show noise; one
that floats wanders further in seconds than a zero drifts; and both show forces where nothing is.
"""

from __future__ import annotations

import numpy as np

from neo_description.errors import NeoError
from neo_description.tables import TAXELS
from neo_hand_control.calibration import PadCalibration

SHOWS = 0.3  # N: what a sound pad of an empty hand never shows
WANDERS = 0.15  # N: nor how far its mean moves from the first to the last third of the rest
FROZEN = 1e-9  # N: spread of the shear readings of a pad without noise
MOST_ODD = 6  # pads that show something before the hand counts as not empty


def judge(readings: np.ndarray, valid: np.ndarray) -> list[PadCalibration]:
    """Pads in the order of ``TAXELS`` from ``readings`` (t, 19, 3) N and hardware flags (t, 19) bool.

    NeoError when so many pads feel something that the hand cannot be empty.
    """
    pads = [_pad(readings[:, i], bool(valid[:, i].all())) for i in range(len(TAXELS))]
    showing = [name for name, pad in zip(TAXELS, pads, strict=True) if pad.broken.startswith("shows")]
    if len(showing) > MOST_ODD:
        raise NeoError(
            f"the hand is not empty: {len(showing)} pads feel something at rest ({', '.join(showing)})"
        )
    return pads


def _pad(reading: np.ndarray, valid: bool) -> PadCalibration:
    """One pad from its ``reading`` (t, 3) N."""
    if not valid:
        return PadCalibration(broken="dead: its validity is down")
    if not np.isfinite(reading).all():
        return PadCalibration(broken="reads no finite forces")
    zero, third = reading.mean(axis=0), len(reading) // 3
    wander = float(np.abs(reading[:third].mean(axis=0) - reading[-third:].mean(axis=0)).max())
    pad = PadCalibration(
        zero=(float(zero[0]), float(zero[1]), float(zero[2])),
        # the normal force is cut off at zero: noise shows in the shear
        noise=float(np.diff(reading[:, 1:], axis=0).std() / np.sqrt(2.0)),
    )
    if np.ptp(reading[:, 1:], axis=0).max() < FROZEN:
        pad.broken = "frozen: not even noise"
    elif wander > WANDERS:
        pad.broken = f"wanders by {wander:.2f} N at rest"
    elif np.abs(zero).max() > SHOWS:
        pad.broken = f"shows {np.abs(zero).max():.2f} N at rest"
    return pad
