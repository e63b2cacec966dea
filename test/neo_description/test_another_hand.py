"""Tables of another hand: the ORCA hand of the docs, other routings, and refusals."""

from pathlib import Path

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_description.tables import HAND, ROBOT_YAML, load_hand
from neo_hand_control.tendon_qp import TendonQp

ORCA = Path(__file__).parents[2] / "docs" / "examples" / "orca_hand.yaml"


def test_our_own_table_reads_the_same_from_its_file():
    mine = load_hand(ROBOT_YAML)
    assert mine.joints == HAND.joints
    assert mine.tendons == HAND.tendons
    np.testing.assert_array_equal(mine.moment_arms, HAND.moment_arms)
    np.testing.assert_array_equal(mine.tension_max, HAND.tension_max)


def test_the_orca_hand_is_seventeen_joints_with_a_motor_each():
    orca = load_hand(ORCA)
    assert len(orca.joints) == 17
    assert len(orca.tendons) == 34
    assert (orca.q_min < 0).all()
    assert (orca.q_max > 0.4).all()
    np.testing.assert_allclose(np.rad2deg(orca.q_max[orca.index("index_pip")]), 107.0, atol=0.01)
    fingers = np.array([joint != "wrist" for joint in orca.joints])
    np.testing.assert_allclose(orca.tension_max[np.repeat(fingers, 2)], 40.6, atol=0.1)


def test_the_tendon_qp_drives_the_orca_hand():
    """One spool a joint: only the difference of a pair is the motor's, and it gives the torque."""
    orca = load_hand(ORCA)
    qp = TendonQp(orca)
    assert len(qp.blocks) == 17
    rng = np.random.default_rng(0)
    for _ in range(100):
        tau = rng.uniform(-0.9, 0.9, 17) * orca.effort
        f = qp(tau)
        np.testing.assert_allclose(qp.torques(f), tau, atol=1e-9)
        assert (f >= orca.pretension - 1e-9).all()
        assert (f <= orca.tension_max + 1e-9).all()
        motor = 0.0085 * (f[0::2] - f[1::2])  # N m at the spool, whose radius is the arm here
        np.testing.assert_allclose(motor, tau, atol=1e-9)
    too_much = qp(3.0 * orca.effort)
    assert (too_much <= orca.tension_max + 1e-6).all()
    assert qp.failures == 0


SHARED = """
hand:
  - {name: mcp, range: [0, 1.5], effort: 1.0, velocity: 10}
  - {name: pip, range: [0, 1.7], effort: 0.8, velocity: 10}
tendons:
  - {name: flexor, arms: {mcp: 0.010, pip: 0.008}, pretension: 1.0, tension_max: 60.0}
  - {name: lumbrical, arms: {mcp: 0.006, pip: -0.003}, pretension: 0.5, tension_max: 20.0}
  - {name: extensor, arms: {mcp: -0.008, pip: -0.006}, pretension: 1.0, tension_max: 40.0}
"""


def test_tendons_may_be_shared_by_joints(tmp_path):
    path = tmp_path / "finger.yaml"
    path.write_text(SHARED)
    finger = load_hand(path)
    assert finger.tendons == ("flexor", "lumbrical", "extensor")
    qp = TendonQp(finger)
    tau = np.array([0.15, 0.08])
    np.testing.assert_allclose(qp.torques(qp(tau)), tau, rtol=1e-3)


BROKEN = {
    "no such joint": (
        SHARED.replace("pip: -0.006", "dip: -0.006"),
        "extensor crosses 'dip'; joints are mcp, pip",
    ),
    "no arm": ("hand:\n  - {name: a, range: [0, 1], effort: 1, velocity: 1}\nantagonist_reserve: 0", "arm"),
    "no table": ("taxels: [tip]", "hand"),
    "no yaml": ("hand: [", "finger.yaml"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_table_is_refused_with_its_name(case, tmp_path):
    text, says = BROKEN[case]
    path = tmp_path / "finger.yaml"
    path.write_text(text)
    with pytest.raises(NeoError, match=says):
        load_hand(path)
