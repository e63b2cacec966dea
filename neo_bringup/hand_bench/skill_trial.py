"""Runs a skill on the hand rig, as an arm and two hand nodes would."""

from __future__ import annotations

from collections.abc import Callable

import mujoco
import numpy as np

from neo_description.errors import NeoError
from neo_description.tables import CONTROL_DT, CONTROL_RATE
from neo_hand_control.skills.skill import Sensed, Skill
from neo_sim.hand_env import HandEnv
from neo_sim.hand_rig import HandRig, turned


def run(
    skill: Skill,
    env: HandEnv,
    limit: float = 30.0,
    each: Callable[[], None] = lambda: None,
) -> str:
    """The skill's outcome, ``failed: …`` when it is not done after ``limit`` s of plant time.

    ``each``: called after every tick, to look at the truth for the score.
    """
    for _ in range(round(limit * CONTROL_RATE)):
        move = skill.step({side: sensed(env, side) for side in skill.sides}, CONTROL_DT)
        for side, command in move.commands.items():
            env.command(command, side)
        env.step({side: turned(side, move.shift[side], move.turn[side]) for side in skill.sides})
        each()
        if skill.outcome:
            return skill.outcome
    return f"failed: not done after {limit:g} s"


def ready(skill: Skill, rig: HandRig) -> HandEnv:
    """The rig with its hands where the skill begins."""
    if set(rig.sides) != set(skill.sides):
        raise NeoError(f"the skill uses hands {skill.sides!r}, the rig has {''.join(rig.sides)!r}")
    for side, (shift, turn) in skill.start.items():
        rig.carry(turned(side, np.asarray(shift), np.asarray(turn)), at_once=True, side=side)
    mujoco.mj_forward(rig.model, rig.data)
    return HandEnv(rig)


def sensed(env: HandEnv, side: str) -> Sensed:
    """What a skill may know of one hand."""
    hand, carried = env.hands[side], env.rig.carried(side)
    if hand.last is None:
        raise NeoError(f"the {side} hand has sensed nothing yet")
    home = turned(side, np.zeros(3), carried[3:])[:3]
    return Sensed(hand.last, hand.status, hand.feeling, carried[:3] - home, carried[3:])
