"""A world model acts; where it does not get on, the teacher takes over and goes on from there.

From that it learns how to get out of what it gets into (Ross et al. 2011; Kelly et al. 2019, where somebody
takes over instead of always answering). Its own steps before are not imitated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neo_bringup.collect.privileged_judge import PrivilegedJudge
from neo_description.signals import GraspPhase
from neo_sim.env import NeoEnv
from neo_task.planner import Context, Script, ScriptPlanner
from neo_task.prompt import Task, parse
from neo_task.scripted import default_vocabulary, load_parameters
from neo_task.skills import SKILLS
from neo_task.taking import back_off
from neo_world_model.runtime import Runtime

PATIENCE = (7.0, 14.0)  # s that it is left alone
ALONE = {"plan_iterations": 0, "veto": 1.0, "perceived": False, "tries": 1}  # what the policy itself would do
TIMEOUT = 90.0  # s: who collects ends it sooner


class Helped:
    """Begins to act at once. Ask :attr:`due` after every step; :meth:`help` when it is so."""

    def __init__(self, env: NeoEnv, prompt: str, model: str, rng: np.random.Generator):
        self._env, self._prompt = env, prompt
        self._judge = PrivilegedJudge(env, prompt)
        self._at = env.plant.time + rng.uniform(*PATIENCE)
        self.provenance = "policy"
        env.begin(prompt, "world_model", TIMEOUT, Runtime(model, threads=1), ALONE)

    @property
    def due(self) -> bool:
        """Whether it said that it is done and is not, or took too long and holds nothing now."""
        env = self._env
        if self.provenance == "teacher" or self._judge.done():
            return False
        holds = any(hand.status.phase == GraspPhase.HOLDING for hand in env.hands.values())
        return env.outcome is not None or (env.plant.time >= self._at and not holds)

    def help(self) -> None:
        """From now on the teacher acts."""
        self.provenance = "teacher"
        task = parse(self._prompt, default_vocabulary())
        self._env.begin(self._prompt, "privileged_scripted")
        self._env.planner = ScriptPlanner(lambda ctx: _anew(ctx, task), load_parameters(), TIMEOUT)

    @property
    def success(self) -> bool:
        """As the teacher says of itself; as long as it did not act, by where things are."""
        outcome: Any = self._env.outcome
        return self._judge.done() if self.provenance == "policy" else bool(outcome and outcome.success)


def _anew(ctx: Context, task: Task) -> Script:
    yield from back_off(ctx)
    return (yield from SKILLS[task.verb](ctx, task))
