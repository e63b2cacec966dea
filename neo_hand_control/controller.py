"""One hand's controller: a state of tick k in, the tendon command for tick k out.

    IDLE ──PRESHAPE──> PRESHAPED ──CLOSE──> CLOSING ──held──> HOLDING ──OPEN──> RELEASING ──> IDLE
                                               └─nothing met──> LOST <──contact gone─┘

It starts in stop: until the first accepted command it asks the drives to HOLD, and a runstop leads back there
with every target forgotten. A tick that comes twice gets the same answer.
"""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from neo_description import parameters
from neo_description.errors import NeoError
from neo_description.masks import all_of, any_of
from neo_description.signals import (
    DriveMode,
    GraspPhase,
    GraspStatus,
    HandAction,
    HandCommand,
    HandState,
    TendonCommand,
)
from neo_description.tables import CONTROL_DT, HAND, TAXELS
from neo_description.tendon_health import TendonHealth
from neo_hand_control import commands
from neo_hand_control.calibration import Calibration
from neo_hand_control.fingers import Fingers
from neo_hand_control.giving import Giving
from neo_hand_control.grasps import grasps
from neo_hand_control.hand_kinematics import HandKinematics
from neo_hand_control.hold import Hold
from neo_hand_control.servo import Servo
from neo_hand_control.touch import Feeling, Touch

PARAMETERS = Path(__file__).with_name("parameters.yaml")
OWN_EVERY = 10  # ticks between two looks at which pads touch the hand itself
LONGEST_GAP = 5  # ticks a gap counts as at most
OPEN = np.zeros(len(HAND.joints))
OPEN[HAND.index("thumb_cmc_opp")] = 0.6
OPEN[[HAND.index(f"{f}_{j}_flex") for f in ("index", "middle", "ring", "little") for j in ("mcp", "pip")]] = (
    0.15
)


