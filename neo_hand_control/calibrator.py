"""Calibrates an empty hand by its own sensors: it rests, touches itself, and moves its fingers up and down.

A state of tick k in, the tendon command for tick k out, like the controller; about a minute of plant time:

    rest      open hand: zeros and noise, and broken pads (:mod:`neo_hand_control.pad_rest`)
    touches   each pair of ``self_touches.yaml`` presses up to ``PEAK`` N and back: gains
              (:mod:`neo_hand_control.pad_gains`), and pads that keep silent
    friction  fingers move to and fro, tendons first at pretension and then tight: what the tension adds to
              the resistance is friction, ``share = change of resistance / change of |arm| x tension``

It ends early, with ``failure`` saying why, on a runstop, when the drives do not follow, or when the hand
is not empty. Joint encoders are taken as they are: driving the joints to their stops would tell their zeros
to a few milliradians only, because stops and tendons yield, while encoders are better than one.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import yaml

from neo_description import parameters
from neo_description.errors import NeoError
from neo_description.signals import DriveMode, HandState, TendonCommand
from neo_description.tables import CONTROL_DT, CONTROL_RATE, HAND, TAXELS
from neo_description.tension_distribution import TensionDistribution
from neo_hand_control import pad_gains, pad_rest
from neo_hand_control.calibration import Calibration
from neo_hand_control.controller import OPEN, PARAMETERS
from neo_hand_control.hand_kinematics import HandKinematics
from neo_hand_control.pad_gains import Answer, Press
from neo_hand_control.servo import Servo

TOUCHES_YAML = Path(__file__).with_name("self_touches.yaml")
PATIENCE = 0.2  # s: how long the drives may refuse to follow
SPEED = 5.0  # rad/s of the joint with the longest way
SETTLE, PAUSE = 0.3, 0.1  # s: before something is measured, and else
REST = 3.0  # s
PEAK, RAMP = 5.0, 0.75  # N, s from nothing to there
BACK = 0.35  # rad: how far fingers stand back before a touch
AIM = 0.08  # rad: how far, where the direction of the push is taken
STROKE, SWEEP, SWEEPS = 0.5, 0.4, 3  # rad, s for that way, times to and fro
TIGHT = 25.0  # N: pretension of tight tendons
MOVED = tuple(f"{finger}_mcp_flex" for finger in ("index", "middle", "ring", "little"))
Routine = Generator[None, None, None]


@cache
def touches() -> tuple[tuple[int, int, np.ndarray], ...]:
    """Rows of ``self_touches.yaml``: the pad that presses, the one that is pressed, posture (22,) rad."""
    rows = []
    for row in yaml.safe_load(TOUCHES_YAML.read_text()):
        q = OPEN.copy()
        for joint, angle in row["joints"].items():
            q[HAND.index(joint)] = angle
        a, b = (TAXELS.index(name) for name in row["pads"])
        rows.append((a, b, q))
    return tuple(rows)


class HandCalibrator:
    """Calibrates hand ``side``. ``result`` when it is ``done``; ``failure``: why there is none.

    ``doing`` says what it is at; ``progress`` runs from 0 to 1. ``pairs``: numbers of rows of
    ``self_touches.yaml`` to use; ``None``: all.
    """

    def __init__(
        self, side: str, params: SimpleNamespace | None = None, pairs: tuple[int, ...] | None = None
    ):
        self.side = side
        self.done, self.failure, self.doing, self.progress = False, "", "opening the hand", 0.0
        self.result = Calibration(side)  # refuses an unknown side
        self.answers: list[Answer] = []  # of all touches so far
        self._kinematics = HandKinematics(side)
        self._servo = Servo(parameters.load(PARAMETERS, side=side) if params is None else params)
        self._distribute = TensionDistribution(HAND)
        self._touches = touches() if pairs is None else tuple(touches()[i] for i in pairs)
        self._push = np.zeros(len(HAND.joints))  # N m on top of the servo's
        self._pretension: np.ndarray | None = None
        self._unfollowed = 0.0
        self._state: HandState | None = None
        self._q_ref = np.zeros(len(HAND.joints))
        self._routine = self._calibrate()
        self._answer: TendonCommand | None = None

    def update(self, state: HandState) -> TendonCommand:
        """Answer ``state``; the same tick again gets the same answer. When done the hand is kept open."""
        if self._answer is not None and state.tick == self._answer.tick:
            return self._answer
        if self._state is None:
            self._q_ref = np.array(state.joint_position)
        self._state = state
        self._watch(state)
        if not self.done and not self.failure:
            try:
                next(self._routine)
            except StopIteration:
                self.done = True
            except NeoError as error:
                self.failure = str(error)
        mode = DriveMode.HOLD if self.failure else DriveMode.TENSION
        torque = self._servo.torque(
            state.joint_position, state.joint_velocity, self._q_ref, self._push, NO_PUSH, CONTROL_DT
        )
        tension = self._distribute(torque, self._pretension)
        self._answer = TendonCommand(tick=state.tick, mode=mode, tension=tension)
        return self._answer

    def _watch(self, state: HandState) -> None:
        if self.done or self.failure:
            return
        following = self._answer is None or state.drive_mode == DriveMode.TENSION
        self._unfollowed = 0.0 if following else self._unfollowed + CONTROL_DT
        if state.runstop:
            self.failure = "the hand is in runstop; release it first (neo reset)"
        elif not (np.isfinite(state.joint_position).all() and np.isfinite(state.joint_velocity).all()):
            self.failure = "joint encoders tell no finite angles"
        elif self._unfollowed > PATIENCE:
            self.failure = f"the drives do not follow: they are in {DriveMode(state.drive_mode).name}"

    # What happens, in order; each ``yield`` is one tick

    def _calibrate(self) -> Routine:
        steps = len(self._touches) + 2
        yield from self._go(OPEN, SETTLE)
        self.doing = "resting"
        yield from self._rest()
        for i, (a, b, q) in enumerate(self._touches):
            self.doing, self.progress = f"{TAXELS[a]} presses {TAXELS[b]}", (i + 1) / steps
            yield from self._touch(a, b, q)
        self.doing, self.progress = "moving fingers to and fro", (steps - 1) / steps
        yield from self._rub()
        yield from self._go(OPEN)
        self._conclude()
        self.doing, self.progress = "done", 1.0

    def _now(self) -> HandState:
        assert self._state is not None
        return self._state

    def _wait(self, seconds: float) -> Routine:
        for _ in range(round(seconds * CONTROL_RATE)):
            yield

    def _go(self, target: np.ndarray, wait: float = PAUSE) -> Routine:
        """Move all joints to ``target`` (22,) rad along a straight line, smoothly, and wait (s)."""
        start = self._q_ref.copy()
        ticks = max(round(1.5 * float(np.abs(target - start).max()) / SPEED * CONTROL_RATE), 1)
        for i in range(1, ticks + 1):
            u = i / ticks
            self._q_ref = start + u * u * (3.0 - 2.0 * u) * (target - start)
            yield
        yield from self._wait(wait)

    def _rest(self) -> Routine:
        readings, valid = [], []
        for _ in range(round(REST * CONTROL_RATE)):
            readings.append(np.array(self._now().taxel_force))
            valid.append(np.array(self._now().taxel_valid, bool))
            yield
        self.result.pads = pad_rest.judge(np.array(readings), np.array(valid))

    def _alive(self) -> np.ndarray:
        return np.array([not pad.broken for pad in self.result.pads])

    def _touch(self, a: int, b: int, q: np.ndarray) -> Routine:
        before = _back(q, BACK)
        yield from self._go(before)
        yield from self._go(q, SETTLE)
        push = self._aim(a, b)
        q_sum, rows = np.zeros(len(q)), []
        ramp = np.arange(round(RAMP * CONTROL_RATE)) / (RAMP * CONTROL_RATE)
        for share in (*ramp, *ramp[::-1]):
            state = self._now()
            self._kinematics.move(state.joint_position)
            _, (p_a, p_b) = self._kinematics.nearest(a, b)
            arms = push @ self._kinematics.jacobian(a, p_a) - push @ self._kinematics.jacobian(b, p_b)
            self._push = PEAK * share * arms
            torque = HAND.moment_arms @ state.tendon_tension
            rows.append((PEAK * share, torque, state.taxel_force))
            q_sum += state.joint_position
            yield
        self._push = np.zeros(len(q))
        asked, torques, readings = (np.array(column) for column in zip(*rows, strict=True))
        press = Press(a, b, readings, asked, torques, q_sum / len(rows), push)
        self.answers.append(pad_gains.judge(press, self._kinematics, self._alive()))
        yield from self._go(before)
        yield from self._go(OPEN)

    def _aim(self, a: int, b: int) -> np.ndarray:
        """Direction (3,) in which *a* presses *b*: of their shortest distance, seen from a little way off."""
        self._kinematics.move(_back(self._now().joint_position, AIM))
        _, (p_a, p_b) = self._kinematics.nearest(a, b)
        return (p_b - p_a) / np.linalg.norm(p_b - p_a)

    def _rub(self) -> Routine:
        joints = [HAND.index(name) for name in MOVED]
        middle = OPEN.copy()
        middle[joints] = 0.6
        resistance, tension = [], []
        for tight in (False, True):
            self._pretension = np.full(len(HAND.tendons), TIGHT) if tight else None
            yield from self._go(middle, SETTLE)
            found: dict[float, list[np.ndarray]] = {1.0: [], -1.0: []}
            pulls, speeds = [], []
            for way in (1.0, -1.0) * SWEEPS:
                start = self._q_ref.copy()
                ticks = round(SWEEP * CONTROL_RATE)
                for i in range(ticks):
                    self._q_ref = start.copy()
                    self._q_ref[joints] += way * STROKE * (i + 1) / ticks
                    state = self._now()
                    if i > ticks // 2:
                        found[way].append((HAND.moment_arms @ state.tendon_tension)[joints])
                        pulls.append((np.abs(HAND.moment_arms) @ state.tendon_tension)[joints])
                        speeds.append(np.abs(state.tendon_velocity).reshape(-1, 2)[joints].max(axis=1))
                    yield
            up, down = (np.mean(found[way], axis=0) for way in (1.0, -1.0))
            resistance.append((up - down) / 2)
            tension.append(np.mean(pulls, axis=0))
        self._pretension = None
        change = (resistance[1] - resistance[0]) / (tension[1] - tension[0])
        self.result.friction, self.result.speed = float(change.mean()), float(np.mean(speeds))

    def _conclude(self) -> None:
        pads = self.result.pads
        silent = pad_gains.silent(self.answers, ~self._alive())
        gain, error, measured = pad_gains.solve(self.answers)
        for i, pad in enumerate(pads):
            if silent[i]:
                pad.broken = "silent: it was pressed, and its partner felt it"
            elif not pad.broken:
                pad.gain, pad.error, pad.measured = float(gain[i]), float(error[i]), bool(measured[i])
        self.result = Calibration(self.side, pads, self.result.friction, self.result.speed)


NO_PUSH = np.zeros(len(HAND.joints))
_FLEX = np.array([name.endswith(("mcp_flex", "thumb_cmc_flex")) for name in HAND.joints])


def _back(q: np.ndarray, angle: float) -> np.ndarray:
    """Posture ``q`` (22,) with fingers and thumb ``angle`` rad further open at the base."""
    back = q.copy()
    back[_FLEX] -= angle
    return np.clip(back, HAND.q_min + 0.02, HAND.q_max - 0.02)
