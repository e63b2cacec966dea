"""Core of the ``walk_to`` action: to a place and a heading, watched tick by tick in plant time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from neo_body_control.controller import BodyController
from neo_body_control.rotations import yaw
from neo_body_control.walking.place import Approach, velocity_to
from neo_body_control.walking.stance import wrapped
from neo_description.errors import RefusedError
from neo_description.signals import Safety, WholeBodyCommand

RENEW = 0.1  # s of plant time between two velocities; each holds for twice as long
FARTHEST, LONGEST = 10.0, 600.0  # m: odometry alone leads there; s
FRAMES = ("odom", "base_link")


@dataclass(frozen=True)
class WalkOutcome:
    """``reason``: done, stopped, superseded, timeout or cancelled; what is missing as believed (m, rad)."""

    success: bool
    reason: str
    distance: float
    heading_error: float


class WalkTo:
    """A walk under way. Raises RefusedError at once when the goal is not acceptable.

    ``T`` (4, 4) in ``frame``: where the middle between the soles shall be, its x the way the robot faces;
    height and tilt do not count. ``timeout`` s of plant time, 0 for the default of ``params``. Only odometry
    leads there: what it drifts, the robot misses. ``errors``: distance m and heading error rad of where it
    would come to a stand, as it believes.
    """

    def __init__(
        self,
        body: BodyController,
        params: SimpleNamespace,
        T: np.ndarray,
        frame: str = "odom",
        timeout: float = 0.0,
        approach: Approach = Approach(),  # noqa: B008 - frozen
    ):
        if frame not in FRAMES:
            raise RefusedError(f"frame is {frame!r}; one of {', '.join(FRAMES)}")
        if not math.isfinite(timeout) or not 0.0 <= timeout <= LONGEST:
            raise RefusedError(f"timeout is {timeout}; 0 (default) to {LONGEST:g} s allowed")
        if not params.walking:
            raise RefusedError("the robot does not walk (parameter walking is false)")
        if not np.isfinite(T).all():
            raise RefusedError("target is not finite")
        if body.safety.refusal is not None:
            raise RefusedError(body.safety.refusal)
        if frame == "base_link":
            T = body.estimate.T_odom_base @ T
        self._body, self._approach = body, approach
        self._place = float(T[0, 3]), float(T[1, 3]), yaw(T[:3, :3])
        self._deadline = body.estimate.time + (timeout or params.walk_timeout)
        self.errors = self._missing()
        if self.errors[0] > FARTHEST:
            raise RefusedError(f"target is {self.errors[0]:.1f} m away; at most {FARTHEST:g} m allowed")
        self._go(self._velocity())

    def step(self) -> WalkOutcome | None:
        """After a controller's tick: ``None`` while under way."""
        body, time = self._body, self._body.estimate.time
        if body.estimate.safety in (Safety.STOP, Safety.FALLING):
            return self._outcome(False, f"stopped: {body.estimate.reason}")
        self.errors = self._missing()
        last = body.queue.last
        if last is not self._sent and last.base_velocity is not None:
            return self._outcome(False, "superseded by another command")
        if time >= self._deadline:
            self._stand()
            return self._outcome(False, "timeout")
        velocity = self._velocity()
        if velocity is None and body.legs.walker.standing:
            return self._outcome(True, "done")
        if time >= self._renew:
            try:
                self._go(velocity)
            except RefusedError as error:
                return self._outcome(False, f"stopped: {error}")
        return None

    def cancel(self) -> WalkOutcome:
        """The robot comes to a stand within about two steps."""
        self._stand()
        return self._outcome(False, "cancelled")

    def _missing(self) -> tuple[float, float]:
        x, y, heading = self._body.legs.walker.destination
        return math.hypot(self._place[0] - x, self._place[1] - y), abs(wrapped(self._place[2] - heading))

    def _velocity(self) -> np.ndarray | None:
        return velocity_to(self._body.legs.walker.destination, self._place, self._approach)

    def _go(self, velocity: np.ndarray | None) -> None:
        wanted = np.zeros(3) if velocity is None else velocity
        reason = self._body.command(WholeBodyCommand(valid_for=2.0 * RENEW, base_velocity=wanted))
        if reason is not None:
            raise RefusedError(reason)
        self._sent = self._body.queue.last
        self._renew = self._body.estimate.time + RENEW

    def _stand(self) -> None:
        self._body.command(WholeBodyCommand(valid_for=2.0 * RENEW, base_velocity=np.zeros(3)))

    def _outcome(self, success: bool, reason: str) -> WalkOutcome:
        return WalkOutcome(success, reason, *self.errors)
