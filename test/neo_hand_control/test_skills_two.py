"""Two hands: passing a thing, opening a jar, carrying a tray; and that nobody lets go too early."""

import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_bringup.hand_bench.tasks import jar, pass_over, tray
from neo_description.signals import GraspPhase
from neo_hand_control.skills.jar import Jar
from neo_hand_control.skills.pass_over import PassOver
from neo_sim.hand_rig import HandRig, Standing
from neo_sim.hand_rig_model import table


def test_a_thing_goes_from_hand_to_hand():
    score = pass_over.measure(1)
    assert score["outcome"] == "done"
    assert score["held"]
    assert score["free"]
    assert score["privileged_slide_mm"] < 20.0


def test_a_thing_is_not_given_to_a_hand_that_closes_beside_it():
    bottle = pass_over.thing("bottle")
    foot = (0.0, 0.0, -pass_over.LOW * float(bottle.size[2]))
    rig = HandRig(
        "lr",
        standing=[Standing(bottle, foot)],
        scenery=[table(foot, 0.1)],
        mounts={"r": (0.0, 0.0, 0.0), "l": (0.0, pass_over.APART, 0.0)},
    )
    skill = PassOver("r", (0.0, pass_over.APART - 0.1, 0.0), "medium_wrap", 0.066)
    env = skill_trial.ready(skill, rig)
    assert skill_trial.run(skill, env).startswith("failed: the l hand")
    assert env.phase("r") == GraspPhase.HOLDING
    assert np.linalg.norm(rig.privileged_in_hand("r")[0]) < 0.1


def test_a_lid_turns_while_the_other_hand_holds_the_jar():
    rng = np.random.default_rng(0)
    rig = HandRig(
        "lr",
        scenery=[jar.scenery(rng), table((0.0, 0.0, -jar.HELD_AT), 0.1)],
        mounts={side: (0.0, 0.0, 0.0) for side in "lr"},
    )
    skill = Jar("l", 2 * jar.JAR[0], jar.LID_AT, 2 * jar.LID[0], angle=0.5)
    env = skill_trial.ready(skill, rig)
    assert skill_trial.run(skill, env) == "done"
    assert rig.data.joint("lid").qpos[0] > 0.4
    assert env.phase("l") == GraspPhase.HOLDING


def test_a_tray_is_carried_level_and_the_cup_stays_on_it():
    score = tray.measure(1)
    assert score["outcome"] == "done"
    assert score["stands"]
    assert np.radians(score["privileged_tilt_deg"]) < tray.TILT_MAX
    assert score["near"]
    assert score["free"]
