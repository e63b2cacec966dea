"""A box too wide for one hand, lifted between two palms, held, and put down where it is felt to stand.

    beside → close in until both palms feel it → press → lift while the press is firm → hold → lower → let go

What it knows is where the box is (as perception says it), the estimated poses of the grippers and the wrists'
wrenches. What it answers are targets of both hands with what each shall press with.

A forearm is thicker than a palm and would meet the box first. So the hands are turned by ``AWAY`` and come
from above (``DIP``): they press with the palm below the knuckles, beside the box's middle, and the fingers,
stretched and bent back, lie on its sides.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import numpy as np

from neo_body_control.squeeze import Palm, Squeeze
from neo_description.errors import NeoError
from neo_description.hand import FINGERS, GRIPPER
from neo_description.signals import BodyEstimate, BodyState, HandAction, HandCommand, WholeBodyCommand
from neo_description.tables import HAND, SIDES

Steps = Generator[None, None, None]
BACK = 0.3  # rad: fingers bent back
AWAY = 0.36  # rad: of the palm from the box's side
DIP = 0.9  # rad: fingers down, so that forearms come from above the box
EDGE = (0.105, 0.014)  # m from the wrist, to the fingers and out of the palm: the palm below the knuckles
HIGH = 0.03  # m above the box's middle: so that it hangs, and does not turn over
BESIDE, INSIDE = 0.07, 0.05  # m: from a side when the hands come, and how far beyond it they look for it
TOUCH = 3.0  # N
STOOD = 0.15  # share of the weight that is still felt when the box stands
DEEPER = 0.08  # m: farther down than it stood it is not lowered
MOVE, CLOSE, LIFT, LOWER, PART = 0.25, 0.05, 0.06, 0.05, 0.02  # m/s
SHARE, SHARE_MOST = 0.0007, 0.02  # m/s for each N that one hand bears more than the other; m/s
TAKE_BACK, SHORT, HIGH_ENOUGH = 1.5, 0.03, 0.008  # 1/s, m, m
NEAR = 0.015  # m: a hand that near has arrived
VALID = 0.5  # s
OUT = {"l": 1.0, "r": -1.0}  # which way along the box's y each hand is


class Failed(Exception):  # noqa: N818  a result, not a fault
    """The lift ends without success."""


def flat_hand() -> HandCommand:
    """Fingers stretched and bent back, the thumb as far back as it goes."""
    q = np.zeros(len(HAND.joints))
    q[[HAND.index(f"{finger}_mcp_flex") for finger in FINGERS]] = -BACK
    q[HAND.index("thumb_cmc_opp")], q[HAND.index("thumb_cmc_flex")] = -0.2, -0.4
    return HandCommand(HandAction.JOINTS, joint_position=q)


class BoxLift:
    """Of a box at ``T_odom_box`` (4, 4), its middle, x away from the robot, of ``size`` (3,) m; by ``height``
    m, for ``seconds``.

    ``outcome``: empty while under way, then ``done`` or ``failed: …``; ``phase``; ``squeeze`` as felt.
    """

    def __init__(self, T_odom_box: np.ndarray, size: np.ndarray, height: float, seconds: float):
        if not (np.shape(size) == (3,) and np.isfinite(size).all() and (np.asarray(size) > 0.0).all()):
            raise NeoError(f"box of size {size}; three lengths above 0 m needed")
        R = T_odom_box[:3, :3]
        self._height, self._seconds = height, seconds
        self.squeeze = Squeeze({side: -OUT[side] * R[:, 1] for side in SIDES})
        self._palms = {side: Palm(side) for side in SIDES}
        self._presses_at: dict[str, np.ndarray] = {}  # m in the gripper's frame
        self._T = {side: self._beside(T_odom_box, size[1] / 2, side) for side in SIDES}
        self._pressing = self._fading = False
        self._speed = MOVE
        self.phase, self.outcome = "", ""
        self._state, self._dt = BodyState(), 0.0
        self._estimate: BodyEstimate | None = None
        self._script = self._steps()

    def _beside(self, T_odom_box: np.ndarray, half: float, side: str) -> np.ndarray:
        """Gripper pose (4, 4) with the palm's edge ``BESIDE`` m from the middle of the box's side."""
        inwards = self.squeeze.inwards[side]
        forward = np.cos(DIP) * T_odom_box[:3, 0] - np.sin(DIP) * T_odom_box[:3, 2]
        u = np.cos(AWAY) * forward + np.sin(AWAY) * inwards
        w = np.cos(AWAY) * inwards - np.sin(AWAY) * forward
        pressing = (EDGE[0] - GRIPPER[0]) * u + (EDGE[1] - GRIPPER[2]) * w
        T = np.eye(4)
        T[:3, :3] = np.column_stack([u, np.cross(w, u), w])
        T[:3, 3] = T_odom_box[:3, 3] + HIGH * T_odom_box[:3, 2] - (half + BESIDE) * inwards - pressing
        self._presses_at[side] = T[:3, :3].T @ pressing
        return T

    def _line(self) -> dict[str, np.ndarray]:
        """Inwards from where each hand presses to where the other does: so no couple turns the box away."""
        at = {}
        for side in SIDES:
            T = self._gripper(side)
            at[side] = T[:3, :3] @ self._presses_at[side] + T[:3, 3]
        way = (at["r"] - at["l"]) / np.linalg.norm(at["r"] - at["l"])
        return {"l": way, "r": -way}

    def step(self, state: BodyState, estimate: BodyEstimate, dt: float) -> WholeBodyCommand:
        """What both hands shall do, ``dt`` s after the last step."""
        self._state, self._estimate, self._dt = state, estimate, dt
        for side, palm in self._palms.items():
            palm.feel(self._gripper(side)[:3, :3], self._wrench(side), dt)
        if self._pressing:
            self.squeeze.inwards = self._line()
        self.squeeze.feel(self._palms)
        if not self.outcome:
            try:
                next(self._script)
            except StopIteration:
                self.outcome = "done"
            except Failed as failure:
                self.outcome, self._pressing = f"failed: {failure}", False
        press: dict[str, np.ndarray | None] = dict.fromkeys(SIDES)
        if self._pressing:
            asked = self.squeeze.fade(dt) if self._fading else self.squeeze.update(dt)
            self._share(dt)
            press = {side: asked * self.squeeze.inwards[side] for side in SIDES}
        return WholeBodyCommand(
            VALID, T_l_hand=self._T["l"].copy(), T_r_hand=self._T["r"].copy(), hand_speed=self._speed,
            l_hand_press=press["l"], r_hand_press=press["r"],
        )  # fmt: skip

    def _gripper(self, side: str) -> np.ndarray:
        assert self._estimate is not None
        return self._estimate.gripper(side)

    def _wrench(self, side: str) -> np.ndarray:
        return self._state.l_wrist_wrench if side == "l" else self._state.r_wrist_wrench

    def _steps(self) -> Steps:
        self.phase = "beside"
        yield from self._until(self._there, 8.0, "the hands do not come beside the box")
        yield from self._wait(0.5)
        for _ in range(15):
            for side, palm in self._palms.items():
                palm.tare(self._gripper(side)[:3, :3], self._wrench(side))
            yield
        yield from self._wait(0.2)
        self.phase = "close in"
        yield from self._meet()
        self.phase, self._pressing = "press", True
        yield from self._until(lambda: self.squeeze.firm, 3.0, "the palms do not press as they are asked to")
        self.phase, self._speed = "lift", MOVE
        self.squeeze.bears = True
        goal = self._mean_height() + self._height
        yield from self._raise(self._height, LIFT)
        yield from self._keep(goal, 6.0, lambda: abs(goal - self._mean_height()) < HIGH_ENOUGH)
        self.phase, full = "hold", self.squeeze.weight
        yield from self._keep(goal, self._seconds)
        if min(self.squeeze.normal.values()) < TOUCH:
            raise Failed("there is nothing between the hands any more")
        self.phase = "lower"
        yield from self._raise(-self._height - DEEPER, LOWER, STOOD * full)
        self.phase, self._fading = "let go", True
        left = BESIDE
        while left > 0.0:
            self._pressing = self.squeeze.asked > 0.0
            step = min((PART if self._pressing else CLOSE) * self._dt, left)
            left -= step
            for side, T in self._T.items():
                T[:3, 3] -= step * self.squeeze.inwards[side]
            yield
        yield from self._until(self._there, 4.0, "the hands do not come away from the box")

    def _share(self, dt: float) -> None:
        """The hand that bears more goes down, the other up, until both bear alike."""
        if self.squeeze.bears:
            bears = self.squeeze.load
            step = min(max(SHARE * (bears["l"] - bears["r"]), -SHARE_MOST), SHARE_MOST) * dt
            self._T["l"][2, 3] -= step
            self._T["r"][2, 3] += step

    def _meet(self) -> Steps:
        """Both hands go in, each until its palm feels the box, and stay there."""
        self._speed = CLOSE
        going, left = set(SIDES), BESIDE + INSIDE
        while going:
            left -= CLOSE * self._dt
            if left < 0.0:
                raise Failed("nothing met between the hands")
            for side in tuple(going):
                self._T[side][:3, 3] += CLOSE * self._dt * self.squeeze.inwards[side]
                if self.squeeze.normal[side] > TOUCH:
                    self._T[side][:3, 3] = self._gripper(side)[:3, 3]
                    going.discard(side)
            yield

    def _raise(self, by: float, speed: float, until: float = -np.inf) -> Steps:
        """Both hands up by ``by`` m while the press is firm; down until they bear less than ``until`` N."""
        left = abs(by)
        slack = 3.0  # s that the press may be too weak in all
        while left > 0.0 and self.squeeze.weight > until:
            if self.squeeze.firm:
                step = min(speed * self._dt, left)
                left -= step
                for T in self._T.values():
                    T[2, 3] += np.sign(by) * step
            else:
                slack -= self._dt
                if slack < 0.0:
                    raise Failed("the palms do not press as hard as the box needs")
            yield

    def _keep(self, goal: float, seconds: float, until: Callable[[], bool] = lambda: False) -> Steps:
        """Both hands at ``goal`` (m): what the weight still pulls them down by is taken back."""
        for _ in range(round(seconds / self._dt)):
            if until():
                return
            short = min(max(goal - self._mean_height(), -SHORT), SHORT)
            for T in self._T.values():
                T[2, 3] += TAKE_BACK * self._dt * short
            yield

    def _mean_height(self) -> float:
        """m: of both grippers."""
        return float(np.mean([self._gripper(side)[2, 3] for side in SIDES]))

    def _there(self) -> bool:
        return all(np.linalg.norm(self._gripper(s)[:3, 3] - T[:3, 3]) < NEAR for s, T in self._T.items())

    def _wait(self, seconds: float) -> Steps:
        for _ in range(round(seconds / self._dt)):
            yield

    def _until(self, condition: Callable[[], bool], timeout: float, problem: str) -> Steps:
        for _ in range(round(timeout / self._dt)):
            if condition():
                return
            yield
        raise Failed(problem)
