"""Which grasp for which thing, from its shape and size: Cutkosky's question first (power or precision?), then
the shape that the hand makes, then the width.

    grasp, width = choose("cylinder", (0.066, 0.066, 0.21))         -> medium_wrap, 0.066

Only what perception tells is used. Rows stand from the particular to the general; the first that fits is
taken: the right purpose and shape, and a width within the row's and the grasp's own limits.
Sources: Cutkosky 1989, On grasp choice, grasp models and the design of hands for manufacturing tasks;
Feix et al. 2016, The GRASP taxonomy of human grasp types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neo_description.errors import NeoError
from neo_hand_control.grasps import grasps

PURPOSES = ("power", "precision", "lateral", "carry")
SHAPES = ("box", "cylinder", "capsule", "sphere", "ellipsoid", "disk", "plate", "bar")
FLAT = 0.35  # a cylinder lower than this share of its diameter is a disk
THIN = 0.35  # a box thinner than this share of its second side is a plate
LONG = 3.0  # a box longer than this many of its second side is a bar


@dataclass(frozen=True)
class Rule:
    """``grasp`` serves ``purpose`` for ``shapes`` from ``least`` to ``most`` m wide."""

    grasp: str
    purpose: str
    shapes: tuple[str, ...]
    least: float = 0.0
    most: float = 1.0


_ROUND = ("sphere", "ellipsoid")
_LONG = ("cylinder", "capsule", "bar")
RULES = (
    Rule("small_wrap", "power", _LONG, most=0.035),
    Rule("medium_wrap", "power", ("cylinder", "capsule"), most=0.085),
    Rule("large_wrap", "power", ("cylinder", "capsule")),
    Rule("power_sphere", "power", _ROUND),
    Rule("box_wrap", "power", ("box", "bar")),
    Rule("palmar", "power", ("plate",)),
    Rule("precision_disk", "power", ("disk",)),
    Rule("prismatic_3_finger", "precision", _LONG, most=0.018),
    Rule("prismatic_4_finger", "precision", _LONG),
    Rule("precision_pinch", "precision", ("box", *_ROUND), most=0.025),
    Rule("tripod", "precision", ("box", *_ROUND), most=0.042),
    Rule("quadpod", "precision", _ROUND, most=0.055),
    Rule("precision_sphere", "precision", _ROUND),
    Rule("prismatic_4_finger", "precision", ("box",)),
    Rule("precision_disk", "precision", ("disk",)),
    Rule("parallel_extension", "precision", ("plate",)),
    Rule("lateral", "lateral", SHAPES),
    Rule("hook", "carry", SHAPES),
)


def choose(shape: str, size: Sequence[float], purpose: str = "power") -> tuple[str, float]:
    """Name of the grasp and the width (m) to give it, for a thing of full extents ``size`` (3,) m.

    ``shape``: one of ``SHAPES``; the axis of cylinders and capsules is z. ``purpose``: ``power`` to hold
    firmly, ``precision`` to place or turn, ``lateral`` like a key, ``carry`` by a handle of that size.
    NeoError when no grasp fits.
    """
    extent = np.asarray(size, float)
    if shape not in SHAPES:
        raise NeoError(f"shape {shape!r}; one of {', '.join(SHAPES)}")
    if purpose not in PURPOSES:
        raise NeoError(f"purpose {purpose!r}; one of {', '.join(PURPOSES)}")
    if extent.shape != (3,) or not np.isfinite(extent).all() or not (extent > 0.0).all():
        raise NeoError(f"size {size!r}; three lengths above 0 m needed")
    kind, width = _seen_as(shape, extent)
    if purpose in ("lateral", "carry"):
        width = float(extent.min())
    table = grasps()
    for rule in RULES:
        low, high = table[rule.grasp].width_range
        low, high = max(low, rule.least), min(high, rule.most)
        if rule.purpose == purpose and kind in rule.shapes and low <= width <= high:
            return rule.grasp, width
    raise NeoError(f"no {purpose} grasp for a {kind} {1e3 * width:.0f} mm wide")


def _seen_as(shape: str, extent: np.ndarray) -> tuple[str, float]:
    """The shape as the hand meets it, and the width (m) between thumb and fingers."""
    thin, middle, longest = np.sort(extent)
    if shape in ("cylinder", "capsule"):
        across = float(min(extent[:2]))
        return ("disk", across) if extent[2] < FLAT * across else (shape, across)
    if shape == "box":
        if thin < THIN * middle:
            return "plate", float(thin)
        return ("bar" if longest > LONG * middle else "box"), float(thin)
    if shape == "disk":
        return shape, float(middle)
    return shape, float(min(extent[:2]) if shape in _ROUND else thin)
