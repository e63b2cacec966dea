"""The robot's frames from encoders against MuJoCo's own kinematics, and torques from tensions."""

import mujoco
import numpy as np
import pytest

from neo_description import scenes
from neo_description.errors import NeoError
from neo_description.tables import BODY, HAND, JOINTS
from neo_sensors.proprioception import FrameTree, torques


def _matrix(position, quat):
    R = np.zeros(9)
    mujoco.mju_quat2Mat(R, quat)
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R.reshape(3, 3), position
    return T


def _all_frames(tree, q):
    """``T_base_frame`` of every frame, chained from parents to children as TF does it."""
    rows = list(zip(tree.moving, *tree.moving_poses(q), strict=True))
    rows += list(zip(tree.fixed, *tree.fixed_poses, strict=True))
    known = {"base_link": np.eye(4)}
    while len(known) <= len(rows):
        before = len(known)
        for frame, p, quat in rows:
            if frame.parent in known and frame.name not in known:
                known[frame.name] = known[frame.parent] @ _matrix(p, quat)
        assert len(known) > before, "a frame hangs on nothing"
    return known


def test_chained_frames_equal_the_whole_models_kinematics_in_random_postures():
    tree = FrameTree()
    world = scenes.make("empty")
    data, index = world.data(), world.index
    rng = np.random.default_rng(3)
    low = np.concatenate([BODY.q_min, HAND.q_min, HAND.q_min])
    high = np.concatenate([BODY.q_max, HAND.q_max, HAND.q_max])
    for _ in range(5):
        q = rng.uniform(low, high)
        data.qpos[index.base_qpos] = (0.3, -0.2, 1.0, *_unit(rng.normal(size=4)))
        data.qpos[index.body_qpos] = q[:31]
        data.qpos[index.hands["l"].qpos] = q[31:53]
        data.qpos[index.hands["r"].qpos] = q[53:]
        mujoco.mj_kinematics(world.model, data)
        base = data.body("base_link")
        T_world_base = _matrix(base.xpos, base.xquat)
        frames = _all_frames(tree, q)
        for name, T_base_frame in frames.items():
            kind = (
                data.body
                if mujoco.mj_name2id(world.model, mujoco.mjtObj.mjOBJ_BODY, name) >= 0
                else data.site
            )
            truth = kind(name)
            T = T_world_base @ T_base_frame
            np.testing.assert_allclose(T[:3, 3], truth.xpos, atol=1e-9, err_msg=name)
            np.testing.assert_allclose(T[:3, :3], truth.xmat.reshape(3, 3), atol=1e-9, err_msg=name)


def _unit(q):
    return q / np.linalg.norm(q)


def test_the_architectures_frames_are_all_there_once():
    tree = FrameTree()
    names = [frame.name for frame in (*tree.moving, *tree.fixed)]
    assert len(names) == len(set(names))
    sides = [f"{s}_{part}" for s in "lr" for part in ("wrist", "gripper", "ankle", "sole")]
    cameras = [f"head_{s}_camera_optical_frame" for s in ("left", "right")]
    assert {"torso", "head", "gaze", *sides, *cameras, "l_index_distal_pad"} <= set(names)
    assert len(tree.moving) == len(JOINTS)
    assert not any(name.endswith(("_imu", "_wrench")) for name in names)


def test_too_few_joints_are_refused():
    with pytest.raises(NeoError, match="31 joint positions; 75 are needed"):
        FrameTree().moving_poses(np.zeros(31))


def test_an_antagonist_pair_pulled_evenly_makes_no_torque_and_unevenly_its_arm_times_the_difference():
    body, hand = np.full(len(BODY.tendons), 20.0), np.full(len(HAND.tendons), 2.0)
    np.testing.assert_allclose(torques(body, [hand, hand]), 0.0, atol=1e-12)
    body[BODY.tendons.index("l_elbow_pitch_plus")] += 10.0
    tau = torques(body, [hand, hand])
    assert tau[JOINTS.index("l_elbow_pitch")] == pytest.approx(10.0 * 0.035)
    assert np.count_nonzero(np.abs(tau) > 1e-12) == 1
