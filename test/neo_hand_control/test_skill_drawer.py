"""Pulling a drawer: the hook finds the bar by touch, the arm yields, a drawer that is locked stays whole."""

import mujoco
import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_bringup.hand_bench.tasks import drawer
from neo_hand_control.skills import drawer as skill_module
from neo_hand_control.skills.drawer import LEAD, Drawer
from neo_sim.hand_rig import HandRig
from neo_sim.hand_rig_model import SLIDE


def test_a_drawer_is_pulled_open_and_let_go():
    score = drawer.measure(3)
    assert score["outcome"] == "done"
    assert score["privileged_open_m"] > drawer.FAR_ENOUGH
    assert score["free"]


def test_a_locked_drawer_is_not_pulled_harder_than_the_arm_may(monkeypatch):
    monkeypatch.setattr(skill_module, "TRIES", 1)

    def locked(spec: mujoco.MjSpec) -> None:
        drawer.scenery(np.random.default_rng(2))(spec)
        spec.joint("drawer").frictionloss = 500.0

    rig = HandRig("r", seed=2, scenery=[locked])
    skill = Drawer("r", (0.0, 0.0, 0.0))
    pulls = []

    def look() -> None:
        pulls.append(float(rig.data.actuator("r_slide_x").force[0]))

    outcome = skill_trial.run(skill, skill_trial.ready(skill, rig), each=look)
    assert outcome.startswith("failed: opened 0.0")
    assert 20.0 < -min(pulls) < 1.3 * SLIDE[0] * LEAD
