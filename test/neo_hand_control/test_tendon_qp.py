"""The tendon QP: what the closed form gives while no limit is met, never worse at limits, any routing."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from neo_description.errors import NeoError
from neo_description.tables import HAND, JointGroup
from neo_description.tension_distribution import TensionDistribution
from neo_hand_control.tendon_qp import TendonQp, blocks


def group(arms, effort, tension_max=80.0, pretension=1.0) -> JointGroup:
    """A group of ``arms`` (n, m) m, with plain names and ranges."""
    arms = np.asarray(arms, float)
    n, m = arms.shape
    return JointGroup(
        joints=tuple(f"j{i}" for i in range(n)), tendons=tuple(f"t{i}" for i in range(m)),
        q_min=np.zeros(n), q_max=np.ones(n), effort=np.asarray(effort, float), velocity=np.full(n, 10.0),
        pretension=np.full(m, pretension), tension_max=np.full(m, tension_max), moment_arms=arms,
    )  # fmt: skip


ROUTINGS = {
    # three joints and four tendons: Salisbury's N+1 finger
    "n+1": group(
        [[0.008, 0.008, -0.008, -0.008], [0.008, -0.008, 0.008, -0.008], [0.008, -0.008, -0.008, 0.008]],
        [0.5, 0.5, 0.5],
    ),
    # one flexor over three joints, one extensor: underactuated
    "shared flexor": group([[0.010, -0.010], [0.008, -0.006], [0.006, -0.004]], [0.8, 0.6, 0.4]),
    # two flexors, deep and shallow, one extensor, and a pair across
    "human": group(
        [
            [0.0, 0.0, 0.0, 0.008, -0.008],
            [0.011, 0.010, -0.008, 0.0, 0.0],
            [0.009, 0.007, -0.006, 0.0, 0.0],
            [0.006, 0.0, -0.003, 0.0, 0.0],
        ],
        [0.7, 1.5, 1.0, 0.5],
    ),
}


def cost(qp: TendonQp, f: np.ndarray, tau: np.ndarray) -> float:
    """Weighted torque error ‖W (A f - tau)‖."""
    return float(np.linalg.norm(qp.weights * (qp.arms @ f - tau)))


def test_a_hand_falls_into_its_coupled_chains():
    found = {tuple(HAND.joints[i] for i in rows): len(columns) for rows, columns in blocks(HAND.moment_arms)}
    assert found[("index_mcp_flex", "index_pip_flex", "index_dip_flex")] == 6
    assert found[("thumb_cmc_flex", "thumb_mcp_flex", "thumb_ip_flex")] == 6
    assert found[("middle_mcp_abd",)] == 2
    assert sum(map(len, found)) == len(HAND.joints)
    assert sum(found.values()) == len(HAND.tendons)


def test_without_limits_it_is_the_closed_form():
    qp, closed = TendonQp(HAND), TensionDistribution(HAND)
    rng = np.random.default_rng(0)
    for _ in range(300):
        tau = rng.uniform(-0.3, 0.3, len(HAND.joints)) * HAND.effort
        np.testing.assert_allclose(qp(tau), closed(tau), atol=1e-9)
        assert qp.solved == 0


def test_the_solver_agrees_with_the_closed_form():
    """The fast path is the programme's answer, not another one."""
    qp = TendonQp(HAND)
    rng = np.random.default_rng(1)
    base = np.repeat(rng.uniform(1.0, 6.0, len(HAND.joints)), 2)
    for _ in range(50):
        tau = rng.uniform(-0.3, 0.3, len(HAND.joints)) * HAND.effort
        f = qp(tau, base)
        for solver in qp._solvers:
            slow = solver(tau, base, HAND.pretension, HAND.tension_max)
            np.testing.assert_allclose(slow, f[solver.columns], rtol=2e-4, atol=1e-3)  # eps
    assert qp.failures == 0


@pytest.mark.parametrize("scale", [0.8, 2.0, 10.0])
def test_at_limits_it_is_never_worse_than_back_substitution(scale):
    qp, closed = TendonQp(HAND), TensionDistribution(HAND)
    rng = np.random.default_rng(2)
    better = solved = 0
    for _ in range(200):
        tau = rng.normal(size=len(HAND.joints)) * HAND.effort * scale
        base = np.repeat(rng.uniform(1.0, 8.0, len(HAND.joints)), 2)
        f, old = qp(tau, base), closed(tau, base)
        assert (f >= HAND.pretension - 1e-6).all()
        assert (f <= HAND.tension_max + 1e-6).all()
        assert cost(qp, f, tau) <= cost(qp, old, tau) + 1e-4
        better += cost(qp, f, tau) < 0.95 * cost(qp, old, tau)
        solved += qp.solved > 0
    assert solved > 150
    assert better > 30 or scale != 2.0
    assert qp.failures == 0


