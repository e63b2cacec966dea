"""The node over real DDS: it answers states, refuses with reasons, and grasps. The rig is the plant."""

import time

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from hand_trial import thing
from neo_msgs.action import Grasp
from rclpy.task import Future

from neo_description.signals import DriveMode, GraspPhase, HandAction, HandCommand
from neo_hand_control.grasps import grasps
from neo_hand_control.node import HandControlNode
from neo_ros import convert, executor, graph
from neo_sim.hand_rig import HandRig, Placing

MOST = grasps()["medium_wrap"].most  # N


class Station:
    """A rig in lock-step with the right hand's node, over ROS."""

    def __init__(self, object_=None):
        self.rig = HandRig("r", object_, Placing(offset=(0.0, 0.005)))
        self.hand = HandControlNode()
        self.node = rclpy.create_node("station")
        self.executor = executor.make(self.hand, self.node)
        self.states = graph.publisher(self.node, "r_hand/state")
        self.commands = graph.publisher(self.node, "r_hand/command")
        self.grasp = graph.action_client(self.node, "r_hand/grasp")
        self.answers, self.statuses, self.refusals = [], [], []
        graph.subscription(self.node, "r_hand/tendon_command", self.answers.append)
        graph.subscription(self.node, "r_hand/status", self.statuses.append)
        graph.subscription(self.node, "/diagnostics", self._on_diagnostics)
        self.until(lambda: self.states.get_subscription_count() and self.commands.get_subscription_count())
        self.until(self.grasp.server_is_ready)

    def _on_diagnostics(self, message: DiagnosticArray):
        for status in message.status:
            self.refusals += [v.value for v in status.values if v.key == "last refusal"]

    def until(self, condition, timeout=30.0):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            self.executor.spin_until_future_complete(Future(), timeout_sec=0.01)

    def run(self, ticks, until=lambda: False):
        for _ in range(ticks):
            state, sent = convert.hand_state_message(self.rig.state(), "r"), 0.0
            while not self.answers or self.answers[-1].tick != self.rig.tick:
                if time.monotonic() - sent > 0.1:
                    self.states.publish(state)
                    sent = time.monotonic()
                self.executor.spin_until_future_complete(Future(), timeout_sec=0.0005)
            assert self.rig.command(convert.tendon_command(self.answers[-1])) is None
            self.rig.step()
            if until():
                return True
        return False

    def send(self, command):
        self.commands.publish(convert.hand_command_message(command))

    def goal(self, **fields):
        future = self.grasp.send_goal_async(Grasp.Goal(**fields))
        self.until(future.done)
        return future.result().get_result_async()

    def close(self):
        self.executor.shutdown()
        self.grasp.destroy()
        self.hand.destroy_node()
        self.node.destroy_node()


@pytest.fixture
def station(ros):
    station = Station(thing("red_bottle"))
    yield station
    station.close()


def test_grasps_by_action_and_reports(station):
    station.run(5)
    assert station.answers[-1].mode == DriveMode.HOLD
    result = station.goal(grasp="medium_wrap", width=0.066)
    assert station.run(1500, result.done)
    assert result.result().result.success, result.result().result.reason
    assert result.result().result.normal_force > 0.5 * grasps()["medium_wrap"].start
    station.run(20)
    station.until(lambda: station.statuses and station.statuses[-1].phase == GraspPhase.HOLDING)
    assert station.statuses[-1].contacts >= 2
    ticks = np.diff([m.tick for m in station.statuses])
    assert (ticks == 10).mean() > 0.8  # 50 Hz, though a loaded machine may lose a few


def test_refusals_are_named_and_change_nothing(station):
    station.run(5)
    station.send(HandCommand(HandAction.CLOSE, grasp="claw"))
    station.until(lambda: any("unknown grasp 'claw'; one of medium_wrap" in r for r in station.refusals))
    station.send(HandCommand(HandAction.CLOSE, grasp="medium_wrap", grip_force=np.nan))
    station.until(lambda: any("grip_force is nan" in r for r in station.refusals))
    result = station.goal(grasp="medium_wrap", width=0.066, grip_force=10 * MOST)
    station.until(result.done)
    assert f"allows at most {MOST}" in result.result().result.reason
    station.run(5)
    assert station.answers[-1].mode == DriveMode.HOLD


def test_a_cancelled_grasp_stops_where_it_is(station):
    station.run(5)
    future = station.grasp.send_goal_async(Grasp.Goal(grasp="medium_wrap", width=0.066))
    station.until(future.done)
    handle = future.result()
    result = handle.get_result_async()
    station.run(100)
    cancelled = handle.cancel_goal_async()
    station.run(200, lambda: cancelled.done() and result.done())
    assert result.result().result.reason == "cancelled"
    q = station.rig.privileged_joints()
    station.run(100)
    assert np.abs(station.rig.privileged_joints() - q).max() < 0.05
