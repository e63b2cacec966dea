"""The body keeps clear of itself: rows of the QP, on the plant and alone."""

import mujoco
import numpy as np
import pytest
from body_rig import Rig, side_grasp

from neo_body_control.collisions import PAIRS, ROWS, CollisionLimits, SelfCollisions
from neo_body_control.dynamics import NV, body_model
from neo_description.postures import posture
from neo_description.signals import Safety

LIMITS = CollisionLimits(keep=0.01, near=0.06, settle=0.15, horizon=0.05)


@pytest.mark.parametrize("p", [(0.40, 0.0, 0.95), (0.02, 0.0, 1.15)], ids=["each other", "chest"])
def test_hands_sent_to_one_place_and_into_the_chest_stay_apart(p):
    rig = Rig().stand()
    nearest = []
    rig.order(T_l_hand=side_grasp("l", p), T_r_hand=side_grasp("r", p), hand_speed=0.6)
    for _ in range(500):
        rig.tick()
        nearest.append(rig.body.collisions.distance)
    assert 0.0 < min(nearest) < 0.03  # they came near, and no nearer
    assert rig.state == Safety.ACTIVE
    assert rig.body.qp.solver.failures == {"daqp": 0, "proxqp": 0}


@pytest.fixture
def crossed():
    """Model and data with the forearms crossed in front, and rows for it."""
    model = body_model()
    data = mujoco.MjData(model)
    data.qpos[3] = 1.0
    data.qpos[7:] = posture("ready").body
    for side, sign in (("l", 1.0), ("r", -1.0)):
        data.qpos[model.joint(f"{side}_shoulder_yaw").qposadr[0]] = -0.9 * sign
        data.qpos[model.joint(f"{side}_shoulder_roll").qposadr[0]] = 0.0
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    return model, data, SelfCollisions(model, data, CollisionLimits(0.01, 0.30, 0.15, 0.05))


def test_a_row_tells_how_the_distance_of_its_pair_changes(crossed):
    model, data, rows = crossed
    rows.update(np.zeros(NV))
    assert 1 <= (rows.low > -1e29).sum() <= ROWS
    a, b = (model.geom(f"{link}_contact").id for link in rows.nearest)
    before, gradient, v = rows.distance, rows.A[0].copy(), np.zeros(NV)
    v[6:] = np.random.default_rng(0).normal(size=NV - 6)
    mujoco.mj_integratePos(model, data.qpos, v, 1e-5)
    mujoco.mj_kinematics(model, data)
    after = mujoco.mj_geomDistance(model, data, a, b, 1.0, None)
    assert (after - before) / 1e-5 == pytest.approx(gradient @ v, abs=0.02 * np.abs(gradient).sum())


def test_who_comes_fast_is_asked_to_slow_down_sooner(crossed):
    rows = crossed[2]
    rows.update(np.zeros(NV))
    still, towards = rows.low[0], -rows.A[0].copy()
    rows.update(towards)
    assert rows.low[0] > still


def test_far_apart_there_are_no_rows():
    model = body_model()
    data = mujoco.MjData(model)
    data.qpos[3] = 1.0
    for side, sign in (("l", 1.0), ("r", -1.0)):  # arms sideways, legs apart
        data.qpos[model.joint(f"{side}_shoulder_roll").qposadr[0]] = 1.5 * sign
        data.qpos[model.joint(f"{side}_hip_roll").qposadr[0]] = 0.4 * sign
    mujoco.mj_kinematics(model, data)
    rows = SelfCollisions(model, data, LIMITS)
    rows.update(np.zeros(NV))
    assert (rows.low == -1e30).all()
    assert len(PAIRS) == len(set(PAIRS))
