"""The body's controller: state in, tendon command out, once a tick; no clock of its own.

body = BodyController(load_parameters())
plant.command_body(body.update(plant.body_state()))
"""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import mujoco
import numpy as np

from neo_body_control import settings
from neo_body_control.collisions import SelfCollisions
from neo_body_control.commands import CommandQueue
from neo_body_control.dynamics import NV, Dynamics
from neo_body_control.estimator import BaseEstimator
from neo_body_control.externals import ExternalForces
from neo_body_control.health import CARRY, BodyHealth
from neo_body_control.joint_paths import JointGoals, JointPath
from neo_body_control.lasting_errors import LastingErrors
from neo_body_control.load import carried_loads, feed_forward, support_of
from neo_body_control.rotations import log, transform
from neo_body_control.safety import SafetyMachine
from neo_body_control.stiffness import Stiffness
from neo_body_control.targets import ARM, Targets
from neo_body_control.tasks import TaskStack
from neo_body_control.tendon_forces import SELDOM, TendonForces
from neo_body_control.walking.legs import Legs
from neo_body_control.wbc import WholeBodyQp
from neo_body_control.yielding import Yielding
from neo_description.signals import (
    BodyEstimate,
    BodyState,
    DriveMode,
    Safety,
    TendonCommand,
    WholeBodyCommand,
)
from neo_description.tables import BODY, SIDES

HOLD_COCONTRACTION = 3.0  # what hold pulls more, over pretension: standing up starts from there
TORQUE_RAMP = 0.3  # share of standing up over which torques are taken over
RESTART = 50  # ticks back that mean a plant that has started again


