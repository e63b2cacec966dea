"""What the hand's controller promises: stop first, refuse with a reason, the same answer to the same tick."""

import numpy as np
import pytest
from hand_trial import Trial, thing

from neo_description.signals import DriveMode, GraspPhase, HandAction, HandCommand, HandState
from neo_description.tables import CONTROL_RATE, HAND, TAXELS
from neo_hand_control.controller import HandController
from neo_hand_control.grasps import grasps
from neo_sim.hand_env import smooth_force
from neo_sim.hand_rig import HandRig, Placing

MOST = grasps()["medium_wrap"].most  # N


def _run(rig: HandRig, hand: HandController, seconds: float) -> None:
    for _ in range(round(seconds * CONTROL_RATE)):
        assert rig.command(hand.update(rig.state())) is None
        rig.step()


@pytest.mark.parametrize("name", list(grasps()))
@pytest.mark.parametrize("end", [0, 1])
def test_every_grasp_reaches_its_preshape(name, end):
    grasp = grasps()[name]
    rig, hand = HandRig("lr"[end], seed=1), HandController("lr"[end])
    hand.update(rig.state())
    width = grasp.width_range[end]
    assert hand.command(HandCommand(HandAction.PRESHAPE, grasp=name, width=width)) is None
    _run(rig, hand, 1.0)
    assert hand.status.phase == GraspPhase.PRESHAPED
    assert np.abs(rig.privileged_joints() - grasp.preshape(width)).max() < 0.05


def test_starts_in_stop():
    hand = HandController("r")
    for tick in range(5):
        assert hand.update(HandState(tick=tick, time=tick / 500)).mode == DriveMode.HOLD


def test_the_same_tick_gets_the_same_answer():
    rig, hand = HandRig("r"), HandController("r")
    hand.update(rig.state())
    hand.command(HandCommand(HandAction.PRESHAPE, grasp="medium_wrap"))
    rig.step()
    state = rig.state()
    first = hand.update(state)
    state.joint_position = state.joint_position + 0.1
    again = hand.update(state)
    assert again.tick == first.tick
    assert again.mode == DriveMode.TENSION
    np.testing.assert_array_equal(again.tension, first.tension)


def test_joints_are_followed():
    rig, hand = HandRig("l", seed=2), HandController("l")
    hand.update(rig.state())
    q = 0.4 * HAND.q_max + 0.1 * HAND.q_min
    assert hand.command(HandCommand(HandAction.JOINTS, joint_position=q)) is None
    _run(rig, hand, 1.0)
    assert np.abs(rig.privileged_joints() - q).max() < 0.05


def test_a_compliant_joint_follows_its_effort_not_its_position():
    """A finger that gives way swings to its stop with a small effort; the others keep their places."""
    rig, hand = HandRig("r", seed=2), HandController("r")
    hand.update(rig.state())
    i = HAND.index("index_mcp_flex")
    effort, give = np.zeros((2, len(HAND.joints)))
    effort[i], give[i] = 0.1, 1.0
    q = np.zeros(len(HAND.joints))
    fields = {"joint_position": q, "joint_effort": effort, "compliance": give}
    assert hand.command(HandCommand(HandAction.JOINTS, **fields)) is None
    _run(rig, hand, 1.0)
    flexed = rig.privileged_joints()
    assert flexed[i] > 1.0
    flexed[i] = 0.0
    assert np.abs(flexed).max() < 0.05
    assert hand.command(HandCommand(HandAction.JOINTS, joint_position=q)) is None
    _run(rig, hand, 1.5)
    assert np.abs(rig.privileged_joints() - q).max() < 0.05


