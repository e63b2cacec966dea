"""Draws the sheet of all grasps, each hand holding its thing: `python docs/pictures/grasps.py`."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("MUJOCO_GL", "egl")

import cv2
import mujoco
import numpy as np

from neo_bringup.hand_bench.grasps import Showing, demonstrations
from neo_description.skin import add_hand_skin
from neo_hand_control.grasps import grasps

HERE = Path(__file__).parent
COLUMNS, CELL, LABEL = 6, (266, 236), 22  # pixels
SIDE, SEED = "r", 6
EYE = np.array([0.14, 0.27, 0.10])  # m from the gripper
LIFT = 0.06  # m
STAND = (0.80, 0.78, 0.74, 1.0)


def clothe(spec: mujoco.MjSpec) -> None:
    """Skin on the hand, a light sky, light from the camera's side."""
    bodies = {body.name: body for body in spec.bodies}
    add_hand_skin(spec, bodies, SIDE)
    spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=(0.93, 0.94, 0.96), rgb2=(0.80, 0.82, 0.86), width=64, height=64,
    )  # fmt: skip
    spec.worldbody.add_light(pos=(0.5, 0.8, 0.9), dir=(-0.5, -0.8, -0.9))
    for geom in bodies["stand"].geoms:
        geom.rgba = STAND


def picture(grasp: str) -> np.ndarray | None:
    """One cell (h, w, 3) BGR: closed, lifted a little; None when the thing fell."""
    showing = Showing(grasp, SEED, SIDE, [clothe])
    showing.close()
    showing.env.run(0.7, lambda u, t: showing.at(0.0, LIFT * u))
    if not 0.5 * LIFT < showing.privileged_height < 2.0 * LIFT:
        print(f"{grasp}: fell, left out")
        return None
    model, data = showing.rig.model, showing.rig.data
    width, height = CELL[0], CELL[1] - LABEL
    model.vis.global_.offwidth, model.vis.global_.offheight = 3 * width, 3 * height
    model.vis.quality.offsamples = 0
    options = mujoco.MjvOption()
    options.geomgroup[3] = 0
    options.sitegroup[:] = 0
    middle = 0.6 * data.site(f"{SIDE}_gripper").xpos + 0.4 * data.body("taken").xipos
    camera = mujoco.MjvCamera()
    camera.lookat[:] = middle
    camera.distance = float(np.linalg.norm(EYE))
    camera.azimuth = float(np.rad2deg(np.arctan2(-EYE[1], -EYE[0])))
    camera.elevation = float(np.rad2deg(np.arcsin(-EYE[2] / camera.distance)))
    with mujoco.Renderer(model, 3 * height, 3 * width) as renderer:
        renderer.update_scene(data, camera, options)
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        image = cv2.resize(renderer.render(), (width, height), interpolation=cv2.INTER_AREA)[:, :, ::-1]
    cell = np.full((CELL[1], CELL[0], 3), 255, np.uint8)
    cell[LABEL:] = image
    text = grasp.replace("_", " ")
    cv2.putText(cell, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.48, (40, 40, 40), 1, cv2.LINE_AA)
    return cell


def main() -> None:
    """grasps.png, in the order of the table."""
    drawn = [picture(name) for name in grasps() if name in demonstrations()]
    cells = [cell for cell in drawn if cell is not None]
    while len(cells) % COLUMNS:
        cells.append(np.full_like(cells[0], 255))
    sheet = np.vstack([np.hstack(cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)])
    sheet = sheet // 8 * 8 + 4  # fewer shades: a smaller file
    cv2.imwrite(str(HERE / "grasps.png"), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
