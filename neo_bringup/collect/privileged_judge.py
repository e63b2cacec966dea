"""Whether a task was done, by the true places of things: for scores only, no robot knows them.

    pick, several, place, push, give, reach, look: as ``do_task`` understands the prompt

A thing that fell to the floor fails every task but those that do not touch it; a thing that was to be put
somewhere and stayed where it was fails, even if it stood there before. On and in are told by the outlines:
the thing's middle over the landmark, its lowest point near the landmark's top, or below its rim.
"""

from __future__ import annotations

import numpy as np

from neo_bringup.collect.worlds import said
from neo_description.signals import GraspPhase
from neo_description.tables import SIDES
from neo_sim.env import NeoEnv
from neo_task.achieved import MOVED, beside, pushed
from neo_task.prompt import Query, Task, parse
from neo_task.scripted import default_vocabulary

LIFTED = 0.08  # m: up with a pick
ON = 0.02  # m: the lowest point of what is on a landmark from its top
STANDS = 0.06  # m: a middle this much lower than before has fallen
GIVEN = 0.15  # m from both grippers, and as high as it was
AT_HAND, TOUCHED = 0.20, 0.05  # m: a hand that reached; a thing that was knocked meanwhile
SEEN = 0.15  # rad from the head's axis


class PrivilegedJudge:
    """Make it when the task begins, ask :meth:`done` at its end."""

    def __init__(self, env: NeoEnv, prompt: str):
        self._env, self._task = env, parse(prompt, default_vocabulary())
        self._names = dict(zip(said(env.scene), (t.name for t in env.scene.objects), strict=True))
        self._before = self._places()

    def done(self) -> bool:
        """Whether all that the prompt asks for is so now."""
        task, now = self._task, self._places()
        meant = [self._name(query) for query in (task.target, *task.more)]
        moved = [now[name] - self._before[name] for name in meant]
        if task.verb == "look":
            return self._looked_at(now[meant[0]])
        if task.verb == "reach":
            hands = [self._gripper(side) for side in SIDES]
            near = min(float(np.linalg.norm(hand - now[meant[0]])) for hand in hands)
            return near < AT_HAND and float(np.linalg.norm(moved[0])) < TOUCHED
        if task.verb == "pick":
            holding = any(h.status.phase == GraspPhase.HOLDING for h in self._env.hands.values())
            return bool(moved[0][2] > LIFTED) and holding
        if task.verb == "give":
            away = min(float(np.linalg.norm(self._gripper(side) - now[meant[0]])) for side in SIDES)
            return away > GIVEN and bool(moved[0][2] > LIFTED)
        if task.relation in ("on", "in"):
            return all(self._rests(task.relation, name, self._name(task.place)) for name in meant)
        if any(m[2] < -STANDS for m in moved):
            return False
        if task.verb == "push":
            return pushed(task.relation, float(moved[0][1]))
        if any(float(np.linalg.norm(m[:2])) < MOVED for m in moved):
            return False  # it may have stood there from the start
        return all(self._beside(task, now[name], now[self._name(task.place)]) for name in meant)

    def _rests(self, relation: str, name: str, place: str) -> bool:
        truth, scene = self._env.plant.privileged, self._env.scene
        T_world_place, size = truth.object_pose(place), scene.object(place).size
        away = np.linalg.inv(T_world_place) @ truth.object_pose(name)[:, 3]
        over = bool(np.all(np.abs(away[:2]) < size[:2] / 2))
        fallen = T_world_place[2, 3] < self._before[place][2] - STANDS
        below = T_world_place[2, 3] + size[2] / 2 - truth.object_foot(name)
        return over and not fallen and (abs(below) < ON if relation == "on" else 0.0 < below < size[2] + ON)

    def _places(self) -> dict[str, np.ndarray]:
        truth = self._env.plant.privileged
        return {name: truth.object_pose(name)[:3, 3].copy() for name in truth.object_names}

    def _name(self, query: Query) -> str:
        return self._names[str(query)]

    def _gripper(self, side: str) -> np.ndarray:
        return self._env.plant.data.site(f"{side}_gripper").xpos

    def _looked_at(self, place: np.ndarray) -> bool:
        eye = self._env.plant.data.site("head_left_camera_optical_frame")
        way = place - eye.xpos
        axis = eye.xmat.reshape(3, 3)[:, 2]
        return float(np.arccos(np.clip(way @ axis / np.linalg.norm(way), -1.0, 1.0))) < SEEN

    def _beside(self, task: Task, thing: np.ndarray, landmark: np.ndarray) -> bool:
        return beside(task.relation, (thing - landmark)[:2], len(task.more))
