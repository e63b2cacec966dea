"""Time that jumps under a standing robot: ± 10 s, or a bag that begins again.

What the controllers hear is shifted: all three groups' states carry other ticks and stamps from one tick on;
``loop`` goes back by less than a second, as a bag does that begins again. The control path reads no wall
clock, so these are the clocks there are. Afterwards a command that waited for its start must be forgotten,
the body must be in STOP with a reason, and no joint may move in a step.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure
from neo_bringup.faults_bench import bad_commands
from neo_bringup.faults_bench.commands import some
from neo_bringup.faults_bench.lab import Lab
from neo_description.signals import Safety
from neo_description.tables import BODY, CONTROL_DT, CONTROL_RATE
from neo_ros.convert import to_time

PARTS = ("jump-102",)
QUICK = ("jump-6",)
KINDS = {"10 s ahead": 10.0, "10 s back": -10.0, "loop": -0.6}
BEFORE = 700  # ticks before the first jump
AFTER = 250  # ticks that are watched
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """``part``: ``jump-N``, N runs that go round ahead, back, loop."""
    rng = np.random.default_rng(seed)
    runs = []
    with Lab(seed=seed) as lab:
        shift = _Shift(lab)
        lab.ticks(BEFORE)
        for i in range(int(part.partition("-")[2])):
            kind = list(KINDS)[i % len(KINDS)]
            runs.append(_run(lab, shift, kind, int(rng.integers(20, 80))))
    progress(f"{len(runs)} jumps, fastest joint {max(run['speed'] for run in runs):.2f} of its rated speed")
    return {"runs": runs}


class _Shift:
    """Stands before the callbacks of the three controllers and moves the time that they hear by ``ticks``.

    Their answers are moved back, as a plant whose clock had jumped would understand them.
    """

    def __init__(self, lab: Lab):
        self.ticks = 0
        for name in ("body_control", "l_hand_control", "r_hand_control"):
            node, topic = lab.nodes[name], f"/{name.removesuffix('_control')}/state"
            for sub in node.subscriptions:
                if sub.topic_name == topic:
                    sub.callback = self._shifted(sub.callback)
            node._answers = _Back(self, node._answers)

    def _shifted(self, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        def call(message: Any) -> None:
            message.tick = max(message.tick + self.ticks, 0)
            message.header.stamp = to_time(message.tick * CONTROL_DT)
            callback(message)

        return call


class _Back:
    def __init__(self, shift: _Shift, publisher: Any):
        self._shift, self._publisher = shift, publisher

    def publish(self, message: Any) -> None:
        message.tick = max(message.tick - self._shift.ticks, 0)
        message.header.stamp = to_time(message.tick * CONTROL_DT)
        self._publisher.publish(message)


def _run(lab: Lab, shift: _Shift, kind: str, ticks: int) -> dict[str, Any]:
    lab.stand()
    lab.drives.begin()
    lab.ticks(ticks)
    body = lab.nodes["body_control"]._body
    waiting = bad_commands.good("whole_body/command", 0)
    waiting.header.stamp = to_time(body._time + 0.8)
    lab.publish("whole_body/command", waiting)
    if not lab.until(lambda: len(body.queue) > 0, 10.0):
        raise RuntimeError("the command that shall wait was not taken")
    shift.ticks += round(KINDS[kind] * CONTROL_RATE)
    speed, end = 0.0, lab.tick + AFTER
    while lab.tick < end:
        lab.ticks(1)
        speed = max(speed, float(np.abs(_velocity(lab) / BODY.velocity).max()))
    state, reason = body.safety.state, body.safety.reason
    return {
        "kind": kind, "speed": speed, "fell": lab.drives.fell, "stopped": state == Safety.STOP,
        "reason": reason, "kept": len(body.queue) + len(body.targets.busy) + bool(body.targets.gazing),
    }  # fmt: skip


def _velocity(lab: Lab) -> np.ndarray:
    velocity: np.ndarray = lab.nodes["sim"].plant.body_state().joint_velocity
    return velocity


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    runs = [run for sample in samples.values() for run in sample["runs"]]
    worst: dict[str, Any] = max(runs, key=lambda run: run["speed"], default={"speed": np.inf, "kind": ""})
    kept = [run["kind"] for run in runs if run["kept"]]
    on = [run["kind"] for run in runs if not run["stopped"] or not run["reason"]]
    return [
        Figure("faults.clock_speed_max", worst["speed"], len(runs), worst["kind"]),
        Figure("faults.clock_kept", len(kept), len(runs), some(kept)),
        Figure("faults.clock_unnoticed", len(on), len(runs), some(on)),
        Figure("faults.clock_falls", sum(run["fell"] for run in runs), len(runs)),
    ]
