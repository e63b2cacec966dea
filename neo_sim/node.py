"""Node ``sim``: the plant behind the topics that firmware would serve.

Event-driven in lock-step: the callback of the last awaited answer steps the plant and publishes the next
tick. A wall timer only sends again, gives up on the silent, and keeps the pace in real time.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np
from neo_msgs.msg import PrivilegedState
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rosgraph_msgs.msg import Clock as ClockMessage

from neo_description import scenes
from neo_description.errors import RefusedError
from neo_description.tables import CONTROL_DT, CONTROL_RATE, SIDES
from neo_ros import convert, graph
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode
from neo_ros.one_publisher import OnePublisher, with_publisher
from neo_sim.lockstep import Lockstep
from neo_sim.pacer import Pacer
from neo_sim.plant import GROUPS, PARAMETERS, Plant

CLOCK_TICKS = CONTROL_RATE // 100
PRIVILEGED_TICKS = CONTROL_RATE // 50
MOST_TICKS = 10  # caught up with in one turn of the executor
now = time.perf_counter


class SimNode(ManagedNode):
    """Owns the plant; see docs/architecture.md, "Time and lock-step"."""

    def __init__(self) -> None:
        super().__init__("sim", PARAMETERS)

    def configure(self) -> None:
        p = self._params
        scene = scenes.make(
            p.scene, p.seed, objects_file=p.objects_file or None, scene_file=p.scene_file or None,
            routing=p.tendon_routing,
        )  # fmt: skip
        self.plant = Plant(scene, p)
        self._realtime = p.sync == "realtime"
        self._pacer = Pacer(1.0 if self._realtime else p.speed)
        self._lockstep = Lockstep(GROUPS, p.lockstep_timeout, p.resend_after, p.wait_for_controllers)
        self._diagnostics = Diagnostics(self)
        self._clock_publisher = graph.publisher(self, "/clock")
        self._states = {group: graph.publisher(self, f"{group}/state") for group in GROUPS}
        self._privileged = graph.publisher(self, "sim/privileged_state")
        self._privileged_message = PrivilegedState(object_name=list(self.plant.privileged.object_names))
        self._privileged_message.header.frame_id = "world"
        self._one = {group: OnePublisher(self, f"{group}/tendon_command") for group in GROUPS}
        for group in GROUPS:
            callback = with_publisher(partial(self._on_command, group))
            graph.subscription(self, f"{group}/tendon_command", callback)
        graph.subscription(self, "sim/camera_done", self._on_camera_done)
        graph.service(self, "runstop", self._on_runstop)
        self._messages: dict[str, Any] = {}
        self._publish()
        self._lockstep.begin(0, now())
        period = 0.001 if self._pacer.speed > 0.0 else p.resend_after / 2
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(period, self._on_timer, clock=steady)
        self._report_timer = self.create_timer(0.5, self._report, clock=steady)

    def _on_command(self, group: str, message: Any, publisher: bytes) -> None:
        gate = self.plant.drives[group].gate
        second = self._one[group].refusal(publisher)
        if second is None and message.tick == gate.last_tick:  # an answer to states that were sent again
            self._diagnostics.count("duplicate answers")
        else:
            reason = self._command(group, message, second)
            if reason is not None:
                self._diagnostics.refused(f"{group}/tendon_command", reason)
        if second is None:
            self._lockstep.answered(group, message.tick)
            self._advance()

    def _command(self, group: str, message: Any, second: str | None) -> str | None:
        """Why the drives do not take ``message``; ``second``: why its publisher may not command."""
        gate = self.plant.drives[group].gate
        ahead = convert.stamp(message) - self.plant.time
        if ahead > 0.5 * CONTROL_DT:
            return gate.refuse("future_stamp", f"stamped {ahead:.3f} s ahead of plant time")
        try:
            command = convert.tendon_command(message)
        except RefusedError as error:
            return gate.refuse("unknown_mode", str(error))
        if second is None:
            return self.plant.command(group, command)
        gate.fault(command, self.plant.tick)  # what else is wrong with it is counted, too
        return gate.refuse("two_publishers", second)

    def _on_camera_done(self, message: Any) -> None:
        self._lockstep.camera_done(message.tick)
        self._advance()

    def _on_runstop(self, request: Any, response: Any) -> Any:
        self.plant.runstop(request.data)
        response.success = True
        response.message = (
            "latched: the drives hold" if request.data else "released: the drives hold until commanded"
        )
        self.get_logger().info(f"runstop {response.message}")
        return response

    def _on_timer(self) -> None:
        wall = now()
        late = self._lockstep.give_up(wall)
        if late and (not self._realtime or not self._lockstep.started):
            self._diagnostics.warn(f"no answer from {', '.join(late)}: going on without")
        if not (self._realtime and self._lockstep.started) and self._lockstep.resend(wall):
            self._publish_states()
        self._advance()

    def _advance(self) -> None:
        """Step as far as answers and pace allow."""
        for _ in range(MOST_TICKS):
            free = self._realtime and self._lockstep.started
            if not (free or self._lockstep.complete) or not self._pacer.due(now()):
                return
            self.plant.step()
            self._publish()
            wall = now()
            self._lockstep.begin(self.plant.tick, wall)
            self._pacer.stepped(self.plant.tick, wall)

    def _publish(self) -> None:
        """The present tick: states, the body's first, and at their rates the clock and the truth."""
        plant = self.plant
        self._send("body", convert.body_state_message(plant.body_state()))
        for side in SIDES:
            self._send(f"{side}_hand", convert.hand_state_message(plant.hand_state(side), side))
        if plant.tick % CLOCK_TICKS == 0:
            self._clock_publisher.publish(ClockMessage(clock=convert.to_time(plant.time)))
        if plant.tick % PRIVILEGED_TICKS == 0:
            self._publish_privileged()

    def _send(self, group: str, message: Any) -> None:
        self._messages[group] = message
        self._states[group].publish(message)

    def _publish_states(self) -> None:
        for group, message in self._messages.items():
            self._states[group].publish(message)

    def _publish_privileged(self) -> None:
        plant, message = self.plant, self._privileged_message
        truth = plant.privileged
        message.header.stamp = self._messages["body"].header.stamp
        message.tick = plant.tick
        message.qpos = convert.sequence(plant.data.qpos)
        message.qvel = convert.sequence(plant.data.qvel)
        message.object_pose = [convert.pose_message(truth.object_pose(name)) for name in truth.object_names]
        message.grip_force = convert.sequence(np.array([truth.grip_force(side) for side in SIDES]))
        message.body_drive_mode = int(plant.drives["body"].mode)
        message.l_hand_drive_mode = int(plant.drives["l_hand"].mode)
        message.r_hand_drive_mode = int(plant.drives["r_hand"].mode)
        message.real_time_factor = self._pacer.real_time_factor
        self._privileged.publish(message)

    def _report(self) -> None:
        show = self._diagnostics.set
        show("tick", self.plant.tick)
        show("real-time factor", round(self._pacer.real_time_factor, 3))
        show("slips", self._pacer.slips)
        show("not waited for", ", ".join(sorted(self._lockstep.absent)) or "-")
        for group, drives in self.plant.drives.items():
            refused = ", ".join(f"{kind} {count}" for kind, count in sorted(drives.gate.refused.items()))
            show(f"{group} drives", f"{drives.mode.name.lower()}{', runstop' if drives.runstop else ''}")
            show(f"{group} refused", refused or "-")


def main() -> None:
    """Entry point of ``sim_node``."""
    run(SimNode)
