"""Joints along paths in time, and as stiff as is asked."""

import numpy as np
import pytest
from body_rig import Rig, side_grasp

from neo_body_control.joint_paths import JointGoals, JointPath
from neo_description.errors import RefusedError
from neo_description.tables import BODY

ELBOW = ["l_elbow_pitch"]


@pytest.mark.parametrize(
    ("names", "times", "positions", "velocities", "words"),
    [
        (["l_knee_pitch"], [1.0], [[0.5]], None, "no joint l_knee_pitch; one of torso_yaw"),
        ([], [1.0], [[]], None, "no joint named"),
        (ELBOW * 2, [1.0], [[-1.0, -1.0]], None, "joints named twice: l_elbow_pitch"),
        (ELBOW, [1.0, 1.0], [[-1.0], [-1.1]], None, "times must grow"),
        (ELBOW, [-1.0, 1.0], [[-1.0], [-1.1]], None, "times must grow"),
        (ELBOW, [1.0], [[np.nan]], None, "must be finite"),
        (ELBOW, [1.0], [[0.5]], None, r"l_elbow_pitch to 0.500 rad at 1 s; -2.4 to 0 rad allowed"),
        (ELBOW, [0.05], [[-2.0]], None, "rad/s allowed"),
        (ELBOW, [1.0], [[-1.0, 0.0]], None, r"\(k, 1\) needed"),
        (ELBOW, [1.0], [[-1.0]], [[0.0, 0.0]], "or none needed"),
        (ELBOW, [0.0], [[-1.0]], None, "no path"),
        (ELBOW, [], np.zeros((0, 1)), None, "needed"),
    ],
)
def test_a_path_that_makes_no_sense_is_refused_with_the_reason(names, times, positions, velocities, words):
    with pytest.raises(RefusedError, match=words):
        JointPath(names, np.array(times), np.array(positions), velocities, np.zeros(len(BODY.joints)))


def test_a_path_meets_its_points_and_rests_at_its_ends():
    start = np.zeros(len(BODY.joints))
    path = JointPath(ELBOW, np.array([1.0, 2.0, 3.0]), np.array([[-1.0], [-1.5], [-0.5]]), None, start)
    for t, q in ((0.0, 0.0), (1.0, -1.0), (2.0, -1.5), (3.0, -0.5), (9.0, -0.5)):
        assert path.at(t)[0] == pytest.approx(q)
    for t in (0.0, 3.0, 9.0):
        assert path.at(t)[1] == pytest.approx(0.0)
    inside = [float(path.at(t)[0][0]) for t in np.linspace(0.0, 3.0, 50)]
    assert min(inside) >= -1.5 - 1e-9  # no overshoot


def test_an_arm_follows_its_path_and_a_hands_target_takes_it_back():
    rig = Rig().stand()
    names = ["r_shoulder_pitch", "r_elbow_pitch"]
    index = [BODY.index(n) for n in names]
    path = JointPath(names, np.array([1.0]), np.array([[-0.6, -0.9]]), None, rig.body.joint_position)
    assert rig.body.follow(path) is None
    worst = 0.0
    for k in range(600):
        rig.tick()
        wanted = path.at((k + 1) / 500)[0]
        worst = max(worst, np.abs(rig.body.joint_position[index] - wanted).max())
    assert worst < 0.12
    assert np.abs(rig.body.joint_position[index] - (-0.6, -0.9)).max() < 0.06
    rig.order(T_r_hand=side_grasp("r", [0.40, -0.2, 0.95]), hand_speed=0.8)
    rig.run(1.5)
    assert not rig.body.joints.active.any()
    assert rig.body.arrived("r")[0] < 0.01
    rig.body.set_mode("stop")
    assert "set_mode stand" in rig.body.follow(path)


def test_impedance_is_asked_for_in_newton_metres_and_bounded_by_what_drives_can_follow():
    goals, inertia = JointGoals(), np.full(len(BODY.joints), 0.1)
    goals.impedance(ELBOW, [5.0], [1.0])
    kp, kd = goals.gains(30.0, 11.0, inertia)
    i = BODY.index(ELBOW[0])
    assert (kp[i], kd[i]) == (50.0, 10.0)
    assert np.delete(kp, i) == pytest.approx(30.0)
    goals.impedance(ELBOW, [1000.0], [np.nan])
    assert goals.gains(30.0, 11.0, inertia)[0][i] == 200.0
    for stiffness, damping in (([-1.0], [1.0]), ([np.inf], [1.0]), ([1.0, 2.0], [1.0])):
        with pytest.raises(RefusedError):
            goals.impedance(ELBOW, stiffness, damping)
    goals.impedance(ELBOW, [np.nan], [np.nan])
    assert not goals.set
