"""Random messages to every subscription of every node: does a node die, or say something unsafe?

Each node runs alone in a process of its own. It gets well-typed random messages on each of its topics, then
as many serialised ones that are spoilt. A callback that raises would end the node, so it counts as a crash;
so does the death of the process. What the node answers to drives meanwhile is checked apart from their gate.
The console takes messages when its page draws, and its page survives what it cannot draw: there a crash is a
death, or a topic of which it takes nothing afterwards.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
from rclpy._rclpy_pybind11 import RCLError

from neo_bringup.bench.figures import Figure
from neo_bringup.console.snapshot import Snapshot
from neo_bringup.faults_bench import random_messages
from neo_bringup.faults_bench.lab import Lab
from neo_bringup.faults_bench.privileged_drives import unsafe
from neo_description.errors import NeoError
from neo_ros import convert

NODES = (
    "sim",
    "body_control",
    "l_hand_control",
    "proprioception",
    "tactile",
    "perception",
    "task",
    "recorder",
    "world_model",
    "camera",
    "teleop",
    "console",
)
PARTS = tuple(f"{node}-100000" for node in NODES)
QUICK = tuple(f"{node}-100" for node in NODES)
UNPACKED = {
    "recorder": ("/safety/state", "/teleop/engaged", "/world_model/surprise", "/odom")
}  # rest: as odom
IGNORED = ("/parameter_events", "/rosout", "/clock")
HEARD_WITHIN = 0.02  # s: best effort may lose a message
DROPPED_WITHIN = 0.0005  # s for spoilt ones: what cannot be decoded never comes
ALIVE_WITHIN = 10.0  # s of wall time for a good message at the end
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """``part``: ``NODE-N``, N well-typed and N spoilt messages to each of its subscriptions."""
    node, _, count = part.rpartition("-")
    folder.mkdir(parents=True, exist_ok=True)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        try:
            sample = pool.submit(shower, node, int(count), seed, str(folder)).result()
        except BrokenProcessPool:
            sample = {"node": node, "crashes": {f"{node}: the process died": 1}, "unsafe": {}, "topics": {}}
    progress(f"{node}: {sum(map(len, (sample['crashes'], sample['unsafe'])))} faults in {sample['topics']}")
    return sample


def shower(name: str, count: int, seed: int, folder: str) -> dict[str, Any]:
    """The messages for node ``name``; crashes and unsafe answers by what they are, messages by topic."""
    rng = np.random.default_rng(seed)
    settings: dict[str, dict[str, object]] = {
        "recorder": {"directory": f"{folder}/{time.time_ns()}"},
        "console": {"port": 0},
    }
    ways = ((random_messages.well_typed, HEARD_WITHIN), (random_messages.malformed, DROPPED_WITHIN))
    with Lab((name,), seed, settings) as lab:
        watch = (Page if name == "console" else Watch)(lab.nodes[name], name, lab.wake)
        for sub, handled in watch.subscriptions:
            publisher = lab.us.create_publisher(sub.msg_type, sub.topic_name, sub.qos_profile)
            if not lab.until(lambda p=publisher: p.get_subscription_count() > 0):  # type: ignore[misc]
                raise NeoError(f"{name} does not hear {sub.topic_name}")
            for make, within in ways:
                sent = 0
                while sent < count:
                    before = handled[0]
                    if _sent(publisher, make(sub.msg_type, rng)):
                        sent += 1
                        lab.until(lambda h=handled, b=before: watch.heard(h, b), within)  # type: ignore[misc]
            before = handled[0]
            alive = time.monotonic() + ALIVE_WITHIN
            while handled[0] == before and time.monotonic() < alive:  # best effort may lose one
                publisher.publish(sub.msg_type())
                lab.until(lambda h=handled, b=before: watch.heard(h, b), 0.2)  # type: ignore[misc]
            if handled[0] == before:
                watch.crashes[f"{sub.topic_name}: deaf afterwards"] = 1
            lab.us.destroy_publisher(publisher)
        topics = {sub.topic_name: handled[0] for sub, handled in watch.subscriptions}
        return {"node": name, "crashes": watch.crashes, "unsafe": watch.unsafe, "topics": topics,
                "sent": 2 * count * len(topics)}  # fmt: skip


def _sent(publisher: Any, message: Any) -> bool:
    """Whether our own middleware sent it: some sizes it does not."""
    try:
        publisher.publish(message)
    except RCLError:
        return False
    return True


class Watch:
    """Counts what each callback of a node got, what it raised, and what it answered to drives."""

    def __init__(self, node: Any, name: str, wake: Callable[[], None]):
        self._wake = wake
        self.crashes: dict[str, int] = {}
        self.unsafe: dict[str, int] = {}
        self.subscriptions: list[tuple[Any, list[int]]] = []
        for sub in node.subscriptions:
            topic = sub.topic_name
            if topic in IGNORED or topic not in UNPACKED.get(name, (topic,)):
                continue
            handled = [0]
            sub.callback = self._counted(sub.topic_name, sub.callback, handled)
            self.subscriptions.append((sub, handled))
        if name.endswith("_control"):
            answers, group = node._answers, name.removesuffix("_control")
            self._publish = answers.publish
            node._answers = self
            self._group = group

    def heard(self, handled: list[int], before: int) -> bool:
        """Whether more than ``before`` messages came."""
        return handled[0] > before

    def publish(self, message: Any) -> None:
        """Stands in for the node's publisher of answers."""
        problem = unsafe(self._group, convert.tendon_command(message))
        if problem is not None:
            self.unsafe[problem] = self.unsafe.get(problem, 0) + 1
        self._publish(message)

    def _counted(self, topic: str, callback: Callable[..., None], handled: list[int]) -> Callable[..., None]:
        @wraps(callback)
        def call(*given: Any) -> None:
            handled[0] += 1
            self._wake()
            try:
                callback(*given)
            except Exception as error:
                what = f"{topic}: {type(error).__name__} {_words(str(error))}"
                self.crashes[what] = self.crashes.get(what, 0) + 1

        return call


