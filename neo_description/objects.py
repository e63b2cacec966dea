"""The registry of objects, ``objects.yaml``: shapes, sizes, colours, masses, friction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import yaml

from neo_description import yaml_table
from neo_description.contact import OBJECT, SOLIMP, SOLREF, WORLD
from neo_description.errors import NeoError

OBJECTS = Path(__file__).with_name("objects.yaml")
KINDS = {
    "sphere": (mujoco.mjtGeom.mjGEOM_SPHERE, 1),
    "cylinder": (mujoco.mjtGeom.mjGEOM_CYLINDER, 2),
    "capsule": (mujoco.mjtGeom.mjGEOM_CAPSULE, 2),
    "box": (mujoco.mjtGeom.mjGEOM_BOX, 3),
    "ellipsoid": (mujoco.mjtGeom.mjGEOM_ELLIPSOID, 3),
}
ROLLING = ("sphere", "ellipsoid")


@dataclass(frozen=True)
class Shape:
    """A primitive: full ``extent`` (3,) m, its middle ``at`` m above the object's foot, ``offset`` m (x, y)
    from the object's axis."""

    kind: str
    size: tuple[float, ...]
    at: float
    rgb: tuple[float, float, float]
    offset: tuple[float, float] = (0.0, 0.0)

    @property
    def middle(self) -> np.ndarray:
        """(3,) m from the foot of the object's axis."""
        return np.array([*self.offset, self.at])

    @property
    def extent(self) -> np.ndarray:
        s = self.size
        if self.kind == "sphere":
            return np.full(3, 2 * s[0])
        if self.kind == "cylinder":
            return np.array([2 * s[0], 2 * s[0], s[1]])
        if self.kind == "capsule":
            return np.array([2 * s[0], 2 * s[0], s[1] + 2 * s[0]])
        return np.array(s)

    def mujoco_size(self) -> tuple[float, float, float]:
        """``size`` as MuJoCo wants it: half lengths."""
        s = self.size
        if self.kind == "sphere":
            return (s[0], 0.0, 0.0)
        if self.kind in ("cylinder", "capsule"):
            return (s[0], s[1] / 2, 0.0)
        return (s[0] / 2, s[1] / 2, s[2] / 2)


