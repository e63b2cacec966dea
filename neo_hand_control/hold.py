"""Closing on an object and holding it by force.

First every finger closes until its own pads feel something and waits there, so that a light object is not
pushed over. When the groups of the grasp's ``opposition`` all feel it, the whole hand squeezes: the
total force ``F`` ramps up to the grip's set point and is divided among the pads by the grasp's shares.
What is pressed is trimmed to what the pads feel, at once in part and in time wholly:

    e = (LP(F) - N) / F        N: sum of the pads' normal forces less the length of their vector sum
    trim = clip(g e + clip(k ∫ e dt))

The low-pass LP has the lag of drives and pads, so that a force that has not arrived yet is not asked for
twice.

When a pad that presses is dead, nothing is trimmed, and the hand starts with more force
(:class:`neo_hand_control.grip.Grip`). When all of them are, the hand grips by position: it keeps the force it
had and the angles at which it stands; what it cannot feel is no reason to let go.

The thumb stands against the fingers with the share that the grasp gives it, and takes more when it yields
from where it met the object, by ``y`` metres along its push, so that the object stays where it was:

    thumb's share = clip(share + k_p y + k_i ∫ y dt)

An object that lies against the palm is kept there by it: then the thumb forgets where it stood.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from neo_description.signals import GraspPhase, HandState
from neo_hand_control.fingers import Fingers
from neo_hand_control.grasps import Grasp
from neo_hand_control.grip import Grip
from neo_hand_control.touch import FINGERS, GROUP_OF_PAD, GROUPS, Feeling

THUMB = GROUPS.index("thumb")
PALM = GROUPS.index("palm")
THUMB_PADS = np.equal(GROUP_OF_PAD, GROUPS.index("thumb")).astype(float)


class Hold:
    """Closes and holds with ``fingers``; ``params``: the room's parameters."""

    def __init__(self, params: SimpleNamespace, fingers: Fingers):
        self._p = params
        self._fingers = fingers
        self.grip = Grip(params)
        self.reset()

    def reset(self) -> None:
        """Nothing held, nothing pressed."""
        self.grasp: Grasp | None = None
        self.force = 0.0  # N commanded in all, before the trim
        self._answered = 0.0  # N of it that pads can feel by now
        self.trim = 1.0
        self._limit = np.inf  # N that is pressed at most, trim and all
        self._trim_sum = 1.0
        self.thumb_share = 0.0
        self._squeezing = False
        self._thumb_at: np.ndarray | None = None  # q when the squeeze began
        self._lean = 0.0
        self._on_palm = False
        self._age = 0.0
        self._apart = 0.0

    def begin(self, grasp: Grasp, fixed: float | None, limit: float | None = None) -> None:
        """Close with ``grasp``; ``fixed`` N overrides the automatic set point.

        ``limit`` N: what the thing bears; the set point stays below it by what force control overshoots.
        """
        self.reset()
        self.grasp = grasp
        start, least, most = grasp.start, grasp.least, grasp.most
        if limit is not None:
            self._limit = limit
            most = min(most, self._p.grip_limit_share * limit)
            start, least = min(start, self._p.grip_limit_start * limit), min(least, most)
        self.grip.start(start, least, most, fixed)
        self._fingers.start_closing()

    def press(self, arms: np.ndarray, q: np.ndarray, dt: float) -> np.ndarray:
        """Force (19,) N that each pad shall press with; ``arms`` (19, 22) m: J_pᵀ n_p, ``q`` (22,) rad."""
        assert self.grasp is not None
        push = self.grasp.push
        share = float(THUMB_PADS @ push)
        if share in (0.0, 1.0):  # nothing of the hand's own to share it with
            return self.trim * self.force * push
        if self._thumb_at is None:
            self._thumb_at = q.copy()
        yielded = float((THUMB_PADS * push) @ (arms @ (self._thumb_at - q))) / share  # m
        p = self._p
        low, high = p.thumb_share_range
        if self._on_palm:  # the palm keeps the object where it is
            self._lean *= 1.0 - min(dt / p.thumb_rest_time, 1.0)
            self._thumb_at += (q - self._thumb_at) * min(dt / p.thumb_rest_time, 1.0)
        elif self.force > 0.0:
            self._lean += p.thumb_integral * yielded * dt
            self._lean = min(max(self._lean, low - share), high - share)
        wanted = min(max(share + p.thumb_stiffness * yielded + self._lean, low), high)
        self.thumb_share = wanted
        each = np.where(THUMB_PADS > 0.0, wanted / share, (1.0 - wanted) / (1.0 - share))
        return self.trim * self.force * push * each

    def step(self, phase: GraspPhase, state: HandState, feeling: Feeling, dt: float) -> GraspPhase:
        """One tick in phase CLOSING or HOLDING; the phase that follows."""
        assert self.grasp is not None
        self._age += dt
        self._on_palm = bool(feeling.group_contact[PALM])
        if not self._squeezing:
            return self._approach(self.grasp, state, feeling, dt)
        self._fingers.squeeze(self.grasp, state.joint_position, state.joint_velocity, dt)
        if phase == GraspPhase.CLOSING:
            return self._build_up(state, feeling, dt)
        return self._keep(self.grasp, state, feeling, dt)

    def let_go(self, dt: float) -> None:
        """Let the force fade."""
        self.force = max(self.force - dt * self._p.release_rate, 0.0)

    def _approach(self, grasp: Grasp, state: HandState, feeling: Feeling, dt: float) -> GraspPhase:
        n = len(FINGERS)
        self._fingers.close(grasp, state.joint_position, feeling.group_contact[:n], dt)
        met = np.append(self._fingers.met, feeling.group_contact[n:])
        if self._opposed(grasp, met):
            self._squeezing = True
            self._age = 0.0
        elif self._fingers.done.all() or self._age > self._p.closing_timeout:
            return GraspPhase.LOST
        return GraspPhase.CLOSING

    def _build_up(self, state: HandState, feeling: Feeling, dt: float) -> GraspPhase:
        assert self.grasp is not None
        p, goal = self._p, self.grip.target
        self.force = min(self.force + goal * dt / p.force_ramp_time, goal)
        felt = self._felt(self.grasp, state, feeling)
        self._regulate(felt, feeling.normal, dt)
        if self.force >= goal and (felt is None or feeling.normal >= p.held_share * goal):
            return GraspPhase.HOLDING
        if self._age > p.build_up_timeout:
            return GraspPhase.LOST
        return GraspPhase.CLOSING

    def _keep(self, grasp: Grasp, state: HandState, feeling: Feeling, dt: float) -> GraspPhase:
        p = self._p
        presses = grasp.push > 0.0
        dead = presses & ~np.asarray(state.taxel_valid, bool)
        if not np.array_equal(dead, presses):
            self.force = self.grip.update(feeling, dt)
        met = feeling.group_contact | np.isin(np.arange(len(GROUPS)), GROUP_OF_PAD[dead])
        met[THUMB] |= met[PALM]  # fingers may hold against the palm, too
        here = self._opposed(grasp, met) and (dead.any() or feeling.normal > p.lost_share * self.force)
        felt = self._felt(grasp, state, feeling)
        sought = felt if here or felt is None else 0.0  # what opposes no longer is looked for
        self._regulate(sought, feeling.normal, dt)
        self._apart = 0.0 if here else self._apart + dt
        return GraspPhase.LOST if self._apart > p.lost_time else GraspPhase.HOLDING

    def _regulate(self, felt: float | None, normal: float, dt: float) -> None:
        """Trim what is pressed to what is ``felt`` (N); up only while all pads feel less than is wanted."""
        if felt is None:
            return
        p = self._p
        self._answered += min(dt / p.force_lag_time, 1.0) * (self.force - self._answered)
        error = (self._answered - felt) / max(self.force, 1.0)
        low, high = p.force_trim_range
        short = (self.force - normal) / (p.force_trim_fade * max(self.force, 1.0))
        high = min(1.0 + (high - 1.0) * min(max(short, 0.0), 1.0), self._limit / max(self.force, 1.0))
        self._trim_sum = min(max(self._trim_sum + p.force_integral * error * dt, low), high)
        self.trim = min(max(self._trim_sum + p.force_gain * error, low), high)

    @staticmethod
    def _felt(grasp: Grasp, state: HandState, feeling: Feeling) -> float | None:
        """The grip that is felt (N): the pads' normal forces without what none of them opposes.

        A hand that is pushed against a thing on a table feels much and grips nothing. None when a pad that
        presses is dead, and in grasps of one group: against a hook stands a weight, against a key no pad.
        """
        if len(grasp.opposition) == 1 or grasp.push[~np.asarray(state.taxel_valid, bool)].any():
            return None
        return feeling.normal - float(np.linalg.norm(feeling.net - feeling.shear))

    @staticmethod
    def _opposed(grasp: Grasp, met: np.ndarray) -> bool:
        return all(any(met[g] for g in group) for group in grasp.opposition)
