"""A bad network between plant and controllers: loss, jitter, duplicates, another order.

A relay stands where the topics of the three control loops are: states reach the controllers, and answers the
drives, with 20 % lost, each late by up to 50 ms of wall time, one in ten doubled; so they overtake each
other. All of it is best effort, as these topics are. In lock-step the plant sends states again and goes on
without a group that stays silent; then its drives must hold and the robot must stay up. One run: a standing
robot, the bad network for some ticks, then a good one; it has recovered when the body is ACTIVE, after
standing up anew where it had stopped, and the drives follow it.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure
from neo_bringup.faults_bench.lab import Lab
from neo_description.signals import DriveMode, Safety
from neo_description.tables import CONTROL_DT
from neo_sim.plant import GROUPS

PARTS = ("bad-100",)
QUICK = ("bad-5",)
LOSS, DOUBLED = 0.2, 0.1
JITTER = 0.05  # s of wall time
FOR = (10, 40)  # ticks
RECOVERS_IN = 500  # ticks that are watched after
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """``part``: ``bad-N``, N runs."""
    rng = np.random.default_rng(seed)
    with Lab(seed=seed) as lab:
        relay = Relay(lab, rng)
        runs = [_run(lab, relay, int(rng.integers(*FOR))) for _ in range(int(part.partition("-")[2]))]
        fell, unsafe = lab.drives.fell, lab.drives.unsafe
    progress(f"{len(runs)} runs, {relay.lost} of {relay.sent} lost, {relay.overtaken} overtaken")
    counts = {"sent": relay.sent, "lost": relay.lost, "overtaken": relay.overtaken}
    return {"runs": runs, "fell": fell, "unsafe": unsafe, **counts}


class Relay:
    """Stands before the subscriptions of plant and controllers; hands on at once while not ``bad``."""

    def __init__(self, lab: Lab, rng: np.random.Generator):
        self.bad = False
        self.sent = self.lost = self.overtaken = 0
        self._rng = rng
        self._late: list[tuple[float, int, Callable[[], None]]] = []
        self._newest = -1
        topics = {f"/{group}/{what}" for group in GROUPS for what in ("state", "tendon_command")}
        for node in lab.nodes.values():
            for sub in node.subscriptions:
                if sub.topic_name in topics:
                    sub.callback = self._relayed(sub.callback)
        lab.us.create_timer(0.001, self._hand_on)

    def _relayed(self, callback: Callable[..., None]) -> Callable[..., None]:
        def call(*given: Any) -> None:
            if self.bad:
                self._carry(partial(callback, *given))
            else:
                callback(*given)

        if hasattr(callback, "__signature__"):
            call.__signature__ = callback.__signature__  # type: ignore[attr-defined]
        else:
            return lambda message: call(message)
        return call

    def _carry(self, deliver: Callable[[], None]) -> None:
        for _ in range(1 + (self._rng.random() < DOUBLED)):
            self.sent += 1
            if self._rng.random() < LOSS:
                self.lost += 1
                continue
            due = time.monotonic() + JITTER * float(self._rng.random())
            heapq.heappush(self._late, (due, self.sent, deliver))

    def _hand_on(self) -> None:
        while self._late and self._late[0][0] <= time.monotonic():
            _, number, deliver = heapq.heappop(self._late)
            self.overtaken += number < self._newest
            self._newest = max(self._newest, number)
            deliver()


def _run(lab: Lab, relay: Relay, ticks: int) -> dict[str, Any]:
    lab.stand()
    if not relay.sent:
        lab.drives.begin()
    relay.bad = True
    lab.ticks(ticks)
    relay.bad = False
    begun, stopped = lab.tick, False
    while lab.tick < begun + RECOVERS_IN:
        if lab.safety == Safety.STOP:
            stopped = True
            lab.stand()
        elif lab.safety == Safety.ACTIVE and lab.drives.mode("body") == DriveMode.TENSION:
            break
        lab.ticks(1)
    return {"ticks": ticks, "stopped": stopped, "recovers_s": CONTROL_DT * (lab.tick - begun)}


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    runs = [run for sample in samples.values() for run in sample["runs"]]
    falls = sum(sample["fell"] or bool(sample["unsafe"]) for sample in samples.values())
    stops = sum(run["stopped"] for run in runs)
    return [
        Figure("faults.network_falls", falls, len(runs)),
        Figure("faults.network_recovers_s_max", max((run["recovers_s"] for run in runs), default=0.0),
               len(runs), f"{stops} stopped and stood up again"),
    ]  # fmt: skip
