"""What of a hand has failed: its tendons, drives and encoders, and pads that are mute without saying so.

    state = health.update(state)           the state with what failed made up for
    health.sent(answer)
    health.listen(grasp, asked, feeling, q, qd, dt)      while the hand squeezes

A finger that is pulled against a thing, stands still and is not at its stop touches something. When the pads
that shall press feel nothing for ``PATIENCE``, while the other side of the grasp feels what it presses, they
are
mute: from then on they count as dead, and the grasp holds by what is left (:mod:`neo_hand_control.hold`).
Tendons: :mod:`neo_description.tendon_monitor`. Latched until the runstop is released.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from neo_description.masks import any_of
from neo_description.signals import DriveMode, HandState, TendonCommand
from neo_description.tables import HAND, TAXELS
from neo_description.tendon_monitor import Found, Patience, TendonMonitor
from neo_description.tendon_residuals import ResidualSettings
from neo_hand_control.fingers import FINGER_OF_JOINT, FINGERS
from neo_hand_control.grasps import Grasp
from neo_hand_control.touch import GROUP_OF_PAD, Feeling

PATIENCE = 0.08  # s: below the time after which a grasp that is not felt counts as lost
PRESSED = 2.0  # N that a finger's pads are asked for
FELT = 1.5  # N that the other side feels
STOP = 0.05  # rad from the end of a joint's range: there the stop may bear what is pulled


def residual_settings(p: SimpleNamespace) -> ResidualSettings:
    """From the room's parameters."""
    return ResidualSettings(
        delay=p.drive_delay,
        lag=p.drive_lag,
        stiffness=p.drive_stiffness,
        length=p.monitor_length,
        length_share=p.monitor_length_share,
        angle=p.monitor_angle,
        angle_share=p.monitor_angle_share,
        absolute=p.monitor_angle_absolute,
        memory=p.monitor_memory,
    )


class HandHealth:
    """``tendons`` is the monitor, ``mute`` (19,) bool the pads found so; ``version`` grows with changes."""

    def __init__(self, params: SimpleNamespace):
        self._p, self._on = params, params.monitor
        patience = Patience(
            loose=params.monitor_loose_ticks,
            jammed=params.monitor_jammed_ticks,
            pulls=params.monitor_pulls_ticks,
            weak=params.monitor_weak_ticks,
            encoder=params.monitor_encoder_ticks,
        )
        self.tendons = TendonMonitor(HAND, residual_settings(params), patience)
        self._pads_found: list[Found] = []
        self._runstop = False
        self._begin()

    def reset(self) -> None:
        """All is well."""
        self.tendons.reset()
        self._begin()

    def _begin(self) -> None:
        self.mute = np.zeros(len(TAXELS), bool)
        self._pads_found = []
        self._silent = np.zeros(len(FINGERS))
        self._time = 0.0

    def update(self, state: HandState) -> HandState:
        """``state`` with angles from tendons where encoders failed, and mute pads marked as dead."""
        if not self._on:
            return state
        if self._runstop and not state.runstop:
            self.reset()
        self._runstop, self._time = state.runstop, state.time
        q, qd = self.tendons.update(
            state.tick,
            state.time,
            DriveMode(state.drive_mode),
            state.joint_position,
            state.joint_velocity,
            state.tendon_length,
            state.tendon_velocity,
            state.tendon_tension,
        )
        if q is not state.joint_position:
            state = replace(state, joint_position=q, joint_velocity=qd)
        if self._pads_found:
            state = replace(state, taxel_valid=np.asarray(state.taxel_valid, bool) & ~self.mute)
        return state

    def sent(self, answer: TendonCommand) -> None:
        """What the drives are told at this tick."""
        if self._on:
            self.tendons.sent(answer)

    def listen(
        self,
        grasp: Grasp,
        asked: np.ndarray,
        feeling: Feeling,
        own: np.ndarray,
        q: np.ndarray,
        qd: np.ndarray,
        dt: float,
    ) -> None:
        """One tick of squeezing: ``asked`` (19,) N of each pad; ``own`` (19,) bool: pads that touch the hand
        itself, as in an empty fist, of which nothing is concluded; ``q``, ``qd`` (22,) rad, rad/s."""
        felt = feeling.group_contact
        opposed = all(any(felt[g] for g in group) for group in grasp.opposition)
        if not self._on or opposed or any_of(own):
            self._silent[:] = 0.0
            return
        moving = grasp.closing > 0.0
        free = moving & ((np.abs(qd) > self._p.finger_run_speed) | (q > HAND.q_max - STOP))
        for k in range(len(FINGERS)):
            pads = np.equal(GROUP_OF_PAD, k)
            pulled = float(asked[pads].sum()) >= PRESSED and feeling.normal >= FELT
            still = not any_of(free & (k == FINGER_OF_JOINT))
            self._silent[k] = self._silent[k] + dt if pulled and still and not felt[k] else 0.0
            if self._silent[k] >= PATIENCE:
                self._silent[k] = 0.0
                new = pads & (grasp.push > 0.0) & ~self.mute
                self.mute |= new
                self._pads_found += [Found("mute", TAXELS[i], self._time) for i in np.flatnonzero(new)]

    @property
    def version(self) -> int:
        """Counts what was found or changed."""
        return self.tendons.version + len(self._pads_found)

    @property
    def found(self) -> list[Found]:
        """What was found, in order of time."""
        return sorted([*self.tendons.found, *self._pads_found], key=lambda found: found.time)

    def report(self) -> str:
        """What was found, in words, the last word about each part; empty while all is well."""
        return ", ".join(map(str, {found.part: found for found in self.found}.values()))
