"""Bad commands on every command topic: does one reach a drive, and is the reason told within a second?

The robot stands (body, hands, plant in lock-step). One run: a command with one fault is sent between two
ticks; a drive command comes from the controller's own publisher in place of its answer to one tick, as if
the controller itself were ill (best effort keeps one message: one beside the answer would mostly be lost).
A run counts as reached when a drive or a controller takes what was sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure
from neo_bringup.faults_bench import bad_commands
from neo_bringup.faults_bench.lab import Lab
from neo_description.errors import NeoError
from neo_description.signals import DriveMode, Safety

PARTS = ("bad-194",)
QUICK = ("bad-97",)
TOLD_WITHIN = 3.0  # s of wall time to wait for a reason
APART = (5, 25)  # ticks between two runs
NODES = {"body/tendon_command": "body_control", "l_hand/tendon_command": "l_hand_control",
         "r_hand/tendon_command": "r_hand_control"}  # fmt: skip
REFUSE = {"whole_body/command": "body_control", "joint_trajectory": "body_control",
          "joint_impedance": "body_control", "l_hand/command": "l_hand_control",
          "r_hand/command": "r_hand_control"}  # fmt: skip
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """``part``: ``bad-N``, N runs that go round all topics and faults."""
    rng = np.random.default_rng(seed)
    faults = [(topic, kind) for topic in bad_commands.TOPICS for kind in bad_commands.kinds(topic)]
    runs = []
    with Lab(seed=seed) as lab:
        lab.stand()
        lab.ticks(600)  # so that an old stamp is older than what is let pass
        watch = Watch(lab)
        for i in range(int(part.partition("-")[2])):
            topic, kind = faults[i % len(faults)]
            lab.ticks(int(rng.integers(*APART)))
            runs.append(watch.run(topic, kind))
        progress(f"{len(runs)} runs, {sum(run['reached'] for run in runs)} reached")
        standing = lab.safety == Safety.ACTIVE and lab.drives.mode("body") == DriveMode.TENSION
        return {"runs": runs, "unsafe": lab.drives.unsafe, "fell": lab.drives.fell, "standing": standing}


class Watch:
    """Runs one fault after the other in a lab whose robot stands."""

    def __init__(self, lab: Lab):
        self._lab = lab
        self._taken: list[Any] = []
        lab.drives.begin()
        lab.drives.on_taken.append(lambda group, command: self._taken.append(np.asarray(command.tension)))
        self._accepted = 0
        self._ill = {}
        for topic, name in NODES.items():
            lab.nodes[name]._answers = self._ill[topic] = Ill(lab.nodes[name]._answers)
        body = lab.nodes["body_control"]._body
        body.follow = self._counted(body.follow)
        body.joints.impedance = self._counted(body.joints.impedance)
        for core in (body, *(lab.nodes[f"{s}_hand_control"]._hand for s in "lr")):
            core.command = self._counted(core.command)

    def _counted(self, command: Callable[..., str | None]) -> Callable[..., str | None]:
        def call(*given: Any) -> str | None:
            reason = command(*given)
            self._accepted += reason is None
            return reason

        return call

    def run(self, topic: str, kind: str) -> dict[str, Any]:
        """Sends the command with fault ``kind`` once."""
        lab = self._lab
        refuser = REFUSE.get(topic, "sim")
        make = bad_commands.kinds(topic)[kind]
        before, self._accepted = lab.refusals(refuser, topic), 0
        self._taken.clear()
        if topic in NODES:
            ill = self._ill[topic]
            ill.next = make
            if not lab.until(lambda: ill.next is None):
                raise NeoError(f"no {topic} was asked for")
            message = ill.said
        else:
            message = make(lab.tick)
            lab.publish(topic, message)
        sent = time.monotonic()
        told = lab.until(lambda: lab.refusals(refuser, topic) > before, TOLD_WITHIN)
        return {
            "topic": topic,
            "kind": kind,
            "reached": bool(self._accepted) or self._was_taken(message),
            "reason_s": time.monotonic() - sent if told else None,
            "reason": lab.told[refuser].get("last refusal", "") if told else "",
        }

    def _was_taken(self, message: Any) -> bool:
        tension = getattr(message, "tension", None)
        return tension is not None and any(np.array_equal(tension, taken) for taken in self._taken)


class Ill:
    """A controller's publisher that says ``next`` once in place of an answer; ``said`` is what it was."""

    def __init__(self, publisher: Any):
        self._publisher = publisher
        self.next: bad_commands.Make | None = None
        self.said: Any = None

    def publish(self, message: Any) -> None:
        if self.next is not None:
            message = self.said = self.next(message.tick)
            self.next = None
        self._publisher.publish(message)


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    runs = [run for sample in samples.values() for run in sample["runs"]]
    told = [run for run in runs if run["reason_s"] is not None]
    worst = max(told, key=lambda run: run["reason_s"], default=None)
    reached = [f"{run['topic']} {run['kind']}" for run in runs if run["reached"]]
    untold = [f"{run['topic']} {run['kind']}" for run in runs if run["reason_s"] is None]
    unsafe = [text for sample in samples.values() for text in sample["unsafe"]]
    down = sum(sample["fell"] or not sample["standing"] for sample in samples.values())
    return [
        Figure("faults.commands_reached", len(reached) + len(unsafe), len(runs), some(reached + unsafe)),
        Figure("faults.commands_untold", len(untold), len(runs), some(untold)),
        Figure(
            "faults.commands_reason_s_max", worst["reason_s"] if worst else float("inf"), len(told),
            f"{worst['topic']} {worst['kind']}" if worst else "",
        ),
        Figure("faults.commands_stopped", down, len(samples)),
    ]  # fmt: skip


def some(words: list[str]) -> str:
    """The first of ``words``, each once."""
    return ", ".join(dict.fromkeys(words[:6]))
