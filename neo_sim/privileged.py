"""The simulator's truth: for teachers, scores and the simulated camera. No controller may read it."""

from __future__ import annotations

import mujoco
import numpy as np

from neo_description.scenes import Scene

FALLEN_TILT = np.deg2rad(60.0)  # of the pelvis from upright
FALLEN_HEIGHT = 0.30  # m: of the pelvis


class Privileged:
    """Read-only view of a plant; poses ``T_world_x`` (4, 4), forces in N; the world is the scene's frame."""

    def __init__(self, scene: Scene, data: mujoco.MjData):
        self._scene, self._data = scene, data

    @property
    def qpos(self) -> np.ndarray:
        """(nq,) copy, MuJoCo order."""
        return self._data.qpos.copy()

    @property
    def qvel(self) -> np.ndarray:
        """(nv,) copy, MuJoCo order."""
        return self._data.qvel.copy()

    @property
    def object_names(self) -> tuple[str, ...]:
        """Objects of the scene."""
        return tuple(thing.name for thing in self._scene.objects)

    def body_pose(self, name: str) -> np.ndarray:
        """True pose of any body of the scene: a link or an object."""
        return self._pose(self._scene.index.body(name))

    def object_pose(self, name: str) -> np.ndarray:
        """True pose of an object; NeoError names the objects there are."""
        return self._pose(self._scene.object(name).body)

    def object_foot(self, name: str) -> float:
        """Height (m, world) of an object's lowest point."""
        model = self._scene.model
        geoms = np.flatnonzero(model.geom_bodyid == self._scene.object(name).body)
        return min(self._data.geom_xpos[g, 2] - self._reach_down(int(g)) for g in geoms)

    def _reach_down(self, geom: int) -> float:
        """How far (m) a shape reaches below its middle."""
        model = self._scene.model
        size, kind = model.geom_size[geom], model.geom_type[geom]
        down = np.abs(self._data.geom_xmat[geom].reshape(3, 3)[2])
        across = float(np.hypot(*down[:2]))
        if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
            return float(size[0])
        if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
            return float(size[0] + size[1] * down[2])
        if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
            return float(size[0] * across + size[1] * down[2])
        if kind == mujoco.mjtGeom.mjGEOM_ELLIPSOID:
            return float(np.linalg.norm(size * down))
        return float(size @ down)

    def object_velocity(self, name: str) -> np.ndarray:
        """(6,) linear (m/s, world) and angular (rad/s, object's frame) velocity."""
        return self._data.qvel[self._scene.object(name).qvel].copy()

    @property
    def base_pose(self) -> np.ndarray:
        """True pose of ``base_link``."""
        return self.body_pose("base_link")

    @property
    def com(self) -> np.ndarray:
        """(3,) m: the robot's centre of mass."""
        return self._data.subtree_com[self._scene.index.body("base_link")].copy()

    def pad_forces(self, side: str) -> np.ndarray:
        """(19, 3) N: true forces on one hand's pads, in the pads' frames."""
        return self._scene.index.pad_forces(self._data, side)

    def grip_force(self, side: str) -> float:
        """Sum of the true normal forces on one hand's pads."""
        return float(self.pad_forces(side)[:, 0].sum())

    def robot_touches(self, shape: str) -> bool:
        """Whether the robot touches the scene's geom ``shape``."""
        model, things = self._scene.model, {thing.body for thing in self._scene.objects}
        wanted = model.geom(shape).id
        for contact in self._data.contact[: self._data.ncon]:
            if wanted in contact.geom and contact.dist <= 0.0:
                other = int(contact.geom1 if contact.geom2 == wanted else contact.geom2)
                if int(model.geom_bodyid[other]) not in things:
                    return True
        return False

    @property
    def fallen(self) -> bool:
        """Whether the pelvis lies or is tilted beyond recovery."""
        T = self.base_pose
        return bool(T[2, 2] < np.cos(FALLEN_TILT) or T[2, 3] < FALLEN_HEIGHT)

    def _pose(self, body: int) -> np.ndarray:
        T = np.eye(4)
        T[:3, :3] = self._data.xmat[body].reshape(3, 3)
        T[:3, 3] = self._data.xpos[body]
        return T
