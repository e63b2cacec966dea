"""The body's links: where each sits on its parent, which joint turns it, what it weighs.

All links stand parallel to ``base_link`` at the zero posture (upright, arms hanging, palms inwards),
so positions are plain offsets in x forward, y left, z up (m). Proportions follow a person of 1.65 m
(Winter, Biomechanics and Motor Control of Human Movement, table 4.1); a link's inertia is that of a
solid ellipsoid, ``I_x = m (b² + c²) / 5``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_description.tables import SIDES

Vector = tuple[float, float, float]

AXES: dict[str, Vector] = {"roll": (1.0, 0.0, 0.0), "pitch": (0.0, 1.0, 0.0), "yaw": (0.0, 0.0, 1.0)}

HIP_HEIGHT = 0.865  # m: base_link above the soles at the zero posture
HIP = 0.085  # m: hip joints from the middle
THIGH, SHANK, ANKLE = 0.400, 0.390, 0.075  # m: hip to knee, knee to ankle, ankle to sole
SOLE_SIZE = (0.220, 0.090, 0.020)  # m
SOLE_CENTRE = 0.035  # m: of the sole ahead of the ankle
WAIST = 0.120  # m: spine joints above base_link
SHOULDER = (0.0, 0.165, 0.350)  # m: left shoulder in torso
NECK, HEAD = 0.430, 0.070  # m: neck on torso, head on neck
UPPER_ARM, FOREARM = 0.300, 0.260  # m
EYES = (0.098, 0.040, 0.045)  # m: left camera in head; 1.53 m above the soles
CAMERA_FOVY = 48.0  # degrees, vertical
CAMERA_TILT = 0.25  # rad: cameras and gaze look this much down from the head's x axis


@dataclass(frozen=True)
class Link:
    """One rigid link. ``joint`` "" is welded, "free" floats; ``axis`` in the link's frame.

    ``position`` (3,) m in the parent's frame; ``mass`` kg; ``com`` (3,) m in the link's frame;
    ``radii`` (3,) m: semi-axes of the ellipsoid with the link's inertia, along the link's axes unless
    ``along`` (3,) gives the direction of the first one.
    """

    name: str
    parent: str
    position: Vector
    joint: str
    mass: float
    com: Vector
    radii: Vector
    axis: Vector = (0.0, 0.0, 0.0)
    along: Vector | None = None

    def inertia(self) -> np.ndarray:
        """Inertia (3, 3) kg m² about the centre of mass, in the link's frame."""
        a, b, c = np.square(self.radii)
        principal = self.mass / 5.0 * np.array([b + c, c + a, a + b])
        if self.along is None:
            return np.diag(principal)
        R = frame_along(self.along)
        return R @ np.diag(principal) @ R.T


def frame_along(direction: Vector | np.ndarray) -> np.ndarray:
    """A rotation (3, 3) whose first column is ``direction``."""
    x = np.asarray(direction, float) / np.linalg.norm(direction)
    helper = np.eye(3)[np.argmin(np.abs(x))]
    y = np.cross(helper, x)
    y /= np.linalg.norm(y)
    return np.column_stack([x, y, np.cross(x, y)])


def _turning(name: str, parent: str, position: Vector, joint: str, *body: object) -> Link:
    return Link(name, parent, position, joint, *body, axis=AXES[joint.rsplit("_", 1)[1]])  # type: ignore[arg-type,misc]


