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
    """One row. ``widths`` (k,) m, ascending, and ``postures`` (k, 22) rad: the hand round things that wide,
    straight lines between; ``clearance`` m that the pre-shape is wider than the thing;
    ``closing`` (22,) share of the closing speed; ``push`` (19,) share of the total force pressed by each pad,
    summing to 1; ``opposition`` groups of touch-group indices; forces in N.
    """

    name: str
    description: str
    width_range: tuple[float, float]
    usual_width: float
    clearance: float
    widths: np.ndarray
    postures: np.ndarray
    closing: np.ndarray
    push: np.ndarray
    opposition: tuple[tuple[int, ...], ...]
    start: float
    least: float
    most: float

    def preshape(self, width: float = 0.0) -> np.ndarray:
        """Joint angles (22,) rad before an object ``width`` m wide; 0: the usual one."""
        low, high = self.width_range
        w = min(max(width, low), high) if width > 0.0 else self.usual_width
        return self.posture(w + self.clearance)

    def posture(self, width: float) -> np.ndarray:
        """Joint angles (22,) rad on the row's lines at ``width`` m."""
        q = np.array([np.interp(width, self.widths, angles) for angles in self.postures.T])
        return np.clip(q, HAND.q_min + MARGIN, HAND.q_max - MARGIN)


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


def _lines(shape: dict[str, Any], low: float, high: float, where: str) -> tuple[np.ndarray, np.ndarray]:
    """``widths`` (k,) and ``postures`` (k, 22) of a pre-shape written as a, [a, b] or {width: angle, ...}."""
    knots = {joint: value for joint, value in shape.items() if isinstance(value, dict)}
    widths = np.array(sorted({low, high}.union(*(map(float, value) for value in knots.values()))))
    postures = np.zeros((len(widths), len(HAND.joints)))
    for joint, value in shape.items():
        if joint in knots:
            at = np.array(list(map(float, value)))
            if not (np.diff(at) > 0.0).all():
                raise NeoError(f"grasps.yaml: {where}.{joint}: widths {at.tolist()} must rise")
            line = np.interp(widths, at, np.array(list(map(float, value.values()))))
        else:
            a, b = value if isinstance(value, list) else (value, 0.0)
            line = float(a) + float(b) * widths
        postures[:, HAND.index(joint)] = line
    return widths, postures


def _array(rows: dict[str, float], names: tuple[str, ...]) -> np.ndarray:
    return np.array([float(rows.get(name, 0.0)) for name in names])


def _grasp(name: str, row: dict[str, Any]) -> Grasp:
    try:
        shape = _expand(row["preshape"], HAND.joints, f"{name}.preshape")
        closing = _array(_expand(row["closing"], HAND.joints, f"{name}.closing"), HAND.joints)
        push = _array(_expand(row["push"], TAXELS, f"{name}.push"), TAXELS)
        force = row["force"]
        low, high = map(float, row["width"]["range"])
        clearance = float(row["width"].get("clearance", 0.0))
        widths, postures = _lines(shape, low, high + clearance, f"{name}.preshape")
        opposition = tuple(tuple(GROUPS.index(g) for g in group) for group in row["opposition"])
        grasp = Grasp(
            name=name,
            description=row["description"],
            width_range=(low, high),
            usual_width=float(row["width"]["usual"]),
            clearance=clearance,
            widths=widths,
            postures=postures,
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
