"""The URDF is the same robot as the MuJoCo model: Pinocchio and MuJoCo agree on it."""

from xml.etree import ElementTree as Xml

import mujoco
import numpy as np
import pinocchio
import pytest

from neo_description.builder import build_robot
from neo_description.tables import JOINTS
from neo_description.urdf import robot_mjcf, robot_urdf

FRAMES = (
    "l_gripper",
    "r_gripper",
    "l_sole",
    "r_sole",
    "gaze",
    "head_left_camera_optical_frame",
    "l_index_distal_pad",
)
POSTURES = 100


@pytest.fixture(scope="module")
def twins():
    model = build_robot(tendons=False).compile()
    return (
        model,
        mujoco.MjData(model),
        pinocchio.buildModelFromXML(robot_urdf(), pinocchio.JointModelFreeFlyer()),
    )


def test_has_the_75_joints_and_one_root():
    robot = Xml.fromstring(robot_urdf())
    revolute = {j.get("name") for j in robot.findall("joint") if j.get("type") == "revolute"}
    assert revolute == set(JOINTS)
    links = {link.get("name") for link in robot.findall("link")}
    children = {j.find("child").get("link") for j in robot.findall("joint")}
    assert links - children == {"base_link"}
    assert not links & {j.get("name") for j in robot.findall("joint")}


def test_forward_kinematics_mass_and_inertia_agree_for_100_postures(twins):
    model, data, pin = twins
    assert pinocchio.computeTotalMass(pin) == pytest.approx(model.body_mass.sum(), rel=1e-9)
    state, rng = pin.createData(), np.random.default_rng(0)
    dofs = np.concatenate([np.arange(6), [model.joint(name).dofadr[0] for name in JOINTS]])
    pin_dofs = np.concatenate([np.arange(6), [pin.joints[pin.getJointId(name)].idx_v for name in JOINTS]])
    M = np.zeros((model.nv, model.nv))
    armature = np.diag(model.dof_armature[dofs])
    for _ in range(POSTURES):
        q = pinocchio.neutral(pin)
        data.qpos[:7] = (0, 0, 0, 1, 0, 0, 0)
        for name in JOINTS:
            angle = rng.uniform(*model.joint(name).range)
            data.joint(name).qpos = angle
            q[pin.joints[pin.getJointId(name)].idx_q] = angle
        mujoco.mj_forward(model, data)
        pinocchio.framesForwardKinematics(pin, state, q)
        for name in FRAMES:
            placement = state.oMf[pin.getFrameId(name)]
            is_site = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SITE, name) >= 0
            here = data.site(name) if is_site else data.body(name)
            position = here.xpos
            assert np.allclose(placement.translation, position, atol=1e-8), name
            assert np.allclose(placement.rotation, here.xmat.reshape(3, 3), atol=1e-8), name
        mujoco.mj_fullM(model, data, M)
        ours = M[np.ix_(dofs, dofs)] - armature
        theirs = pinocchio.crba(pin, state, q)
        theirs = np.triu(theirs) + np.triu(theirs, 1).T
        assert np.allclose(ours, theirs[np.ix_(pin_dofs, pin_dofs)], atol=1e-7)


def test_mjcf_compiles_to_the_same_robot():
    again = mujoco.MjModel.from_xml_string(robot_mjcf())
    model = build_robot().compile()
    assert again.nq == model.nq
    assert again.ntendon == model.ntendon == 150
    assert again.body_mass.sum() == pytest.approx(model.body_mass.sum())
