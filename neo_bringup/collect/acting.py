"""Who acts while episodes are collected: planners for ``NeoEnv.planner``."""

from __future__ import annotations

from typing import Any

import numpy as np

from neo_description.signals import HandAction, HandCommand, WholeBodyCommand
from neo_description.tables import SIDES
from neo_task.grasp_pose import gripper_rotation
from neo_task.planner import Observation, Step

NOISE, PULLED = 0.03, (0.2, 0.6)  # m; s that the teacher is pushed off its way
CALM = (0.6, 2.0)  # s between two such pushes
MOVES = (0.4, 1.6)  # s between two random targets
REGION = ((0.30, 0.60), (-0.40, 0.40), (0.80, 1.10))  # m in odom: where random hands go
SPEED = (0.1, 0.5)  # m/s


class Noisy:
    """``planner``, whose gripper targets are off by up to some centimetres now and then; ``pushed``: now."""

    def __init__(self, planner: Any, rng: np.random.Generator):
        self._planner, self._rng = planner, rng
        self._until, self._next = -1.0, 0.0
        self._last: dict[str, np.ndarray] = {}
        self.pushed = False

    def step(self, observation: Observation) -> Step:
        out: Step = self._planner.step(observation)
        for command in out.body:
            for side in SIDES:
                target = getattr(command, f"T_{side}_hand")
                if target is not None:
                    self._last[side] = target
        time = observation.time
        if self.pushed and time >= self._until:
            self.pushed, self._next = False, time + self._rng.uniform(*CALM)
            out.body += self._targets(0.0)
        elif not self.pushed and time >= self._next and self._last:
            self.pushed, self._until = True, time + self._rng.uniform(*PULLED)
            out.body += self._targets(NOISE)
        return out

    def _targets(self, noise: float) -> list[WholeBodyCommand]:
        out = []
        for side, target in self._last.items():
            T = target.copy()
            T[:3, 3] += noise * self._rng.standard_normal(3)
            out.append(WholeBodyCommand(valid_for=30.0, **{f"T_{side}_hand": T}))  # type: ignore[arg-type]
        return out


class Random:
    """Hands go anywhere over the table and do anything."""

    def __init__(self, rng: np.random.Generator):
        self._rng, self._next = rng, dict.fromkeys(SIDES, 0.0)

    def step(self, observation: Observation) -> Step:
        rng, out = self._rng, Step()
        for side in SIDES:
            if observation.time < self._next[side]:
                continue
            self._next[side] = observation.time + rng.uniform(*MOVES)
            T = np.eye(4)
            T[:3, :3] = gripper_rotation(side, rng.uniform(-0.4, 0.8), from_above=bool(rng.random() < 0.3))
            T[:3, 3] = [rng.uniform(*span) for span in REGION]
            gaze = np.array([rng.uniform(0.4, 0.6), rng.uniform(-0.3, 0.3), 0.8])
            command = WholeBodyCommand(valid_for=30.0, hand_speed=rng.uniform(*SPEED), gaze=gaze)
            setattr(command, f"T_{side}_hand", T)
            out.body.append(command)
            action = HandAction(int(rng.choice([HandAction.OPEN, HandAction.PRESHAPE, HandAction.CLOSE])))
            grasp = "" if action == HandAction.OPEN else "medium_wrap"
            out.hands.append((side, HandCommand(action, grasp=grasp, width=rng.uniform(0.03, 0.08))))
        return out
