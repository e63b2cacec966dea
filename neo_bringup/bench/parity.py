"""The ROS graph in lock-step and NeoEnv, same seed, same commands at the same ticks: the same trajectory?

The mode changes when the service call arrives, which no clock decides: the answer tells the tick, and NeoEnv
stands at that one. Other commands carry their start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure
from neo_bringup.bench.harness import Request
from neo_bringup.bench.robot import robot, stand
from neo_bringup.demo.launched import LaunchedRobot
from neo_description.errors import NeoError
from neo_description.signals import HandAction, HandCommand, WholeBodyCommand
from neo_description.tables import CONTROL_DT
from neo_ros import convert, graph

SEEDS = (3, 1)  # full, quick
TICKS = (5000, 1500)  # after standing up
EVERY = 100  # ticks between compared hashes
LEAD = 2.0  # s of plant time between sending a command first and its start
AGAIN = 50  # ticks between sending and sending again: a node may not yet have found who publishes
LAST = 0.5  # s before its start, a command is sent for the last time
AHEAD = 50  # ticks: the same in NeoEnv


def parts(request: Request) -> list[str]:
    return [str(seed) for seed in request.seeds]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    """Records hashes of the ROS run, plays the same in NeoEnv, and compares."""
    seed, ticks = int(part), TICKS[request.quick]
    arguments = [f"scene:={request.scene}", f"seed:={seed}", "sync:=lockstep", "speed:=0.0", "cameras:=false"]
    with robot(arguments, request.folder / f"seed-{seed}.log") as (launched, stack):
        ros, start = run(launched, stack, ticks)
    progress(f"seed {seed}: ROS run of {ros.tick} ticks, {len(ros.hashes)} hashes, stood at {ros.stood_at}")
    ours = env_hashes(request.scene, seed, ros.stood_at, start, max(ros.hashes))
    return compare(ros.hashes, ours)


def run(launched: LaunchedRobot, stack: Any, ticks: int) -> tuple[RosRun, float]:
    """Stands, sends :func:`commands`, goes on for ``ticks``: what was heard, and the commands' start (s)."""
    heard = RosRun(stack)
    heard.stood_at = stand(launched, stack)
    start = heard.send_commands(stack)
    end = heard.tick + ticks
    if not stack.wait(lambda: heard.tick >= end, 600.0):
        raise NeoError(f"the plant stopped at tick {heard.tick}")
    return heard, start


def state_hash(qpos: np.ndarray, qvel: np.ndarray) -> str:
    """Of the whole physical state, bit for bit."""
    return hashlib.sha256(np.asarray(qpos, float).tobytes() + np.asarray(qvel, float).tobytes()).hexdigest()


def commands(start: float) -> tuple[WholeBodyCommand, HandCommand]:
    """What both runs are told: look at a point, close the left hand. ``start`` in s of plant time."""
    body = WholeBodyCommand(valid_for=4.0, start=start, gaze=np.array([0.5, 0.25, 0.75]))
    return body, HandCommand(HandAction.PRESHAPE, grasp="medium_wrap", width=0.0625, start=start)


class RosRun:
    """Listens: hashes of the truth every EVERY ticks; ``stood_at`` is the tick at which the body began to."""

    def __init__(self, stack: Any):
        self.hashes: dict[int, str] = {}
        self.tick = 0
        self.stood_at = 0
        self._node = stack.node
        self._publishers = {
            topic: graph.publisher(stack.node, topic) for topic in ("whole_body/command", "l_hand/command")
        }
        graph.subscription(stack.node, "sim/privileged_state", self._on_privileged_state)

    def _on_privileged_state(self, message: Any) -> None:
        self.tick = message.tick
        if message.tick % EVERY == 0:
            self.hashes[message.tick] = state_hash(message.qpos, message.qvel)

    def send_commands(self, stack: Any) -> float:
        """Sends :func:`commands`, the same again until shortly before they start; their common start."""
        listened_to = lambda: all(p.get_subscription_count() for p in self._publishers.values())  # noqa: E731
        # a plant that was not heard yet has no time that a command may start at
        if not stack.wait(lambda: self.tick >= self.stood_at and listened_to(), 10.0):
            raise NeoError(f"nobody listens to commands, or the plant stopped at tick {self.tick}")
        start = round(self.tick * CONTROL_DT + LEAD, 3)
        body, hand = commands(start)
        while self.tick * CONTROL_DT < start - LAST:
            self._publishers["whole_body/command"].publish(convert.whole_body_command_message(body, None))
            self._publishers["l_hand/command"].publish(convert.hand_command_message(hand, None))
            again = self.tick + AGAIN
            if not stack.wait(lambda: self.tick >= again, 60.0):  # noqa: B023 - waited for at once
                raise NeoError(f"the plant stopped at tick {self.tick}")
        return start


def env_hashes(scene: str, seed: int, stood_at: int, start: float, last: int) -> dict[int, str]:
    """Hashes of the same run in NeoEnv."""
    from neo_sim.env import NeoEnv

    env = NeoEnv(scene=scene, seed=seed, cameras=False)
    hashes = {}
    body, hand = commands(start)
    while env.plant.tick <= last:
        tick = env.plant.tick
        if tick % EVERY == 0:
            truth = env.plant.privileged
            hashes[tick] = state_hash(truth.qpos, truth.qvel)
        if tick == stood_at - 1:  # answered already: the mode acts in the next answer
            refusal = env.command("mode", "stand")
            if refusal:
                raise NeoError(f"NeoEnv does not stand at tick {tick}: {refusal}")
        if tick == round(start / CONTROL_DT) - AHEAD:
            for refusal in (env.command_body(body), env.command_hand("l", hand)):
                if refusal:
                    raise NeoError(f"NeoEnv refuses the command: {refusal}")
        env.step(1)
    return hashes


def compare(ros: dict[int, str], env: dict[int, str]) -> dict[str, Any]:
    """Counts, and the first tick that differs."""
    common = sorted(set(ros) & set(env))
    different = [tick for tick in common if ros[tick] != env[tick]]
    return {"compared": len(common), "differences": len(different), "first": min(different, default=None)}


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    compared = sum(s["compared"] for s in samples.values())
    first = "; ".join(
        f"seed {part}: first at tick {s['first']}" for part, s in samples.items() if s["differences"]
    )
    differences = sum(s["differences"] for s in samples.values())
    return [
        Figure("parity.differences", differences, compared, first),
        Figure("parity.compared", compared, len(samples)),
    ]