class HandController:
    """Controls hand ``side``; ``params`` as :func:`neo_description.parameters.load` gives them."""

    def __init__(self, side: str, params: SimpleNamespace | None = None):
        self.side = side
        self.params = parameters.load(PARAMETERS, side=side) if params is None else params
        self.calibration = Calibration.given(self.params.calibration_file, side)
        self._kinematics = HandKinematics(side)
        self._servo = Servo(self.params)
        self._fingers = Fingers(self.params)
        self._touch = Touch(self.params)
        self._hold = Hold(self.params, self._fingers)
        self.health = TendonHealth(HAND, self.params)
        self.refused = 0
        self.last_refusal = ""
        self.reset()

    def reset(self) -> None:
        """As switched on: in stop, no targets, no memory of touch."""
        self.status = GraspStatus()
        self._feeling: Feeling | None = None
        self._own = np.zeros(len(TAXELS), bool)
        self._tension = np.array(HAND.pretension)
        self._last: HandState | None = None
        self._answer: TendonCommand | None = None
        self._waiting: HandCommand | None = None
        self._touch.reset()
        self.health.reset()
        self._count_on()
        self._forget()

    def _forget(self) -> None:
        """Drop every target; the drives are asked to hold."""
        self._active = False
        self._target: np.ndarray | None = None
        self._until = np.inf  # s: when the target's validity ends
        self._effort = np.zeros(len(HAND.joints))  # N m beside the positions
        self._give = np.zeros(len(HAND.joints))
        self._velocity: np.ndarray | None = None  # rad/s of the target, this tick
        self.stiffness_scale: np.ndarray | float = 1.0
        self._grasp_name = ""
        self._giving: Giving | None = None
        self._waiting = None
        self._phase = GraspPhase.IDLE
        self._unfollowed = 0.0
        self._hold.reset()

    # --- commands ---

    def command(self, command: HandCommand) -> str | None:
        """``None`` when accepted (it acts from the next tick on, or at ``start``), else why not."""
        stopped = self._last is not None and self._last.runstop
        reason = commands.refusal(command, self.time, stopped)
        if reason is not None:
            self.refused += 1
            self.last_refusal = reason
            return reason
        self._waiting = command
        return None

    @property
    def last(self) -> HandState | None:
        """The last state."""
        return self._last

    @property
    def feeling(self) -> Feeling | None:
        """What the pads felt in the last state."""
        return self._feeling

    @property
    def time(self) -> float:
        """Plant time (s) of the last state."""
        return self._last.time if self._last is not None else 0.0

    def move_with(self, velocity: np.ndarray) -> None:
        """In the next tick the target of a JOINTS command moves with ``velocity`` (22,) rad/s."""
        if np.shape(velocity) != (len(HAND.joints),) or not np.isfinite(velocity).all():
            raise NeoError(f"velocity {velocity}; {len(HAND.joints)} finite rad/s needed")
        self._velocity = np.minimum(np.maximum(velocity, -HAND.velocity), HAND.velocity)

    def stay(self) -> None:
        """Stop moving and pressing where the hand is; an accepted command that waits is dropped."""
        self._waiting = None
        self._effort, self._give = np.zeros((2, len(HAND.joints)))
        if self._active and self._last is not None:
            self._target = self._last.joint_position.copy()
            self._until = np.inf
            self._grasp_name = ""
            self._phase = GraspPhase.IDLE

    def _adopt(self, command: HandCommand, state: HandState) -> None:
        action = HandAction(command.action)
        if not self._active:
            self._active = True
            self._unfollowed = 0.0
            self._fingers.reset(state.joint_position)
            self._servo.reset()
        self._effort, self._give = np.zeros((2, len(HAND.joints)))
        if action == HandAction.CLOSE:
            self._giving = None
            self._begin_closing(command)
            return
        if action == HandAction.GIVE:
            self._giving = Giving(self.params) if self._phase == GraspPhase.HOLDING else None
            return
        begin = command.start if command.start > 0.0 else state.time
        self._until = begin + command.valid_for if command.valid_for > 0.0 else np.inf
        held = grasps()[self._grasp_name] if self._gripping else None
        self._grasp_name = command.grasp if action == HandAction.PRESHAPE else ""
        self._phase = GraspPhase.IDLE
        if action == HandAction.OPEN:
            # a thumb that swung aside would knock over what was just put down
            self._target = OPEN if held is None else held.preshape(held.width_range[1])
            self._phase = GraspPhase.RELEASING
        elif action == HandAction.PRESHAPE:
            self._target = grasps()[command.grasp].preshape(command.width)
        else:
            assert command.joint_position is not None
            self._target = np.clip(np.asarray(command.joint_position, float), HAND.q_min, HAND.q_max)
            if command.joint_effort is not None:
                self._effort = np.array(command.joint_effort, float)
            if command.compliance is not None:
                self._give = np.array(command.compliance, float)

    def _begin_closing(self, command: HandCommand) -> None:
        fixed = command.grip_force if command.grip_force > 0.0 else None
        if self._gripping and command.grasp == self._grasp_name:
            self._hold.grip.fixed = fixed  # the same CLOSE again does not let go
            return
        self._target = None
        self._grasp_name = command.grasp
        self._hold.begin(grasps()[command.grasp], fixed, command.grip_limit or None)
        self._phase = GraspPhase.CLOSING

    # --- the loop ---

    def update(self, state: HandState) -> TendonCommand:
        """Answer ``state``; the same tick again gets the same answer."""
        last = self._last
        if last is not None and self._answer is not None:
            if state.tick == last.tick:
                return self._answer
            if state.tick < last.tick:  # the plant was started anew
                self.reset()
                last = None
        state = self.health.update(self.calibration.corrected(state))
        if self.health.version != self._counted_on:
            self._count_on()
        if not (all_of(np.isfinite(state.joint_position)) and all_of(np.isfinite(state.joint_velocity))):
            self._forget()
            return self._answered(state, DriveMode.HOLD)
        dt = CONTROL_DT * (1 if last is None else min(state.tick - last.tick, LONGEST_GAP))
        self._kinematics.move(state.joint_position)
        if state.tick % OWN_EVERY == 0:
            self._own = self._kinematics.touching_itself(self.params.touch_own_gap)
        free = self._phase in (GraspPhase.IDLE, GraspPhase.PRESHAPED)
        self._feeling = self._touch.update(
            state.taxel_force, state.taxel_valid, self._kinematics.R, self._kinematics.p, dt, free, self._own
        )
        if state.runstop or self._drives_gone(state, dt):
            self._forget()
        waiting = self._waiting
        if waiting is not None and not state.runstop and state.time >= waiting.start:
            self._waiting = None
            self._adopt(waiting, state)
        if not self._active:
            return self._answered(state, DriveMode.HOLD)
        self._step(state, dt)
        return self._answered(state, DriveMode.TENSION)

    def _count_on(self) -> None:
        """Pull with what the tendons can still do."""
        tendons = self.health.tendons
        self._counted_on = self.health.version
        self._servo.count_on(tendons.most, tendons.given if any_of(tendons.failed) else None)

    def _drives_gone(self, state: HandState, dt: float) -> bool:
        """Whether the drives have not followed for longer than ``drives_patience`` although asked to."""
        following = not self._active or state.drive_mode == DriveMode.TENSION
        self._unfollowed = 0.0 if following else self._unfollowed + dt
        return self._unfollowed > self.params.drives_patience

    def _answered(self, state: HandState, mode: DriveMode) -> TendonCommand:
        tension = np.array(HAND.pretension) if mode == DriveMode.HOLD else self._tension
        self._last = state
        self._answer = TendonCommand(tick=state.tick, mode=mode, tension=tension)
        self.health.sent(self._answer)
        feeling = self._feeling
        if feeling is not None:
            self.status = GraspStatus(
                tick=state.tick,
                phase=self._phase,
                grasp=self._grasp_name,
                normal_force=feeling.normal,
                shear_force=math.sqrt(feeling.shear @ feeling.shear),
                grip_target=self._hold.grip.target if self._gripping else 0.0,
                slip=feeling.slip if self._gripping else 0.0,
                contacts=feeling.contacts,
            )
        return self._answer

    @property
    def _gripping(self) -> bool:
        return self._phase in (GraspPhase.CLOSING, GraspPhase.HOLDING)

    def _step(self, state: HandState, dt: float) -> None:
        q, fingers, hold = state.joint_position, self._fingers, self._hold
        if self._gripping:
            assert self._feeling is not None
            self._phase = hold.step(self._phase, state, self._feeling, dt)
            if self._giving is not None and self._giving.taken(self._feeling.net, dt):
                self._giving = None
                self._adopt(HandCommand(HandAction.OPEN), state)
            if self._phase == GraspPhase.LOST:
                self._target = q.copy()
        else:
            hold.let_go(dt)
            if hold.force > 0.0:  # first the force fades, then the fingers part
                fingers.follow(q)
            elif self._target is not None and state.time <= self._until:
                self._move(q, dt)
        closing = np.zeros(len(q))
        if hold.force > 0.0:
            arms = self._kinematics.push_arms()
            squeeze = hold.press(arms, q, dt) @ arms
            closing = squeeze + fingers.spring(q, self._servo.stiffness, squeeze, dt)
        if state.time > self._until:
            self._effort[:] = 0.0
        push = np.maximum(fingers.push, self._give)
        velocity, self._velocity = (None if self._gripping else self._velocity), None
        torque = self._servo.torque(
            q,
            state.joint_velocity,
            fingers.q_ref,
            closing + self._effort,
            push,
            dt,
            velocity,
            self.stiffness_scale,
        )
        self._tension = self._servo.tensions(torque)

    def _move(self, q: np.ndarray, dt: float) -> None:
        assert self._target is not None
        p, opening = self.params, self._phase == GraspPhase.RELEASING
        speed = p.finger_open_speed if opening else p.finger_move_speed
        if self._velocity is not None:
            speed = float(HAND.velocity.max())
        self._fingers.move(self._target, speed, dt)
        if float(np.abs(self._target - q).max()) < p.posture_tolerance:
            if opening:
                self._phase = GraspPhase.IDLE
            elif self._phase == GraspPhase.IDLE and self._grasp_name:
                self._phase = GraspPhase.PRESHAPED
