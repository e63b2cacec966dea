"""On the way: pushes caught by steps, walking at a velocity, a course of places with punches.

The robot acts on its estimate, with noisy sensors and drives as they are by default, and differs from the
tables as every robot of this bench does, but it has found out about its tendons before, as ``neo calibrate
tendons`` has it do. Only the scores know the truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from neo_body_control.controller import BodyController
from neo_body_control.rotations import yaw
from neo_body_control.settings import load_parameters
from neo_body_control.tendon_calibrator import TendonCalibrator
from neo_body_control.walking.place import Approach, velocity_to
from neo_body_control.walking.stance import wrapped
from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.body_bench import lab
from neo_bringup.calibrate_tendons import calibrate
from neo_description.signals import Safety

# m/s, m/s, rad/s
SPEEDS = {"walk": (0.65, 0.0, 0.0), "sideways": (0.0, 0.2, 0.0), "turning": (0.2, 0.0, 0.4)}
PARTS = ("push", "storm", *SPEEDS, "course")
DIRECTIONS = tuple(range(0, 360, 45))  # degrees, 0: forward, 90: left
IMPULSE, PUSHED = 20.0, 0.1  # N s at the torso within so many s
STORM = (100.0, 0.2, 5.0, 60.0)  # N, s: a push, one each so many s, for so long
WALK, ELSEWHERE = 60.0, 20.0  # s forward; sideways, and in a bow
PLACES, COURSE = 12, 60.0  # places within so many s
NEAR, ALIGNED = 0.15, math.radians(5.0)  # of a place that was reached
PUNCH, PUNCHED = 600.0, 0.08  # N at most, s
RENEW = 0.1  # s between two velocity commands
AFTER = 4.0  # s that a robot must stand after a push
Say = Callable[[str], None]


class Robot(lab.Robot):
    """One of the bench's robots that may walk. Once it stood, STOP counts as a fall: it gave up.

    ``calibration``: file of what it knows of its tendons, "" for what the tables say.
    """

    def __init__(self, seed: int, calibration: str = ""):
        self.seed, self._up = seed, False
        super().__init__(seed, body={"walking": True, "tendon_calibration": calibration})

    def begin(self) -> Robot:
        """The same robot, standing, as if nothing had happened."""
        self._up = False
        self.again(self.seed)
        return self

    def stand(self) -> Robot:
        """See :meth:`lab.Robot.stand`."""
        super().stand()
        self._up = True
        return self

    @property
    def down(self) -> bool:
        """See :class:`Robot`."""
        return super().down or (self._up and self.body.safety.state == Safety.STOP)

    def survives(self, seconds: float) -> bool:
        """Step for ``seconds``; whether it still stands."""
        self.run(seconds)
        return not self.fell

    def push(self, direction: float, force: float, seconds: float) -> None:
        """At the torso, ``direction`` degrees from forward to the left of where the robot truly faces."""
        a = math.radians(direction) + self.true_pose[2]
        self.plant.push("torso", force * np.array([math.cos(a), math.sin(a), 0.0]), seconds)

    def go(self, velocity: Any) -> None:
        """Command a velocity (3,) for twice the time after which it is renewed; NeoError when refused."""
        self.order(valid_for=2.0 * RENEW, base_velocity=np.asarray(velocity, float))

    @property
    def true_pose(self) -> tuple[float, float, float]:
        """Privileged: x, y m, heading rad of the pelvis."""
        T = self.plant.privileged.base_pose
        return float(T[0, 3]), float(T[1, 3]), yaw(T[:3, :3])

    @property
    def destination(self) -> tuple[float, float, float]:
        """Where its feet would stand if it stopped, as it believes."""
        return self.body.legs.walker.destination


def measure(part: str, seed: int, folder: Path, say: Say) -> dict[str, Any]:
    """One of ``PARTS``, with robot ``seed``."""
    robot = Robot(seed, calibration(seed, folder.parent))
    if part == "push":
        sample: dict[str, Any] = {"stood": {str(d): push_with_step(robot, d, IMPULSE) for d in DIRECTIONS}}
    elif part in SPEEDS:
        sample = walk(robot, SPEEDS[part], WALK if part == "walk" else ELSEWHERE)
    else:
        sample = storm(robot) if part == "storm" else course(robot)
    say(f"{part}: {sample}")
    return sample


@cache
def calibration(seed: int, folder: Path) -> str:
    """The file in ``folder`` of what robot ``seed`` finds out about its tendons, once for all parts."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"tendons-{seed}.yaml"
    calibrator = TendonCalibrator(BodyController(load_parameters()))
    calibrate(lab.Robot(seed).plant, calibrator, say=lambda line: None).save(file)
    return str(file)


def push_with_step(robot: Robot, direction: float, impulse: float) -> bool:
    """Whether a standing robot survives ``impulse`` N s at its torso."""
    robot.begin()
    robot.push(direction, impulse / PUSHED, PUSHED)
    return robot.survives(AFTER)


def storm(robot: Robot) -> dict[str, Any]:
    """Pushes from anywhere, one every few seconds, at a standing robot; ``survived`` of ``pushes``."""
    force, lasts, every, total = STORM
    rng = np.random.default_rng((robot.seed, 21))
    robot.begin()
    pushes = round(total / every)
    for i in range(pushes):
        robot.push(float(rng.uniform(0.0, 360.0)), force, lasts)
        if not robot.survives(every):
            return {"survived": i, "pushes": pushes}
    return {"survived": pushes, "pushes": pushes}