@dataclass(frozen=True)
class Thing:
    """One entry of the registry. Its frame sits in the middle of its bounding box ``size`` (3,) m.

    ``crush_force`` N breaks it (None: nothing does); ``grip_limit`` N is how hard one would hold a thing of
    its kind at most, as a hand may be told.
    """

    name: str
    class_name: str
    color: str
    mass: float
    friction: float
    shapes: tuple[Shape, ...]
    crush_force: float | None = None
    grip_limit: float = 0.0

    @property
    def size(self) -> np.ndarray:
        low, high = self._bounds()
        return high - low

    def _bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest corner (3,) m of the bounding box, from the foot of the axis."""
        low = np.min([s.middle - s.extent / 2 for s in self.shapes], axis=0)
        high = np.max([s.middle + s.extent / 2 for s in self.shapes], axis=0)
        return low, high

    def add_to(self, spec: mujoco.MjSpec, position: np.ndarray, yaw: float) -> None:
        """A free body named after the thing, the middle of its foot at ``position`` (3,) m, turned by
        ``yaw`` rad."""
        low, high = self._bounds()
        height = self.size[2]
        middle = np.array([*(low + high)[:2] / 2, height / 2])
        body = spec.worldbody.add_body(
            name=self.name,
            pos=np.asarray(position) + np.array([0, 0, height / 2]),
            quat=(np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)),
        )
        body.add_freejoint(name=f"{self.name}_joint")
        volumes = np.array([_volume(s) for s in self.shapes])
        rolls = any(s.kind in ROLLING for s in self.shapes)
        for i, shape in enumerate(self.shapes):
            geom = body.add_geom(
                name=f"{self.name}_{i}", type=KINDS[shape.kind][0], size=shape.mujoco_size(),
                pos=shape.middle - middle, mass=self.mass * volumes[i] / volumes.sum(),
                rgba=(*shape.rgb, 1.0), contype=WORLD | OBJECT, conaffinity=WORLD | OBJECT,
                condim=6 if rolls else 4,
                friction=(self.friction, 0.005, 0.002 if rolls else 0.0001), priority=1,
            )  # fmt: skip
            geom.solref, geom.solimp = SOLREF, SOLIMP


def _volume(shape: Shape) -> float:
    x, y, z = shape.extent
    if shape.kind == "box":
        return float(x * y * z)
    if shape.kind == "cylinder":
        return float(np.pi / 4 * x * y * z)
    return float(np.pi / 6 * x * y * z)


def _shape(name: str, row: dict[str, Any], color: str, colors: dict[str, Any]) -> Shape:
    kind, size = row.get("type"), row.get("size")
    if kind not in KINDS:
        raise NeoError(f"object {name}: shape type {kind!r}; one of {', '.join(KINDS)}")
    wanted = KINDS[kind][1]
    if not isinstance(size, list) or len(size) != wanted or not all(0.0 < x < 1.0 for x in size):
        raise NeoError(f"object {name}: size {size!r} of a {kind}; {wanted} lengths between 0 and 1 m")
    shown = row.get("color", color)
    if shown not in colors:
        raise NeoError(f"object {name}: no color {shown!r}; one of {', '.join(colors)}")
    offset = row.get("offset", [0.0, 0.0])
    if not isinstance(offset, list) or len(offset) != 2 or not all(-1.0 < x < 1.0 for x in offset):
        raise NeoError(f"object {name}: offset {offset!r}; [x, y] between -1 and 1 m")
    aside = (float(offset[0]), float(offset[1]))
    return Shape(kind, tuple(map(float, size)), float(row["at"]), tuple(colors[shown]), aside)


def _thing(name: str, row: dict[str, Any], colors: dict[str, Any]) -> Thing:
    missing = [key for key in ("class", "color", "mass", "friction", "shapes") if not row.get(key)]
    if missing:
        raise NeoError(f"object {name}: {', '.join(missing)} missing")
    for key, low, high in (("mass", 0.001, 10.0), ("friction", 0.01, 5.0)):
        if not low <= float(row[key]) <= high:
            raise NeoError(f"object {name}: {key} {row[key]} is outside [{low}, {high}]")
    shapes = tuple(_shape(name, shape, row["color"], colors) for shape in row["shapes"])
    foot = min(shape.at - shape.extent[2] / 2 for shape in shapes)
    if abs(foot) > 1e-6:
        raise NeoError(f"object {name}: its lowest point is at {foot:.4f} m; let a shape stand at 0")
    crush = row.get("crush_force")
    return Thing(
        name, row["class"], row["color"], float(row["mass"]), float(row["friction"]), shapes,
        None if crush is None else float(crush), float(row.get("grip_limit", 0.0)),
    )  # fmt: skip


def _read(file: Path) -> dict[str, Any]:
    try:
        rows = yaml_table.read(Path(file))
    except (OSError, yaml.YAMLError) as error:
        raise NeoError(f"cannot read objects from {file}: {error}") from None
    if not isinstance(rows, dict) or not isinstance(rows.get("objects"), dict):
        raise NeoError(f"{file}: no table `objects`")
    return rows


def colors(file: Path | str | None = None) -> dict[str, tuple[float, float, float]]:
    """Colour name → rgb in 0..1, of the registry and, over it, of ``file``."""
    rows = dict(_read(OBJECTS)["colors"])
    if file is not None:
        rows |= _read(Path(file)).get("colors", {})
    return {name: tuple(rgb) for name, rgb in rows.items()}


def registry(file: Path | str | None = None) -> dict[str, Thing]:
    """Name → thing, of ``objects.yaml`` and, over it, of ``file``."""
    rows = dict(_read(OBJECTS)["objects"])
    if file is not None:
        rows |= _read(Path(file))["objects"]
    known = colors(file)
    return {name: _thing(name, row, known) for name, row in rows.items()}


def classes(file: Path | str | None = None) -> tuple[str, ...]:
    """The classes of all objects, in the registry's order."""
    return tuple(dict.fromkeys(thing.class_name for thing in registry(file).values()))
