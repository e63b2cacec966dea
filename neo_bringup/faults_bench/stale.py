"""Old input: how old may a state be whose answer a drive still takes, how soon does a silent operator let go?

``state``: the body's states reach its controller late, by a drawn number of ticks; what counts is the age, in
control periods, of the oldest state whose answer the drives took. ``teleop``: the operator's frames end at a
drawn moment while a clutch is engaged (the core, without ROS: nothing below it knows of operators); what
counts is the time until the clutch lets go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure
from neo_bringup.faults_bench.lab import Lab
from neo_description.signals import BodyEstimate, GraspStatus, Safety
from neo_description.tables import CONTROL_DT, SIDES
from neo_teleop.frames import HandFrame, OperatorFrame
from neo_teleop.teleop import Teleop

PARTS = ("state-100", "teleop-100")
QUICK = ("state-10", "teleop-100")
LATE = (1, 13)  # ticks
FOR = 15  # ticks for which states are late
OPERATOR_DT = 0.02  # s between two frames
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """``part``: ``state-N`` or ``teleop-N``, N runs."""
    what, _, count = part.partition("-")
    rng = np.random.default_rng(seed)
    if what == "teleop":
        return {"lets_go_s": [_silence(rng) for _ in range(int(count))]}
    with Lab(seed=seed, settings={"sim": {"lockstep_timeout": 0.02, "resend_after": 0.01}}) as lab:
        late = _Late(lab)
        runs = [late.run(int(rng.integers(*LATE))) for _ in range(int(count))]
        fell = lab.drives.fell
    progress(f"{len(runs)} runs, oldest state answered: {max(run['oldest'] for run in runs)} periods")
    return {"runs": runs, "fell": fell}


class _Late:
    """Holds the body's states back before its controller hears them."""

    def __init__(self, lab: Lab):
        self._lab, self._plant = lab, lab.nodes["sim"].plant
        self._ticks, self._oldest = 0, 0
        self._waiting: deque[Any] = deque()
        for sub in lab.nodes["body_control"].subscriptions:
            if sub.topic_name == "/body/state":
                self._hear = sub.callback
                sub.callback = self._on_state
        lab.drives.on_taken.append(self._on_taken)

    def _on_state(self, message: Any) -> None:
        if not self._waiting or self._waiting[-1].tick != message.tick:
            self._waiting.append(message)
        while self._waiting and self._waiting[0].tick <= message.tick - self._ticks:
            self._hear(self._waiting.popleft())

    def _on_taken(self, group: str, command: Any) -> None:
        if group == "body":
            self._oldest = max(self._oldest, self._plant.tick - command.tick)

    def run(self, late: int) -> dict[str, Any]:
        """Stands, hears states ``late`` ticks late for a while, then in time again."""
        lab = self._lab
        lab.stand()
        lab.drives.begin()
        self._oldest, self._ticks = 0, late
        lab.ticks(FOR + late)
        oldest, self._ticks = self._oldest, 0
        lab.ticks(10)
        return {"late": late, "oldest": oldest}


def _silence(rng: np.random.Generator) -> float:
    """s from an operator's last frame until the clutch of the right hand lets go."""
    teleop, time = Teleop(), 10.0
    T = np.eye(4)
    T0 = np.eye(4)
    idle = {side: GraspStatus() for side in SIDES}

    def step(frame: OperatorFrame | None) -> None:
        teleop.step(frame, BodyEstimate(0, time, T0, np.zeros(6), T0, T0, T0, Safety.ACTIVE), idle)

    for i in range(int(rng.integers(3, 40))):
        time += OPERATOR_DT
        T = T.copy()
        T[0, 3] += 0.001 * float(rng.normal())
        step(OperatorFrame(time, {"r": HandFrame(T, clutch=i > 0)}))
    last = time
    assert teleop.clutches["r"].engaged
    while teleop.clutches["r"].engaged:
        time += CONTROL_DT
        step(None)
    return round(time - last, 6)


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    runs = [run for sample in samples.values() for run in sample.get("runs", [])]
    silences = [s for sample in samples.values() for s in sample.get("lets_go_s", [])]
    falls = sum(sample["fell"] for sample in samples.values() if "runs" in sample)
    return [
        Figure("faults.stale_state_periods_max", max((run["oldest"] for run in runs), default=0), len(runs)),
        Figure("faults.stale_state_falls", falls, len(runs)),
        Figure("faults.stale_teleop_ms_max", 1e3 * max(silences, default=0.0), len(silences)),
    ]
