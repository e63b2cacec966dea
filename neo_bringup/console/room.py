"""What stands around the robot in the 3D picture: floor, light, backdrop, fixed furniture."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from neo_bringup.console import meshes
from neo_bringup.console.following import Following


def add_furniture(viser_scene: Any, model: mujoco.MjModel) -> None:
    """Draw the solid parts of ``model`` that are fixed to the world."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    for link in meshes.links(model, solid=True):
        if model.body_weldid[link.body] != 0:
            continue
        for number, (colour, mesh) in enumerate(link.parts.items()):
            viser_scene.add_mesh_simple(
                f"/odom/furniture/{link.name or link.body}_{number}",
                mesh.vertices,
                mesh.faces,
                color=colour[:3],
                wxyz=data.xquat[link.body],
                position=data.xpos[link.body],
            )


def add(viser_scene: Any, server: Any) -> Following:
    """Floor, light and backdrop, and where pages look from at first."""
    gradient = np.linspace(0.0, 1.0, 64)[:, None, None]
    top, bottom = np.array([196.0, 209.0, 222.0]), np.array([240.0, 241.0, 241.0])
    backdrop = np.repeat(top + (bottom - top) * gradient, 2, axis=1).astype(np.uint8)
    viser_scene.set_background_image(backdrop, format="png")
    odom = viser_scene.add_frame("/odom", show_axes=False)
    floor = viser_scene.add_grid(
        "/odom/floor",
        width=12.0,
        height=12.0,
        cell_size=0.25,
        section_size=1.0,
        cell_color=(214, 219, 224),
        section_color=(188, 196, 204),
        plane_color=(246, 247, 248),
        plane_opacity=1.0,
        shadow_opacity=0.25,
        fade_distance=10.0,
        position=(0.0, 0.0, -0.002),
    )
    viser_scene.world_axes.visible = False
    server.initial_camera.position = (0.95, -2.7, 1.6)
    server.initial_camera.look_at = (0.27, 0.0, 0.86)
    server.initial_camera.fov = 0.75
    return Following(odom, floor)
