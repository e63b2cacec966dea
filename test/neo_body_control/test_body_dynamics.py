"""The model's quantities against finite differences and against MuJoCo's own forward dynamics."""

import mujoco
import numpy as np
import pytest

from neo_body_control.dynamics import NV, Dynamics


def random_state(dynamics, seed):
    rng = np.random.default_rng(seed)
    qpos = np.zeros(NV + 1)
    qpos[:3] = rng.normal(size=3)
    qpos[3:7] = rng.normal(size=4)
    qpos[3:7] /= np.linalg.norm(qpos[3:7])
    low, high = dynamics.model.jnt_range[1:].T
    qpos[7:] = rng.uniform(low, high)
    return qpos, rng.normal(size=NV)


def later(dynamics, qpos, qvel, dt):
    q = qpos.copy()
    mujoco.mj_integratePos(dynamics.model, q, qvel, dt)
    return q


@pytest.mark.parametrize("seed", range(5))
def test_drifts_and_velocities_are_what_finite_differences_say(seed):
    dynamics = Dynamics()
    qpos, qvel = random_state(dynamics, seed)
    dt = 1e-5
    names = list(dynamics.frames)

    def read(q):
        dynamics.update(q, qvel)
        return (
            {n: (dynamics.frames[n].p.copy(), dynamics.frames[n].v.copy()) for n in names},
            dynamics.com.copy(),
            dynamics.com_velocity.copy(),
            dynamics.angular_momentum.copy(),
        )

    before, after = read(later(dynamics, qpos, qvel, -dt)), read(later(dynamics, qpos, qvel, dt))
    dynamics.update(qpos, qvel)
    for n in names:
        frame = dynamics.frames[n]
        np.testing.assert_allclose((after[0][n][0] - before[0][n][0]) / (2 * dt), frame.v[:3], atol=1e-5)
        np.testing.assert_allclose((after[0][n][1] - before[0][n][1]) / (2 * dt), frame.drift, atol=1e-4)
    np.testing.assert_allclose((after[1] - before[1]) / (2 * dt), dynamics.com_velocity, atol=1e-5)
    np.testing.assert_allclose((after[2] - before[2]) / (2 * dt), dynamics.com_drift, atol=1e-4)
    np.testing.assert_allclose((after[3] - before[3]) / (2 * dt), dynamics.k_drift, atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_inertia_and_bias_predict_the_forward_dynamics(seed):
    dynamics = Dynamics()
    qpos, qvel = random_state(dynamics, seed)
    dynamics.update(qpos, qvel)
    tau = np.random.default_rng(seed).normal(size=NV)
    data = mujoco.MjData(dynamics.model)
    data.qpos[:], data.qvel[:], data.qfrc_applied[:] = qpos, qvel, tau
    dynamics.model.opt.disableflags = int(mujoco.mjtDisableBit.mjDSBL_CONSTRAINT)
    mujoco.mj_forward(dynamics.model, data)
    np.testing.assert_allclose(dynamics.M @ data.qacc + dynamics.h, tau, atol=1e-8)