def walk(robot: Robot, velocity: Any, seconds: float) -> dict[str, Any]:
    """Walk at ``velocity`` (3,) forward, left m/s, turn rad/s; ``speed`` (3,): the true mean in the body's
    axes once it walks at speed; ``error``: share of the commanded one; ``time`` s without a fall."""
    velocity = np.asarray(velocity, float)
    robot.begin()
    moved, counted, lasted = np.zeros(3), 0.0, 0.0
    start = 3.0  # s in which it comes up to speed
    for i in range(round(seconds / RENEW)):
        before = robot.true_pose
        robot.go(velocity)
        if not robot.survives(RENEW):
            break
        lasted = (i + 1) * RENEW
        if lasted > start:
            moved += _moved(before, robot.true_pose)
            counted += RENEW
    speed = moved / counted if counted else np.zeros(3)
    off = np.linalg.norm((speed - velocity)[:2]), abs(speed[2] - velocity[2])
    asked = np.linalg.norm(velocity[:2]), abs(velocity[2])
    error = max((float(e / a) for e, a in zip(off, asked, strict=True) if a > 0.0), default=0.0)
    return {"time": lasted, "fell": lasted < seconds - 0.5 * RENEW, "speed": speed.tolist(), "error": error}


def _moved(a: tuple[float, float, float], b: tuple[float, float, float]) -> np.ndarray:
    """Way (2,) m in the axes of ``a``, and turn rad."""
    turn = wrapped(b[2] - a[2])
    c, s = math.cos(a[2] + 0.5 * turn), math.sin(a[2] + 0.5 * turn)
    x, y = b[0] - a[0], b[1] - a[1]
    return np.array([c * x + s * y, c * y - s * x, turn])


def places(seed: int) -> list[tuple[float, float, float]]:
    """x, y m and heading rad in odom of a course: each 0.4 to 0.9 m and up to 45° from the one before."""
    rng = np.random.default_rng((seed, 22))
    x = y = heading = 0.0
    out = []
    for _ in range(PLACES):
        way, turn = rng.uniform(0.4, 0.9), rng.uniform(-math.pi / 4, math.pi / 4)
        x, y, heading = (
            x + way * math.cos(heading + 0.5 * turn),
            y + way * math.sin(heading + 0.5 * turn),
            heading + turn,
        )
        out.append((x, y, heading))
    return out


def course(robot: Robot, punch: float = PUNCH) -> dict[str, Any]:
    """Walk to each place and stop there, under punches of up to ``punch`` N; ``reached`` of ``places`` by the
    truth."""
    rng = np.random.default_rng((robot.seed, 23))
    robot.begin()
    origin, approach = robot.true_pose, Approach()
    goals = places(robot.seed)
    end, next_punch = robot.plant.time + COURSE, robot.plant.time + float(rng.uniform(3.0, 7.0))
    reached, misses, i = 0, [], 0
    while i < len(goals) and robot.plant.time < end and not robot.fell:
        velocity = velocity_to(robot.destination, goals[i], approach)
        robot.go(np.zeros(3) if velocity is None else velocity)
        robot.survives(RENEW)
        if robot.plant.time >= next_punch:
            robot.push(float(rng.uniform(0.0, 360.0)), float(rng.uniform(0.0, punch)), PUNCHED)
            next_punch += float(rng.uniform(3.0, 7.0))
        if velocity is None and robot.body.legs.walker.standing:
            x, y, turn = _missed(robot.true_pose, goals[i], origin)
            misses.append(math.hypot(x, y))
            reached += math.hypot(x, y) <= NEAR and abs(turn) <= ALIGNED
            i += 1
    return {
        "reached": reached,
        "places": len(goals),
        "fell": robot.fell,
        "missed": misses,
        "time": robot.plant.time,
    }


def _missed(
    pose: tuple[float, float, float], goal: tuple[float, float, float], origin: tuple[float, float, float]
) -> tuple[float, float, float]:
    """From a goal in odom, which began at ``origin`` of the world, to the true ``pose``."""
    c, s = math.cos(origin[2]), math.sin(origin[2])
    x, y = origin[0] + c * goal[0] - s * goal[1], origin[1] + s * goal[0] + c * goal[1]
    turn = wrapped(pose[2] - origin[2] - goal[2])
    return pose[0] - x, pose[1] - y, turn


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """``body.step_*``, ``body.walk_*`` and ``body.course_*``."""
    of = {part: [s for key, s in samples.items() if key.endswith(f"/{part}")] for part in PARTS}
    out = []
    if of["push"]:
        by = {d: [s["stood"][str(d)] for s in of["push"]] for d in DIRECTIONS}
        worst = min(by, key=lambda d: sum(by[d]))
        share = sum(by[worst]) / len(by[worst])
        out.append(Figure("body.step_push", share, len(of["push"]), f"worst direction {worst}°"))
    if of["storm"]:
        lived = [s["survived"] == s["pushes"] for s in of["storm"]]
        out.append(Figure("body.step_storm", sum(lived) / len(lived), len(lived)))
    if of["walk"]:
        stood = [s for s in of["walk"] if not s["fell"]]
        n = len(of["walk"])
        out.append(Figure("body.walk_survived", len(stood) / n, n))
        if stood:
            out.append(
                Figure("body.walk_speed_p50", quantile([s["speed"][0] for s in stood], 0.5), len(stood))
            )
            out.append(Figure("body.walk_error_max", quantile([s["error"] for s in stood], 1.0), len(stood)))
    for part in ("sideways", "turning"):
        if of[part]:
            n = len(of[part])
            out.append(Figure(f"body.{part}_survived", sum(not s["fell"] for s in of[part]) / n, n))
            out.append(Figure(f"body.{part}_error_p50", quantile([s["error"] for s in of[part]], 0.5), n))
    if of["course"]:
        places_ = sum(s["places"] for s in of["course"])
        out.append(Figure("body.course_done", sum(s["reached"] for s in of["course"]) / places_, places_))
    return out
