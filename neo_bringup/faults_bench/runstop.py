"""The stop button of a robot that moves: hold within how much plant time, and does it stay?

Pressed by the service itself, by the console's STOP (its own code, on a node beside the robot), and by
``neo stop`` as a process of its own. The time counts from the press, for ``neo stop`` from the moment the
drives hear it: when a process on a busy machine sends is nobody's fault. While latched, ``set_mode stand``
must be refused; after the release the drives go on in hold until the robot stands up again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from neo_msgs.msg import WholeBodyCommand
from neo_msgs.srv import SetMode
from std_srvs.srv import SetBool

from neo_bringup.bench.figures import Figure
from neo_bringup.console.calls import RobotCalls
from neo_bringup.faults_bench import bad_commands
from neo_bringup.faults_bench.commands import some
from neo_bringup.faults_bench.lab import Lab
from neo_description.errors import NeoError
from neo_description.signals import DriveMode
from neo_description.tables import CONTROL_DT
from neo_ros.environment import ros_environment
from neo_sim.plant import GROUPS

PARTS = ("press-100",)
QUICK = ("press-10",)
CLI_EVERY = 10  # runs: a process takes a second to start
LATCHED = 50  # ticks for which hold is watched
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """``part``: ``press-N``, N presses at random ticks of a gaze and hand motion."""
    rng = np.random.default_rng(seed)
    with Lab(seed=seed) as lab:
        bench = _Bench(lab)
        runs = []
        for i in range(int(part.partition("-")[2])):
            by = "neo stop" if i % CLI_EVERY == CLI_EVERY - 1 else ("service", "console")[i % 2]
            runs.append(bench.run(by, int(rng.integers(20, 120))))
        fell = lab.drives.fell
    progress(f"{len(runs)} presses, worst {max(run['hold_ms'] for run in runs):g} ms")
    return {"runs": runs, "fell": fell}


class _Bench:
    def __init__(self, lab: Lab):
        self._lab = lab
        self._plant = lab.nodes["sim"].plant
        self._console = RobotCalls(lab.us, SimpleNamespace(answer_timeout=30.0))
        self._pressed = -1
        runstop = self._plant.runstop

        def heard(on: bool) -> None:
            self._heard = self._plant.tick
            runstop(on)

        self._plant.runstop = heard

    def run(self, by: str, ticks: int) -> dict[str, Any]:
        """Stands, moves for ``ticks``, is stopped ``by`` someone, is released."""
        lab, plant = self._lab, self._plant
        lab.stand()
        lab.drives.begin()
        lab.publish("whole_body/command", _look())
        lab.ticks(ticks)
        self._heard, pressed = -1, plant.tick
        held: list[int] = []
        watch = lambda _: held.append(plant.tick) if not held and self._all(DriveMode.HOLD) else None  # noqa: E731
        lab.each_tick.append(watch)
        process = self._press(by)
        if not lab.until(lambda: bool(held)):
            raise NeoError(f"{by}: the drives do not hold")
        lab.each_tick.remove(watch)
        since = self._heard if process else pressed
        stayed = True
        for _ in range(LATCHED):
            lab.ticks(1)
            stayed = stayed and self._all(DriveMode.HOLD)
        refused = not lab.call("set_mode", SetMode.Request(mode="stand")).success
        lab.call("runstop", SetBool.Request(data=False))
        lab.ticks(LATCHED)
        held_on = self._all(DriveMode.HOLD)
        if process is not None:
            lab.until(lambda: process.poll() is not None)
        hold_ms = 1e3 * CONTROL_DT * max(held[0] - since, 0)
        return {"by": by, "hold_ms": hold_ms, "latched": stayed and refused, "held_on": held_on}

    def _press(self, by: str) -> subprocess.Popen[bytes] | None:
        if by == "console":
            self._console.stop()
        elif by == "service":
            self._lab.client("runstop").call_async(SetBool.Request(data=True))
        else:
            environment = {**os.environ, **ros_environment(), "ROS_DOMAIN_ID": str(self._lab.domain)}
            words = [sys.executable, "-m", "neo_bringup.cli", "stop"]
            return subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
        return None

    def _all(self, mode: DriveMode) -> bool:
        return all(self._lab.drives.mode(group) == mode for group in GROUPS)


def _look() -> WholeBodyCommand:
    message = bad_commands.good("whole_body/command", 0)
    message.gaze.y = 0.5
    return message


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    runs = [run for sample in samples.values() for run in sample["runs"]]
    worst: dict[str, Any] = max(runs, key=lambda run: run["hold_ms"], default={"hold_ms": np.inf, "by": ""})
    loose = [run["by"] for run in runs if not (run["latched"] and run["held_on"])]
    return [
        Figure("faults.runstop_hold_ms_max", worst["hold_ms"], len(runs), worst["by"]),
        Figure("faults.runstop_loose", len(loose), len(runs), some(loose)),
        Figure("faults.runstop_falls", sum(sample["fell"] for sample in samples.values()), len(runs)),
    ]
