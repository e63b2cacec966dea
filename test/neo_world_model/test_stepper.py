"""Steps out of a stream: the same field of view whatever camera took it, no old picture, no mixed runs."""

import cv2
import numpy as np

from neo_description.signals import BodyState, HandState
from neo_description.tables import CONTROL_RATE, SIDES
from neo_sensors.camera import open_camera
from neo_world_model.modalities import shapes
from neo_world_model.stepper import EVERY, PICTURE_AGE, TICKS, Cutter, picture


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


def cuts(cutter, first, last):
    """Of the steps that begin from tick ``first`` to ``last``: (tick, cut)."""
    found = []
    for tick in range(first, last, EVERY):
        time = tick / CONTROL_RATE
        hands = {side: HandState(tick=tick, time=time) for side in SIDES}
        cut = cutter.take(tick, BodyState(tick=tick, time=time), hands)
        found += [(tick, cut)] if cut is not None else []
    return found


def test_a_step_does_not_show_a_picture_that_is_too_old():
    cutter = Cutter()
    cutter.see(np.zeros((48, 64, 3), np.uint8), np.zeros((48, 64, 3), np.uint8), 1.0)
    shown = [
        tick / CONTROL_RATE
        for tick, cut in cuts(cutter, CONTROL_RATE, 2 * CONTROL_RATE)
        if "vision" in cut.row
    ]
    assert max(shown) == 1.0 + PICTURE_AGE
    assert len(shown) == 3


def test_where_time_goes_back_what_was_before_does_not_lead_on():
    cutter = Cutter()
    cutter.see(np.zeros((48, 64, 3), np.uint8), np.zeros((48, 64, 3), np.uint8), 5.0)
    before = cuts(cutter, 5 * CONTROL_RATE, 5 * CONTROL_RATE + 5 * TICKS)
    assert before[-1][1].action is not None
    assert cutter.take(5 * CONTROL_RATE + 4 * TICKS, None, None) is None, "a message that came late"
    (_, first), (_, second) = cuts(cutter, TICKS, 3 * TICKS)
    assert first.hole
    assert first.action is None
    assert "vision" not in first.row
    assert not second.hole
    assert second.action is not None
