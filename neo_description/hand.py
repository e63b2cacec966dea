"""One hand: 22 joints, 20 links beyond the palm, 19 pads.

Laid out in the hand's own directions: ``u`` to the fingertips, ``v`` to the thumb's side, ``w`` out of the
palm; on the wrist (hanging, palm inwards) these are -z, +x and -y on the left, +y on the right. Lengths
are those of a person's hand; the thumb's base joint turns about ``u``, so at ``thumb_cmc_opp`` ≈ 1.2 the
thumb stands in front of the palm with its pad facing the fingers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_description.skeleton import Link

PALM_SIZE = (0.095, 0.085, 0.028)  # m along u, v, w
PALM_START = 0.015  # m: the palm begins this far from the wrist
# Attitude of both wrists with the hand held forward: fingers along x, thumb up, the palms facing each other.
R_WORLD_WRIST = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
GRIPPER = (0.068, 0.0, 0.046)  # m: l_gripper from the wrist, along u, v, w
FINGERS: dict[str, tuple[tuple[float, float], tuple[float, float, float], float]] = {
    # knuckle (u, v); lengths of the three phalanges; radius (m)
    "index": ((0.106, 0.032), (0.042, 0.025, 0.019), 0.0085),
    "middle": ((0.110, 0.0105), (0.045, 0.028, 0.020), 0.0088),
    "ring": ((0.106, -0.011), (0.042, 0.026, 0.019), 0.0085),
    "little": ((0.096, -0.032), (0.034, 0.020, 0.017), 0.0080),
}
KNUCKLE_OUT = 0.002  # m: knuckles out of the palm's middle plane
LITTLE_CMC = (0.050, -0.024)  # m: u, v
THUMB_BASE = (0.026, 0.026, 0.008)  # m: u, v, w
THUMB_LENGTHS = (0.042, 0.033, 0.025)
THUMB_RADII = (0.0115, 0.0100, 0.0095)
THUMB_SPREAD = np.deg2rad(78.0)  # of the thumb from u at zero
THUMB_RISE = np.deg2rad(32.0)  # of the thumb out of the palm's plane at zero
HALF_OPEN: dict[str, float] = {"thumb_cmc_opp": 0.8, "thumb_mcp_flex": 0.2, "thumb_ip_flex": 0.2} | {
    f"{finger}_{joint}_flex": 0.5 for finger in FINGERS for joint in ("mcp", "pip", "dip")
}


@dataclass(frozen=True)
class Pad:
    """One taxel's flesh: a capsule from ``start`` to ``end`` (m, in its link) or a box round ``start``.

    ``R_link_pad`` (3, 3): x normal out of the flesh, y along the phalanx to the tip, z = x × y.
    ``size`` (3,): box half extents in the pad's frame; ``radius`` of a capsule. ``surface`` (3,) m:
    where the pad's frame sits.
    """

    taxel: str
    link: str
    start: np.ndarray
    end: np.ndarray
    radius: float
    R_link_pad: np.ndarray
    surface: np.ndarray
    size: tuple[float, float, float] | None = None


def directions(side: str) -> np.ndarray:
    """(3, 3): columns ``u``, ``v``, ``w`` in the wrist's frame. Left-handed on the right side."""
    inwards = -1.0 if side == "l" else 1.0
    return np.array([[0.0, 1.0, 0.0], [0.0, 0.0, inwards], [-1.0, 0.0, 0.0]])


def _vector(v: np.ndarray) -> tuple[float, float, float]:
    return (float(v[0]), float(v[1]), float(v[2]))


def _phalanx(
    side: str, name: str, parent: str, position: np.ndarray, joint: str, axis: np.ndarray, along: np.ndarray,
    length: float, radius: float, mass: float,
) -> Link:  # fmt: skip
    half = length / 2
    return Link(
        f"{side}_{name}", f"{side}_{parent}", _vector(position), f"{side}_{joint}", mass,
        _vector(along * half), (half + radius, radius, radius), axis=_vector(axis), along=_vector(along),
    )  # fmt: skip


def _pad(side: str, taxel: str, along: np.ndarray, normal: np.ndarray, length: float, radius: float) -> Pad:
    R = np.column_stack([normal, along, np.cross(normal, along)])
    middle = along * length / 2 + normal * radius
    return Pad(taxel, f"{side}_{taxel}", np.zeros(3), along * length, radius, R, middle)


