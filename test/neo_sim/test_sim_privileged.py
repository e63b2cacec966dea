"""The simulator's truth about things."""

import mujoco
import numpy as np
import pytest

from neo_description import scenes
from neo_sim.privileged import Privileged

NAMES = ["red_bottle", "purple_plum", "yellow_box", "orange_ball"]


@pytest.fixture(scope="module")
def kitchen():
    scene = scenes.make(objects=NAMES)
    return scene, scene.data()


def turn(scene, data, name, tilt):
    """Tilts a thing about its own x by ``tilt`` rad; the height of its middle (m)."""
    address = scene.object(name).qpos
    data.qpos[address[3:]] = np.cos(tilt / 2), np.sin(tilt / 2), 0.0, 0.0
    mujoco.mj_forward(scene.model, data)
    return float(data.qpos[address[2]])


def test_what_stands_has_its_foot_on_the_table(kitchen):
    scene, data = kitchen
    for name in NAMES:
        turn(scene, data, name, 0.0)
        assert Privileged(scene, data).object_foot(name) == pytest.approx(scene.table.height, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "tilt", "down"),
    [
        ("red_bottle", np.pi / 2, 0.033),  # its radius
        ("yellow_box", np.pi / 2, 0.0375),  # half its depth
        ("yellow_box", np.pi / 4, (0.060 + 0.0375) / np.sqrt(2)),  # an edge
        ("purple_plum", np.pi / 4, np.hypot(0.030, 0.027) / np.sqrt(2)),  # rounder than its box
        ("orange_ball", 1.0, 0.034),
    ],
)
def test_what_is_tilted_reaches_down_by_its_shape(kitchen, name, tilt, down):
    scene, data = kitchen
    middle = turn(scene, data, name, tilt)
    assert middle - Privileged(scene, data).object_foot(name) == pytest.approx(down, abs=1e-6)
