"""Node ``l_hand_control`` or ``r_hand_control`` (parameter ``side``): answers every ``{side}_hand/state``.

The answer goes out in the state's own callback, never from a timer; status and the ``grasp`` action are
driven by the same states, so a replayed bag gives the same answers. While the service
``{side}_hand/calibrate`` runs, the calibrator answers instead of the controller; its answer's message is the
calibration as text, which is also written to ``calibration_file`` when that is set, and believed at once.
"""

from __future__ import annotations

import datetime
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
from neo_msgs.action import Grasp as GraspAction
from rclpy.action import CancelResponse
from rclpy.task import Future

from neo_description.errors import NeoError
from neo_description.signals import GraspPhase, HandAction, HandCommand, HandState, TendonCommand
from neo_description.tables import CONTROL_RATE
from neo_hand_control.calibrator import HandCalibrator
from neo_hand_control.controller import PARAMETERS, HandController
from neo_ros import convert, graph
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode

FEEDBACK_EVERY = CONTROL_RATE // 10  # ticks
TIMEOUT_MAX = 60.0  # s
CALIBRATING = "the hand calibrates itself; wait about a minute"


class HandControlNode(ManagedNode):
    """Adapter of :class:`HandController`."""

    def __init__(self) -> None:
        super().__init__("hand_control", PARAMETERS)

    def configure(self) -> None:
        self._side = side = self._params.side
        self._diagnostics = Diagnostics(self)
        self._hand = HandController(side, self._params)
        self._status_every = max(round(CONTROL_RATE / self._params.status_rate), 1)
        self._tick = -1
        self._late = 0
        self._cpu = 0.0
        self._goal: Any = None
        self._done: Future | None = None
        self._deadline = math.inf
        self._phase = GraspPhase.IDLE
        self._calibrator: HandCalibrator | None = None
        self._calibrated: Future | None = None
        self._answers = graph.publisher(self, f"{side}_hand/tendon_command")
        self._status = graph.publisher(self, f"{side}_hand/status")
        guarded = self._diagnostics.guarded
        graph.subscription(self, f"{side}_hand/state", guarded(f"{side}_hand/state", self._on_state))
        command = guarded(f"{side}_hand/command", self._on_command)
        graph.command_subscription(self, f"{side}_hand/command", command, self._diagnostics.refused)
        self._server = graph.action_server(
            self, f"{side}_hand/grasp", self._execute, cancel_callback=lambda _: CancelResponse.ACCEPT
        )
        graph.service(self, f"{side}_hand/calibrate", self._calibrate)

    def _on_state(self, message: Any) -> None:
        begun = time.thread_time()
        state = convert.hand_state(message)
        answer = self._answer(state)
        self._answers.publish(convert.tendon_command_message(answer, message.header.stamp))
        self._cpu += 0.02 * (time.thread_time() - begun - self._cpu)
        if state.tick == self._tick:
            return
        if 0 <= self._tick < state.tick:
            self._late += state.tick - self._tick - 1
        self._tick = state.tick
        self._follow_goal(state)
        self._report(state, message.header.stamp)

    def _on_command(self, message: Any) -> None:
        reason: str | None = CALIBRATING
        if self._calibrator is None:
            reason = self._hand.command(convert.hand_command(message))
        if reason is not None:
            self._diagnostics.refused(f"{self._side}_hand/command", reason)

    # The service calibrate

    async def _calibrate(self, _: Any, response: Any) -> Any:
        try:
            self._may_calibrate()
            self._calibrator, self._calibrated = HandCalibrator(self._side, self._params), Future()
            response.message = str(await self._calibrated)
            response.success = True
        except NeoError as error:
            self._diagnostics.refused(f"{self._side}_hand/calibrate", str(error))
            response.success, response.message = False, str(error)
        return response

    def _may_calibrate(self) -> None:
        if self._calibrator is not None:
            raise NeoError(CALIBRATING)
        if self._tick < 0:
            raise NeoError(f"no {self._side}_hand/state has come yet")
        phase = self._hand.status.phase
        if self._goal is not None or phase not in (GraspPhase.IDLE, GraspPhase.PRESHAPED, GraspPhase.LOST):
            raise NeoError(f"the hand is {phase.name}; it must be empty and at rest")

    def deactivate(self) -> None:
        """Forget every target; a grasp or a calibration that runs ends."""
        self._hand.reset()
        if self._calibrated is not None:
            waiting, self._calibrator, self._calibrated = self._calibrated, None, None
            waiting.set_exception(NeoError("the node was deactivated"))
        self._end_goal("stopped")

    def _answer(self, state: HandState) -> TendonCommand:
        """The controller's answer, or that of the calibrator while there is one."""
        calibrator = self._calibrator
        if calibrator is None:
            return self._hand.update(state)
        ended = calibrator.done or bool(calibrator.failure)
        if not ended or state.tick == self._tick:  # a tick that comes twice gets the same answer
            return calibrator.update(state)
        waiting, self._calibrator, self._calibrated = self._calibrated, None, None
        self._hand.reset()
        assert waiting is not None
        try:
            waiting.set_result(self._believe(calibrator))
        except NeoError as error:
            waiting.set_exception(error)
        return self._hand.update(state)

    def _believe(self, calibrator: HandCalibrator) -> str:
        """Take over what was found, and keep it; its text. NeoError when nothing was found."""
        if calibrator.failure:
            raise NeoError(calibrator.failure)
        found = calibrator.result
        found.source, found.date = self.get_fully_qualified_name(), datetime.datetime.now().isoformat()
        self._hand.calibration = found
        if self._params.calibration_file:
            found.save(Path(self._params.calibration_file))
        return found.text()

    # The grasp action

    async def _execute(self, goal: Any) -> Any:
        request, topic = goal.request, f"{self._side}_hand/grasp"
        try:
            self._begin(request)
        except NeoError as error:
            self._diagnostics.refused(topic, str(error))
            goal.abort()
            return GraspAction.Result(reason=f"refused: {error}")
        self._goal, self._done = goal, Future()
        reason: Any = await self._done
        graph.end_goal(goal, reason == "held", reason)
        status = self._hand.status
        return GraspAction.Result(
            success=reason == "held",
            reason=reason,
            normal_force=status.normal_force,
            contacts=status.contacts,
        )

    def _begin(self, request: Any) -> None:
        if self._goal is not None:
            raise NeoError("busy with another grasp; cancel it first")
        if self._calibrator is not None:
            raise NeoError(CALIBRATING)
        if not np.isfinite(request.timeout) or not 0.0 <= request.timeout <= TIMEOUT_MAX:
            raise NeoError(f"timeout {request.timeout} s; between 0 (default) and {TIMEOUT_MAX} is allowed")
        if self._tick < 0:
            raise NeoError(f"no {self._side}_hand/state has come yet")
        reason = self._hand.command(
            HandCommand(
                HandAction.CLOSE,
                grasp=request.grasp,
                width=request.width,
                grip_force=request.grip_force,
                grip_limit=request.grip_limit,
            )
        )
        if reason is not None:
            raise NeoError(reason)
        self._deadline = self._hand.time + (request.timeout or self._params.grasp_timeout)
        self._phase = GraspPhase.CLOSING

    def _follow_goal(self, state: HandState) -> None:
        if self._goal is None:
            return
        phase = self._hand.status.phase
        reason = None
        if self._goal.is_cancel_requested:
            self._hand.stay()
            reason = "cancelled"
        elif phase == GraspPhase.HOLDING:
            reason = "held"
        elif phase == GraspPhase.LOST:
            reason = "lost: nothing held between thumb and fingers"
        elif state.runstop:
            reason = "stopped"
        elif phase != GraspPhase.CLOSING:
            reason = "preempted by another command"
        elif state.time > self._deadline:
            self._hand.stay()
            reason = "timeout"
        if reason is not None:
            self._end_goal(reason)
        elif state.tick % FEEDBACK_EVERY == 0:
            status = self._hand.status
            self._goal.publish_feedback(
                GraspAction.Feedback(phase=int(phase), normal_force=status.normal_force, slip=status.slip)
            )

    def _end_goal(self, reason: str) -> None:
        done, self._goal, self._done = self._done, None, None
        if done is not None:
            done.set_result(reason)

    def _report(self, state: HandState, stamp: Any) -> None:
        if state.tick % self._status_every == 0:
            self._status.publish(convert.grasp_status_message(self._hand.status, stamp))
        if state.tick % FEEDBACK_EVERY == 0:
            self._notice_touch(np.asarray(state.taxel_valid, bool))
        if state.tick % CONTROL_RATE == 0:
            diagnostics = self._diagnostics
            diagnostics.set("phase", self._hand.status.phase.name)
            diagnostics.set("late ticks", self._late)
            diagnostics.set("cpu us a tick", 1e6 * self._cpu)
            failed = self._hand.health.report()
            diagnostics.set("failed", failed or "-")
            if failed:
                diagnostics.warn(f"failed: {failed}")
            diagnostics.set("dead pads", int((~np.asarray(state.taxel_valid, bool)).sum()))

    def _notice_touch(self, valid: np.ndarray) -> None:
        if valid.any():
            self.degraded.pop("no_touch", None)
        else:
            self.degraded["no_touch"] = f"all {len(valid)} pads are dead"


def main() -> None:
    """Entry point ``hand_control_node``."""
    run(HandControlNode)


if __name__ == "__main__":
    main()
