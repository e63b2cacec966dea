"""Tensions from torques: exact, pull-only, within limits."""

import numpy as np
import pytest

from neo_description.tables import BODY, HAND
from neo_description.tension_distribution import TensionDistribution

GROUPS = {"body": BODY, "hand": HAND}


@pytest.mark.parametrize("name", GROUPS)
def test_tensions_give_the_torque_asked_for(name):
    group = GROUPS[name]
    distribution = TensionDistribution(group)
    rng = np.random.default_rng(0)
    for _ in range(200):
        tau = rng.uniform(-0.4, 0.4, len(group.joints)) * group.effort
        f = distribution(tau, rng.uniform(0.0, 2.0) * group.pretension)
        np.testing.assert_allclose(group.moment_arms @ f, tau, atol=1e-9)
        np.testing.assert_allclose(distribution.torques(f), tau, atol=1e-9)


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_tensions_stay_between_pretension_and_limit(name, scale):
    group = GROUPS[name]
    distribution = TensionDistribution(group)
    rng = np.random.default_rng(1)
    for cocontraction in (0.0, 1.0, 50.0):
        torque = rng.normal(size=len(group.joints)) * group.effort * scale
        f = distribution(torque, (1.0 + cocontraction) * group.pretension)
        assert (f >= group.pretension - 1e-9).all()
        assert (f <= group.tension_max + 1e-9).all()


def test_one_tendon_of_each_pair_stays_at_pretension():
    distribution = TensionDistribution(BODY)
    f = distribution(0.5 * BODY.effort)
    np.testing.assert_allclose(f[1::2], BODY.pretension[1::2])


def test_a_limited_fingertip_does_not_disturb_the_knuckle():
    distribution = TensionDistribution(HAND)
    tau = np.zeros(len(HAND.joints))
    tau[HAND.index("index_dip_flex")] = 10.0  # far beyond its tendons
    got = HAND.moment_arms @ distribution(tau)
    assert 0.6 < got[HAND.index("index_dip_flex")] < 10.0
    assert abs(got[HAND.index("index_pip_flex")]) < 1e-9
    assert abs(got[HAND.index("index_mcp_flex")]) < 1e-9


def test_every_body_joint_reaches_its_effort():
    distribution = TensionDistribution(BODY)
    for sign in (1.0, -1.0):
        f = distribution(sign * BODY.effort, 2.0 * BODY.pretension)
        np.testing.assert_allclose(BODY.moment_arms @ f, sign * BODY.effort, rtol=1e-9)
