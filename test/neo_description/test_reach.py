"""Everything on the table is within reach: a balanced whole-body posture takes it from the side."""

import mujoco
import numpy as np
import pytest

from neo_description import postures
from neo_description.builder import build_robot
from neo_description.index import RobotIndex
from neo_description.tables import SIDES

HEADING = 0.5  # rad: of the fingers, inwards
ROUNDS = 120


@pytest.fixture(scope="module")
def robot():
    model = build_robot(fingers=False, tendons=False, visuals=False).compile()
    return model, RobotIndex(model)


def _turn(R, wanted):
    """Small rotation (3,) rad that takes R to ``wanted``."""
    return 0.5 * sum(np.cross(R[:, k], wanted[:, k]) for k in range(3))


def _reach(model, index, side, target, R_target):
    """Errors of hand (m, rad), soles (m) and centre of mass (m) after damped least squares from `ready`."""
    data = mujoco.MjData(model)
    postures.place(index, data, "ready")
    soles = [(body, data.xpos[body].copy()) for body in (index.body(f"{s}_sole") for s in SIDES)]
    com = data.subtree_com[index.body("base_link")][:2].copy()
    hand = index.site(f"{side}_gripper")
    low, high = model.jnt_range[1:].T
    J, Jr = np.zeros((2, 3, model.nv))
    for _ in range(ROUNDS):
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        R = data.site_xmat[hand].reshape(3, 3)
        mujoco.mj_jacSite(model, data, J, Jr, hand)
        rows = [J.copy(), 0.3 * Jr]
        errors = [target - data.site_xpos[hand], 0.3 * _turn(R, R_target)]
        for body, where in soles:
            mujoco.mj_jacBody(model, data, J, Jr, body)
            rows += [3 * J, 3 * Jr]
            errors += [3 * (where - data.xpos[body]), 3 * _turn(data.xmat[body].reshape(3, 3), np.eye(3))]
        mujoco.mj_jacSubtreeCom(model, data, J, index.body("base_link"))
        rows.append(2 * J[:2])
        errors.append(2 * (com - data.subtree_com[index.body("base_link")][:2]))
        A, e = np.vstack(rows), np.concatenate(errors)
        step = A.T @ np.linalg.solve(A @ A.T + 1e-3 * np.eye(len(e)), e)
        mujoco.mj_integratePos(model, data.qpos, np.clip(step, -0.1, 0.1), 1.0)
        data.qpos[7:] = np.clip(data.qpos[7:], low, high)
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    return (
        np.linalg.norm(data.site_xpos[hand] - target),
        np.linalg.norm(_turn(data.site_xmat[hand].reshape(3, 3), R_target)),
        max(np.linalg.norm(data.xpos[body] - where) for body, where in soles),
        np.linalg.norm(data.subtree_com[index.body("base_link")][:2] - com),
    )


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("x", "y"), [(0.38, 0.08), (0.46, 0.26), (0.55, 0.0), (0.55, 0.35), (0.36, 0.35)])
def test_either_hand_takes_from_its_half_of_the_table(side, x, y, robot):
    outwards = 1.0 if side == "l" else -1.0
    fingers = np.array([np.cos(HEADING), -outwards * np.sin(HEADING), 0.0])
    palm = np.cross(fingers, (0, 0, 1)) * outwards
    R = np.column_stack([fingers, np.cross(palm, fingers), palm])
    position, angle, slip, sway = _reach(*robot, side, np.array([x, outwards * y, 0.87]), R)
    assert position < 0.004
    assert angle < 0.03
    assert slip < 0.003
    assert sway < 0.003
