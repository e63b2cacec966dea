"""The Shadow hand in our words: tables, drives, kinematics and pads, on a made-up hand with its names."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_up_hand import made_up

from benchmarks.shadow import fit, hand
from benchmarks.shadow.plant import laid_flat
from neo_description.errors import NeoError
from neo_description.tables import HAND, TAXELS
from neo_hand_control.tendon_qp import TendonQp

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def model():
    return made_up(np.random.default_rng(3))


def test_every_joint_and_pad_of_ours_has_one_of_theirs():
    joints, pads = hand.table()
    assert tuple(joints) == HAND.joints
    assert tuple(pads) == TAXELS
    assert len({row["name"] for row in joints.values()}) == len(HAND.joints)


def test_a_table_that_misses_a_joint_is_refused(tmp_path, monkeypatch):
    text = (hand.HERE / "hand.yaml").read_text()
    (tmp_path / "hand.yaml").write_text(text.replace("  thumb_cmc_opp: {name: THJ4}\n", ""))
    monkeypatch.setattr(hand, "HERE", tmp_path)
    with pytest.raises(NeoError, match=r"hand.yaml: joints are thumb_cmc_flex.*needed: thumb_cmc_opp"):
        hand.table()


def test_tensions_of_the_table_are_the_torques_meant(model):
    group = hand.Addresses(model).joint_group(model)
    torque = 0.5 * group.effort * np.random.default_rng(0).uniform(-1.0, 1.0, len(group.effort))
    assert group.moment_arms @ TendonQp(group)(torque) == pytest.approx(torque)


def test_ranges_turn_round_with_the_sign_and_hanging_joints_take_their_effort_over_the_ratio(model):
    group = hand.Addresses(model).joint_group(model)
    i = HAND.index("thumb_ip_flex")
    theirs = model.joint(hand.PREFIX + "THJ0").range
    assert (group.q_min[i], group.q_max[i]) == pytest.approx((-theirs[1], -theirs[0]))
    dip, pip = group.effort[HAND.index("index_dip_flex")], group.effort[HAND.index("index_pip_flex")]
    assert dip == pytest.approx(pip / 1.142)


def test_position_drives_make_the_torque(model):
    at = hand.Addresses(model)
    drives, gain = at.drives(model), model.actuator_gainprm[at.actuator, 0]
    q = np.full(len(HAND.joints), 0.1)
    torque = np.zeros(len(q))
    torque[[HAND.index("thumb_mcp_flex"), HAND.index("index_mcp_flex")]] = 0.2, 0.3
    torque[[HAND.index("index_pip_flex"), HAND.index("index_dip_flex")]] = 0.1, 0.05
    theirs = gain * (drives.targets(torque, q) - at.sign[drives.driven] * q[drives.driven])
    made = dict(zip(drives.driven, at.sign[drives.driven] * theirs, strict=True))
    assert made[HAND.index("thumb_mcp_flex")] == pytest.approx(0.2)
    assert made[HAND.index("index_mcp_flex")] == pytest.approx(0.3)
    assert made[HAND.index("index_pip_flex")] == pytest.approx(0.1 + 1.142 * 0.05)
    assert HAND.index("index_dip_flex") not in made


def test_targets_stay_in_the_drives_range(model):
    drives = hand.Addresses(model).drives(model)
    targets = drives.targets(np.full(len(HAND.joints), 90.0), np.zeros(len(HAND.joints)))
    assert np.abs(targets).max() == pytest.approx(9.0)


def test_arms_are_how_far_pads_move_along_their_normals(model):
    kinematics = hand.Kinematics(model)
    q, step = np.random.default_rng(1).normal(size=len(HAND.joints)), 1e-6
    kinematics.move(q)
    p, normal, arms = kinematics.p.copy(), kinematics.R[:, :, 0].copy(), kinematics.push_arms()
    for j in range(len(q)):
        moved = q.copy()
        moved[j] += step
        kinematics.move(moved)
        along = np.einsum("pi,pi->p", kinematics.p - p, normal) / step
        assert arms[:, j] == pytest.approx(along, abs=1e-6)


def test_pads_do_not_move_with_the_palm(model):
    kinematics = hand.Kinematics(model)
    before = kinematics.p.copy()
    kinematics._data.qpos[:] = 0.0
    assert np.linalg.norm(kinematics.R.transpose(0, 2, 1) @ kinematics.R - np.eye(3)) < 1e-9
    palm = [i for i, name in enumerate(TAXELS) if name.startswith("palm")]
    kinematics.move(np.random.default_rng(2).normal(size=len(HAND.joints)))
    assert kinematics.p[palm] == pytest.approx(before[palm])


@pytest.mark.parametrize("out", [(1.0, 0.0, 0.0), (0.8, 0.6, 0.0), (0.0, 0.0, 1.0), (-1.0, 0.0, 0.0)])
def test_a_push_on_a_round_tip_is_all_normal(out):
    out = np.array(out)
    shear = np.cross(out, (0.3, 0.2, 0.9))
    turned = laid_flat(-2.0 * out + shear, out)
    assert turned[0] == pytest.approx(-2.0)
    assert np.linalg.norm(turned[1:]) == pytest.approx(np.linalg.norm(shear))


def test_tables_are_refused_when_our_core_is_about_our_own_hand_already(model):
    with pytest.raises(NeoError, match=r"neo_hand_control\.tendon_qp"):
        fit.fit(model)


def test_our_core_moves_the_other_hand_into_its_grasps():
    """In a process of its own: sluggish joints, driven by the core through the adapter."""
    script = Path(__file__).with_name("preshape_other_hand.py")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    phase, error = done.stdout.split()
    assert phase == "PRESHAPED"
    assert float(error) < 0.05
