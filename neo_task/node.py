"""Node ``task``: the action ``do_task``, from a prompt to commands for body and hands.

Driven by ``joint_states``: each one is an observation for the planner, whose commands go out in the
same callback. Refused prompts end the goal with the reason; nothing has moved then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from neo_msgs.action import DoTask
from rclpy.action import CancelResponse
from rclpy.task import Future
from transforms3d.affines import compose
from transforms3d.quaternions import quat2mat

from neo_description import objects
from neo_description.errors import NeoError
from neo_description.signals import Safety
from neo_ros import convert, graph
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode
from neo_task.planner import Outcome, Planner
from neo_task.plant_clock import PlantClock
from neo_task.prompt import parse
from neo_task.scripted import PARAMETERS, PLANNERS, default_vocabulary, privileged_scene, scripted
from neo_task.watch import Watch

if TYPE_CHECKING:
    from neo_world_model.listening import Listening
    from neo_world_model.stepper import Cut

REPORT_EVERY = 0.2  # s of plant time between two feedback messages


class TaskNode(ManagedNode):
    """Runs one task at a time; a second goal is refused while one runs."""

    def __init__(self) -> None:
        super().__init__("task", PARAMETERS)

    def configure(self) -> None:
        self._diagnostics = Diagnostics(self)
        self._objects_file = self._params.objects_file or None
        self._vocabulary = default_vocabulary(self._objects_file)
        self._watch = Watch()
        self._planner: Planner | None = None
        self._listening: Listening | None = None
        self._cut: Cut | None = None
        self._plant_clock = PlantClock()
        self._goal: Any = None
        self._done: Future | None = None
        self._next_step = 0.0
        self._next_report = 0.0
        self._blind_since: float | None = None
        self._begins: float | None = None  # s of plant time: later, nothing may be old
        self._own_eyes = False  # the planner looks at images itself
        self._instead = ""  # why another planner does the prompt than was meant
        self._body = graph.publisher(self, "whole_body/command")
        self._hands = {side: graph.publisher(self, f"{side}_hand/command") for side in ("l", "r")}
        hears: dict[str, Callable[[Any], None]] = {
            "joint_states": self._on_joints,
            "odom": self._on_odom,
            "safety/state": self._on_safety,
            "perception/objects": self._on_objects,
            **{f"{side}_hand/status": partial(self._on_hand, side) for side in ("l", "r")},
        }
        for topic, callback in hears.items():
            graph.subscription(self, topic, self._diagnostics.guarded(topic, callback))
        self._privileged_subscription: Any = None
        self._server = graph.action_server(
            self, "do_task", self._execute, cancel_callback=lambda _: CancelResponse.ACCEPT
        )

    def _on_odom(self, message: Any) -> None:
        self._watch.on_odom(convert.stamp(message), convert.pose(message.pose.pose))

    def _on_objects(self, message: Any) -> None:
        if not self._watch.privileged:
            self._watch.on_scene(convert.scene(message))

    def _on_safety(self, message: Any) -> None:
        self._watch.on_safety(convert.number(Safety, message.state, "state"), message.reason)

    def _on_hand(self, side: str, message: Any) -> None:
        self._watch.on_hand(side, convert.stamp(message), convert.grasp_status(message))
        if why := self._watch.motionless():
            self.degraded["no_joint_states"] = why
            if self._planner is not None:
                self._finish(Outcome(False, "stale", f"not done: {why}"))
        else:
            self.degraded.pop("no_joint_states", None)

    def _on_joints(self, message: Any) -> None:
        now = convert.stamp(message)
        self._plant_clock.heard(now)
        self._watch.on_joints(now, message.name, message.position)
        blind = self._blindness()
        if self._planner is None or now < self._next_step:
            return
        self._next_step = now + 1.0 / self._params.step_rate
        observation = self._watch.observation()
        if isinstance(observation, str):
            # what came while the planner was made is old: a task begins with the first that is not
            self._begins = now + self._params.begin_patience if self._begins is None else self._begins
            if now > self._begins:
                self._finish(Outcome(False, "stale", f"not done: {observation}"))
            return
        self._begins = now
        if self._goal.is_cancel_requested:
            self._finish(Outcome(False, "cancelled", "not done: cancelled"))
            return
        if blind:
            self._wait(now, blind)
            return
        self._blind_since = None
        observation.cut, self._cut = self._cut, None
        step = self._planner.step(observation)
        for body_command in step.body:
            self._body.publish(convert.whole_body_command_message(body_command))
        for side, hand_command in step.hands:
            self._hands[side].publish(convert.hand_command_message(hand_command))
        if now >= self._next_report or step.outcome is not None:
            self._next_report = now + REPORT_EVERY
            feedback = DoTask.Feedback(phase=step.phase, progress=step.progress, detail=step.detail)
            self._goal.publish_feedback(feedback)
        if step.outcome is not None:
            self._finish(step.outcome)

    def _blindness(self) -> str:
        """Why the running planner cannot go on, or a new one begin, for want of perception; else empty."""
        why = "" if self._watch.privileged else self._watch.blind(self._params.blind_after)
        if why and self._watch.ever_seen:
            self.degraded["no_camera"] = why
            return why
        self.degraded.pop("no_camera", None)
        return "" if self._own_eyes else why

    def _wait(self, now: float, why: str) -> None:
        """Command nothing new: the robot comes to rest where it was sent. Not for ever."""
        self._blind_since = now if self._blind_since is None else self._blind_since
        if now - self._blind_since > self._params.blind_patience:
            self._finish(Outcome(False, "blind", f"not done: {why}"))
        elif now >= self._next_report:
            self._next_report = now + REPORT_EVERY
            self._goal.publish_feedback(DoTask.Feedback(phase="wait", progress=0.0, detail=why))

    def deactivate(self) -> None:
        """The task that runs ends; the body stays where it was sent."""
        self._finish(Outcome(False, "stopped", "not done: the task node was deactivated"))

    def _finish(self, outcome: Outcome) -> None:
        done, self._planner, self._done = self._done, None, None
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if done is not None:
            done.set_result(outcome)

    async def _execute(self, goal: Any) -> Any:
        request = goal.request
        try:
            if self._planner is not None:
                raise NeoError("busy with another task; cancel it first")
            planner = self._plan(request)
        except NeoError as error:
            self._diagnostics.refused("do_task", str(error))
            goal.abort()
            return DoTask.Result(success=False, reason="refused", outcome=f"not done: {error}")
        self.get_logger().info(f"doing {request.prompt!r}")
        self._goal, self._done, self._planner = goal, Future(), planner
        self._next_step = self._next_report = 0.0
        self._blind_since = self._begins = None
        instead = f" ({self._instead})" if self._instead else ""
        outcome: Any = await self._done
        self.get_logger().info(outcome.message)
        graph.end_goal(goal, outcome.success, outcome.reason)
        return DoTask.Result(
            success=outcome.success,
            reason=outcome.reason,
            outcome=f"{outcome.message}{instead}",
            lifted=outcome.lifted,
            held=outcome.held,
            peak_force=outcome.peak_force,
        )

    def _plan(self, request: Any) -> Planner:
        """The planner for a goal; NeoError says what is wrong with it."""
        name = request.planner or self._params.planner
        if name not in PLANNERS:
            raise NeoError(f"no planner {name!r}; one of {', '.join(PLANNERS)}")
        if not np.isfinite(request.timeout) or not 0.0 <= request.timeout <= 600.0:
            raise NeoError(f"timeout {request.timeout} s; between 0 (default) and 600 is allowed")
        if self._watch.safety != Safety.ACTIVE:
            why = self._watch.safety_reason or "it has not stood up yet"
            raise NeoError(f"the robot is stopped ({why}); set_mode stand first")
        task = None if name == "world_model" else parse(request.prompt, self._vocabulary)
        if why := self._watch.motionless():
            raise NeoError(why)
        self._watch.privileged, self._own_eyes = name == "privileged_scripted", name == "world_model"
        if why := self._blindness():
            raise NeoError(f"no camera: {why}")
        self._instead = ""
        if name == "world_model":
            try:
                planner = self._imagine(request)
                self.degraded.pop("no_world_model", None)
                return planner
            except NeoError as error:
                if request.planner or self._params.without_model == "refuse":
                    raise
                self._instead = f"by the scripted planner: {error}"
                self.degraded["no_world_model"] = str(error)
                self._diagnostics.warn(f"no world model: {error}")
        task = task or parse(request.prompt, self._vocabulary)
        if self._watch.privileged and self._privileged_subscription is None:
            guarded = self._diagnostics.guarded("sim/privileged_state", self._on_privileged_state)
            self._privileged_subscription = graph.subscription(self, "sim/privileged_state", guarded)
        return scripted(task, self._params, request.timeout)

    def _imagine(self, request: Any) -> Planner:
        """The planner that acts by imagination; from now on the node listens to all that it senses."""
        # here, not above: ONNX Runtime and OpenCV would keep every robot waiting that acts without them
        from neo_task.imagined import imagined
        from neo_world_model.listening import Listening

        timeout = request.timeout or self._params.timeout
        planner = imagined(self._params.model, request.prompt, self._params, timeout, self._plant_clock.now)
        self._cut = None
        self._listening = Listening(self, self._diagnostics, self._on_cut)
        return planner

    def _on_cut(self, cut: Cut, _stamp: Any) -> None:
        self._cut = cut

    def _on_privileged_state(self, message: Any) -> None:
        """The teacher's eyes: true poses instead of perception (planner privileged_scripted only)."""
        if not self._watch.privileged:
            return
        poses = zip(message.object_name, message.object_pose, strict=True)
        T_world_base = compose(message.qpos[:3], quat2mat(message.qpos[3:7]), np.ones(3))
        truth = {name: convert.pose(pose) for name, pose in poses}
        self._watch.on_scene(
            privileged_scene(
                convert.stamp(message), T_world_base, truth, objects.registry(self._objects_file)
            )
        )


def main() -> None:
    """Entry point of ``task_node``."""
    run(TaskNode)
