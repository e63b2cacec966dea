"""A second publisher on each command topic of a standing robot: is it refused, and named?

The intruder is a node of its own whose commands are good, so nothing but its being the second refuses it. On
a drive topic it answers the next tick as soon as the controller's answer to this one is taken: best effort
keeps one message, so whoever comes before the controller would be overwritten by it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from neo_msgs.msg import JointImpedance
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory

from neo_bringup.bench.figures import Figure
from neo_bringup.faults_bench import bad_commands
from neo_bringup.faults_bench.commands import REFUSE, some
from neo_bringup.faults_bench.lab import Lab
from neo_description.signals import Safety
from neo_description.tables import BODY
from neo_ros import graph

PARTS = ("second-136",)
QUICK = ("second-16",)
NAME = "intruder"
TRIES = 40  # ticks for which it goes on when best effort loses what it sends
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """``part``: ``second-N``, N runs that go round all command topics."""
    rng = np.random.default_rng(seed)
    runs = []
    with Lab(seed=seed) as lab:
        intruder = Node(NAME, context=lab.context, start_parameter_services=False)
        publishers = {topic: graph.publisher(intruder, topic) for topic in bad_commands.TOPICS}
        if not lab.until(lambda: all(p.get_subscription_count() for p in publishers.values())):
            raise RuntimeError("nobody hears the intruder")
        lab.stand()
        lab.drives.begin()
        for i in range(int(part.partition("-")[2])):
            lab.ticks(int(rng.integers(5, 25)))
            topic = bad_commands.TOPICS[i % len(bad_commands.TOPICS)]
            runs.append(_run(lab, topic, publishers[topic], 0.25 + 0.001 * i))
        standing = lab.safety == Safety.ACTIVE and not lab.drives.fell
        intruder.destroy_node()
    progress(f"{len(runs)} runs, {sum(run['reached'] for run in runs)} reached")
    return {"runs": runs, "standing": standing}


def _run(lab: Lab, topic: str, publisher: Any, mark: float) -> dict[str, Any]:
    """One run; ``mark`` makes the intruder's command one that nobody else sends."""
    refuser, reached = REFUSE.get(topic, "sim"), False
    before, message = lab.refusals(refuser, topic), bad_commands.good(topic, 0)
    if topic in REFUSE:
        lab.publish(topic, bad_commands.good(topic, 0))  # we are the first, and command now
        lab.ticks(3)

    def taken(group: str, command: Any) -> None:
        nonlocal reached
        if topic == f"{group}/tendon_command":
            early = bad_commands.good(topic, command.tick + 1)
            early.tension = tension.tolist()
            publisher.publish(early)
        same = len(command.tension) == len(tension) and np.allclose(command.tension, tension)
        reached = reached or bool(same)

    tension = np.array(getattr(message, "tension", [0.0])) * (1.0 + mark)
    lab.drives.on_taken.append(taken)
    core = _core(lab, topic)
    for _ in range(TRIES):
        if topic in REFUSE:
            _mark(message, mark)
            publisher.publish(message)
        lab.ticks(1)
        if lab.refusals(refuser, topic) > before:
            break
    lab.until(lambda: lab.refusals(refuser, topic) > before, 3.0)
    lab.drives.on_taken.remove(taken)
    if core is not None:
        reached = bool(abs(core() - mark) < 1e-6)
    reason = lab.told.get(refuser, {}).get("last refusal", "")
    named = lab.refusals(refuser, topic) > before and f"/{NAME} commands" in reason
    return {"topic": topic, "reached": reached, "named": named, "reason": reason}


def _mark(message: Any, mark: float) -> None:
    """Makes a command for a controller one that :func:`_core` tells from others."""
    if isinstance(message, JointTrajectory):
        message.points[0].positions[0] = -mark
    elif isinstance(message, JointImpedance):
        message.damping[0] = mark
    else:
        message.valid_for.nanosec = int(1e9 * mark)


def _core(lab: Lab, topic: str) -> Callable[[], float] | None:
    """The mark of the last command that the controller took; None for the drives."""
    joints = lab.nodes["body_control"]._body.joints
    if topic == "joint_trajectory":
        return lambda: -float(joints.path.at(np.inf)[0][0])
    if topic == "joint_impedance":
        return lambda: float(joints._damping[BODY.index(bad_commands.JOINT)])
    if topic == "whole_body/command":
        return lambda: lab.nodes["body_control"]._body.queue.last.valid_for
    if topic in REFUSE:
        hand = lab.nodes[REFUSE[topic]]._hand
        return lambda: hand._until - hand.time if np.isfinite(hand._until) else 0.0
    return None


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    runs = [run for sample in samples.values() for run in sample["runs"]]
    reached = [run["topic"] for run in runs if run["reached"]]
    unnamed = [run["topic"] for run in runs if not run["named"]]
    down = sum(not sample["standing"] for sample in samples.values())
    return [
        Figure("faults.second_reached", len(reached), len(runs), some(reached)),
        Figure("faults.second_unnamed", len(unnamed), len(runs), some(unnamed)),
        Figure("faults.second_stopped", down, len(samples)),
    ]