def _finger(side: str, finger: str) -> tuple[list[Link], list[Pad]]:
    u, v, w = directions(side).T
    (ku, kv), lengths, radius = FINGERS[finger]
    knuckle = ku * u + kv * v + KNUCKLE_OUT * w
    bend, spread = np.cross(u, w), np.cross(u, v)
    links, base = [], "wrist"
    if finger == "little":
        pivot = LITTLE_CMC[0] * u + LITTLE_CMC[1] * v
        links.append(
            _phalanx(side, "little_metacarpal", base, pivot, "little_cmc_flex", bend, u, 0.04, 0.009, 0.010)
        )
        knuckle, base = knuckle - pivot, "little_metacarpal"
    small = _phalanx(
        side, f"{finger}_knuckle", base, knuckle, f"{finger}_mcp_abd", spread, u, 0.002, 0.008, 0.004
    )
    links.append(small)
    pads, parent, position = [], f"{finger}_knuckle", np.zeros(3)
    for part, joint, length, mass in zip(
        ("proximal", "middle", "distal"), ("mcp", "pip", "dip"), lengths, (0.019, 0.012, 0.009), strict=True
    ):
        name = f"{finger}_{part}"
        links.append(
            _phalanx(side, name, parent, position, f"{finger}_{joint}_flex", bend, u, length, radius, mass)
        )
        pads.append(_pad(side, name, u, w, length, radius))
        parent, position = name, length * u
    return links, pads


def thumb_directions(side: str) -> np.ndarray:
    """(3, 3) at zero: columns along the thumb, out of its flesh, to its radial side; in the wrist's frame."""
    u, v, w = directions(side).T
    out = np.cos(THUMB_RISE) * v + np.sin(THUMB_RISE) * w
    along = np.cos(THUMB_SPREAD) * u + np.sin(THUMB_SPREAD) * out
    flesh = np.sin(THUMB_SPREAD) * u - np.cos(THUMB_SPREAD) * out
    radial = np.sin(THUMB_RISE) * v - np.cos(THUMB_RISE) * w
    return np.column_stack([along, flesh, radial])


def _thumb(side: str) -> tuple[list[Link], list[Pad]]:
    u, v, w = directions(side).T
    along, flesh, radial = thumb_directions(side).T
    base = THUMB_BASE[0] * u + THUMB_BASE[1] * v + THUMB_BASE[2] * w
    bend, spread, turn = np.cross(along, flesh), np.cross(along, radial), np.cross(v, w)
    meta, proximal, distal = THUMB_LENGTHS
    r_meta, r_proximal, r_distal = THUMB_RADII
    links = [
        _phalanx(side, "thumb_saddle", "wrist", base, "thumb_cmc_opp", turn, along, 0.002, 0.011, 0.006),
        _phalanx(side, "thumb_metacarpal", "thumb_saddle", np.zeros(3), "thumb_cmc_flex", bend, along,
                 meta, r_meta, 0.024),
        _phalanx(side, "thumb_knuckle", "thumb_metacarpal", along * meta, "thumb_mcp_abd", spread, along,
                 0.002, 0.009, 0.004),
        _phalanx(side, "thumb_proximal", "thumb_knuckle", np.zeros(3), "thumb_mcp_flex", bend, along,
                 proximal, r_proximal, 0.018),
        _phalanx(side, "thumb_distal", "thumb_proximal", along * proximal, "thumb_ip_flex", bend, along,
                 distal, r_distal, 0.012),
    ]  # fmt: skip
    pads = [
        _pad(side, f"thumb_{part}", along, flesh, length, radius)
        for part, length, radius in zip(
            ("metacarpal", "proximal", "distal"), THUMB_LENGTHS, THUMB_RADII, strict=True
        )
    ]
    return links, pads


def _palm(side: str) -> list[Pad]:
    u, v, w = directions(side).T
    R = np.column_stack([w, u, np.cross(w, u)])
    length, width, thick = PALM_SIZE
    half = (thick / 2, length / 4, width / 4)
    pads = []
    for end, along in (("distal", 0.75), ("proximal", 0.25)):
        for edge, across in (("radial", 1.0), ("ulnar", -1.0)):
            middle = u * (PALM_START + along * length) + v * across * width / 4
            surface = middle + w * thick / 2
            pads.append(Pad(f"palm_{end}_{edge}", f"{side}_wrist", middle, middle, 0.0, R, surface, half))
    return pads


def hand_parts(side: str) -> tuple[list[Link], list[Pad]]:
    """Links beyond ``{side}_wrist``, each after its parent, and pads in the order of ``TAXELS``."""
    links, pads = _thumb(side)
    for finger in FINGERS:
        more_links, more_pads = _finger(side, finger)
        links += more_links
        pads += more_pads
    return links, pads + _palm(side)


def gripper(side: str) -> tuple[np.ndarray, np.ndarray]:
    """Position (3,) m and rotation (3, 3) of ``{side}_gripper`` in the wrist's frame."""
    D = directions(side)
    u, _, w = D.T
    return D @ np.array(GRIPPER), np.column_stack([u, np.cross(w, u), w])


def rotation(turn: np.ndarray) -> np.ndarray:
    """(3, 3): Rx Ry Rz of ``turn`` (3,) rad, as hands are turned from being held forward."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(turn), np.cos(turn)
    Rx = np.array([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]])
    Ry = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    Rz = np.array([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]])
    return Rx @ Ry @ Rz
