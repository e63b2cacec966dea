"""A stand-in for the robot's graph: publishes what the console watches, serves what its buttons call.

``python console_fake_robot.py`` runs it as a process that lasts until it is killed; ``--full`` at the rates
of ``graph.yaml``.
"""

import sys
import threading

import cv2
import numpy as np
import rclpy
from neo_msgs.action import DoTask
from rclpy.action import CancelResponse
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, JointState

from neo_description.signals import (
    BodyState,
    Consequence,
    Consequences,
    DetectedObject,
    DriveMode,
    GraspPhase,
    GraspStatus,
    HandState,
    Safety,
    Scene,
    Table,
)
from neo_description.tables import BODY, HAND, JOINTS, SIDES, TAXELS
from neo_ros import convert, environment, executor, graph
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run


def picture(colour):
    image = np.full((240, 320, 3), (186, 196, 200), np.uint8)
    cv2.rectangle(image, (0, 150), (320, 240), (120, 160, 190), -1)
    cv2.rectangle(image, (140, 80), (180, 190), colour, -1)
    return cv2.imencode(".jpg", image)[1].tobytes()


def depth_picture(now):
    """A table 0.5 to 2 m away, a column nearer, and a corner where nothing is known."""
    depth = np.repeat(np.linspace(2.0, 0.5, 240, dtype=np.float32)[:, None], 320, axis=1)
    depth[80:190, 140:180] = 0.4
    depth[:40, :60] = np.nan
    message = graph.interface("sensor_msgs/msg/Image")(height=240, width=320, step=1280, encoding="32FC1")
    message.header.stamp, message.data = convert.to_time(now), depth.tobytes()
    return message


def pose(x, y, z):
    T = np.eye(4)
    T[:3, 3] = x, y, z
    return T


