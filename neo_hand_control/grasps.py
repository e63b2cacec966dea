"""The table of grasps, read from ``grasps.yaml`` into joint and pad arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from neo_description.errors import NeoError
from neo_description.tables import HAND, TAXELS
from neo_hand_control.touch import GROUPS

GRASPS_YAML = Path(__file__).with_name("grasps.yaml")
FOUR = ("index", "middle", "ring", "little")
MARGIN = 0.02  # rad kept from the joints' stops


@dataclass(frozen=True)
class Grasp:
    """One row. ``offset``/``slope`` (22,): pre-shape ``q = offset + slope * width`` (rad, rad/m);
    ``closing`` (22,) share of the closing speed; ``push`` (19,) share of the total force pressed by each pad,
    summing to 1; ``opposition`` groups of touch-group indices; forces in N.
    """

    name: str
    description: str
    width_range: tuple[float, float]
    usual_width: float
    offset: np.ndarray
    slope: np.ndarray
    closing: np.ndarray
    push: np.ndarray
    opposition: tuple[tuple[int, ...], ...]
    start: float
    least: float
    most: float

    def preshape(self, width: float = 0.0) -> np.ndarray:
        """Joint angles (22,) rad for an object ``width`` m wide; 0: the usual one."""
        low, high = self.width_range
        w = min(max(width, low), high) if width > 0.0 else self.usual_width
        return np.clip(self.offset + self.slope * w, HAND.q_min + MARGIN, HAND.q_max - MARGIN)


def _expand(rows: dict[str, Any], names: tuple[str, ...], where: str) -> dict[str, Any]:
    """``fingers_x`` written out; an unknown name is refused with the known ones."""
    out: dict[str, Any] = {}
    for key, value in rows.items():
        if key.startswith("fingers_"):
            keys = [f"{finger}_{key.removeprefix('fingers_')}" for finger in FOUR]
        else:
            keys = [key]
        for name in keys:
            if name not in names:
                raise NeoError(f"grasps.yaml: {where} names {name!r}; one of {', '.join(names)}")
            out[name] = value
    return out


def _array(rows: dict[str, float], names: tuple[str, ...]) -> np.ndarray:
    return np.array([float(rows.get(name, 0.0)) for name in names])


def _grasp(name: str, row: dict[str, Any]) -> Grasp:
    try:
        shape = _expand(row["preshape"], HAND.joints, f"{name}.preshape")
        lines = {j: v if isinstance(v, list) else [v, 0.0] for j, v in shape.items()}
        closing = _array(_expand(row["closing"], HAND.joints, f"{name}.closing"), HAND.joints)
        push = _array(_expand(row["push"], TAXELS, f"{name}.push"), TAXELS)
        force = row["force"]
        low, high = map(float, row["width"]["range"])
        opposition = tuple(tuple(GROUPS.index(g) for g in group) for group in row["opposition"])
        grasp = Grasp(
            name=name,
            description=row["description"],
            width_range=(low, high),
            usual_width=float(row["width"]["usual"]),
            offset=_array({j: v[0] for j, v in lines.items()}, HAND.joints),
            slope=_array({j: v[1] for j, v in lines.items()}, HAND.joints),
            closing=closing,
            push=push / push.sum(),
            opposition=opposition,
            start=float(force["start"]),
            least=float(force["least"]),
            most=float(force["most"]),
        )
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise NeoError(f"grasps.yaml: {name} is incomplete or malformed: {error}") from None
    if not 0.0 < low <= grasp.usual_width <= high:
        raise NeoError(
            f"grasps.yaml: {name}: the usual width {grasp.usual_width} is outside [{low}, {high}] m"
        )
    if not 0.0 < grasp.least <= grasp.start <= grasp.most:
        raise NeoError(f"grasps.yaml: {name}: forces must be 0 < least <= start <= most, given {force}")
    return grasp


@cache
def grasps() -> dict[str, Grasp]:
    """Name → grasp, every row checked."""
    return {name: _grasp(name, row) for name, row in yaml.safe_load(GRASPS_YAML.read_text()).items()}
