"""The soft skin: a knitted suit over rounded shapes that are only seen (group 2, no mass, no contact)."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from neo_description import contact, hand, skeleton
from neo_description.skeleton import Vector
from neo_description.tables import SIDES

GROUP = 2
KNIT, SEAM, FACE, GLOVE, PAD, LENS, SHOE, SOLE, LIGHT = (
    "knit", "seam", "face", "glove", "pad", "lens", "shoe", "sole", "light",
)  # fmt: skip
PLAIN: dict[str, tuple[Vector, float]] = {  # colour, shine
    FACE: ((0.95, 0.92, 0.87), 0.15),
    GLOVE: ((0.92, 0.88, 0.82), 0.10),
    PAD: ((0.74, 0.66, 0.60), 0.05),
    LENS: ((0.03, 0.03, 0.035), 0.90),
    SHOE: ((0.46, 0.43, 0.40), 0.10),
    SOLE: ((0.88, 0.86, 0.82), 0.10),
    LIGHT: ((0.95, 0.90, 0.80), 0.30),
}
YARN: dict[str, Vector] = {KNIT: (0.88, 0.82, 0.74), SEAM: (0.66, 0.59, 0.52)}


@dataclass(frozen=True)
class Blob:
    """An ellipsoid: middle ``at`` and semi-axes ``radii`` (m) in ``link``, leaning ``pitch`` rad about y."""

    link: str
    at: Vector
    radii: Vector
    look: str = KNIT
    pitch: float = 0.0


@dataclass(frozen=True)
class Limb:
    """A capsule from ``start`` to ``end`` (m, in ``link``)."""

    link: str
    start: Vector
    end: Vector
    radius: float
    look: str = KNIT


Part = Blob | Limb


def _trunk() -> list[Part]:
    x, y, z = skeleton.EYES
    tilt = skeleton.CAMERA_TILT
    parts: list[Part] = [
        Limb("base_link", (-0.004, -0.052, 0.030), (-0.004, 0.052, 0.030), 0.101),
        Blob("base_link", (-0.030, 0.0, -0.010), (0.088, 0.138, 0.092)),
        Limb("waist_cross", (0.002, 0.0, -0.080), (0.004, 0.0, 0.080), 0.104),
        Limb("torso", (0.006, 0.0, 0.020), (0.010, 0.0, 0.290), 0.108),
        Limb("torso", (0.0, -0.100, 0.350), (0.0, 0.100, 0.350), 0.062),
        Blob("torso", (0.002, 0.0, 0.270), (0.112, 0.158, 0.160)),
        Blob("torso", (-0.006, 0.0, 0.385), (0.066, 0.100, 0.060)),
        Blob("torso", (0.000, 0.0, 0.430), (0.056, 0.058, 0.022), SEAM),
        Limb("neck", (0.000, 0.0, -0.020), (0.004, 0.0, 0.070), 0.047),
        Blob("head", (-0.004, 0.0, 0.062), (0.098, 0.085, 0.110)),  # hood
        Blob("head", (0.025, 0.0, 0.046), (0.079, 0.077, 0.094), FACE, 0.08),
    ]
    for s in (1.0, -1.0):
        for y_waist, y_chest, radius in ((0.026, 0.030, 0.106), (0.046, 0.056, 0.098), (0.062, 0.078, 0.082)):
            parts.append(
                Limb("waist_cross", (0.0, s * y_waist, -0.080), (0.0, s * y_waist, 0.080), radius - 0.003)
            )
            parts.append(Limb("torso", (0.004, s * y_waist, 0.020), (0.006, s * y_chest, 0.290), radius))
        back = (x - 0.019 * np.cos(tilt), s * y, z + 0.019 * np.sin(tilt))
        parts.append(Blob("head", back, (0.0165, 0.0185, 0.0185), LENS, tilt))
        parts.append(Blob("head", (-0.004, s * 0.084, 0.050), (0.024, 0.006, 0.024), LIGHT))
        parts.append(Blob("head", (-0.004, s * 0.087, 0.050), (0.015, 0.006, 0.015), SEAM))
    return parts


def _leg(s: str) -> list[Part]:
    inner = -0.006 if s == "l" else 0.006
    return [
        Blob(f"{s}_thigh", (-0.004, 0.0, -0.030), (0.088, 0.076, 0.120)),
        Blob(f"{s}_thigh", (0.002, 0.0, -0.150), (0.078, 0.070, 0.230)),
        Limb(f"{s}_thigh", (0.002, inner, -0.220), (0.0, 0.0, -skeleton.THIGH), 0.055),
        Blob(f"{s}_shank", (0.004, 0.0, -0.010), (0.058, 0.055, 0.080)),
        Limb(f"{s}_shank", (0.0, 0.0, -0.020), (0.0, 0.0, -0.360), 0.042),
        Blob(f"{s}_shank", (-0.014, 0.0, -0.140), (0.054, 0.053, 0.135)),
        Blob(f"{s}_shank", (0.0, 0.0, -0.352), (0.047, 0.046, 0.014), SEAM),
        Blob(f"{s}_ankle_cross", (0.0, 0.0, 0.0), (0.042, 0.040, 0.044)),
        Blob(f"{s}_ankle", (0.000, 0.0, -0.020), (0.052, 0.043, 0.050), SHOE),
        Blob(f"{s}_ankle", (0.045, 0.0, -0.040), (0.098, 0.044, 0.032), SHOE, 0.10),
        Blob(f"{s}_ankle", (-0.028, 0.0, -0.042), (0.045, 0.040, 0.032), SHOE),
        Limb(f"{s}_sole", (-0.033, 0.0, 0.011), (0.103, 0.0, 0.011), 0.011, SOLE),
        Blob(f"{s}_sole", (0.090, 0.0, 0.013), (0.056, 0.045, 0.013), SOLE),
        Blob(f"{s}_sole", (-0.030, 0.0, 0.013), (0.046, 0.041, 0.013), SOLE),
        Blob(f"{s}_sole", (0.035, 0.0, 0.013), (0.100, 0.040, 0.013), SOLE),
    ]


def _arm(s: str) -> list[Part]:
    out = 0.004 if s == "l" else -0.004
    return [
        Blob(f"{s}_shoulder_carrier", (0.0, 0.0, 0.002), (0.060, 0.060, 0.060)),
        Blob(f"{s}_upper_arm", (0.0, out, -0.060), (0.053, 0.052, 0.125)),
        Limb(f"{s}_upper_arm", (0.0, 0.0, -0.060), (0.0, 0.0, -skeleton.UPPER_ARM), 0.042),
        Blob(f"{s}_upper_arm", (0.004, 0.0, -0.150), (0.047, 0.046, 0.140)),
        Blob(f"{s}_forearm", (0.0, 0.0, 0.0), (0.044, 0.043, 0.046)),
        Blob(f"{s}_forearm", (0.002, 0.0, -0.085), (0.046, 0.044, 0.110)),
        Limb(f"{s}_forearm", (0.0, 0.0, -0.060), (0.0, 0.0, -0.222), 0.033),
        Blob(f"{s}_forearm_twist", (0.0, 0.0, 0.030), (0.0335, 0.0320, 0.020), SEAM),
        Limb(f"{s}_forearm_twist", (0.0, 0.0, 0.020), (0.0, 0.0, -0.004), 0.026, GLOVE),
    ]


def _hand(s: str, fingers: bool) -> list[Part]:
    D = hand.directions(s)
    u, v, w = D.T

    def at(a: float, b: float, c: float) -> Vector:
        return tuple((a * u + b * v + c * w).tolist())  # type: ignore[return-value]

    wrist = f"{s}_wrist"
    parts: list[Part] = [
        Blob(wrist, at(0.060, 0.0, -0.003), (0.041, 0.0145, 0.056), GLOVE),
        Blob(wrist, at(0.042, 0.026, 0.004), (0.021, 0.0150, 0.032), GLOVE),  # ball of the thumb
        Blob(wrist, at(0.052, -0.029, 0.003), (0.016, 0.0140, 0.036), GLOVE),
        Blob(wrist, at(0.066, 0.0, 0.0085), (0.030, 0.0065, 0.032), PAD),
        Limb(wrist, at(0.0, 0.010, 0.0), at(0.024, 0.014, 0.0), 0.0165, GLOVE),
        Limb(wrist, at(0.0, -0.010, 0.0), at(0.024, -0.014, 0.0), 0.0165, GLOVE),
    ]
    for (ku, kv), _, radius in hand.FINGERS.values():
        parts.append(Limb(wrist, at(0.028, 0.55 * kv, 0.0), at(ku, kv, 0.001), radius + 0.0035, GLOVE))
    for pad in hand.hand_parts(s)[1] if fingers else []:
        if pad.size is not None:
            continue
        start, end = tuple(pad.start.tolist()), tuple(pad.end.tolist())
        parts.append(Limb(pad.link, start, end, pad.radius, GLOVE))
        flesh = pad.R_link_pad[:, 0]
        lift = 0.0022 * flesh
        parts.append(
            Limb(pad.link, tuple((pad.start + 0.25 * (pad.end - pad.start) + lift).tolist()),
                 tuple((pad.end + lift).tolist()), pad.radius - 0.0015, PAD)
        )  # fmt: skip
        tendon = -flesh * (pad.radius - 0.0004)
        ends = (tuple((pad.start + tendon).tolist()), tuple((pad.end + tendon).tolist()))
        parts.append(Limb(pad.link, *ends, 0.0011, SEAM))
    return parts


def add_skin(spec: mujoco.MjSpec, bodies: dict[str, mujoco.MjsBody], fingers: bool) -> None:
    """Clothe the robot; the fingers only where there are any."""
    _add_looks(spec)
    parts = _trunk()
    for s in SIDES:
        parts += _leg(s) + _arm(s) + _hand(s, fingers)
    _add_parts(bodies, parts)


def add_hand_skin(spec: mujoco.MjSpec, bodies: dict[str, mujoco.MjsBody], side: str) -> None:
    """Clothe one hand that stands alone."""
    _add_looks(spec)
    _add_parts(bodies, _hand(side, True))


def _add_parts(bodies: dict[str, mujoco.MjsBody], parts: list[Part]) -> None:
    for part in parts:
        fields = {"contype": 0, "conaffinity": 0, "group": GROUP, "mass": 0.0, "material": part.look}
        if isinstance(part, Limb):
            contact.add_capsule(bodies[part.link], "", part.start, part.end, part.radius, **fields)
        else:
            lean = part.pitch / 2
            bodies[part.link].add_geom(
                type=mujoco.mjtGeom.mjGEOM_ELLIPSOID, pos=part.at, size=part.radii,
                quat=(np.cos(lean), 0.0, np.sin(lean), 0.0), **fields,
            )  # fmt: skip


def _add_looks(spec: mujoco.MjSpec) -> None:
    for name, (rgb, shine) in PLAIN.items():
        spec.add_material(name=name, rgba=(*rgb, 1.0), specular=shine, shininess=0.3 + 0.5 * shine)
    for name, rgb in YARN.items():
        image = knit(np.array(rgb))
        texture = spec.add_texture(
            name=name, type=mujoco.mjtTexture.mjTEXTURE_CUBE, width=image.shape[1], height=6 * image.shape[0],
            nchannel=3,
        )  # fmt: skip
        texture.data = np.tile(image, (6, 1, 1)).tobytes()
        material = spec.add_material(name=name, specular=0.05, shininess=0.1)
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name


def knit(rgb: np.ndarray, pixels: int = 256, stitches: int = 32) -> np.ndarray:
    """One face (pixels, pixels, 3) of a knitted cube: rows of v-shaped stitches, uint8."""
    y, x = np.mgrid[0:pixels, 0:pixels] * stitches / pixels
    v = y + 0.7 * np.abs((x % 1.0) - 0.5)
    shade = 1.0 + 0.035 * np.cos(2 * np.pi * v) - 0.03 * (np.abs((x % 1.0) - 0.5) > 0.42)
    return (np.clip(rgb * shade[:, :, None], 0, 1) * 255).astype(np.uint8)
