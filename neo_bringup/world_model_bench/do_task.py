"""One trial of ``do_task``: a world that was never trained on, a prompt about it, a planner, and a judge."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from neo_bringup.collect import worlds
from neo_bringup.collect.person import Person
from neo_bringup.collect.privileged_judge import PrivilegedJudge
from neo_bringup.collect.recording import IMAGE
from neo_bringup.collect.worlds import said
from neo_sim.env import NeoEnv
from neo_task import scripted
from neo_world_model import prompts
from neo_world_model.runtime import Runtime

SCENE = "kitchen_table"
TIMEOUT = 40.0  # s of plant time
RESTS = 0.1  # share of the worlds with a tray or basket, where things are put on or in it
EVERY = 10  # ticks between two looks of the person
OWN_EYES: Mapping[str, Any] = MappingProxyType({"perceived": False, "tries": 1})
# of a trial of the model itself: perception's word would hide what it sees, and takes half of the time; and
# what it does at once counts


def trial(
    seed: int, planner: str, model: str = "", unseen: bool = False, shuffled: bool = False,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:  # fmt: skip
    """Success as the judge sees it and as the robot says, what was asked, and what came of it.

    ``unseen``: the prompt is about a thing of a colour, class and size that training never drew.
    ``shuffled``: the robot is given another prompt about the same things, and judged by this one.
    ``settings``: of ``neo_task/parameters.yaml``, where they shall differ.
    """
    rests = bool(np.random.default_rng([seed, 10]).random() < RESTS)
    scene = worlds.make(SCENE, seed, {"landmark": rests}, unseen)
    names, rng = said(scene), np.random.default_rng([seed, 7])
    task = "rest" if rests else ""
    asked = prompts.draw(rng, names, task)
    first = next(name for name in names if name.split()[-1] not in prompts.landmarks())
    while unseen and asked.target != first:
        asked = prompts.draw(rng, names, task)
    given = asked
    while shuffled and given.target == asked.target:
        given = prompts.draw(rng, names)
    perceives = planner == "scripted" or scripted.load_parameters(**settings).perceived
    env = NeoEnv(scene, seed, cameras=True, image=None if perceives else IMAGE)
    try:
        env.stand()
        judge = PrivilegedJudge(env, asked.prompt)
        person = Person(env, scene.objects[names.index(asked.target)].name, rng)
        began = env.plant.time
        runtime = Runtime(model, threads=1) if planner == "world_model" else ""  # trials run side by side
        env.begin(given.prompt, planner, TIMEOUT, runtime, settings)
        while env.outcome is None:
            env.step(EVERY)
            person()
        return {
            "success": judge.done(), "said": env.outcome.success, "reason": env.outcome.reason,
            "prompt": asked.prompt, "seconds": env.plant.time - began,
        }  # fmt: skip
    finally:
        env.close()