def _leg(s: str) -> list[Link]:
    y = HIP if s == "l" else -HIP
    small = (0.045, 0.045, 0.045)
    zero = (0.0, 0.0, 0.0)
    return [
        _turning(f"{s}_hip_carrier", "base_link", (0.0, y, 0.0), f"{s}_hip_yaw", 0.25, zero, small),
        _turning(f"{s}_hip_cross", f"{s}_hip_carrier", zero, f"{s}_hip_roll", 0.25, zero, small),
        _turning(f"{s}_thigh", f"{s}_hip_cross", zero, f"{s}_hip_pitch", 2.30,
                 (0.0, 0.0, -0.170), (0.065, 0.065, 0.200)),
        _turning(f"{s}_shank", f"{s}_thigh", (0.0, 0.0, -THIGH), f"{s}_knee_pitch", 1.20,
                 (0.0, 0.0, -0.165), (0.050, 0.050, 0.195)),
        _turning(f"{s}_ankle_cross", f"{s}_shank", (0.0, 0.0, -SHANK), f"{s}_ankle_pitch", 0.12, zero,
                 (0.035, 0.035, 0.035)),
        _turning(f"{s}_ankle", f"{s}_ankle_cross", zero, f"{s}_ankle_roll", 0.35,
                 (0.025, 0.0, -0.035), (0.100, 0.040, 0.030)),
        Link(f"{s}_sole", f"{s}_ankle", (0.0, 0.0, -ANKLE), "", 0.08,
             (SOLE_CENTRE, 0.0, SOLE_SIZE[2] / 2), (0.130, 0.055, 0.012)),
    ]  # fmt: skip


def _arm(s: str) -> list[Link]:
    x, y, z = SHOULDER
    small = (0.045, 0.045, 0.045)
    zero = (0.0, 0.0, 0.0)
    return [
        _turning(f"{s}_shoulder_carrier", "torso", (x, y if s == "l" else -y, z), f"{s}_shoulder_pitch", 0.25,
                 zero, small),
        _turning(f"{s}_shoulder_cross", f"{s}_shoulder_carrier", zero, f"{s}_shoulder_roll", 0.25, zero,
                 small),
        _turning(f"{s}_upper_arm", f"{s}_shoulder_cross", zero, f"{s}_shoulder_yaw", 1.05,
                 (0.0, 0.0, -0.130), (0.045, 0.045, 0.150)),
        _turning(f"{s}_forearm", f"{s}_upper_arm", (0.0, 0.0, -UPPER_ARM), f"{s}_elbow_pitch", 0.65,
                 (0.0, 0.0, -0.105), (0.040, 0.040, 0.130)),
        _turning(f"{s}_forearm_twist", f"{s}_forearm", (0.0, 0.0, -FOREARM), f"{s}_wrist_yaw", 0.08,
                 (0.0, 0.0, 0.030), (0.025, 0.025, 0.035)),
        _turning(f"{s}_wrist_cross", f"{s}_forearm_twist", zero, f"{s}_wrist_pitch", 0.05, zero,
                 (0.022, 0.022, 0.022)),
        _turning(f"{s}_wrist", f"{s}_wrist_cross", zero, f"{s}_wrist_roll", 0.21,
                 (0.0, 0.0, -0.060), (0.045, 0.018, 0.052)),
    ]  # fmt: skip


def body_links() -> list[Link]:
    """The 34 links of the body, each after its parent; the palms are ``l_wrist`` and ``r_wrist``."""
    zero = (0.0, 0.0, 0.0)
    small = (0.060, 0.060, 0.050)
    links = [Link("base_link", "world", zero, "free", 4.20, (-0.005, 0.0, 0.050), (0.100, 0.140, 0.090))]
    for side in SIDES:
        links += _leg(side)
    links += [
        _turning("waist_carrier", "base_link", (0.0, 0.0, WAIST), "torso_yaw", 0.30, zero, small),
        _turning("waist_cross", "waist_carrier", zero, "torso_roll", 0.30, zero, small),
        _turning(
            "torso", "waist_cross", zero, "torso_pitch", 8.52, (0.005, 0.0, 0.210), (0.105, 0.160, 0.210)
        ),
        _turning(
            "neck", "torso", (0.0, 0.0, NECK), "neck_yaw", 0.25, (0.0, 0.0, 0.030), (0.045, 0.045, 0.045)
        ),
        _turning(
            "head", "neck", (0.0, 0.0, HEAD), "neck_pitch", 1.75, (0.012, 0.0, 0.060), (0.100, 0.080, 0.105)
        ),
    ]
    for side in SIDES:
        links += _arm(side)
    return links
