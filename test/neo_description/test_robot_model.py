"""The compiled robot is the one of robot.yaml: joints, masses, frames, tendons, sensors, postures."""

import mujoco
import numpy as np
import pytest

from neo_description.builder import build_robot
from neo_description.errors import NeoError
from neo_description.index import RobotIndex
from neo_description.postures import Posture, place, posture, postures
from neo_description.tables import BODY, HAND, JOINTS, SIDES, TAXELS, TENDONS, prefixed

BODIES = ("base_link", "torso", "head", "l_wrist", "r_wrist", "l_ankle", "r_ankle", "l_sole", "r_sole")
SITES = (
    "l_gripper", "r_gripper", "gaze", "head_left_camera_optical_frame", "head_right_camera_optical_frame",
    "pelvis_imu", "head_imu",
)  # fmt: skip


@pytest.fixture(scope="module")
def robot():
    model = build_robot().compile()
    return model, RobotIndex(model)


@pytest.fixture(scope="module")
def lumped():
    model = build_robot(fingers=False).compile()
    return model, RobotIndex(model)


def test_has_75_joints_a_free_base_and_150_tendons(robot):
    model, _ = robot
    names = {model.joint(j).name for j in range(model.njnt)}
    assert names == {*JOINTS, "base_joint"}
    assert len(JOINTS) == 75
    assert model.nv == 81
    assert tuple(model.actuator(a).name for a in range(model.nu)) == TENDONS


def test_links_and_joints_never_share_a_name(robot):
    model, _ = robot
    assert not {model.body(b).name for b in range(model.nbody)} & {
        model.joint(j).name for j in range(model.njnt)
    }


def test_weighs_30_kg_in_human_shares(robot):
    model, index = robot
    mass = model.body_subtreemass
    assert mass[index.body("base_link")] == pytest.approx(30.0, abs=0.1)
    legs = sum(mass[index.body(f"{s}_hip_carrier")] for s in SIDES)
    assert 0.27 < legs / 30.0 < 0.36
    for side in SIDES:
        assert mass[index.body(f"{side}_wrist")] == pytest.approx(0.45, abs=0.03)


def test_stands_1_65_m_tall_with_eyes_at_1_53(robot):
    model, index = robot
    data = mujoco.MjData(model)
    place(index, data, "zero")
    mujoco.mj_camlight(model, data)
    tops = [
        data.geom_xpos[g][2] + model.geom_size[g][2]
        for g in range(model.ngeom)
        if model.geom_bodyid[g] == index.body("head")
        and model.geom_type[g] == mujoco.mjtGeom.mjGEOM_ELLIPSOID
    ]
    assert max(tops) == pytest.approx(1.65, abs=0.02)
    assert data.site("gaze").xpos[2] == pytest.approx(1.53, abs=0.005)
    assert np.linalg.norm(data.cam("head_left").xpos - data.cam("head_right").xpos) == pytest.approx(0.08)


@pytest.mark.parametrize("fingers", [True, False])
def test_has_the_frames(fingers, robot, lumped):
    _, index = robot if fingers else lumped
    for name in BODIES:
        index.body(name)
    for name in SITES:
        index.site(name)


def test_gripper_points_to_the_fingertips_and_out_of_the_palm(robot):
    model, index = robot
    data = mujoco.MjData(model)
    place(index, data, "zero")
    for side, inwards in (("l", -1.0), ("r", 1.0)):
        R = data.site_xmat[index.site(f"{side}_gripper")].reshape(3, 3)
        assert np.allclose(R[:, 0], (0, 0, -1))  # arms hang
        assert np.allclose(R[:, 2], (0, inwards, 0))  # palms inwards
        assert np.allclose(R[:, 1], np.cross(R[:, 2], R[:, 0]))


def test_cameras_look_along_their_optical_frames(robot):
    model, index = robot
    data = mujoco.MjData(model)
    place(index, data, "ready")
    mujoco.mj_camlight(model, data)
    for eye in ("left", "right"):
        camera, frame = (
            data.cam(f"head_{eye}").xmat.reshape(3, 3),
            data.site(f"head_{eye}_camera_optical_frame").xmat.reshape(3, 3),
        )
        assert np.allclose(camera @ np.diag((1, -1, -1)), frame)
        assert frame[2, 2] < -0.6  # down at the table
        assert frame[2, 1] < 0.0  # y down


def test_tensions_make_the_torques_of_the_tables(robot):
    model, index = robot
    data = mujoco.MjData(model)
    rng = np.random.default_rng(1)
    groups = [(BODY, index.body_actuators, index.body_qvel)]
    groups += [(HAND, hand.actuators, hand.qvel) for hand in index.hands.values()]
    wanted = []
    for group, actuators, qvel in groups:
        f = rng.uniform(0, group.tension_max)
        data.ctrl[actuators] = f
        wanted.append((qvel, group.moment_arms @ f))
    mujoco.mj_forward(model, data)
    for qvel, tau in wanted:
        assert np.allclose(data.qfrc_actuator[qvel], tau, atol=1e-9)