BAD = {
    "unknown grasp": (HandCommand(HandAction.CLOSE, grasp="claw"), "medium_wrap"),
    "no grasp": (HandCommand(HandAction.PRESHAPE), "one of"),
    "width nan": (HandCommand(HandAction.CLOSE, grasp="medium_wrap", width=np.nan), "width"),
    "width too large": (HandCommand(HandAction.CLOSE, grasp="medium_wrap", width=0.7), "at most"),
    "negative force": (HandCommand(HandAction.CLOSE, grasp="medium_wrap", grip_force=-1.0), "grip_force"),
    "force x10": (
        HandCommand(HandAction.CLOSE, grasp="medium_wrap", grip_force=10 * MOST),
        f"at most {MOST}",
    ),
    "force inf": (HandCommand(HandAction.CLOSE, grasp="medium_wrap", grip_force=np.inf), "finite"),
    "limit nan": (HandCommand(HandAction.CLOSE, grasp="medium_wrap", grip_limit=np.nan), "grip_limit"),
    "limit too small": (HandCommand(HandAction.CLOSE, grasp="medium_wrap", grip_limit=0.5), "at least 1.5"),
    "force above the limit": (
        HandCommand(HandAction.CLOSE, grasp="medium_wrap", grip_force=20.0, grip_limit=10.0),
        "above the grip_limit of 10.0 N",
    ),
    "no joints": (HandCommand(HandAction.JOINTS), "22 needed"),
    "wrong length": (HandCommand(HandAction.JOINTS, joint_position=np.zeros(21)), "21 joint positions"),
    "joint nan": (HandCommand(HandAction.JOINTS, joint_position=np.full(22, np.nan)), "thumb_cmc_opp"),
    "effort too large": (
        HandCommand(HandAction.JOINTS, joint_position=np.zeros(22), joint_effort=1.1 * HAND.effort),
        "joint_effort of thumb_cmc_opp is 1.98",
    ),
    "compliance too large": (
        HandCommand(HandAction.JOINTS, joint_position=np.zeros(22), compliance=np.full(22, 1.5)),
        "compliance of thumb_cmc_opp is 1.5",
    ),
    "joint outside": (HandCommand(HandAction.JOINTS, joint_position=10 * HAND.q_max), "allowed"),
    "unknown action": (HandCommand(9), "OPEN"),  # type: ignore[arg-type]
    "stale": (HandCommand(HandAction.OPEN, start=0.01, valid_for=0.01), "stale"),
    "old, without an end": (HandCommand(HandAction.OPEN, start=0.01), "stale: starts 1.0"),
    "far future": (HandCommand(HandAction.OPEN, start=1e4), "at most"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_commands_are_refused_and_change_nothing(case):
    command, says = BAD[case]
    hand, twin = HandController("r"), HandController("r")
    for tick in range(100):
        state = HandState(tick=tick, time=1.0 + tick / 500)
        if tick == 10:
            for controller in (hand, twin):
                assert controller.command(HandCommand(HandAction.PRESHAPE, grasp="medium_wrap")) is None
        if tick == 50:
            reason = hand.command(command)
            assert reason is not None
            assert says in reason, reason
        np.testing.assert_array_equal(hand.update(state).tension, twin.update(state).tension)
    assert hand.refused == 1


def test_runstop_forgets_the_target_and_refuses_commands():
    hand = HandController("r")
    hand.update(HandState(tick=0))
    hand.command(HandCommand(HandAction.PRESHAPE, grasp="medium_wrap"))
    assert hand.update(HandState(tick=1, time=0.002)).mode == DriveMode.TENSION
    assert hand.update(HandState(tick=2, time=0.004, runstop=True)).mode == DriveMode.HOLD
    assert "stop button" in str(hand.command(HandCommand(HandAction.OPEN)))
    assert hand.update(HandState(tick=3, time=0.006)).mode == DriveMode.HOLD
    assert hand.command(HandCommand(HandAction.OPEN)) is None
    assert hand.update(HandState(tick=4, time=0.008)).mode == DriveMode.TENSION


def test_drives_that_do_not_follow_end_in_hold():
    hand = HandController("r")
    hand.update(HandState(tick=0))
    hand.command(HandCommand(HandAction.OPEN))
    modes = [hand.update(HandState(tick=k, time=k / 500)).mode for k in range(1, 80)]
    assert modes[10] == DriveMode.TENSION
    assert modes[-1] == DriveMode.HOLD


def test_a_broken_state_is_answered_with_hold():
    hand = HandController("r")
    hand.update(HandState(tick=0))
    hand.command(HandCommand(HandAction.OPEN))
    bad = HandState(tick=1)
    bad.joint_position[3] = bad.tendon_length[7] = np.nan  # else the tendons would tell the angle
    assert hand.update(bad).mode == DriveMode.HOLD
    deaf = HandState(tick=2, taxel_force=np.full((len(TAXELS), 3), np.nan))
    assert hand.update(deaf).mode == DriveMode.HOLD


def test_closing_on_nothing_ends_in_lost():
    rig, hand = HandRig("r"), HandController("r")
    hand.update(rig.state())
    hand.command(HandCommand(HandAction.CLOSE, grasp="medium_wrap"))
    _run(rig, hand, 3.5)
    assert hand.status.phase == GraspPhase.LOST


def test_letting_go_leaves_the_bottle_standing_where_it_was():
    """Release used to be a place to throw from: force fades before the fingers part."""
    trial = Trial("r", thing("red_bottle"), Placing(), "medium_wrap", 0)
    assert trial.close()
    trial.run(0.3, lambda u, t: trial.at(0.0))
    before = trial.rig.data.body("red_bottle").xpos.copy()
    trial.say(HandAction.OPEN)
    trial.run(1.5, lambda u, t: trial.at(0.0))
    assert trial.hand.status.phase == GraspPhase.IDLE
    assert np.linalg.norm(trial.rig.data.body("red_bottle").xpos - before) < 0.015
    assert trial.rig.privileged_in_hand()[1] < 0.05


def test_a_fixed_grip_force_is_kept():
    trial = Trial("r", thing("red_bottle"), Placing(), "medium_wrap", 0)
    trial.close()
    trial.say(HandAction.CLOSE, grasp="medium_wrap", grip_force=20.0)
    trial.run(1.5, lambda u, t: trial.at(0.0))
    assert 14.0 < np.mean(trial.forces[-250:]) < 26.0


def test_a_heavy_thing_is_pressed_no_harder_than_its_limit():
    """A bottle of 1 kg would be held with more than 25 N."""
    heavy = thing("red_bottle", mass=1.0)
    limited, free = (Trial("r", heavy, Placing(), "medium_wrap", 0) for _ in range(2))
    for trial, limit in ((limited, 12.0), (free, 0.0)):
        trial.close(grip_limit=limit)
        trial.run(1.0, lambda u, t, trial=trial: trial.at(0.0, 0.05 * u))
    assert smooth_force(limited.forces).max() <= 1.1 * 12.0
    assert smooth_force(free.forces).max() > 25.0
