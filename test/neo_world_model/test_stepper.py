"""A step's picture is the same field of view whatever camera took it."""

import cv2
import numpy as np

from neo_sensors.camera import open_camera
from neo_world_model.modalities import shapes
from neo_world_model.stepper import picture


def test_the_robots_wide_picture_and_the_collectors_show_the_same(kitchen):
    seen = []
    for size in ({}, {"width": 128, "height": 96}):
        camera = open_camera("sim", kitchen.model, image_noise=0.0, **size)
        camera.set_state(kitchen.qpos)
        frame = camera.read(0.0, 0)
        camera.close()
        seen.append(picture(frame.left, frame.right).astype(int))
    assert seen[0].shape == shapes()["vision"][0]
    robot, collector = seen
    squeezed = cv2.resize(frame.left[:, ::-1], (64, 48), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(robot - collector).mean() < 3.0 < np.abs(squeezed - collector[0]).mean()
