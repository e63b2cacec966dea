"""The robot, its table and what perception sees, as meshes in viser's scene.

Links hang in a tree as in the robot, each a frame below its parent: a joint that turns costs one message,
links that rest cost none. Their poses come from MuJoCo's forward kinematics of the measured joints.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from transforms3d.quaternions import mat2quat, qconjugate, qmult, rotate_vector

from neo_bringup.console import meshes, room
from neo_bringup.console.snapshot import Snapshot
from neo_bringup.console.tendon_view import TendonView
from neo_description import objects
from neo_description.signals import DetectedObject, Scene
from neo_description.tables import SIDES

SAME_QUATERNION = 1.5e-6  # 1 - |dot|: below 0.2 degrees nothing is sent
SAME_POSITION = 5e-4  # m
COLOURS = {name: tuple(round(255 * c) for c in rgb) for name, rgb in objects.colors().items()}
UNKNOWN_COLOUR = (140, 146, 152)


def wxyz_position(T: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quaternion and position of a pose ``T`` (4, 4)."""
    return mat2quat(T[:3, :3]), T[:3, 3]


class _Placed:
    """A viser node that is told its pose only when that has changed visibly."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self._wxyz = np.zeros(4)
        self._position = np.full(3, np.inf)

    def put(self, wxyz: np.ndarray, position: np.ndarray) -> None:
        if 1.0 - abs(float(self._wxyz @ wxyz)) > SAME_QUATERNION:
            self.handle.wxyz = self._wxyz = np.array(wxyz)
        if float(np.abs(self._position - position).max()) > SAME_POSITION:
            self.handle.position = self._position = np.array(position)


class RobotView:
    """The robot's links below ``/odom/robot``, moved by joint positions and the estimated base pose."""

    def __init__(self, viser_scene: Any, model: mujoco.MjModel) -> None:
        self._model = model
        self._data = mujoco.MjData(model)
        self._links = [link for link in meshes.links(model) if link.body > 0]
        self._address = {
            model.joint(joint).name: int(model.jnt_qposadr[joint])
            for joint in range(model.njnt)
            if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE
        }
        paths = self._paths = {0: "/odom/robot"}
        viser_scene.add_frame(paths[0], show_axes=False)
        self._placed = []
        self._soles = [int(model.body(f"{side}_sole").id) for side in SIDES]
        for link in self._links:
            path = paths[link.body] = f"{paths[link.parent]}/{link.name or link.body}"
            self._placed.append(_Placed(viser_scene.add_frame(path, show_axes=False)))
            for number, (colour, mesh) in enumerate(link.parts.items()):
                viser_scene.add_mesh_simple(
                    f"{path}/part_{number}",
                    mesh.vertices,
                    mesh.faces,
                    color=colour[:3],
                    opacity=None if colour[3] == 255 else colour[3] / 255.0,
                )

    @property
    def joints(self) -> tuple[str, ...]:
        """The joints this view can move."""
        return tuple(self._address)

    def put(self, joints: dict[str, float], T_odom_base: np.ndarray | None) -> None:
        """Show ``joints`` (rad, by name; others stay) with the base at ``T_odom_base``."""
        for name, position in joints.items():
            if name in self._address and np.isfinite(position):
                self._data.qpos[self._address[name]] = position
        if T_odom_base is not None and np.isfinite(T_odom_base).all():
            self._data.qpos[3:7], self._data.qpos[:3] = wxyz_position(T_odom_base)
        mujoco.mj_kinematics(self._model, self._data)
        for link, placed in zip(self._links, self._placed, strict=True):
            placed.put(*self.relative(link.body, link.parent))

    def relative(self, body: int, parent: int) -> tuple[np.ndarray, np.ndarray]:
        """Pose of ``body`` in ``parent``: quaternion, position (m)."""
        back = qconjugate(self._data.xquat[parent])
        step = self._data.xpos[body] - self._data.xpos[parent]
        return qmult(back, self._data.xquat[body]), rotate_vector(step, back)

    def path(self, body: int) -> str:
        """Name of a body's frame in viser's scene."""
        return self._paths[body]

    def balance(self) -> np.ndarray:
        """(2,) m: how far the centre of mass is ahead and to the left of the middle between the soles.

        Of the model's masses at the measured joints, along the base's heading; what is carried is not in it.
        """
        mujoco.mj_comPos(self._model, self._data)
        step = self._data.subtree_com[1] - self._data.xpos[self._soles].mean(axis=0)
        forward = self._data.xmat[1].reshape(3, 3)[:2, 0]
        forward = forward / max(float(np.linalg.norm(forward)), 1e-9)
        return np.array([step[:2] @ forward, step[1] * forward[0] - step[0] * forward[1]])


