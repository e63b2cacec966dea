"""How truly fingertips follow paths through the air: circles and lines of all five fingers at once.

Circles have radii of 10 to 20 mm, lines are as long as their diameters; both run at 0.05 to 0.1 m/s (a line
where it is fastest) about places that the fingers reach without meeting each other. The hand is held in an
orientation of its own, which the arm knows to ``TILTED``; sensors, drives and friction are the plant's. A
path counts from its first motion.

    measure(seed)["error"]["thumb"] -> distances (m) of the true tip from where it should be, every tick
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import mujoco
import numpy as np

from neo_description.errors import NeoError
from neo_description.hand import hand_parts
from neo_description.tables import CONTROL_DT, HAND, SIDES, TAXELS
from neo_hand_control.controller import HandController
from neo_hand_control.fingertip_paths import FingertipPaths
from neo_hand_control.fingertips import FINGERS, FingertipFollower
from neo_hand_control.hand_kinematics import HandKinematics
from neo_sim.hand_rig import HandRig, turned

RADIUS = (0.010, 0.020)  # m
SPEED = (0.05, 0.10)  # m/s
TILT = 0.35  # rad: planes of motion from the finger's own, at most
REACHED = 1e-4  # m: the references themselves must come this near, everywhere on the path
FASTEST = 6.0  # rad/s that the joints may need, so that paths keep off singular postures
TILTED = 0.02  # rad: error of the arm's word on how the hand stands
GAP = 0.001  # m between fingers, everywhere on the path
SETTLE, RAMP, RUN = 1.0, 0.25, 3.0  # s: at the first point, speeding up, in all
POINTS = 12  # of a path that are looked at before it is run
# Bent as for something small before the palm.
BENT = {"mcp_flex": 0.6, "pip_flex": 0.8, "dip_flex": 0.5, "thumb_cmc_opp": 0.7, "thumb_mcp_flex": 0.4}
BENT |= {"thumb_ip_flex": 0.4, "thumb_cmc_flex": 0.2}


@dataclass(frozen=True)
class Path:
    """``middle`` (3,) m, directions ``a``, ``b`` (3,) m of a circle (``b`` zero: a line), ``rate`` rad/s."""

    middle: np.ndarray
    a: np.ndarray
    b: np.ndarray
    rate: float

    def at(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Position (3,) m and velocity (3,) m/s at ``t`` s; at rest until 0, up to speed within ``RAMP``."""
        t = max(t, 0.0)
        if t < RAMP:
            angle, rate = self.rate * t * t / (2 * RAMP), self.rate * t / RAMP
        else:
            angle, rate = self.rate * (t - RAMP / 2), self.rate
        return self.point(angle), rate * (self.b * np.cos(angle) - self.a * np.sin(angle))

    def point(self, angle: float) -> np.ndarray:
        """Position (3,) m at an ``angle`` rad."""
        return self.middle + self.a * np.cos(angle) + self.b * np.sin(angle)


def bent() -> np.ndarray:
    """The posture (22,) rad about which tips move."""
    q = np.zeros(len(HAND.joints))
    for name, angle in BENT.items():
        q[[i for i, joint in enumerate(HAND.joints) if joint.endswith(name)]] = angle
    q[HAND.index("thumb_cmc_opp")] = BENT["thumb_cmc_opp"]
    return q


def draw_paths(side: str, rng: np.random.Generator, tries: int = 300) -> dict[str, Path]:
    """A path for every finger that it can reach; drawn again where fingers would meet."""
    follower, kinematics = FingertipFollower(side, bent()), HandKinematics(side)
    paths = {finger: _reachable(follower, finger, rng) for finger in FINGERS}
    for k in range(tries):
        unfit = _unfit(follower, kinematics, paths)
        if not unfit:
            return paths
        again = unfit[k % len(unfit)]  # of two that meet, one and the other in turn
        paths[again] = _reachable(follower, again, rng)
    raise NeoError(f"no paths found on which the fingers stay {1e3 * GAP} mm apart, in {tries} tries")


def _reachable(follower: FingertipFollower, finger: str, rng: np.random.Generator) -> Path:
    for _ in range(200):
        follower.reset(np.clip(bent() + rng.uniform(-0.3, 0.3, len(HAND.joints)), HAND.q_min, HAND.q_max))
        middle = follower.tip(finger)
        J = follower.tip_jacobian(finger)
        # the finger's own plane: what its last two bending joints span
        u = J[:, -1] / np.linalg.norm(J[:, -1])
        v = J[:, -2] - (J[:, -2] @ u) * u
        v /= np.linalg.norm(v)
        across = np.cross(u, v)
        tilt, turn = rng.uniform(-TILT, TILT), rng.uniform(0.0, 2 * np.pi)
        v = np.cos(tilt) * v + np.sin(tilt) * across
        radius, speed = rng.uniform(*RADIUS), rng.uniform(*SPEED) * rng.choice((-1.0, 1.0))
        a = radius * (np.cos(turn) * u + np.sin(turn) * v)
        b = radius * (np.cos(turn) * v - np.sin(turn) * u) * float(rng.random() < 0.7)
        path = Path(middle, a, b, speed / radius)
        if _misses(follower, finger, path) < REACHED:
            return path
    raise NeoError(f"no path found that {finger} reaches")


def _misses(follower: FingertipFollower, finger: str, path: Path) -> float:
    """How far (m) a point of the path is out of reach at worst."""
    worst = 0.0
    for k in range(POINTS):
        want = path.point(2 * np.pi * k / POINTS)
        follower.find({finger: want})
        worst = max(worst, float(np.linalg.norm(follower.tip(finger) - want)))
        if worst > REACHED:
            break
    return worst