class FakeRobot(Node):
    """Records what the page asked; ``finish`` lets the running task end."""

    def __init__(self, name="sim", base_height=0.88, full=False):
        super().__init__(name)
        self.asked = []
        self.asked_event = threading.Condition()
        self.runstop = False
        self.safety = Safety.STOP
        self.reason = "just started"
        self.feedback = ("look", 0.1, "searching")
        self.outcome = None
        self.silent = False
        self.chances = {"falls": 0.7, "slips": 0.05}
        self.left_pads = {}  # pad → N; None: dead
        self._base = pose(0.0, 0.0, base_height)
        topics = ["joint_states", "odom", "perception/objects", "body/state", "safety/state"]
        topics += [f"{side}_hand/{kind}" for side in SIDES for kind in ("state", "status")]
        topics += [f"head_camera/{side}/image_raw/compressed" for side in ("left", "right")]
        topics += ["world_model/surprise", *(f"world_model/imagined/{side}" for side in ("left", "right"))]
        topics += ["world_model/consequences", "perception/depth"]
        self._publishers_by_topic = {topic: graph.publisher(self, topic) for topic in topics}
        self._diagnostics = Diagnostics(self)
        graph.service(self, "runstop", self._on_runstop)
        graph.service(self, "set_mode", self._on_set_mode)
        self._do_task = graph.action_server(
            self,
            "do_task",
            self._on_task,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        self._goal = None
        self._done = None
        self._tick = 0
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(0.05, self._publish, clock=steady)
        self._last = {}
        if full:
            for rate in sorted({50, 500}):
                self.create_timer(1.0 / rate, lambda rate=rate: self._again(rate), clock=steady)

    def _again(self, rate):
        """The last message of every topic of this rate once more."""
        for topic, message in self._last.items():
            if graph.entry("topics", topic)["rate"] == rate:
                self._publishers_by_topic[topic].publish(message)

    def _sender(self, topic):
        publisher = self._publishers_by_topic[topic]

        def send(message):
            self._last[topic] = message
            publisher.publish(message)

        return send

    def _ask(self, what):
        with self.asked_event:
            self.asked.append(what)
            self.asked_event.notify_all()

    def wait_for(self, what, timeout=20.0):
        """Wait until the page has asked ``what``; what else it asked is in the message."""
        with self.asked_event:
            found = self.asked_event.wait_for(lambda: what in self.asked, timeout)
        assert found, f"{what} was not asked within {timeout} s, only {self.asked}"

    def _on_runstop(self, request, response):
        self._ask(("runstop", request.data))
        self.runstop = request.data
        self.safety, self.reason = Safety.STOP, "runstop" if request.data else "released"
        response.success, response.message = True, "the drives hold"
        return response

    def _on_set_mode(self, request, response):
        self._ask(("set_mode", request.mode))
        response.success = not self.runstop
        response.message = "" if response.success else "the stop button is latched; reset it first"
        if response.success:
            self.safety, self.reason = Safety.ACTIVE, "standing"
        return response

    async def _on_task(self, goal):
        self._ask(("do_task", goal.request.prompt))
        self.outcome, self._goal, self._done = None, goal, rclpy.task.Future()
        await self._done
        self._goal = None
        if goal.is_cancel_requested:
            goal.canceled()
            return DoTask.Result(success=False, reason="cancelled", outcome="not done: cancelled")
        goal.succeed()
        return DoTask.Result(success=True, reason="done", outcome=self.outcome)

    def _publish(self):
        """20 Hz of everything; the console takes what it wants of it."""
        if self.silent:
            return
        self._tick += 1
        now = 0.05 * self._tick
        send = {topic: self._sender(topic) for topic in self._publishers_by_topic}
        sway = 0.15 * np.sin(now + np.arange(len(JOINTS)))
        stamp = convert.to_time(now)
        joints = JointState(name=list(JOINTS), position=(0.2 * sway).tolist())
        joints.header.stamp = stamp
        send["joint_states"](joints)
        odom = graph.interface("nav_msgs/msg/Odometry")()
        odom.header.stamp, odom.header.frame_id = stamp, "odom"
        odom.pose.pose = convert.pose_message(self._base)
        send["odom"](odom)
        tension = BODY.pretension * (1.0 + 4.0 * np.abs(np.sin(now + np.arange(len(BODY.tendons)))))
        drive_mode = DriveMode.TENSION if self.safety == Safety.ACTIVE else DriveMode.HOLD
        body = BodyState(tick=self._tick, time=now, tendon_tension=tension, drive_mode=drive_mode)
        body.runstop = self.runstop
        send["body/state"](convert.body_state_message(body))
        for side in SIDES:
            self._publish_hand(side, now, send)
        safety = graph.interface("neo_msgs/msg/SafetyState")()
        safety.header.stamp, safety.state, safety.reason = stamp, int(self.safety), self.reason
        safety.runstop = self.runstop
        send["safety/state"](safety)
        if self._tick % 2 == 0:  # 10 Hz
            self._publish_seen(now, send)
        if self._goal is not None:
            phase, progress, detail = self.feedback
            self._goal.publish_feedback(DoTask.Feedback(phase=phase, progress=progress, detail=detail))
            if self.outcome is not None or self._goal.is_cancel_requested:
                self._done.set_result(None)
                self._goal = None

    def _publish_hand(self, side, now, send):
        state = HandState(tick=self._tick, time=now)
        places = np.arange(len(state.taxel_force))
        state.taxel_force[:, 0] = np.maximum(0.0, 4.0 * np.sin(0.5 * now + places)) if side == "r" else 0.0
        state.taxel_force[:, 1] = 0.2 * state.taxel_force[:, 0]
        for pad, force in self.left_pads.items() if side == "l" else ():
            state.taxel_valid[TAXELS.index(pad)] = force is not None
            state.taxel_force[TAXELS.index(pad), 0] = force or 0.0
        state.tendon_tension = HAND.pretension * (1.0 + np.abs(np.sin(now + np.arange(len(HAND.tendons)))))
        send[f"{side}_hand/state"](convert.hand_state_message(state, side))
        phase = GraspPhase.HOLDING if side == "r" else GraspPhase.IDLE
        status = GraspStatus(tick=self._tick, phase=phase)
        if side == "r":
            status.grasp, status.grip_target, status.slip = "medium_wrap", 12.5, 0.4
        send[f"{side}_hand/status"](convert.grasp_status_message(status, convert.to_time(now)))

    def _publish_seen(self, now, send):
        surprise = graph.interface("neo_msgs/msg/Surprise")(value=0.42)
        surprise.modality, surprise.modality_value = ["touch", "proprio"], [0.8, 0.2]
        send["world_model/surprise"](surprise)
        follows = [
            Consequence("falls", self.chances["falls"], 0.5, True),
            Consequence("slips", self.chances["slips"], float("nan"), True),
            Consequence("collides", 0.02, float("nan"), True),
            Consequence("hidden", 0.3, float("nan"), False),
        ]
        send["world_model/consequences"](convert.consequences_message(Consequences(now, 0.8, follows)))
        send["perception/depth"](depth_picture(now))
        for side, colour in (("left", (40, 46, 204)), ("right", (40, 46, 200))):
            imagined = graph.interface("sensor_msgs/msg/Image")(
                height=48, width=64, step=192, encoding="rgb8"
            )
            imagined.data = bytes(48 * 64 * 3)
            send[f"world_model/imagined/{side}"](imagined)
            message = CompressedImage(format="rgb8; jpeg compressed bgr8", data=picture(colour))
            message.header.stamp = convert.to_time(now)
            send[f"head_camera/{side}/image_raw/compressed"](message)
        found = [
            ("bottle", "red", pose(0.42, -0.12, 0.04), (0.065, 0.065, 0.22), 1.0),
            ("cup", "blue", pose(0.5, 0.16, -0.02), (0.08, 0.08, 0.1), 1.0),
            ("box", "green", pose(0.62, 0.02, -0.03), (0.1, 0.07, 0.08), 0.0),
        ]
        objects = [
            DetectedObject(number, name, colour, T, 1e-6 * np.eye(6), np.array(size), 0.9, visible, now)
            for number, (name, colour, T, size, visible) in enumerate(found)
        ]
        table = Table(pose(0.6, 0.0, -0.07), np.array([0.6, 1.1, 0.0]))
        send["perception/objects"](convert.scene_message(Scene(now, objects, table)))

    def leave(self):
        """Ends the action server too, which outlives its node otherwise: peers would still see it."""
        self._do_task.destroy()
        self.destroy_node()


class Running:
    """A :class:`FakeRobot` spun by a thread of its own, in a context of its own."""

    def __init__(self):
        environment.prepare()
        rclpy.init()
        self.robot = FakeRobot()
        self._executor = executor.make(self.robot)
        self._end = False
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self):
        while not self._end:
            self._executor.spin_until_future_complete(rclpy.task.Future(), timeout_sec=0.1)

    def close(self):
        self._end = True
        self._thread.join(timeout=5.0)
        self._executor.shutdown()
        self.robot.leave()
        rclpy.try_shutdown()


if __name__ == "__main__":
    run(lambda: FakeRobot(full="--full" in sys.argv), args=[])
