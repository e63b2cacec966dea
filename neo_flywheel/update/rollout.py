"""A release goes to some robots first: canaries → a tenth → all, with an emergency stop.

A plain state machine over robots' reports. It decides and says why; :mod:`fleet` acts on what it decided.
Who belongs to the tenth follows from the release and the robot's name alone, so that it is another tenth each
time and the same whenever it is asked.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

SHARE = 0.1


class Stage(StrEnum):
    """Who has the release."""

    CANARY = "canary"
    TENTH = "tenth"
    ALL = "all"
    DONE = "done"
    STOPPED = "stopped"


NEXT = {Stage.CANARY: Stage.TENTH, Stage.TENTH: Stage.ALL, Stage.ALL: Stage.DONE}


@dataclass(frozen=True)
class Gate:
    """What a stage asks for before the next, and what stops everything.

    ``soak``: h in a stage at least; ``reported``: share of its robots that must run the release and say so;
    ``tasks``: done with it in a stage at least; ``failed``: share of its robots that refused it or rolled
    back, above which it stops; ``errors``: errors a task, above which it stops once ``tasks`` were done.
    """

    soak: float = 24.0
    reported: float = 0.8
    tasks: int = 20
    failed: float = 0.05
    errors: float = 0.2


@dataclass
class Rollout:
    """Of ``release`` (channel/version) called ``id``; ``previous``: what all go back to when it stops."""

    release: str
    id: str
    previous: str = ""
    stage: Stage = Stage.CANARY
    since: str = ""
    gate: Gate = field(default_factory=Gate)
    decisions: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def begin(
        cls, release: str, id_: str, previous: str, gate: Gate, now: datetime, stage: Stage = Stage.CANARY
    ) -> Rollout:
        """At the canaries, or where a person says."""
        rollout = cls(release, id_, previous, gate=gate)
        rollout._enter(stage, now, "begun")
        return rollout

    @property
    def over(self) -> bool:
        return self.stage in (Stage.DONE, Stage.STOPPED)

    def covered(self, robots: Mapping[str, bool]) -> set[str]:
        """Those of ``robots`` (name → is a canary) that have the release now."""
        if self.stage == Stage.STOPPED:
            return set()
        if self.stage in (Stage.ALL, Stage.DONE):
            return set(robots)
        canaries = {name for name, canary in robots.items() if canary}
        return canaries if self.stage == Stage.CANARY else canaries | self._tenth(robots)

    def _tenth(self, robots: Iterable[str]) -> set[str]:
        """A tenth of them, one at least: the first by the hash of release and name."""
        ranked = sorted(robots, key=lambda name: hashlib.sha256(f"{self.id} {name}".encode()).digest())
        return set(ranked[: math.ceil(SHARE * len(ranked))])

    def step(
        self, robots: Mapping[str, bool], reports: Iterable[Mapping[str, Any]], promoted: bool, now: datetime
    ) -> str:
        """Goes on, waits or stops by what the robots that have the release report; why, in words.

        ``promoted``: signed as stable, without which it stays with the canaries.
        """
        if self.over:
            return f"{self.stage}: {self.decisions[-1]['reason']}"
        covered = self.covered(robots)
        if not covered:
            return self._waits("no robot is a canary; `neo release robot ID --canary` makes one", now)
        heard = [report for report in reports if report["robot"] in covered]
        failed = {
            report["robot"]: report["refused"][self.id] for report in heard if self.id in report["refused"]
        }
        if len(failed) > self.gate.failed * len(covered):
            robot, why = next(iter(failed.items()))
            return self._enter(
                Stage.STOPPED, now, f"failed on {len(failed)} of {len(covered)}: {robot}: {why}"
            )
        using = [report for report in heard if report["release"] == self.id and report["good"]]
        tasks, errors = (sum(int(report[what]) for report in using) for what in ("tasks", "errors"))
        if tasks >= max(1, self.gate.tasks) and errors > self.gate.errors * tasks:
            return self._enter(
                Stage.STOPPED, now, f"{errors} errors in {tasks} tasks; {self.gate.errors:.0%} at most"
            )
        hours = (now - datetime.fromisoformat(self.since)).total_seconds() / 3600.0
        if len(using) < self.gate.reported * len(covered):
            return self._waits(f"{len(using)} of {len(covered)} run it; {self.gate.reported:.0%} must", now)
        if hours < self.gate.soak:
            return self._waits(f"{hours:.1f} of {self.gate.soak:g} h in this stage", now)
        if tasks < self.gate.tasks:
            return self._waits(f"{tasks} of {self.gate.tasks} tasks done with it", now)
        if self.stage == Stage.CANARY and not promoted:
            return self._waits("the canaries are well; `neo release promote` signs it for the others", now)
        good = f"{len(using)} of {len(covered)} run it, {errors} errors in {tasks} tasks, {hours:.1f} h"
        return self._enter(NEXT[self.stage], now, good)

    def stop(self, why: str, now: datetime) -> str:
        """Emergency stop by a person."""
        return self._enter(Stage.STOPPED, now, why)

    def _waits(self, reason: str, now: datetime) -> str:
        if self.decisions[-1]["reason"] != reason:
            self._decide("waits", now, reason)
        return f"{self.stage} waits: {reason}"

    def _enter(self, stage: Stage, now: datetime, reason: str) -> str:
        self.stage, self.since = stage, now.isoformat(timespec="seconds")
        self._decide(str(stage), now, reason)
        return f"{stage}: {reason}"

    def _decide(self, what: str, now: datetime, reason: str) -> None:
        self.decisions.append({"time": now.isoformat(timespec="seconds"), "what": what, "reason": reason})

    def row(self) -> dict[str, Any]:
        """As JSON has it."""
        return vars(self) | {"stage": str(self.stage), "gate": vars(self.gate)}

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Rollout:
        """Of a :meth:`row`."""
        return cls(**{**row, "stage": Stage(row["stage"]), "gate": Gate(**row["gate"])})