def _unfit(
    follower: FingertipFollower, kinematics: HandKinematics, paths: dict[str, Path]
) -> tuple[str, ...]:
    """Fingers whose references cannot keep to their paths, or that meet each other or the palm."""
    _begin(follower, paths)
    pads = {finger: [i for i, name in enumerate(TAXELS) if name.startswith(finger)] for finger in FINGERS}
    for k in range(round(RUN / CONTROL_DT)):
        wanted = {finger: path.at(k * CONTROL_DT) for finger, path in paths.items()}
        _, qd = follower.step(
            {finger: x for finger, (x, _) in wanted.items()}, {finger: v for finger, (_, v) in wanted.items()}
        )
        for finger, (x, _) in wanted.items():
            own = [i for i, name in enumerate(HAND.joints) if name.startswith(finger)]
            if np.linalg.norm(follower.tip(finger) - x) > REACHED or np.abs(qd[own]).max() > FASTEST:
                return (finger,)
        if k % 20:
            continue
        kinematics.move(follower.q)
        touching = kinematics.touching_itself(GAP)
        if touching.any():
            return tuple(finger for finger in FINGERS if touching[pads[finger]].any())
        for one, other in pairwise(FINGERS):
            if any(kinematics.nearest(i, j)[0] < GAP for i in pads[one][1:] for j in pads[other][1:]):
                return (one, other)
    return ()


def orientation(rng: np.random.Generator) -> np.ndarray:
    """A turn (3,) rad of the hand: any way up."""
    return np.array([rng.uniform(-np.pi, np.pi), rng.uniform(-1.2, 1.2), rng.uniform(-0.5, 0.5)])


def _gravity(rig: HandRig, side: str, rng: np.random.Generator) -> np.ndarray:
    """Gravity (3,) m/s² in the wrist's frame as the arm believes it, from its joints."""
    g = rig.data.body(f"{side}_wrist").xmat.reshape(3, 3).T @ rig.model.opt.gravity
    return g + np.cross(rng.normal(0.0, TILTED, 3), g)


def privileged_tips(rig: HandRig, side: str) -> dict[str, np.ndarray]:
    """True tips (3,) m in the wrist's frame, from the plant's own geometry."""
    wrist = rig.data.body(f"{side}_wrist")
    R = wrist.xmat.reshape(3, 3)
    tips = {}
    for pad in hand_parts(side)[1]:
        finger, _, part = pad.taxel.partition("_")
        if part == "distal" and finger in FINGERS:
            body = rig.data.body(pad.link)
            tips[finger] = R.T @ (body.xpos + body.xmat.reshape(3, 3) @ pad.end - wrist.xpos)
    return tips


def measure(
    seed: int,
    side: str = "",
    plant: SimpleNamespace | None = None,
    gravity: bool = True,
    params: SimpleNamespace | None = None,
) -> dict[str, Any]:
    """One run of all five fingers through the hand's controller.

    ``plant``: the rig's parameters; ``gravity``: whether the arm tells the hand where down is; ``params``: of
    the controller. ``error``: finger → distances (m) of the true tip from where it should be, every tick;
    ``joint`` (k, 22) rad: true joints off their references; ``cpu``: s a tick for the controller, and
    ``cpu_path`` for references and commands, medians.
    """
    rng = np.random.default_rng([seed, 5])
    side = side or SIDES[seed % 2]
    paths, turn = draw_paths(side, rng), orientation(rng)
    rig = HandRig(side, seed=seed, params=plant)
    rig.carry(turned(side, np.zeros(3), turn), at_once=True)
    mujoco.mj_forward(rig.model, rig.data)
    down = _gravity(rig, side, rng) if gravity else None
    hand = HandController(side, params)
    lead = FingertipPaths(hand, bent())
    _accepted(rig.command(hand.update(rig.state(side)), side))
    rig.step()
    lead.begin({finger: path.at(0.0)[0] for finger, path in paths.items()}, down)
    error: dict[str, list[float]] = {finger: [] for finger in FINGERS}
    joint, cpu = [], np.zeros((round((SETTLE + RUN) / CONTROL_DT), 3))
    for k in range(round((SETTLE + RUN) / CONTROL_DT)):
        t, state = k * CONTROL_DT - SETTLE, rig.state(side)
        cpu[k, 0] = time.process_time()
        wanted = {finger: path.at(t) for finger, path in paths.items()}
        if t >= 0.0:
            lead.step(
                {finger: x for finger, (x, _) in wanted.items()},
                {finger: v for finger, (_, v) in wanted.items()},
                down,
            )
        cpu[k, 1] = time.process_time()
        answer = hand.update(state)
        cpu[k, 2] = time.process_time()
        if t >= 0.0:
            true = privileged_tips(rig, side)
            for finger, (x, _) in wanted.items():
                error[finger].append(float(np.linalg.norm(true[finger] - x)))
            joint.append(rig.privileged_joints(side) - lead.follower.q)
        _accepted(rig.command(answer, side))
        rig.step()
    settled = round(SETTLE / CONTROL_DT)
    return {
        "side": side,
        "turn": turn.tolist(),
        "error": error,
        "joint": np.array(joint),
        "cpu": float(np.median(cpu[settled:, 2] - cpu[settled:, 1])),
        "cpu_path": float(np.median(cpu[settled:, 1] - cpu[settled:, 0])),
    }


def _accepted(refused: str | None) -> None:
    if refused is not None:
        raise NeoError(f"refused: {refused}")


def _begin(follower: FingertipFollower, paths: dict[str, Path]) -> np.ndarray:
    """References (22,) rad at the beginning of the paths, spare joints settled."""
    start = {finger: path.at(0.0)[0] for finger, path in paths.items()}
    follower.find(start)
    for _ in range(250):
        follower.step(start)
    return follower.q.copy()