class ObjectsView:
    """Perceived objects and table below ``/odom/seen``, in the base frame of the moment they were seen."""

    def __init__(self, viser_scene: Any) -> None:
        self._scene = viser_scene
        self._base = _Placed(viser_scene.add_frame("/odom/seen", show_axes=False))
        self._objects: dict[int, tuple[tuple[Any, ...], _Placed, list[Any]]] = {}
        self._table: tuple[tuple[float, ...], _Placed] | None = None
        self._shown: Scene | None = None

    def put(self, scene: Scene | None, T_odom_base: np.ndarray | None) -> None:
        """Show ``scene``; a scene that is shown already stays where it was seen."""
        if scene is None or scene is self._shown or T_odom_base is None:
            return
        self._shown = scene
        self._base.put(*wxyz_position(T_odom_base))
        for gone in set(self._objects) - {found.id for found in scene.objects}:
            self._remove(gone)
        for found in scene.objects:
            self._put_object(found)
        self._put_table(scene)

    def _remove(self, identity: int) -> None:
        _, placed, parts = self._objects.pop(identity)
        for part in parts:
            part.remove()
        placed.handle.remove()

    def _put_object(self, found: DetectedObject) -> None:
        remembered = found.visible_fraction <= 0.0
        size = tuple(np.round(np.clip(found.size, 0.005, 2.0), 2))
        look = (found.class_name, found.color, size, remembered)
        if found.id in self._objects and self._objects[found.id][0] != look:
            self._remove(found.id)
        if found.id not in self._objects:
            path = f"/odom/seen/object_{found.id}"
            placed = _Placed(self._scene.add_frame(path, show_axes=False))
            mesh = object_mesh(found.class_name, np.array(size))
            body = self._scene.add_mesh_simple(
                f"{path}/body",
                mesh.vertices,
                mesh.faces,
                color=COLOURS.get(found.color, UNKNOWN_COLOUR),
                opacity=0.35 if remembered else None,
            )
            name = f"{found.color} {found.class_name}".strip()
            label = self._scene.add_label(f"{path}/name", name, position=(0.0, 0.0, size[2] / 2 + 0.03))
            self._objects[found.id] = (look, placed, [body, label])
        self._objects[found.id][1].put(*wxyz_position(found.T_base_object))

    def _put_table(self, scene: Scene) -> None:
        if scene.table is None:
            return
        size = tuple(np.round(np.clip(scene.table.size[:2], 0.05, 5.0), 1))
        if self._table is None or self._table[0] != size:
            if self._table is not None:
                self._table[1].handle.remove()
            top = meshes.box(np.array([size[0] / 2, size[1] / 2, 0.003]))
            handle = self._scene.add_mesh_simple(
                "/odom/seen/table",
                top.vertices,
                top.faces,
                color=(88, 150, 190),
                opacity=0.2,
                cast_shadow=False,
            )
            self._table = (size, _Placed(handle))
        self._table[1].put(*wxyz_position(scene.table.T_base_table))


def object_mesh(class_name: str, size: np.ndarray) -> meshes.Mesh:
    """A shape for a perceived object of ``size`` (3,) m, z up; a box for a class that has none here."""
    half = np.asarray(size, float) / 2.0
    radius, h = float(half[:2].mean()), float(half[2])
    if class_name in ("ball", "fruit", "apple", "orange", "lemon"):
        return meshes.ellipsoid(half)
    if class_name == "bottle":
        profile = [[0, -h], [radius, -h], [radius, -h], [radius, 0.25 * h], [0.35 * radius, 0.6 * h]]
        profile += [[0.35 * radius, h], [0.35 * radius, h], [0, h]]
        return meshes.revolve(np.array(profile, float))
    if class_name in ("cup", "mug", "can", "glass"):
        return meshes.cylinder(radius, h)
    return meshes.box(half)


class SceneView:
    """All of the 3D picture, from a :class:`Snapshot`."""

    def __init__(
        self, server: Any, robot: mujoco.MjModel, furniture: mujoco.MjModel | None, tendons: bool = True
    ) -> None:
        self._server = server
        self._following = room.add(server.scene, server)
        self.robot = RobotView(server.scene, robot)
        self.tendons = TendonView(server.scene, robot, self.robot.path) if tendons else None
        self.seen = ObjectsView(server.scene)
        if furniture is not None:
            room.add_furniture(server.scene, furniture)

    def put(self, snapshot: Snapshot) -> None:
        """Show ``snapshot``; pages get the changes together."""
        with self._server.atomic():
            self.robot.put(snapshot.joints, snapshot.T_odom_base)
            self.seen.put(snapshot.scene, snapshot.T_odom_base)
            self._following.put(snapshot.T_odom_base)

    def put_tensions(self, snapshot: Snapshot) -> None:
        """Colour the tendons."""
        if self.tendons is not None:
            with self._server.atomic():
                self.tendons.put(snapshot)
