"""Finds out about the body's tendons while the robot stands and moves: arms, friction, stretch, lag.

    calibrator = TendonCalibrator(BodyController(params))
    command = calibrator.update(state)          # every tick, until calibrator.done; then calibrator.result

**Arms.** Reel and encoder of a tendon that crosses one joint: ``l = l0 + scale l_table(q)``, a line over the
length that the table and the routing give.

**Friction.** What the observer of momentum (:mod:`externals`) cannot explain at a joint, over low-passed

    -mu arm (f_plus + f_minus) tanh(arm q' / speed)    arm f_plus    arm f_minus    1

by least squares: friction changes sign with the motion; errors of arms and masses, which the other columns
take, do not. Joints whose motion says too little get the median of the others.

**Stretch and lag.** A drive answers with ``df/dt = (f_cmd - f) / lag + k dl/dt``. For a lag the tension is
``F f_cmd + k G l`` with known filters F and G, so ``k`` of each tendon is a line again; the lag that leaves
the least is searched. Nothing measured is fed back into a prediction, so noise does not bend it.
"""

from __future__ import annotations

import math

import numpy as np

from neo_body_control.controller import BodyController
from neo_body_control.tendon_calibration import TendonCalibration
from neo_body_control.tendon_motions import Motion, motions
from neo_description.routing import ARM, routing_of
from neo_description.signals import BodyState, DriveMode, Safety, TendonCommand, WholeBodyCommand
from neo_description.tables import BODY, CONTROL_DT

MOVED = 0.01  # rad: a joint that moved less tells no arm
RUNS = 0.004  # N m: deviation of the friction's column (per unit of mu: 1) below which it tells nothing
TRUSTED = 0.01  # standard error of a friction that is believed
LAGS = np.array([0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.010, 0.012, 0.014, 0.017, 0.020])
SPEED = 0.01  # m/s at which friction has risen to 76 %
SETTLE = 1.5  # s of standing before the first motion
ENCODER = 5e-5  # rad: noise of an encoder


