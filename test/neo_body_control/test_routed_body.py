"""A robot with tendons through sites, under the controller that knows of it and under one that does not."""

import numpy as np
import pytest

from neo_body_control.controller import BodyController
from neo_body_control.settings import load_parameters
from neo_body_control.tendon_calibration import TendonCalibration
from neo_body_control.tendon_forces import TendonForces
from neo_description.routing import routing_of
from neo_description.signals import Safety, WholeBodyCommand
from neo_description.tables import BODY
from neo_sim.env import NeoEnv

ERRORS = {"mass_error": 0.1, "arm_error": 0.05}


def standing(body=None, **sim):
    env = NeoEnv("empty", 1, sim=sim | {"tendon_routing": "routed"}, body=body)
    env.step(20)
    env.stand()
    env.step(150)
    return env


def believed(env):
    """(31,) rad: worst of what is believed of the joints' angles."""
    true = env.plant.data.qpos[env.plant.index.body_qpos]
    return float(np.abs(env.body.joint_position - true).max())


def reach(env):
    """True distance (m) from a target ahead that the hand was given 2 s ago."""
    T = env.body.estimate.T_odom_r_gripper.copy()
    T[:3, 3] += (0.2, -0.05, 0.25)
    assert env.command_body(WholeBodyCommand(T_r_hand=T, valid_for=60.0)) is None
    env.step(1000)
    T_world_odom = env.plant.privileged.base_pose @ np.linalg.inv(env.body.estimate.T_odom_base)
    target = (T_world_odom @ T)[:3, 3]
    site = env.plant.index.site("r_gripper")
    return float(np.linalg.norm(env.plant.data.site_xpos[site] - target))


def test_it_stands_up_and_reaches_on_a_robot_with_errors_of_model():
    """1.6 mm after 2 s; with fixed tendons 1.5 mm."""
    env = standing(**ERRORS)
    assert reach(env) < 0.003
    assert env.body.estimate.safety == Safety.ACTIVE
    assert env.body.health.found == []
    assert not any(drives.gate.refused for drives in env.plant.drives.values())


def test_a_controller_of_constant_arms_feels_torques_that_nobody_exerts():
    """0.5 N m at the worst joint when it knows of the routing, 3.9 N m when it does not."""
    worst = []
    for body in (None, unaware):
        env = standing(body)
        env.step(200)
        worst.append(float(np.abs(env.body.externals.residual[6:]).max()))
    assert worst[0] < 1.0
    assert worst[1] > 3.0 * worst[0]


def unaware():
    return BodyController(load_parameters())


def test_a_cut_tendon_is_found_and_made_up_for():
    env = standing()
    env.plant.fault("cut", "l_knee_pitch_minus")
    at = env.plant.time
    env.step(400)
    found = env.body.health.found
    assert {f.part for f in found} == {"l_knee_pitch_minus"}
    assert found[0].time - at <= 0.02
    assert env.body.estimate.safety == Safety.ACTIVE
    assert env.plant.privileged.base_pose[2, 3] > 0.6


@pytest.mark.parametrize("kind", ["lost", "offset"])
def test_the_angle_of_a_bad_encoder_comes_from_its_routed_tendons(kind):
    env = standing()
    env.plant.fault(kind, "r_knee_pitch")
    env.step(10)
    assert env.body.health.tendons.encoder[BODY.index("r_knee_pitch")]
    q = env.body.joint_position[BODY.index("r_knee_pitch")]
    assert env.command_body(WholeBodyCommand(base_height=0.68, valid_for=10.0)) is None
    env.step(700)
    assert abs(env.body.joint_position[BODY.index("r_knee_pitch")] - q) > 0.4  # arms have changed by 20 %
    assert believed(env) < 0.005
    assert [f.part for f in env.body.health.found] == ["r_knee_pitch"]


def test_a_joint_is_asked_for_no_more_than_its_arms_allow():
    env = standing()
    least, most = env.body.tendons.limits()[0]
    assert (most < BODY.effort).any()
    np.testing.assert_array_equal(env.body.qp._greatest <= BODY.effort, True)
    assert np.abs(env.body.qp._greatest - np.minimum(most, BODY.effort)).max() < 0.5  # N m, 5 ticks old
    assert (least < 0.0).all()
    assert env.body.qp._loose is None  # yet held to their limits of angle and speed


def test_a_calibration_counts_on_top_of_the_posture(tmp_path):
    rng, file = np.random.default_rng(2), tmp_path / "calibration.yaml"
    arm = rng.uniform(0.95, 1.05, len(BODY.tendons)).round(5)
    TendonCalibration(0.008, 0.01, np.full(len(arm), 20000.0), arm=arm).save(file)
    forces = TendonForces(load_parameters(tendon_routing="routed", tendon_calibration=str(file)), 10.0)
    q, torque = rng.uniform(BODY.q_min, BODY.q_max), rng.uniform(-0.5, 0.5, len(BODY.joints)) * BODY.effort
    forces.update(0, q, BODY.pretension)
    f = forces.tensions(torque, BODY.pretension)
    np.testing.assert_allclose(
        (BODY.moment_arms * routing_of("routed").scale(q) * arm) @ f, torque, atol=1e-9
    )
    forces.update(1, q, f)
    np.testing.assert_allclose(forces.torque, torque, atol=1e-9)


def test_the_environment_gives_the_controller_the_plants_routing():
    env = NeoEnv("empty", sim={"tendon_routing": "routed"})
    assert env.scene.routing == env.body.params.tendon_routing == "routed"
    assert NeoEnv("empty").body.params.tendon_routing == "fixed"
