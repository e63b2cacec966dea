"""The robot walks to a place and stops there, by its own estimate, and refuses what it cannot do."""

import numpy as np
import pytest
from body_rig import Rig

from neo_body_control.rotations import about_z, yaw
from neo_body_control.settings import load_parameters
from neo_body_control.walking.walk_to import WalkTo
from neo_description.errors import RefusedError
from neo_description.signals import Safety


def place(x, y, heading):
    T = np.eye(4)
    T[:3, :3] = about_z(heading)
    T[:3, 3] = x, y, 0.0
    return T


def begin(rig, T, **parts):
    return WalkTo(rig.body, load_parameters(walking=True), T, **parts)


def finish(rig, walk, seconds=20.0):
    out = []

    def ended():
        out.append(walk.step())
        return out[-1] is not None

    assert rig.run(seconds, ended)
    return out[-1]


@pytest.fixture(scope="module")
def rig():
    return Rig(walking=True).stand()


def test_it_goes_to_a_place_ahead_and_stands_there_as_told(rig):
    start = rig.plant.privileged.base_pose
    outcome = finish(rig, begin(rig, place(0.6, 0.1, 0.3), frame="base_link"))
    assert (outcome.success, outcome.reason) == (True, "done")
    assert outcome.distance < 0.06
    assert rig.body.legs.walker.standing
    way = np.linalg.inv(start) @ rig.plant.privileged.base_pose
    assert np.linalg.norm(way[:2, 3] - [0.6, 0.1]) < 0.12
    assert abs(yaw(way[:3, :3]) - 0.3) < 0.12
    steps = rig.body.legs.walker.steps
    assert finish(rig, begin(rig, place(*rig.body.legs.walker.destination)), 0.1).reason == "done"
    assert rig.body.legs.walker.steps == steps, "it was there"


def test_another_velocity_a_timeout_and_a_cancel_end_it(rig):
    walk = begin(rig, place(3.0, 0.0, 0.0), frame="base_link")
    rig.order(base_velocity=np.array([0.1, 0.0, 0.0]), valid_for=0.2)
    assert finish(rig, walk).reason == "superseded by another command"
    assert finish(rig, begin(rig, place(3.0, 0.0, 0.0), frame="base_link", timeout=0.5)).reason == "timeout"
    assert begin(rig, place(3.0, 0.0, 0.0), frame="base_link").cancel().reason == "cancelled"
    assert rig.run(4.0, lambda: rig.body.legs.walker.standing)
    assert rig.state == Safety.ACTIVE


def test_what_it_cannot_do_is_refused(rig):
    for parts, reason in (
        ({"T": place(30.0, 0.0, 0.0)}, "m away; at most 10 m"),
        ({"T": place(np.nan, 0.0, 0.0)}, "not finite"),
        ({"T": np.eye(4), "frame": "map"}, "frame is 'map'; one of odom, base_link"),
        ({"T": np.eye(4), "timeout": -1.0}, "timeout is -1.0; 0 (default) to 600 s"),
    ):
        with pytest.raises(RefusedError, match=reason.replace("(", r"\(").replace(")", r"\)")):
            begin(rig, **parts)
    with pytest.raises(RefusedError, match="does not walk"):
        WalkTo(rig.body, load_parameters(), np.eye(4))


def test_a_robot_that_is_stopped_meanwhile_says_so_and_takes_no_other_goal(rig):
    walk = begin(rig, place(2.0, 0.0, 0.0), frame="base_link")
    rig.body.stop("somebody said so")
    rig.run(0.01)
    assert walk.step().reason == "stopped: somebody said so"
    with pytest.raises(RefusedError, match=r"robot is STOP .*: set_mode stand"):
        begin(rig, place(1.0, 0.0, 0.0))