class TendonCalibrator:
    """``done``, ``failure`` ("" while all is well), ``doing``, ``progress`` 0..1; ``result`` when done."""

    def __init__(self, body: BodyController, plan: list[Motion] | None = None):
        self._body = body
        self._plan = list(motions()) if plan is None else plan
        self._whole = SETTLE + sum(motion.seconds for motion in self._plan)
        self._left = list(self._plan)
        self._until = math.inf
        self._began = math.inf
        self.doing, self.failure, self.done, self.progress = "stands up", "", False, 0.0
        self._rows: list[tuple[np.ndarray, ...]] = []
        self._low = np.zeros((4, len(BODY.joints)))  # low-passed: friction, both pulls, what is unexplained
        self._routing = routing_of(body.params.tendon_routing)

    def update(self, state: BodyState) -> TendonCommand:
        """The answer to ``state``; NeoError never: ``failure`` says what went wrong."""
        body = self._body
        answer = body.update(state)
        if self.done or self.failure:
            return answer
        safety = body.safety
        if self._began == math.inf:
            self._stand_up(state)
        elif not safety.moving:
            self.failure = f"the robot does not stand any more: {safety.reason}"
        elif body.health.report():
            self.failure = f"something is broken: {body.health.report()}"
        elif safety.state == Safety.ACTIVE:
            self._keep(state, answer)
            self._go_on(state.time)
        return answer

    def _stand_up(self, state: BodyState) -> None:
        if state.tick < 10:  # until the soles bear the weight
            return
        refused = self._body.set_mode("stand")
        if refused is not None:
            self.failure = f"the robot does not stand up: {refused}"
        self._began, self._until = state.time, state.time + SETTLE

    def _go_on(self, time: float) -> None:
        self.progress = min((time - self._began) / self._whole, 1.0)
        if time < self._until:
            return
        if not self._left:
            self.result = self._identified()
            self.done, self.progress, self.doing = True, 1.0, "done"
            return
        motion = self._left.pop(0)
        self.doing, self._until = motion.doing, time + motion.seconds
        reason = self._body.command(WholeBodyCommand(valid_for=30.0, **motion.parts))
        if reason is not None:
            self.failure = f"{motion.doing}: refused: {reason}"

    def _keep(self, state: BodyState, answer: TendonCommand) -> None:
        f = self._body.tendons.felt
        arm = ARM[0::2]
        now = np.array(
            [
                -arm * (f[0::2] + f[1::2]) * np.tanh(arm * state.joint_velocity / SPEED),
                arm * f[0::2],
                arm * f[1::2],
            ]
        )
        follow = CONTROL_DT * self._body.externals.bandwidth
        self._low[:3] += follow * (now - self._low[:3])
        self._low[3] = self._body.externals.residual[6:]
        asked = answer.tension if answer.mode == DriveMode.TENSION else state.tendon_tension
        measured = state.tendon_tension
        row = (state.joint_position, state.tendon_length, measured, asked, self._low.copy())
        self._rows.append(row)

    def _identified(self) -> TendonCalibration:
        q, length, tension, asked = (np.array([row[i] for row in self._rows]) for i in range(4))
        low = np.array([row[4] for row in self._rows[500::5]])
        arm, error = self._arms(q, length)
        lag, stiffness = self._drives(length, tension, asked)
        return TendonCalibration(lag, SPEED, stiffness, arm, error, self._friction(low))

    def _arms(self, q: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scale of each tendon's arm and its standard error; 1 and 0 where the joint moved too little."""
        made = np.array([self._routing.lengths(row) for row in q])
        made -= made.mean(axis=0)
        length = length - length.mean(axis=0)
        square = (made * made).sum(axis=0)
        moved = np.repeat(np.ptp(q, axis=0) > MOVED, 2)
        scale = (made * length).sum(axis=0) / np.where(moved, square, 1.0)
        left = (length - scale * made).std(axis=0)
        error = np.maximum(left, ENCODER * ARM) / np.sqrt(np.where(moved, square, 1.0))
        return np.where(moved, scale, 1.0), np.where(moved, error, 0.0)

    def _friction(self, low: np.ndarray) -> np.ndarray:
        """(31,) share of the tension lost, from rows (T, 4, 31)."""
        n = low.shape[2]
        mu, sure = np.full(n, np.nan), np.zeros(n, bool)
        for j in range(n):
            A = np.column_stack([low[:, :3, j], np.ones(len(low))])
            if A[:, 0].std() < RUNS * np.abs(A[:, 1:3]).mean():
                continue
            solved, *_ = np.linalg.lstsq(A, low[:, 3, j], rcond=None)
            left = low[:, 3, j] - A @ solved
            # what is left is no noise but slow; its samples count as one in 20
            spread = np.linalg.inv(A.T @ A)[0, 0] * left.var() * 20.0
            mu[j], sure[j] = solved[0], math.sqrt(spread) < TRUSTED
        typical = float(np.median(mu[sure])) if sure.any() else 0.0
        return np.clip(np.where(sure, mu, typical), 0.0, 0.3)

    def _drives(self, length: np.ndarray, tension: np.ndarray, asked: np.ndarray) -> tuple[float, np.ndarray]:
        """Lag (s) and each tendon's stiffness (N/m)."""
        delay = 1 + round(self._body.params.drive_delay / CONTROL_DT)
        best: tuple[float, float, np.ndarray] = (math.inf, 0.0, np.zeros(0))
        for lag in LAGS:
            follow = 1.0 - math.exp(-CONTROL_DT / float(lag))
            pulled, stretched = tension[0].copy(), np.zeros(tension.shape[1])
            told, ran = np.empty_like(tension), np.empty_like(tension)
            for k in range(len(tension)):
                if k:
                    pulled = pulled + follow * (asked[max(k - delay, 0)] - pulled)
                    stretched = (1.0 - follow) * stretched + length[k] - length[k - 1]
                told[k], ran[k] = pulled, stretched
            rest = tension - told
            rest -= rest.mean(axis=0)
            ran -= ran.mean(axis=0)
            k_each = (rest * ran).sum(axis=0) / np.maximum((ran * ran).sum(axis=0), 1e-12)
            left = float(((rest - k_each * ran) ** 2).mean())
            if left < best[0]:
                best = (left, float(lag), k_each)
        _, lag_found, stiffness = best
        typical = float(np.median(stiffness))
        odd = (stiffness < 0.3 * typical) | (stiffness > 3.0 * typical)
        return lag_found, np.where(odd, typical, stiffness)