def test_tendons_shorten_as_their_joints_turn_their_way(robot):
    model, index = robot
    data = mujoco.MjData(model)
    rng = np.random.default_rng(2)
    q_body, q_hand = rng.uniform(BODY.q_min, BODY.q_max), rng.uniform(HAND.q_min, HAND.q_max)
    data.qpos[index.body_qpos] = q_body
    data.qpos[index.hands["l"].qpos] = q_hand
    mujoco.mj_forward(model, data)
    assert np.allclose(data.ten_length[index.body_tendons], -BODY.moment_arms.T @ q_body)
    assert np.allclose(data.ten_length[index.hands["l"].tendons], -HAND.moment_arms.T @ q_hand)


def test_a_tendon_cannot_push(robot):
    model, _ = robot
    assert np.all(model.actuator_ctrlrange[:, 0] == 0.0)
    assert np.all(model.actuator_ctrllimited == 1)


def test_lumped_robot_has_the_mass_and_inertia_of_half_open_hands(robot, lumped):
    inertias = []
    for model, index in (robot, lumped):
        data = mujoco.MjData(model)
        place(index, data, "stand")
        mujoco.mj_forward(model, data)
        M = np.zeros((model.nv, model.nv))
        mujoco.mj_fullM(model, data, M)
        dofs = np.concatenate([index.base_qvel, index.body_qvel])
        inertias.append(M[np.ix_(dofs, dofs)])
    assert lumped[0].nv == 37
    assert np.allclose(*inertias, atol=1e-9)


def test_sensors_of_a_pad_are_in_the_pads_frame(robot):
    """A ball pressed onto the flesh of a fingertip reads as a positive normal force, and only there."""
    spec = build_robot(tendons=False, visuals=False)
    ball = spec.worldbody.add_body(name="ball", mocap=True)
    ball.add_geom(
        type=mujoco.mjtGeom.mjGEOM_SPHERE, size=(0.01, 0, 0), contype=2, conaffinity=2, priority=1, condim=4
    )
    model = spec.compile()
    model.opt.gravity[:] = 0.0
    data, index = mujoco.MjData(model), RobotIndex(model)
    place(index, data, "stand")
    i = TAXELS.index("index_distal")
    site = index.hands["l"].pad_sites[i]
    normal = data.site_xmat[site].reshape(3, 3)[:, 0]
    data.mocap_pos[0] = data.site_xpos[site] + 0.0095 * normal
    mujoco.mj_forward(model, data)
    forces = index.pad_forces(data, "l")
    assert forces[i, 0] > 0.0
    assert np.all(np.delete(forces[:, 0], i) == 0.0)
    assert np.all(index.pad_forces(data, "r") == 0.0)
    data.mocap_pos[0] = data.site_xpos[site] - 0.0265 * normal  # on the nail
    mujoco.mj_forward(model, data)
    assert data.ncon == 1
    assert index.pad_forces(data, "l")[i, 0] == 0.0


def test_no_pad_touches_in_an_open_hand_and_none_of_the_named_postures(robot):
    model, index = robot
    data = mujoco.MjData(model)
    for name in postures():
        place(index, data, name)
        mujoco.mj_forward(model, data)
        pairs = [(model.geom(c.geom1).name, model.geom(c.geom2).name) for c in data.contact[: data.ncon]]
        assert not pairs, name


def _off_centre(index, data, which):
    place(index, data, which)
    feet = np.mean([data.geom(f"{s}_sole_contact").xpos for s in SIDES], axis=0)
    return (data.subtree_com[index.body("base_link")] - feet)[:2]


@pytest.mark.parametrize("name", ["stand", "ready", "crouch"])
def test_postures_stand_balanced(name, robot):
    model, index = robot
    assert np.abs(_off_centre(index, mujoco.MjData(model), name)).max() < 0.005


def test_way_from_ready_to_crouch_stays_balanced_and_clear_of_the_table(robot):
    model, index = robot
    data = mujoco.MjData(model)
    a, b = posture("ready"), posture("crouch")
    place(index, data, a)
    foot = data.geom("l_sole_contact").xpos[0]
    tips = [
        index.body(f"{s}_{f}_distal") for s in SIDES for f in ("thumb", "index", "middle", "ring", "little")
    ]
    for share in np.linspace(0, 1, 21):
        between = Posture("between", a.body + share * (b.body - a.body), a.hand)
        assert abs(_off_centre(index, data, between)[0]) < 0.03
        ahead = data.xpos[:, 0] - data.geom("l_sole_contact").xpos[0] + foot
        height = data.xpos[:, 2]
        beside = (height > 0.66) & (height < 0.86)  # the table's top is at 0.78, its edge at 0.30
        assert ahead[beside].max() < 0.27
        assert np.all(data.xpos[tips, 2] > 0.80) or ahead[tips].max() + 0.03 < 0.30
    assert data.qpos[index.base_qpos[2]] < 0.55


def test_a_wrong_posture_or_name_is_refused_with_what_is_known(robot):
    with pytest.raises(NeoError, match="ready"):
        posture("handstand")
    with pytest.raises(NeoError, match="l_elbow"):
        robot[1].body("l_elbow")


def test_index_follows_the_tables(robot):
    model, index = robot
    for name, qpos, qvel in zip(BODY.joints, index.body_qpos, index.body_qvel, strict=True):
        assert model.joint(name).qposadr[0] == qpos
        assert model.joint(name).dofadr[0] == qvel
    for side in SIDES:
        hand = index.hands[side]
        assert [model.joint(n).qposadr[0] for n in prefixed(side, HAND.joints)] == hand.qpos.tolist()
        assert hand.pad_data.shape == (19, 3)
