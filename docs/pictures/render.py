"""Draws the pictures of README and docs: `python docs/pictures/render.py`."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("MUJOCO_GL", "egl")

import cv2
import mujoco
import numpy as np

from neo_description import postures, scenes
from neo_description.room import add_camera

HERE = Path(__file__).parent
SIZE = (640, 480)
WRAP = {
    "thumb_cmc_opp": 1.25, "thumb_cmc_flex": -0.15, "thumb_mcp_flex": 0.75, "thumb_ip_flex": 0.75,
    "index_mcp_flex": 1.15, "index_pip_flex": 0.95, "index_dip_flex": 0.45,
    "middle_mcp_flex": 1.15, "middle_pip_flex": 1.0, "middle_dip_flex": 0.5,
    "ring_mcp_flex": 1.15, "ring_pip_flex": 1.0, "ring_dip_flex": 0.5, "little_cmc_flex": 0.15,
    "little_mcp_flex": 1.1, "little_pip_flex": 0.9, "little_dip_flex": 0.5,
}  # fmt: skip


def draw(model: mujoco.MjModel, data: mujoco.MjData, camera: str, file: str, tall: bool = False) -> None:
    """One picture, smoothed by drawing it at twice its size."""
    width, height = (SIZE[1], SIZE[0]) if tall else SIZE
    model.vis.global_.offwidth, model.vis.global_.offheight = 2 * width, 2 * height
    model.vis.quality.offsamples = 0
    with mujoco.Renderer(model, 2 * height, 2 * width) as renderer:
        renderer.update_scene(data, camera)
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        image = cv2.resize(renderer.render(), (width, height), interpolation=cv2.INTER_AREA)
    image = image // 4 * 4 + 2  # fewer shades: a smaller file
    cv2.imwrite(str(HERE / file), image[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main() -> None:
    """robot.png, hand.png and scene.png."""
    scene = scenes.make("empty")
    add_camera(scene.spec, "portrait", np.array([2.1, -0.75, 1.15]), np.array([0.0, 0.0, 0.84]), 45.0)
    model = scene.spec.compile()
    data = mujoco.MjData(model)
    data.qpos[:] = scene.qpos
    mujoco.mj_forward(model, data)
    draw(model, data, "portrait", "robot.png", tall=True)

    scene = scenes.make("kitchen_table", seed=0)
    draw(scene.model, scene.data(), "outside", "scene.png")

    scene = scenes.make("kitchen_table", objects=["red_bottle"])
    data = mujoco.MjData(scene.model)
    postures.place(scene.index, data, "ready")
    for joint, angle in WRAP.items():
        data.joint(f"l_{joint}").qpos = angle
    mujoco.mj_kinematics(scene.model, data)
    gripper = data.site("l_gripper")
    R = gripper.xmat.reshape(3, 3)
    bottle = scene.object("red_bottle").qpos
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(
        quat, np.column_stack([R[:, 2], R[:, 0], R[:, 1]]).ravel()
    )  # standing along the hand's y
    data.qpos[bottle[:3]], data.qpos[bottle[3:]] = gripper.xpos, quat
    eye = gripper.xpos + R @ np.array([0.30, 0.14, 0.30])
    add_camera(scene.spec, "close", eye, gripper.xpos - 0.02 * R[:, 0], 32.0)
    model = scene.spec.compile()
    close = mujoco.MjData(model)
    close.qpos[:] = data.qpos
    mujoco.mj_forward(model, close)
    draw(model, close, "close", "hand.png")


if __name__ == "__main__":
    main()
