"""What one step holds, as in ``modalities.yaml``: shapes, scales, and how features are stacked.

proprio = stack("proprio", {"body_joint_position": q, ...})   # (n,) float32, over its scales
parts = unstack("proprio", proprio)                           # the same dict, in SI units
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import yaml

from neo_description.errors import NeoError
from neo_description.skeleton import CAMERA_FOVY
from neo_description.tables import BODY, HAND, SIDES, TAXELS

TABLE = Path(__file__).with_name("modalities.yaml")
SOURCES = ("sim", "teleop", "on_policy", "human_video", "web_video")
PROVENANCE = ("none", "policy", "teacher", "noise", "random", "teleop", "safety")
_SIZES = {
    "body_joints": len(BODY.joints), "body_tendons": len(BODY.tendons),
    "hand_joints": len(HAND.joints), "hand_tendons": len(HAND.tendons),
}  # fmt: skip


@cache
def table() -> dict[str, Any]:
    """The rows of ``modalities.yaml``."""
    return yaml.safe_load(TABLE.read_text())


@cache
def features(modality: str) -> dict[str, tuple[int, float]]:
    """Feature → (size, scale) of a stacked modality: ``proprio``, ``force`` or ``action``."""
    rows = table().get(modality)
    if modality not in ("proprio", "force", "action") or rows is None:
        raise NeoError(f"no stacked modality {modality!r}; one of proprio, force, action")
    sizes = _SIZES | {"grasps": len(table()["grasps"])}
    return {
        name: (row["size"] if isinstance(row["size"], int) else sizes[row["size"]], float(row["scale"]))
        for name, row in rows.items()
    }


def size(modality: str) -> int:
    """Numbers in a stacked modality."""
    return sum(n for n, _ in features(modality).values())


@cache
def shapes() -> dict[str, tuple[tuple[int, ...], str]]:
    """Modality → (shape, dtype) of one step in an episode and in a store."""
    eyes, touch = table()["vision"], table()["touch"]
    pads = (len(SIDES), len(TAXELS))
    return {
        "vision": ((eyes["eyes"], eyes["height"], eyes["width"], 3), "uint8"),
        "proprio": ((size("proprio"),), "float32"),
        "force": ((size("force"),), "float32"),
        "touch": ((touch["samples"], *pads, 3), "float32"),
        "touch_valid": (pads, "bool"),
        "action": ((size("action"),), "float32"),
    }


def view() -> tuple[float, float]:
    """Half the width and half the height (m) of what an eye's picture shows a metre before it."""
    (_, height, width, _), _ = shapes()["vision"]
    high = float(np.tan(np.deg2rad(CAMERA_FOVY) / 2))
    return high * width / height, high


def part(modality: str, feature: str) -> slice:
    """Where a feature stands in a stacked modality."""
    at = 0
    for name, (n, _) in features(modality).items():
        if name == feature:
            return slice(at, at + n)
        at += n
    raise NeoError(f"{modality} has no {feature!r}; it has {', '.join(features(modality))}")


def stack(modality: str, parts: dict[str, np.ndarray]) -> np.ndarray:
    """(n,) float32: ``parts`` over their scales, in the table's order; NeoError on a wrong name or size."""
    rows = features(modality)
    if set(parts) != set(rows):
        raise NeoError(
            f"{modality} is made of {', '.join(rows)}; given {', '.join(sorted(set(parts) ^ set(rows)))} "
            "too many or too few"
        )
    out = []
    for name, (n, scale) in rows.items():
        value = np.asarray(parts[name], float).ravel()
        if value.size != n:
            raise NeoError(f"{modality} {name} has {value.size} numbers, its row says {n}")
        out.append(value / scale)
    return np.concatenate(out).astype(np.float32)


def unstack(modality: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Feature → (…, size) in SI units, from ``values`` (…, n)."""
    out, at = {}, 0
    for name, (n, scale) in features(modality).items():
        out[name] = values[..., at : at + n] * scale
        at += n
    return out


@cache
def own() -> tuple[int, ...]:
    """Which numbers of ``proprio`` a state carries as they are sensed."""
    numbers = range(size("proprio"))
    return tuple(i for name in table()["own"] for i in numbers[part("proprio", name)])


def state_size(settings: SimpleNamespace) -> int:
    """Numbers of a state: ``width`` that are learned, then :func:`own`, where there is proprioception."""
    return settings.width + (len(own()) if "proprio" in settings.senses else 0)


def pose9(T: np.ndarray) -> np.ndarray:
    """(9,): position and the first two columns of the rotation of ``T`` (4, 4) (Zhou et al. 2019)."""
    return np.concatenate([T[:3, 3], T[:3, 0], T[:3, 1]])


def pose_of(values: np.ndarray) -> np.ndarray:
    """(4, 4): the pose nearest to nine numbers of :func:`pose9` (Gram-Schmidt)."""
    T = np.eye(4)
    x = values[3:6] / max(float(np.linalg.norm(values[3:6])), 1e-9)
    y = values[6:9] - (values[6:9] @ x) * x
    y /= max(float(np.linalg.norm(y)), 1e-9)
    T[:3, :3] = np.column_stack([x, y, np.cross(x, y)])
    T[:3, 3] = values[:3]
    return T
