"""Somebody who takes what the simulated robot holds out: a spring from the thing to a moving hand."""

from __future__ import annotations

import numpy as np

from neo_description.signals import HandAction
from neo_sim.env import NeoEnv

WAIT = (0.6, 2.0)  # s before the hand-over begins
AWAY = np.array([0.25, 0.0, 0.05])  # m from where it is held out
SPEED = 0.25  # m/s of the person's hand
STIFFNESS, DAMPING, STRENGTH = 150.0, 8.0, 20.0  # N/m, N s/m, N


class Person:
    """Call every 20 ms; takes the thing ``name`` once a hand is told to give what it holds."""

    def __init__(self, env: NeoEnv, name: str, rng: np.random.Generator):
        self._env, self._thing = env, env.scene.object(name)
        self._wait = float(rng.uniform(*WAIT))
        self._began: float | None = None
        self._hand = np.zeros(3)
        self._heard = len(env.log_commands)

    def __call__(self) -> None:
        env, data, body = self._env, self._env.plant.data, self._thing.body
        if self._began is None:
            if not self._offered():
                return
            self._began, self._hand = env.plant.time, data.xpos[body].copy()
        after = env.plant.time - self._began - self._wait
        if after < 0.0:
            return
        way = min(SPEED * after, float(np.linalg.norm(AWAY))) / np.linalg.norm(AWAY)
        pull = STIFFNESS * (self._hand + way * AWAY - data.xpos[body])
        pull -= DAMPING * data.qvel[self._thing.qvel[:3]]
        pull[2] += self._thing.mass * 9.81
        data.xfrc_applied[body, :3] = pull * min(1.0, STRENGTH / max(float(np.linalg.norm(pull)), 1e-9))

    def _offered(self) -> bool:
        new, self._heard = self._env.log_commands[self._heard :], len(self._env.log_commands)
        return any(getattr(given.command, "action", None) == HandAction.GIVE for given in new)
