"""Commands with one fault each: by topic, the faults there are, and how a good command is made bad.

A good command of each type is refused by nobody, so what is refused is refused for its fault.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from neo_msgs.msg import HandCommand, JointImpedance, TendonCommand, WholeBodyCommand
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from neo_bringup.faults_bench.privileged_drives import TABLES
from neo_description.tables import CONTROL_DT, HAND
from neo_hand_control.grasps import grasps
from neo_ros.convert import to_duration, to_time

GRASP = "medium_wrap"
OLD_TICKS, AHEAD_TICKS = 20, 5
AHEAD = 100.0  # s
LONG_AGO = 0.004  # s of plant time: any run is older than a second by then
Make = Callable[[int], Any]
JOINT = "l_elbow_pitch"
TOPICS = ("body/tendon_command", "l_hand/tendon_command", "r_hand/tendon_command", "whole_body/command",
          "joint_trajectory", "joint_impedance", "l_hand/command", "r_hand/command")  # fmt: skip


def good(topic: str, tick: int) -> Any:
    """A command that is accepted at control tick ``tick``."""
    if topic.endswith("tendon_command"):
        message = TendonCommand(tick=tick, mode=TendonCommand.MODE_TENSION)
        message.header.stamp = to_time(tick * CONTROL_DT)
        message.tension = (2.0 * TABLES[topic.partition("/")[0]].pretension).tolist()
        return message
    if topic == "whole_body/command":
        message = WholeBodyCommand(valid_for=to_duration(0.2), use=WholeBodyCommand.USE_GAZE)
        message.header.frame_id = "odom"
        message.gaze.x, message.gaze.z = 1.0, 1.0
        return message
    if topic == "joint_trajectory":
        point = JointTrajectoryPoint(positions=[-1.0], time_from_start=to_duration(1.0))
        return JointTrajectory(joint_names=[JOINT], points=[point])
    if topic == "joint_impedance":
        return JointImpedance(joint_names=[JOINT], stiffness=[5.0], damping=[0.5])
    return HandCommand(action=HandCommand.PRESHAPE, grasp=GRASP, width=0.06, valid_for=to_duration(0.2))


def kinds(topic: str) -> dict[str, Make]:
    """Fault → the command with it, for a control tick."""
    faults = {
        "whole_body/command": _body_faults,
        "joint_trajectory": _path_faults,
        "joint_impedance": _impedance_faults,
    }.get(topic, _tendon_faults if topic.endswith("tendon_command") else _hand_faults)
    return {name: _bad(topic, change) for name, change in faults().items()}


Change = Callable[[Any, int], None]


def _bad(topic: str, change: Change) -> Make:
    def make(tick: int) -> Any:
        message = good(topic, tick)
        change(message, tick)
        return message

    return make


def _set(path: str, value: Any, **also: Any) -> Change:
    """Sets the field at ``path`` (a.b.c), after the top-level fields ``also``."""

    def change(message: Any, _: int) -> None:
        for name, other in also.items():
            setattr(message, name, other)
        *way, last = path.split(".")
        for step in way:
            message = getattr(message, step)
        setattr(message, last, value)

    return change


def _stamped(time: float) -> Change:
    """Starts ``time`` s after now, or, when that is positive and below 1, at that time."""

    def change(message: Any, tick: int) -> None:
        message.header.stamp = to_time(time if 0.0 < time < 1.0 else tick * CONTROL_DT + time)

    return change


def _tension(make: Callable[[np.ndarray], np.ndarray]) -> Change:
    def change(message: Any, _: int) -> None:
        message.tension = make(np.array(message.tension)).tolist()

    return change


def _with(value: float, i: int = 3) -> Callable[[np.ndarray], np.ndarray]:
    def make(values: np.ndarray) -> np.ndarray:
        values[i] = value
        return values

    return make


def _ticked(ticks: int) -> Change:
    def change(message: Any, tick: int) -> None:
        message.tick = max(tick + ticks, 0)

    return change


def _tendon_faults() -> dict[str, Change]:
    return {
        "nan": _tension(_with(math.nan)),
        "inf": _tension(_with(math.inf)),
        "minus inf": _tension(_with(-math.inf)),
        "one too few": _tension(lambda values: values[:-1]),
        "none at all": _tension(lambda values: values[:0]),
        "unknown mode": _set("mode", 9),
        "limit x 10": _tension(lambda values: values * 0.0 + 10.0 * 400.0),
        "slack": _tension(_with(0.0)),
        "old tick": _ticked(-OLD_TICKS),
        "future tick": _ticked(AHEAD_TICKS),
        "future stamp": _stamped(AHEAD),
    }


def _body_faults() -> dict[str, Change]:
    left, height = WholeBodyCommand.USE_L_HAND, WholeBodyCommand.USE_BASE_HEIGHT
    return {
        "nan": _set("gaze.x", math.nan),
        "inf": _set("l_hand.position.y", math.inf, use=left),
        "no rotation": _set("l_hand.orientation.w", 0.0, use=left),
        "unknown frame": _set("header.frame_id", "moon"),
        "reach x 10": _set("l_hand.position.x", 8.0, use=left),
        "gaze x 10": _set("gaze.x", 200.0),
        "height x 10": _set("base_height", 7.0, use=height),
        "speed x 10": _set("l_hand_limit.linear.x", 15.0, use=left),
        "validity x 10": _set("valid_for.sec", 600),
        "walks": _set("base_velocity.linear.x", 0.5, use=WholeBodyCommand.USE_BASE_VELOCITY),
        "old stamp": _stamped(LONG_AGO),
        "future stamp": _stamped(AHEAD),
    }


def _path_faults() -> dict[str, Change]:
    def point(names: list[str] | None = None, **fields: Any) -> Change:
        def change(message: Any, _: int) -> None:
            message.joint_names = names or message.joint_names
            for name, value in fields.items():
                setattr(message.points[0], name, value)

        return change

    return {
        "nan": point(positions=[math.nan]),
        "inf": point(positions=[math.inf]),
        "a leg": point(["l_knee_pitch"], positions=[0.5]),
        "unknown joint": point(["l_tail"]),
        "named twice": point([JOINT, JOINT], positions=[-1.0, -1.0]),
        "one too few": point(positions=[]),
        "one velocity too many": point(velocities=[0.0, 0.0]),
        "an effort": point(effort=[1.0]),
        "angle x 10": point(positions=[-24.0]),
        "speed x 10": point(positions=[-2.0], time_from_start=to_duration(0.01)),
        "time x 10": point(time_from_start=to_duration(1200.0)),
        "backwards": point(time_from_start=to_duration(-1.0)),
        "no point": _set("points", []),
        "old stamp": _stamped(LONG_AGO),
        "future stamp": _stamped(AHEAD),
    }


def _impedance_faults() -> dict[str, Change]:
    return {
        "inf": _set("stiffness", [math.inf]),
        "minus inf": _set("stiffness", [-math.inf]),
        "inf of damping": _set("damping", [math.inf]),
        "negative": _set("stiffness", [-1.0]),
        "negative damping": _set("damping", [-1.0]),
        "a leg": _set("joint_names", ["l_knee_pitch"]),
        "unknown joint": _set("joint_names", ["l_tail"]),
        "named twice": _set("joint_names", [JOINT, JOINT], stiffness=[5.0, 5.0], damping=[0.5, 0.5]),
        "one too few": _set("stiffness", []),
        "one too many": _set("damping", [0.5, 0.5]),
        "none at all": _set("joint_names", [], stiffness=[], damping=[]),
        "old stamp": _stamped(LONG_AGO),
        "future stamp": _stamped(AHEAD),
    }


def _hand_faults() -> dict[str, Change]:
    far, strong = 10.0 * HAND.q_max + 1.0, 10.0 * HAND.effort
    joints = {"action": HandCommand.JOINTS}
    return {
        "nan": _set("width", math.nan),
        "inf": _set("grip_force", math.inf, action=HandCommand.CLOSE),
        "nan of a joint": _set("joint_position", np.full(22, math.nan), **joints),
        "unknown grasp": _set("grasp", "telekinesis"),
        "unknown action": _set("action", 99),
        "width x 10": _set("width", 1.5),
        "force x 10": _set("grip_force", 10.0 * grasps()[GRASP].most, action=HandCommand.CLOSE),
        "joints x 10": _set("joint_position", far, **joints),
        "effort x 10": _set("joint_effort", strong, **joints),
        "negative": _set("grip_limit", -1.0),
        "old stamp": _stamped(LONG_AGO),
        "future stamp": _stamped(AHEAD),
    }