class BodyController:
    """Core of ``body_control``. ``params``: :func:`settings.load_parameters`.

    ``estimator``, ``safety``, ``health``, ``targets``, ``queue`` (commands that wait, what was refused),
    ``loads`` by side, ``legs``, ``tendons`` and ``qp`` may be read by anyone.
    """

    def __init__(self, params: SimpleNamespace | None = None):
        self.params = p = params or settings.load_parameters()
        self._gains = settings.TaskGains.of(p)
        self.queue = CommandQueue(settings.command_limits(p))
        self._dynamics = Dynamics()
        self._tasks = TaskStack()
        self.qp = WholeBodyQp(settings.wbc_limits(p))
        d = self._dynamics
        self.collisions = SelfCollisions(d.model, d.data, settings.collision_limits(p))
        self.stiffness = Stiffness(p.stiff_from, p.stiff_to, p.stiff_fade)
        self.externals = ExternalForces(d, p.external_cutoff)
        self.health = BodyHealth(p)
        self.tendons = TendonForces(p, self._gains.posture.kd)
        self._reset()

    def _reset(self) -> None:
        p = self.params
        self.estimator = BaseEstimator(settings.estimator_gains(p))
        self.safety = SafetyMachine(settings.safety_limits(p))
        self.targets = Targets(p)
        self.loads = carried_loads(self._dynamics.model, p)
        self.joints = JointGoals()
        self.legs = Legs(p)
        self._stop_asked: float | None = None  # s: set_mode stop came under way
        self.queue.clear()
        self.health.reset()
        self._count_on()
        self._tick = -1
        self._time = 0.0
        self._answer = TendonCommand(0, DriveMode.HOLD, BODY.pretension.copy())
        self._failed = 0
        self._qpos = np.zeros(NV + 1)
        self._qvel = np.zeros(NV)
        self.tendons.reset()
        self._taken_over = np.zeros(len(BODY.joints))
        self._lasting = {s: LastingErrors() for s in SIDES}
        self.yielding = {s: Yielding(self._dynamics.model, s, p.hand_press, p.hand_yield) for s in SIDES}
        self.stiffness.reset()
        self.externals.reset()

    # What goes in and out

    def update(self, state: BodyState) -> TendonCommand:
        """The answer to ``state``. The same tick again gets the same answer; an older one the last answer."""
        if state.tick <= self._tick and state.tick > self._tick - RESTART:
            return self._answer
        if state.tick < self._tick:
            self._reset()
        self._tick, self._time = state.tick, state.time
        state = self.health.update(state)
        if self.health.version != self._counted_on:
            self._count_on()
        self._answer = self._decide(state)
        self.health.sent(self._answer)
        return self._answer

    def _decide(self, state: BodyState) -> TendonCommand:
        """The answer to a state that can be believed."""
        self._estimate(state)
        est = self.estimator
        self.safety.update(
            state.tick,
            state.time,
            DriveMode(state.drive_mode),
            state.runstop,
            est.tilt,
            est.height,
            stepping=self.legs.steps is not None,
        )
        if self.health.too_much is not None and self.safety.moving:
            self.safety.stop(state.time, self.health.too_much)
        if not self.safety.moving:
            self.queue.clear()
            self.joints.release()
            self.targets.busy.clear()
            self.targets.gazing = False
            self.legs.reset()
            self._stop_asked = None
            return TendonCommand(state.tick, self.safety.drive_mode, BODY.pretension.copy())
        self._begin_due_commands()
        if self._stop_asked is not None:
            self._stop_after_a_step(state.time)
        self.legs.update(self.safety.state == Safety.ACTIVE, self.estimator, self._dynamics, self.targets)
        if self.legs.steps is None:
            place = self.targets.place(self.estimator.anchors)
            busy, most = self.targets.busy, self.params.load_shift
            self.targets.support(support_of(self.loads, self._dynamics, busy, place, most))
        self.targets.step(state.time, alone=not self.joints.set)
        load = feed_forward(self.loads, self._dynamics, state, self.targets)
        self._set_tasks(state)
        return self._solve(state, load)

    def command(self, command: WholeBodyCommand) -> str | None:
        """Take a command; ``None``: accepted, else why it was refused. Nothing changes when refused."""
        shoulders = {s: self._dynamics.shoulder(s) for s in SIDES}
        T_odom_base = transform(self.estimator.R, self.estimator.p)
        return self.queue.offer(command, self._time, self.safety, T_odom_base, shoulders)

    def follow(self, path: JointPath) -> str | None:
        """Joints go along ``path`` from now on, not after their hands' targets; ``None``: accepted."""
        if self.safety.refusal is not None:
            return self.safety.refusal
        for side in SIDES:
            if side in self.targets.busy and np.intersect1d(ARM[side], path.index).size:
                self.targets.release(side, self._qpos[7:])
        self.joints.follow(path, self._time, self._qpos[7:], self._qvel[6:])
        return None

    @property
    def joint_position(self) -> np.ndarray:
        """(31,) rad that the controller believes."""
        return self._qpos[7:]

    @property
    def joint_velocity(self) -> np.ndarray:
        """(31,) rad/s that the controller believes."""
        return self._qvel[6:]

    def set_mode(self, mode: str) -> str | None:
        """``stand`` or ``stop``; ``None``: done (or under way), else why not."""
        if mode == "stop":
            if self.legs.steps is None:
                self.safety.stop(self._time, "set_mode stop")
            elif self._stop_asked is None:
                self._stop_asked = self._time
            return None
        if mode != "stand":
            return f"unknown mode {mode!r}; stand or stop"
        already = self.safety.moving
        ready = None if self.estimator.standing else "the soles do not both stand on the ground"
        ready = self.health.too_much or ready
        reason = self.safety.stand(self._time, self.estimator.tilt, ready)
        if reason is None and not already:
            self._stand_up()
        return reason

    def stop(self, reason: str) -> None:
        """To STOP for ``reason``."""
        self.safety.stop(self._time, reason)

    @property
    def tick(self) -> int:
        """The last tick answered, -1 before the first."""
        return self._tick

    @property
    def estimate(self) -> BodyEstimate:
        """What the body believes about itself at the last tick."""
        frames = self._dynamics.frames
        return BodyEstimate(
            tick=max(self._tick, 0),
            time=self._time,
            T_odom_base=transform(self.estimator.R, self.estimator.p),
            base_velocity=np.concatenate(
                [self.estimator.v, self.estimator.R @ self.estimator.angular_velocity]
            ),
            T_odom_l_gripper=frames["l_gripper"].T,
            T_odom_r_gripper=frames["r_gripper"].T,
            T_odom_head_camera=self._dynamics.T_odom_head_camera,
            safety=self.safety.state,
            reason=self.safety.reason,
        )

    def arrived(self, side: str) -> tuple[float, float]:
        """Distance (m) and angle (rad) from a gripper to its target; infinite when it has none."""
        if side not in self.targets.busy:
            return math.inf, math.inf
        T = self.targets.hands[side].target
        frame = self._dynamics.frames[f"{side}_gripper"]
        turn = log(frame.R.T @ T[:3, :3])
        return float(np.linalg.norm(T[:3, 3] - frame.p)), float(np.linalg.norm(turn))

    def follows(self, side: str, command: WholeBodyCommand) -> bool:
        """Whether ``command`` (as ``queue.last`` had it) is what a hand follows now."""
        T = command.T_l_hand if side == "l" else command.T_r_hand
        return side in self.targets.busy and self.targets.source.get(side) is T

    def halt(self, side: str) -> None:
        """A hand comes to rest where it is; what was queued for it is forgotten."""
        self.queue.drop(side)
        if side in self.targets.busy:
            self.targets.halt(side)

    # One tick

    def _count_on(self) -> None:
        """Pull and plan with what the tendons can still do."""
        tendons = self.health.tendons
        self._counted_on = self.health.version
        self.tendons.count_on(tendons)
        self.qp.limit(*self.tendons.limits())
        # the body shall not swing to turn a wrist that cannot turn itself
        one_sided = tendons.failed[0::2] | tendons.failed[1::2]
        self._idle = np.flatnonzero(one_sided & ~CARRY)

    def _estimate(self, state: BodyState) -> None:
        est = self.estimator
        est.update(state)
        q, v = self._qpos, self._qvel
        q[:3] = est.p
        mujoco.mju_mat2Quat(q[3:7], np.ascontiguousarray(est.R).ravel())
        q[7:] = state.joint_position
        v[:3] = est.v
        v[3:6] = est.angular_velocity
        v[6:] = state.joint_velocity
        self._dynamics.update(q, v)
        self.collisions.update(v)
        soles = {"l": state.l_sole_wrench, "r": state.r_sole_wrench}
        self.tendons.update(state.tick, state.joint_position, state.tendon_tension)
        if self.tendons.varies and state.tick % SELDOM == 0:
            self.qp.limit(*self.tendons.limits())
        self.externals.update(v, self.tendons.torque, soles)

    def _stop_after_a_step(self, time: float) -> None:
        """The feet come to a stand, then STOP; a robot on one leg that only holds its posture falls over."""
        self.targets.velocity = None
        if self.legs.steps is None or time - (self._stop_asked or 0.0) > self.params.stop_within:
            self.safety.stop(time, "set_mode stop")

    def _stand_up(self) -> None:
        self._taken_over = BODY.moment_arms @ self.tendons.felt
        place = self.targets.place(self.estimator.anchors)
        est = self.estimator
        self.targets.start(self._qpos[7:], self._dynamics.com, est.height, est.R, place)
        self._failed = 0
        self.joints.release()
        self.legs.reset()
        for side in SIDES:
            self.loads[side].reset()
            self._lasting[side].reset()
            self.yielding[side].reset()

    def _begin_due_commands(self) -> None:
        if self.safety.state != Safety.ACTIVE:
            return
        for command in self.queue.due(self._time):
            grippers = {s: self._dynamics.frames[f"{s}_gripper"].T for s in SIDES}
            gaze = self._dynamics.frames["gaze"]
            looked_at = gaze.p + gaze.R[:, 0]
            before = set(self.targets.busy)
            self.targets.apply(command, self._time, grippers, self._qpos[7:], looked_at)
            for side in self.targets.busy - before:
                self._lasting[side].reset()
                self.yielding[side].reset()
            for side in {*self.targets.busy, *command.release}:
                self._end_path(side)

    def _end_path(self, side: str) -> None:
        """An arm that followed a path is its hand's, or the posture's, again."""
        arm = ARM[side]
        if self.joints.active[arm].any():
            self.joints.drop(arm)
            self.targets.release_joints(arm, self._qpos[7:])

    def _set_tasks(self, state: BodyState) -> None:
        d, t, g, est = self._dynamics, self._tasks, self._gains, self.estimator
        p, steps = self.params, self.legs.steps
        for side in SIDES:
            sole = d.frames[f"{side}_sole"]
            foot = self.legs.foot(side)
            if foot is not None:
                t.swing(side, sole, p.swing_weight, p.swing_kp, foot)
            elif est.contacts[side].stands:
                t.contact(side, sole, p.contact_weight, p.contact_damping)
            else:
                t.set_down(side, sole, p.contact_weight, p.contact_damping, p.set_down_speed)
        base = self.targets.base
        if steps is not None:
            t.com_acceleration(d, p.walk_com_weight, steps.acceleration)
        else:
            t.com(d, g.com, base.point.p[:2], base.point.v[:2])
        height, upright, momentum = g.height, g.orientation, p.momentum_weight
        if steps is not None:
            height, upright, momentum = g.walk_height, g.walk_upright(steps.calm), p.walk_momentum_weight
        t.height(est.height, est.v[2], height, self.targets.height(est.height))
        t.orientation(est.R, est.angular_velocity, upright, self.targets.upright(est.R))
        if self.targets.gazing:
            t.gaze(d.frames["gaze"], g.gaze, self.targets.gaze.p)
        else:
            t.no_gaze()
        weight = (g.posture_weight if steps is None else g.walk_posture_weight).copy()
        for side in SIDES:
            if side not in self.targets.busy:
                t.drop_hand(side)
                continue
            frame = d.frames[f"{side}_gripper"]
            ref = self.targets.hand(side)
            wrench, pressed = getattr(state, f"{side}_wrist_wrench"), self.targets.pressing.force[side]
            self.yielding[side].give_way(d, wrench, self.loads[side].mass, ref, pressed)
            self._lasting[side].take_back(frame, ref, p.hand_integral, self.yielding[side])
            turn = g.press_turn if pressed.any() else g.hand_turn
            t.hand(side, frame, g.hand, turn, ref)
            weight[ARM[side]] = g.busy_arm
        weight[self._idle] = p.posture_weight_legs
        t.momentum(d, momentum, p.momentum_damping)
        q, v, rest = state.joint_position, state.joint_velocity, self.targets.posture.x
        t.posture(q, v, rest, weight, g.posture)
        if self.joints.set:
            self.joints.step(self._time)
            t.joints(q, v, rest, self.joints, g.posture, g.path, d.M.diagonal()[6:])

    def _solve(self, state: BodyState, load: np.ndarray) -> TendonCommand:
        """``load`` (37,): generalised force of what the hands carry."""
        near = self.params.near_ground
        stands = {
            s: c.stands or float(self._dynamics.frames[f"{s}_sole"].p[2]) < near
            for s, c in self.estimator.contacts.items()
        }
        stands = self.legs.standing(stands)
        q, v = self._qpos[7:], self._qvel[6:]
        answer = self.qp.solve(self._dynamics, self._tasks, q, v, stands, load, self.collisions)
        if answer is None:
            self._failed += 1
            if self._failed > 1:
                self.safety.stop(self._time, "the whole-body QP has no answer")
                return TendonCommand(state.tick, DriveMode.HOLD, BODY.pretension.copy())
            return replace(self._answer, tick=state.tick)
        self._failed = 0
        ramp = self.safety.ramp(self._time)
        torque = answer.torque + self._lost()
        tight = self._tightness()
        if ramp < 1.0:
            share = min(ramp / TORQUE_RAMP, 1.0)
            torque = share * torque + (1.0 - share) * self._taken_over
            tight = tight + (1.0 - ramp) * HOLD_COCONTRACTION
        f = self.tendons.tensions(torque, (1.0 + tight) * BODY.pretension)
        return TendonCommand(state.tick, DriveMode.TENSION, f)

    def _tightness(self) -> float:
        """How much more than their pretension both tendons of a pair pull, in pretensions."""
        d, p = self._dynamics, self.params
        # under way the capture point belongs elsewhere than over the soles
        place = self.targets.base.point.p if self.legs.steps is None else self.legs.walker.reference
        level = self.stiffness.update(d.com, d.com_velocity, place[:2], d.gravity)
        return float(p.cocontraction + level * max(p.cocontraction_stiff - p.cocontraction, 0.0))

    def _lost(self) -> np.ndarray:
        """Torque (31,) that drives and tendons take."""
        v = self._qvel
        losses = self.tendons.losses
        lost = losses.torque(self._dynamics.M.diagonal()[6:], v[6:], self.tendons.felt)
        J = {side: self._dynamics.frames[f"{side}_sole"].J for side in SIDES}
        self.legs.against_drives(lost, losses.damping, J, v)
        return lost
