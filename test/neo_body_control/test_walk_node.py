"""Action ``walk_to`` over real DDS: refused by a robot that does not walk; done by one that does."""

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from body_station import Station
from neo_msgs.action import WalkTo

from neo_ros import convert


@pytest.fixture
def station(ros):
    station = Station()
    yield station
    station.close()


def test_walk_to_action_says_that_the_robot_does_not_walk(station):
    station.stand()
    goal = WalkTo.Goal()
    goal.target.header.frame_id = "base_link"
    goal.target.pose = convert.pose_message(np.eye(4))
    status, result = station.finish(station.send(station.walk, goal))
    assert status == GoalStatus.STATUS_ABORTED
    assert result.reason == "refused: the robot does not walk (parameter walking is false)"


@pytest.fixture
def walking_station(start_ros):
    start_ros("walking:=true")
    station = Station()
    yield station
    station.close()


def test_walk_to_action_leads_there_and_is_cancelled(walking_station):
    station, feedback, goal = walking_station, [], WalkTo.Goal()
    station.stand()
    goal.target.header.frame_id = "base_link"
    goal.target.pose = convert.pose_message(np.eye(4))
    goal.target.pose.position.x = 0.25
    status, result = station.finish(station.send(station.walk, goal, feedback.append))
    assert (status, result.reason) == (GoalStatus.STATUS_SUCCEEDED, "done")
    assert result.distance < 0.06
    assert station.plant.privileged.base_pose[0, 3] > 0.12
    assert feedback
    assert 0.0 < feedback[0].feedback.distance < 0.3

    goal.target.pose.position.x = 2.0
    handle = station.send(station.walk, goal)
    station.run(0.2)
    cancelled = handle.cancel_goal_async()
    station.until(cancelled.done)
    status, result = station.finish(handle)
    assert (status, result.reason) == (GoalStatus.STATUS_CANCELED, "cancelled")
