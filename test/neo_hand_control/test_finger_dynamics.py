"""The fingers' own mass: as the plant's physics has it."""

import mujoco
import numpy as np
import pytest

from neo_description.tables import HAND
from neo_hand_control.finger_dynamics import FingerDynamics
from neo_sim.hand_rig import HandRig, turned


@pytest.mark.parametrize("side", "lr")
def test_torques_are_those_of_the_plants_own_inverse_dynamics(side):
    rig, dynamics = HandRig(side), FingerDynamics(side)
    rng = np.random.default_rng(0)
    rig.carry(turned(side, np.zeros(3), np.array([0.7, -0.4, 0.2])), at_once=True)
    m, d, hand = rig.model, rig.data, rig._hands[side]
    m.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONSTRAINT)
    q, qd, qdd = rng.uniform(HAND.q_min, HAND.q_max), *rng.normal(size=(2, len(HAND.joints)))
    d.qpos[hand.q], d.qvel[hand._v] = q, qd
    mujoco.mj_forward(m, d)
    d.qacc[:] = 0.0
    d.qacc[hand._v] = qdd
    mujoco.mj_inverse(m, d)
    truth = d.qfrc_inverse[hand._v] + d.qfrc_passive[hand._v]  # viscosity is the servo's
    gravity = d.body(f"{side}_wrist").xmat.reshape(3, 3).T @ m.opt.gravity
    np.testing.assert_allclose(dynamics.torque(q, qd, qdd, gravity), truth, atol=1e-9)
    assert np.abs(truth).max() > 0.01


def test_accelerations_are_changes_of_velocity_and_bounded():
    dynamics, n = FingerDynamics("r"), len(HAND.joints)
    q, qd = np.zeros(n), np.full(n, 0.1)
    np.testing.assert_allclose(dynamics.accelerated(q, qd, 0.002), dynamics.torque(q, qd, np.zeros(n)))
    qd2 = qd + 0.01
    np.testing.assert_allclose(dynamics.accelerated(q, qd2, 0.002), dynamics.torque(q, qd2, np.full(n, 5.0)))
    jumped = dynamics.accelerated(q, np.full(n, 50.0), 0.002)
    np.testing.assert_allclose(jumped, dynamics.torque(q, np.full(n, 50.0), np.full(n, 200.0)))
