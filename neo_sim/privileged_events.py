"""What happens to things, as only the simulator knows: labels for consequence heads, and their scores."""

from __future__ import annotations

import mujoco
import numpy as np

from neo_description.scenes import Scene
from neo_description.tables import SIDES
from neo_sim.privileged import Privileged

FALL_SPEED = 0.5  # m/s downwards
NEAR, PRESSED, SLIP = 0.12, 0.5, 0.004  # m from the gripper, N on the pads, m in the hand
HIT = 20.0  # N of the robot against the room
FLOOR = 0.2  # m: contacts below it are the feet's
COVERED = 0.8  # share of the sight lines to the target


class PrivilegedEvents:
    """:meth:`look` after every few ticks, :meth:`take` once a step: event → 0 or 1 since the last step.

    falls     a thing falls: faster than it is put down
    slips     what a hand holds has moved by more than 4 mm in it
    collides  the robot presses against furniture
    hidden    something stands between the left eye and most of ``target``
    """

    def __init__(self, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, target: str = ""):
        self._scene, self._model, self._data = scene, model, data
        self._truth = Privileged(scene, data)
        self._things = {thing.body for thing in scene.objects}
        self._target = scene.object(target) if target else None
        self._eye = model.camera("head_left").id
        self._seen = dict.fromkeys(("falls", "slips", "collides"), False)
        self._held: dict[tuple[str, str], np.ndarray] = self._in_hands()

    def look(self) -> None:
        """Note what is going on now."""
        self._seen["falls"] |= any(self._falls(thing.name) for thing in self._scene.objects)
        self._seen["collides"] |= self._hits()

    def take(self) -> dict[str, float]:
        """The events of the step that ends now."""
        self.look()
        now = self._in_hands()
        moved = [np.linalg.norm(now[k] - self._held[k]) for k in now if k in self._held]
        out = {name: float(seen) for name, seen in self._seen.items()}
        out["slips"] = float(any(m > SLIP for m in moved))
        out["hidden"] = float(self._hidden()) if self._target is not None else float("nan")
        self._held = now
        self._seen = dict.fromkeys(self._seen, False)
        return out

    def _falls(self, name: str) -> bool:
        return bool(self._truth.object_velocity(name)[2] < -FALL_SPEED)

    def _in_hands(self) -> dict[tuple[str, str], np.ndarray]:
        """(side, thing) → its place (3,) m in the wrist's frame, for things that a hand presses."""
        out = {}
        for side in SIDES:
            if self._truth.grip_force(side) < PRESSED:
                continue
            T_wrist = self._truth.body_pose(f"{side}_wrist")
            gripper = self._data.site(f"{side}_gripper").xpos
            for thing in self._scene.objects:
                place = self._truth.object_pose(thing.name)[:3, 3]
                if np.linalg.norm(place - gripper) < NEAR:
                    out[side, thing.name] = T_wrist[:3, :3].T @ (place - T_wrist[:3, 3])
        return out

    def _hits(self) -> bool:
        force = np.zeros(6)
        for i in range(self._data.ncon):
            contact = self._data.contact[i]
            bodies = self._model.geom_bodyid[contact.geom]
            fixed = self._model.body_weldid[bodies] == 0
            if fixed.sum() != 1 or contact.pos[2] < FLOOR or int(bodies[~fixed][0]) in self._things:
                continue
            mujoco.mj_contactForce(self._model, self._data, i, force)
            if force[0] > HIT:
                return True
        return False

    def _hidden(self) -> bool:
        """Whether most sight lines from the left eye to the target meet something else first."""
        assert self._target is not None
        T = self._truth.object_pose(self._target.name)
        eye, size = self._data.cam_xpos[self._eye], self._target.size
        covered, hit = [], np.zeros((1, 1), np.int32)
        for x, y, z in (
            (0, 0, 0.5),
            (0.4, 0, 0.5),
            (-0.4, 0, 0.5),
            (0, 0.4, 0.5),
            (0, -0.4, 0.5),
            (0, 0, 0.9),
            (0, 0, 0.2),
        ):
            way = T[:3, 3] + T[:3, :3] @ (np.array([x, y, z]) * size) - eye
            far = mujoco.mj_ray(self._model, self._data, eye, way, None, True, self._target.body, hit)
            covered.append(0.0 <= far < 0.9)
        return float(np.mean(covered)) >= COVERED
