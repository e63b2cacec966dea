"""Hanging up a cup: it hangs when the hand has gone; where there is no hook, it is not let go."""

import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_bringup.hand_bench.tasks import hang
from neo_description.signals import GraspPhase
from neo_hand_control.skills import hang as skill_module
from neo_hand_control.skills.hang import Hang
from neo_sim.hand_rig import HandRig


def test_a_cup_hangs_on_its_hook():
    score = hang.measure(0)
    assert score["outcome"] == "done"
    assert score["hangs"]
    assert score["free"]


def test_without_a_hook_the_cup_stays_in_the_hand(monkeypatch):
    monkeypatch.setattr(skill_module, "SEARCH", [np.zeros(3)])
    rig = HandRig("r", scenery=[hang.scenery("r", np.random.default_rng(0))], seed=0)
    # so far beside that the rod is met nowhere
    skill = Hang("r", 2 * hang.CUP[0], (0.0, hang.HOLE[0], hang.HOLE[1] + hang.FOOT), (0.1, -0.2, 0.2))
    env = skill_trial.ready(skill, rig)
    assert skill_trial.run(skill, env) == "failed: did not find the hook"
    assert env.phase() == GraspPhase.HOLDING
    assert rig.data.body("cup").xpos[2] > 0.0
