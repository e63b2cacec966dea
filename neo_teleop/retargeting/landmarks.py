"""Points on a person, in the orders that devices and trackers give them; what is none of them is refused.

``HAND_21``: MediaPipe's hand landmarks. ``HAND_25``: the hand joints of WebXR (WebXR Hand Input, section 3),
which also name the four metacarpals' bases; a thumb's metacarpal, proximal and distal joint are MediaPipe's
CMC, MCP and IP. ``BODY``: the joints of SMPL that the robot's upper body can follow.
"""

from __future__ import annotations

import numpy as np

from neo_description.errors import NeoError
from neo_description.skeleton import HIP
from neo_description.tables import SIDES

FINGERS = ("index", "middle", "ring", "little")
HAND_21: tuple[str, ...] = (
    "wrist", "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip",
    *(f"{finger}_{joint}" for finger in FINGERS for joint in ("mcp", "pip", "dip", "tip")),
)  # fmt: skip
HAND_25: tuple[str, ...] = (
    "wrist", "thumb-metacarpal", "thumb-phalanx-proximal", "thumb-phalanx-distal", "thumb-tip",
    *(
        f"{finger}-finger-{joint}"
        for finger in ("index", "middle", "ring", "pinky")
        for joint in ("metacarpal", "phalanx-proximal", "phalanx-intermediate", "phalanx-distal", "tip")
    ),
)  # fmt: skip
BODY: tuple[str, ...] = (
    "pelvis", "l_hip", "r_hip", "spine", "neck", "head",
    "l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist",
)  # fmt: skip
OF_25 = tuple(i for i, name in enumerate(HAND_25) if not name.endswith("finger-metacarpal"))
OF_SMPL = (0, 1, 2, 3, 12, 15, 16, 18, 20, 17, 19, 21)  # SMPL's number of each of BODY
SMPL_SIZES = (22, 24)  # with the hands' roots and without
TINY = 1e-9  # m
WRIST, INDEX, MIDDLE, LITTLE = (
    HAND_21.index(name) for name in ("wrist", "index_mcp", "middle_mcp", "little_mcp")
)
FLAT = 1e-3  # m²: twice the area of wrist, index and little knuckle, below which they show no palm


def checked(points: object, rows: int, what: str) -> np.ndarray:
    """``points`` as floats (rows, 3), m; NeoError where they are of another shape or not finite."""
    return _checked(_numbers(points, what), rows, what)


def hand_21(points: object) -> np.ndarray:
    """(21, 3) m in the order of ``HAND_21``, from that or from ``HAND_25``."""
    found = _numbers(points, "a hand's landmarks")
    if len(found) == len(HAND_25):
        return _checked(found, len(HAND_25), "a hand's 25 joints")[list(OF_25)]
    return _checked(found, len(HAND_21), "a hand's 21 landmarks")


def body_joints(points: object) -> np.ndarray:
    """(12, 3) m in the order of ``BODY``, from that, from that without hips, or from SMPL's 22 or 24.

    Hips that are not given are taken to lie as the shoulders do: the pelvis then faces where the chest does.
    """
    found = _numbers(points, "a body's joints")
    rows = len(found)
    if rows in SMPL_SIZES:
        return _checked(found, rows, "SMPL's joints")[list(OF_SMPL)]
    if rows != len(BODY) - 2:
        return _checked(found, len(BODY), "a body's joints")
    found = _checked(found, rows, "a body's joints without hips")
    names = [name for name in BODY if not name.endswith("hip")]
    side = found[names.index("l_shoulder")] - found[names.index("r_shoulder")]
    side = HIP * side / max(float(np.linalg.norm(side)), TINY)
    return np.insert(found, [1, 1], [found[0] + side, found[0] - side], axis=0)


def _numbers(points: object, what: str) -> np.ndarray:
    try:
        return np.atleast_1d(np.asarray(points, float))
    except (TypeError, ValueError):
        raise NeoError(f"{what}: no array of numbers; rows of x, y, z in metres needed") from None


def _checked(found: np.ndarray, rows: int, what: str) -> np.ndarray:
    if found.shape != (rows, 3):
        raise NeoError(f"{what}: shape {found.shape} given; ({rows}, 3) metres needed")
    if not np.isfinite(found).all():
        bad = np.flatnonzero(~np.isfinite(found).all(axis=1))
        raise NeoError(f"{what}: points {bad.tolist()} are not finite; finite metres needed")
    return found


def palm_frame(points: np.ndarray, side: str) -> np.ndarray:
    """``T_frame_palm`` (4, 4) of a hand's 21 landmarks: origin in the wrist, axes as a gripper's.

    x to the middle knuckle, z out of the palm, y = z × x. NeoError where wrist and knuckles lie in a line.
    """
    if side not in SIDES:
        raise NeoError(f"no side {side!r}; one of {', '.join(SIDES)}")
    points = checked(points, 21, "a hand's 21 landmarks")
    wrist = points[WRIST]
    across = np.cross(points[INDEX] - wrist, points[LITTLE] - wrist)
    area = float(np.linalg.norm(across))
    if area < FLAT:
        raise NeoError(
            f"a hand's landmarks: wrist, index and little knuckle span {area * 1e4:.2f} cm²; "
            f"{FLAT * 1e4:g} cm² or more needed"
        )
    z = across / area if side == "r" else -across / area
    x = points[MIDDLE] - wrist
    x = x - (x @ z) * z
    x /= np.linalg.norm(x)
    T = np.eye(4)
    T[:3, :3] = np.column_stack([x, np.cross(z, x), z])
    T[:3, 3] = wrist
    return T