@pytest.mark.parametrize("name", ROUTINGS)
def test_any_routing_gets_the_least_weighted_error(name):
    """Against SciPy's bounded least squares."""
    qp = TendonQp(ROUTINGS[name])
    g = qp.group
    rng = np.random.default_rng(3)
    for _ in range(60):
        tau = rng.uniform(-1.5, 1.5, len(g.joints)) * g.effort
        f = qp(tau)
        B = qp.weights[:, None] * g.moment_arms
        best = lsq_linear(B, qp.weights * tau, (g.pretension - 1e-9, g.tension_max), method="bvls").x
        assert cost(qp, f, tau) <= cost(qp, best, tau) * (1 + 1e-4) + 1e-5
        assert (f >= g.pretension - 1e-6).all()
        assert (f <= g.tension_max + 1e-6).all()
    assert qp.failures == 0


def test_four_tendons_give_three_joints_exactly_what_they_ask():
    qp = TendonQp(ROUTINGS["n+1"])
    rng = np.random.default_rng(4)
    for _ in range(60):
        tau = rng.uniform(-0.3, 0.3, 3)
        np.testing.assert_allclose(qp.torques(qp(tau)), tau, atol=1e-4)


def test_what_cannot_be_had_is_given_up_where_it_matters_least():
    g = ROUTINGS["shared flexor"]
    tau = np.array([0.3, 0.0, 0.2])
    errors = []
    for weights in ([10.0, 1.0, 1.0], [1.0, 1.0, 10.0]):
        qp = TendonQp(g, weights=np.array(weights))
        errors.append(np.abs(qp.torques(qp(tau)) - tau))
    assert errors[0][0] < 0.1 * errors[1][0]
    assert errors[1][2] < 0.3 * errors[0][2]


def test_a_joint_that_follows_another_is_moved_through_it():
    """DIP bound to PIP by a linkage, without tendons of its own."""
    arms = np.zeros((3, 4))
    arms[0, :2], arms[1, :2], arms[1, 2:] = [0.003, -0.003], [0.0, 0.0], [0.009, -0.009]
    arms[0, 2:] = [0.008, -0.008]
    g = group(arms, [1.0, 1.0, 0.5])
    qp = TendonQp(g, coupling=np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.7]]))
    tau = np.array([0.05, 0.1, 0.1])  # DIP's torque costs 0.7 of it at PIP
    got = qp.torques(qp(tau))
    np.testing.assert_allclose(got[:2], [0.05, 0.1 + 0.7 * 0.1], atol=1e-9)


def test_co_contraction_tightens_both_tendons_and_yields_before_torque():
    qp = TendonQp(HAND)
    j = HAND.index("index_mcp_flex")
    base = np.full(len(HAND.tendons), 20.0)
    tau = np.zeros(len(HAND.joints))
    f = qp(tau, base)
    np.testing.assert_allclose(f, base)
    tau[j] = HAND.effort[j]
    f = qp(tau, np.array(HAND.tension_max))  # as stiff as can be: no room for torque
    np.testing.assert_allclose(qp.torques(f)[j], tau[j], rtol=2e-3)


def test_tensions_change_no_faster_than_asked():
    qp = TendonQp(HAND)
    tau = 0.3 * HAND.effort
    last = np.array(HAND.pretension)
    steps = []
    for _ in range(40):
        f = qp(tau, last=last, step=1.5)
        steps.append(np.abs(f - last).max())
        last = f
    assert max(steps) <= 1.5 + 1e-6
    np.testing.assert_allclose(qp.torques(last), tau, rtol=1e-3)


def test_nonsense_is_refused_by_name():
    with pytest.raises(NeoError, match="t1"):
        TendonQp(group([[0.01, 0.0]], [1.0]))
    with pytest.raises(NeoError, match="22 positive"):
        TendonQp(HAND, weights=np.ones(3))
    with pytest.raises(NeoError, match="coupling"):
        TendonQp(HAND, coupling=np.eye(3))