class Page:
    """What the console's page takes of each topic, drawing as fast as messages come."""

    def __init__(self, node: Any, name: str, wake: Callable[[], None]):
        self.crashes: dict[str, int] = {}
        self.unsafe: dict[str, int] = {}
        self._source, self._snapshot = node._source, Snapshot()
        self._source.watch(True)
        samples = self._source._samples
        taken = {topic: [0] for topic in samples._subscriptions}
        take = samples.take

        def counted(topic: str) -> Any:
            message = take(topic)
            taken[topic][0] += message is not None
            return message

        samples.take = counted
        self.subscriptions = [(samples._subscriptions[topic], count) for topic, count in taken.items()]

    def heard(self, handled: list[int], before: int) -> bool:
        """Draws; whether more than ``before`` messages were taken."""
        for read in (self._source.motion, self._source.panels, self._source.health):
            with suppress(Exception):  # as the page does
                read(self._snapshot)
        return handled[0] > before


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    rows = list(samples.values())
    sent = sum(row.get("sent", 0) for row in rows)
    crashes = {f"{row['node']} {what}": n for row in rows for what, n in row["crashes"].items()}
    bad = {f"{row['node']} {what}": n for row in rows for what, n in row["unsafe"].items()}
    least = min((row["sent"] // max(len(row["topics"]), 1) // 2 for row in rows if "sent" in row), default=0)
    return [
        Figure("faults.fuzz_crashes", sum(crashes.values()), sent, ", ".join(list(crashes)[:4])),
        Figure("faults.fuzz_unsafe", sum(bad.values()), sent, ", ".join(list(bad)[:4])),
        Figure("faults.fuzz_messages_min", least, sum(len(row["topics"]) for row in rows)),
    ]


def _words(text: str) -> str:
    """``text`` without its numbers, shortened: the same fault again counts as the same."""
    return " ".join(word for word in text.split() if word.isalpha())[:80]
