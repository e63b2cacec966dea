"""The body's tendons through sites: what the closed form says is what MuJoCo does, in every posture."""

import mujoco
import numpy as np
import pytest

from neo_description.builder import build_robot
from neo_description.errors import NeoError
from neo_description.index import RobotIndex
from neo_description.routing import routing_of
from neo_description.tables import BODY, HAND
from neo_description.tendon_routes import stretch
from neo_description.tension_distribution import TensionDistribution

ROUTED = routing_of("routed")


@pytest.fixture(scope="module")
def model():
    return build_robot(visuals=False, routing="routed").compile()


def arms(model, data):
    """(n joints, 62) m: what MuJoCo makes of the body's tendons: minus the Jacobian of their lengths."""
    index, J = RobotIndex(model), np.zeros((model.ntendon, model.nv))
    for t in index.body_tendons:
        row = slice(model.ten_J_rowadr[t], model.ten_J_rowadr[t] + model.ten_J_rownnz[t])
        J[t, model.ten_J_colind[row]] = data.ten_J[row]
    return -J[index.body_tendons].T


def postures(count):
    rng = np.random.default_rng(0)
    yield np.zeros(len(BODY.joints))
    yield from (BODY.q_min, BODY.q_max)
    for _ in range(count):
        yield rng.uniform(BODY.q_min, BODY.q_max)


def test_arms_and_lengths_in_closed_form_are_those_of_mujoco_in_every_posture(model):
    index, data = RobotIndex(model), mujoco.MjData(model)
    for q in postures(100):
        data.qpos[index.body_qpos] = q
        mujoco.mj_forward(model, data)
        wanted = np.zeros((model.nv, len(BODY.tendons)))
        wanted[index.body_qvel] = BODY.moment_arms * ROUTED.scale(q)
        np.testing.assert_allclose(arms(model, data), wanted, atol=1e-9)
        np.testing.assert_allclose(index.reels(data, index.body_tendons), ROUTED.lengths(q), atol=1e-9)


def test_arms_are_the_tables_at_the_zero_posture_change_with_posture_and_never_vanish():
    np.testing.assert_allclose(ROUTED.scale(np.zeros(len(BODY.joints))), 1.0, rtol=1e-12)
    way = np.array([BODY.q_min + u * (BODY.q_max - BODY.q_min) for u in np.linspace(0.0, 1.0, 200)])
    scale = np.array([ROUTED.scale(q) for q in way])
    assert scale.min() > 0.75
    change = scale.max(axis=0) / scale.min(axis=0) - 1.0
    assert change.min() > 0.1
    assert change.max() < 0.3


def test_a_reel_tells_the_angle_and_one_that_runs_on_tells_more_and_more():
    for q in postures(50):
        straight, scale = ROUTED.straight(ROUTED.lengths(q))
        np.testing.assert_allclose(straight, -BODY.moment_arms.T @ q, atol=1e-9)
        np.testing.assert_allclose(scale, ROUTED.scale(q), rtol=1e-9)
    running = np.array([ROUTED.straight(np.full(len(BODY.tendons), -x))[0] for x in np.linspace(0, 0.5, 100)])
    assert (np.diff(running, axis=0) < 0.0).all()


def test_what_carries_the_robot_is_the_same_and_hands_are_as_they_were(model):
    fixed = build_robot(visuals=False).compile()
    assert model.body_mass.sum() == pytest.approx(fixed.body_mass.sum())
    routes = [i for i in range(model.ngeom) if model.geom(i).name.endswith("_pulley")]
    assert len(routes) == len(BODY.tendons)
    assert not model.geom_contype[routes].any()
    assert not model.geom_conaffinity[routes].any()
    first = model.tendon("l_" + HAND.tendons[0]).id
    assert (model.wrap_type[model.tendon_adr[first] :] == mujoco.mjtWrap.mjWRAP_JOINT).all()


def test_stretching_a_route_scales_its_arm_in_every_posture(model):
    model = build_robot(visuals=False, routing="routed").compile()
    for tendon in BODY.tendons:
        stretch(model, tendon, 1.05)
    index, data = RobotIndex(model), mujoco.MjData(model)
    mujoco.mj_setConst(model, data)
    for q in postures(5):
        data.qpos[index.body_qpos] = q
        mujoco.mj_forward(model, data)
        wanted = 1.05 * BODY.moment_arms * ROUTED.scale(q)
        np.testing.assert_allclose(arms(model, data)[index.body_qvel], wanted, atol=1e-9)
        np.testing.assert_allclose(index.reels(data, index.body_tendons), 1.05 * ROUTED.lengths(q), atol=1e-9)


def test_tensions_for_the_arms_of_a_posture_make_the_torques_within_the_limits():
    distribute, rng = TensionDistribution(BODY), np.random.default_rng(1)
    for q in postures(50):
        distribute.scale = ROUTED.scale(q)
        torque = rng.uniform(-0.7, 0.7, len(q)) * BODY.effort
        f = distribute(torque, 1.5 * BODY.pretension)
        np.testing.assert_allclose((BODY.moment_arms * distribute.scale) @ f, torque, atol=1e-9)
        np.testing.assert_allclose(distribute.torques(f), torque, atol=1e-9)
        assert (f >= 1.5 * BODY.pretension - 1e-9).all()
        np.testing.assert_allclose(np.minimum(f[0::2], f[1::2]), 1.5 * BODY.pretension[0::2])
        f = distribute(5.0 * torque)
        assert ((f >= BODY.pretension) & (f <= BODY.tension_max)).all()


def test_the_partner_of_a_failed_tendon_counts_with_both_arms():
    distribute, i = TensionDistribution(BODY), BODY.tendons.index("l_knee_pitch_plus")
    q = np.zeros(len(BODY.joints))
    q[i // 2] = 1.2
    distribute.scale = ROUTED.scale(q)
    distribute.given = np.full(len(BODY.tendons), np.nan)
    distribute.given[i] = 300.0
    torque = np.zeros(len(BODY.joints))
    torque[i // 2] = 3.0
    f = distribute(torque)
    arm = distribute.scale * 0.045
    assert arm[i] * 300.0 - arm[i + 1] * f[i + 1] == pytest.approx(3.0)
    low, high = distribute.torque_range()
    assert high[i // 2] == pytest.approx(arm[i] * 300.0 - arm[i + 1] * BODY.pretension[i + 1])
    assert low[i // 2] < high[i // 2]


def test_an_unknown_routing_is_refused():
    with pytest.raises(NeoError, match="no routing 'winding' of tendons; one of fixed, routed"):
        build_robot(routing="winding")
