"""A disk that is full or read-only, memory that is short: recorder and trainer end, the robot stands on.

``full`` and ``readonly``: the recorder is told to write to a small disk of its own (a mounted tmpfs, so root
is needed) that fills up, or that takes nothing. ``recorder`` and ``trainer``: a process that may have only
some megabytes more than it has at its start; the kernel's own killer ends one by SIGKILL, which is the family
``killed``. Meanwhile the robot stands in lock-step: no drive may hold, and it may not fall.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from neo_msgs.action import RecordEpisode

from neo_bringup.bench.figures import Figure
from neo_bringup.faults_bench.commands import some
from neo_bringup.faults_bench.lab import CONTROL, Lab
from neo_bringup.flywheel_bench.anomalies import episode
from neo_description.errors import NeoError
from neo_description.signals import DriveMode
from neo_ros import graph
from neo_world_model.store import Store

PARTS = ("full-40", "readonly-40", "recorder-10", "trainer-10")
QUICK = ("full-2", "readonly-2", "recorder-1", "trainer-1")
SIZE = (1.0, 4.0)  # MB of the small disk; drawn
MORE = {"recorder": (5.0, 25.0), "trainer": (100.0, 300.0)}  # MB beyond what a process has; drawn
EPISODES = 12  # for the trainer
# words of which a reason must hold one; the last are those of the C library, which ends the process itself
CLEAR = ("No space left", "MB left", "Read-only", "out of memory", "cannot allocate memory")
AFTER = 100  # ticks
PATIENCE = 120.0  # s of wall time
CODE = """
import resource, sys
from {module} import {name}
def starve():
    with open("/proc/self/statm") as f:
        now = int(f.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + {more}, now + {more}))
{run}
"""
RECORD = """
from neo_ros.main import run
class Starved(RecorderNode):
    def configure(self):
        super().configure()
        starve()
run(Starved)
"""
TRAIN = """
import neo_world_model.train
starve()
sys.exit(main(sys.argv[1:]))
"""
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """``part``: what is short, and how often."""
    what, _, count = part.partition("-")
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    disk = what in ("full", "readonly")
    if what == "trainer":  # now: meanwhile the robot would get no answers
        store = Store.create(folder / "store")
        for i in range(EPISODES):
            store.add(episode(i))
    runs = []
    with Lab((*CONTROL, "recorder") if disk else CONTROL, seed, {"recorder": {"min_free": 0.0}}) as lab:
        lab.stand()
        for i in range(int(count)):
            with _watched(lab) as seen:
                run = _disk(lab, what, folder, rng) if disk else _memory(lab, what, folder / str(i), rng)
                lab.ticks(AFTER)
            runs.append({"what": what, **run, **seen})
            progress(f"{what} {i + 1} of {count}: {runs[-1]}")
    return {"runs": runs}


@contextmanager
def _watched(lab: Lab) -> Iterator[dict[str, Any]]:
    """How many ticks the body's drives held, and whether the robot fell."""
    seen: dict[str, Any] = {"held": 0, "fell": False}

    def look(message: Any) -> None:
        seen["held"] += message.drive_mode != DriveMode.TENSION

    lab.drives.begin()
    lab.each_tick.append(look)
    yield seen
    lab.each_tick.remove(look)
    seen["fell"] = lab.drives.fell


def _disk(lab: Lab, what: str, folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    place = folder / "disk"
    place.mkdir(exist_ok=True)
    size = round(1e6 * float(rng.uniform(*SIZE)))
    _mount("-t", "tmpfs", "-o", f"size={size}" if what == "full" else "ro", "tmpfs", str(place))
    try:
        client = graph.action_client(lab.us, "record_episode")
        lab.until(client.server_is_ready)
        sent: Any = client.send_goal_async(RecordEpisode.Goal(directory=str(place / "run"), task="stand"))
        lab.until(sent.done)
        ended: Any = sent.result().get_result_async()
        lab.until(ended.done, PATIENCE)
        reason = ended.result().result.reason if ended.done() else ""
        client.destroy()
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)
    return {"ended": bool(reason), "why": reason}


def _mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True)
    if done.returncode:
        raise NeoError(f"no small disk here: {done.stderr.strip()}")


def _memory(lab: Lab, what: str, folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """A process beside the robot that asks for more memory than there is."""
    more = round(1e6 * float(rng.uniform(*MORE[what])))
    if what == "recorder":
        code = CODE.format(module="neo_flywheel.recorder_node", name="RecorderNode", more=more, run=RECORD)
        words = ["--ros-args"]
        given = {"ring": True, "before": 600.0, "ring_size": 4000.0, "start": True, "directory": folder}
        for name, value in given.items():
            words += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]
    else:
        code = CODE.format(module="neo_bringup.cli", name="main", more=more, run=TRAIN)
        words = ["train", "ci", "--store", str(folder.parent / "store"), "--out", str(folder)]
        words += ["--set", "batch=256"]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(lab.domain), "OMP_NUM_THREADS": "1"}
    with (folder.parent / f"{folder.name}.txt").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *words], env=environment, stdout=log, stderr=log
        )
        try:
            lab.until(lambda: process.poll() is not None, PATIENCE)
        finally:
            process.kill()
            ended_with = process.wait()
        log.seek(0)
        said = ["", *log.read().strip().splitlines()][-1]
    return {"ended": ended_with != -signal.SIGKILL, "code": ended_with, "why": said[:300]}


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    runs = [run for sample in samples.values() for run in sample["runs"]]
    harmed = [run["what"] for run in runs if run["held"] or run["fell"]]
    on = [run["what"] for run in runs if not run["ended"]]
    told = [run for run in runs if run["what"] != "recorder"]
    mute = [f"{run['what']}: {run['why']}" for run in told if not any(word in run["why"] for word in CLEAR)]
    return [
        Figure("faults.starved_control", len(harmed), len(runs), some(harmed)),
        Figure("faults.starved_went_on", len(on), len(runs), some(on)),
        Figure("faults.starved_unclear", len(mute), len(told), some(mute)),
    ]
