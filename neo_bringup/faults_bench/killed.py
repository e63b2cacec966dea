"""``kill -9`` and ``kill -STOP`` of each node in turn: standing, with a plum in the hand, walking; of the
supervisor.

The command path is timed in plant time, from the last answer of the lost node to drives in hold; the others
in wall time, until ``supervisor/state`` says that the node is lost. The supervisor's own loss is measured
with a plant that it does not own, as a robot's drives are.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neo_bringup.bench.figures import Figure
from neo_bringup.bench.robot import robot, stand
from neo_bringup.client import ActionGoal, TaskGoal, WalkGoal
from neo_bringup.commands.up import launch_file
from neo_bringup.faults_bench.lost_node import GROUP, STAYS_UP, DriveWatch, pid_of
from neo_bringup.stack import Stack
from neo_bringup.supervision import Supervision, read
from neo_bringup.watchdog import Condition
from neo_description import objects
from neo_description.errors import NeoError
from neo_description.tables import CONTROL_RATE
from neo_ros import graph

NODES = ("body_control", "l_hand_control", "r_hand_control", "sim", "proprioception", "tactile", "camera",
         "perception", "task", "recorder", "console")  # fmt: skip
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
DOINGS = ("standing", "grasping", "walking")
SUPERVISOR = "supervisor"
PARTS = tuple(
    [f"{how}/{node}/{doing}" for doing in DOINGS for how in SIGNALS for node in NODES]
    + [f"{how}/{SUPERVISOR}/standing" for how in SIGNALS]
)
HERE = Path(__file__).parent
PLUM, PROMPT = "purple_plum", "pick up the purple fruit"
BEFORE = {"standing": 0.5, "grasping": 0.5, "walking": 3.0}  # s of plant time before the loss
HEARD = 0.2  # s of plant time in which every node has heard that the robot stands
FAR = 8.0  # m forward
GRASP_WITHIN = 300.0  # s of wall time
NOTICED_WITHIN = 20.0
WATCH_WITHIN = 120.0
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """One part's numbers; files go into ``folder``."""
    how, node, doing = part.split("/")
    folder.mkdir(parents=True, exist_ok=True)
    sample = _supervisor(how, seed, folder) if node == SUPERVISOR else _node(how, node, doing, seed, folder)
    sample = {"how": how, "node": node, "doing": doing, **sample}
    progress(f"{part}: {sample}")
    return sample


def _node(how: str, node: str, doing: str, seed: int, folder: Path) -> dict[str, Any]:
    log = folder / "log.txt"
    arguments = [
        f"seed:={seed}",
        "sync:=lockstep",
        "speed:=0.0",
        "planner:=privileged_scripted",
        "on_death:=policy",
    ]
    if doing == "walking":
        arguments += ["scene:=empty", "walking:=true"]
    else:
        arguments += ["scene:=plum_table", f"scene_file:={HERE / 'plum_table.yaml'}"]
    arguments.append(f"cameras:={'true' if node in ('camera', 'perception') else 'false'}")
    if node == "console":
        arguments += ["console:=true", "console_port:=0"]
    if node == "recorder":
        arguments += ["record:=true", f"record_path:={folder / f'run-{time.time_ns()}'}"]
    with robot(arguments, log) as (launched, stack):
        stand(launched, stack)
        watch, said = DriveWatch(stack, GROUP.get(node, "body")), _States(stack)
        _go_on(stack, watch, HEARD)
        goal = _begun(doing, stack)
        _go_on(stack, watch, BEFORE[doing])
        pid = pid_of(node, launched.process.pid)
        began = time.monotonic()
        os.kill(pid, SIGNALS[how])
        watch.killed(answered=node in GROUP)
        noticed = stack.wait(lambda: said.lost(node), NOTICED_WITHIN)
        if node != "sim":
            stack.wait(lambda: watch.watched >= STAYS_UP, WATCH_WITHIN)
        if goal is not None:
            goal.close()
    drives = node in GROUP
    return {
        "noticed_ms": 1e3 * (said.at(node) - began) if noticed else math.inf,
        "hold_ms": watch.hold_ms if drives else None,
        "fell": watch.fell if node != "sim" else None,
        "watched_s": watch.watched,
        "peak_grip_n": watch.peak_grip if doing == "grasping" and node != "sim" else None,
    }


def _supervisor(how: str, seed: int, folder: Path) -> dict[str, Any]:
    options = ["--file", str(_without_plant(folder))]
    with robot([], folder / "log.txt", options=options) as (launched, stack), _plant(seed, folder):
        watch = DriveWatch(stack, "body")
        stack.wait(lambda: watch.answered >= 0, 60.0)
        stand(launched, stack)
        _go_on(stack, watch, BEFORE["standing"])
        began = time.monotonic()
        launched.process.send_signal(SIGNALS[how])
        watch.killed(answered=True)
        held = stack.wait(lambda: math.isfinite(watch.hold_ms), NOTICED_WITHIN)
        wall = 1e3 * (time.monotonic() - began)
        stack.wait(lambda: watch.watched >= STAYS_UP, WATCH_WITHIN)
        launched.process.send_signal(signal.SIGCONT)
    return {
        "hold_ms": watch.hold_ms if how == "kill" else None,  # stopped, its nodes go on answering
        "held_wall_ms": wall if held else math.inf,
        "fell": watch.fell,
        "watched_s": watch.watched,
    }


def _without_plant(folder: Path) -> Path:
    """A launch file of the robot's nodes but the plant."""
    launch = launch_file().parent
    included = "".join(
        f'<include file="{launch / f"{name}.launch.xml"}"/>' for name in ("control", "sensors", "task")
    )
    file = folder / "no_plant.launch.xml"
    file.write_text(f'<launch><arg name="console" default="false"/>{included}</launch>')
    return file


@contextmanager
def _plant(seed: int, folder: Path) -> Iterator[None]:
    """The plant in a process of its own, at most as fast as the clock."""
    code = "from neo_sim.node import main; main()"
    words = ["--ros-args", "-p", f"seed:={seed}", "-p", "sync:=lockstep", "-p", "speed:=1.0"]
    with (folder / "plant.txt").open("w") as log:
        plant = subprocess.Popen([sys.executable, "-c", code, *words], stdout=log, stderr=log)
        try:
            yield
        finally:
            plant.kill()
            plant.wait()


def _begun(doing: str, stack: Stack) -> ActionGoal | None:
    """What the robot does when the node is lost."""
    if doing == "walking":
        walk = WalkGoal(stack, lambda feedback: None)
        walk.send(FAR, wait=30.0)
        return walk
    return _grasp(stack) if doing == "grasping" else None


def _grasp(stack: Stack) -> TaskGoal:
    """A task that has come as far as holding the plum."""
    phases: list[str] = []
    goal = TaskGoal(stack, lambda feedback: phases.append(feedback.phase))
    goal.send(PROMPT, wait=30.0)
    stack.wait(lambda: goal.done or "hold" in phases, GRASP_WITHIN)
    if goal.done:
        raise NeoError(f"nothing to lose a node with: {goal.result.outcome}")
    return goal


def _go_on(stack: Stack, watch: DriveWatch, seconds: float) -> None:
    if not stack.wait(lambda: watch.ready, 10.0):
        raise NeoError("no state heard from the plant")
    end = watch.tick + round(seconds * CONTROL_RATE)
    if not stack.wait(lambda: watch.tick >= end, 60.0):
        raise NeoError(f"the plant stood still at tick {watch.tick}")


class _States:
    """What ``supervisor/state`` said of each node, and when it first called it lost."""

    def __init__(self, stack: Stack):
        self._lost: dict[str, float] = {}
        graph.subscription(stack.node, "supervisor/state", self._on_state)

    def _on_state(self, message: Any) -> None:
        state: Supervision = read(message)
        for node in state.nodes:
            if node.condition >= Condition.SILENT:
                self._lost.setdefault(node.name, time.monotonic())

    def lost(self, node: str) -> bool:
        return node in self._lost

    def at(self, node: str) -> float:
        """Monotonic s."""
        return self._lost[node]


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """Of samples by part, or by ``seed/room/part``."""
    rows = [row for row in samples.values() if row["node"] != SUPERVISOR]
    own = {row["how"]: row for row in samples.values() if row["node"] == SUPERVISOR}
    drives = [row for row in rows if row["hold_ms"] is not None]
    others = [row for row in rows if row["hold_ms"] is None]
    walked = [row for row in rows if row["doing"] == "walking" and row["fell"] is not None]
    bodies = [row for row in samples.values() if row["fell"] is not None and row["doing"] != "walking"]
    gripped = [row for row in rows if row.get("peak_grip_n") is not None]
    limit = objects.registry()[PLUM].crush_force or math.inf
    fell = _fallen(bodies)
    crushed = [_name(row) for row in gripped if row["peak_grip_n"] > limit]
    found = [
        _worst("faults.lost_hold_ms_max", drives, "hold_ms"),
        _worst("faults.lost_noticed_ms_max", others, "noticed_ms"),
        _worst("faults.lost_controller_noticed_ms_max", drives, "noticed_ms"),
        _worst("faults.lost_peak_grip_n", gripped, "peak_grip_n"),
        Figure("faults.lost_falls", len(fell), len(bodies), ", ".join(fell)),
        Figure("faults.lost_crushed", len(crushed), len(gripped), ", ".join(crushed)),
        _share("faults.lost_walking_controller_fell", [row for row in walked if row["node"] in GROUP]),
        _share("faults.lost_walking_other_fell", [row for row in walked if row["node"] not in GROUP]),
    ]
    if "kill" in own:
        found.append(Figure("faults.supervisor_killed_hold_ms", own["kill"]["hold_ms"], 1))
    if "stop" in own:
        found.append(Figure("faults.supervisor_stopped_hold_ms", own["stop"]["held_wall_ms"], 1))
    return found


def _name(row: dict[str, Any]) -> str:
    return f"{row['how']} {row['node']} {row['doing']}"


def _fallen(rows: list[dict[str, Any]]) -> list[str]:
    """Those of ``rows`` that fell, or were not watched to the end."""
    return [_name(row) for row in rows if row["fell"] or row["watched_s"] < STAYS_UP]


def _share(figure: str, rows: list[dict[str, Any]]) -> Figure:
    fell = _fallen(rows)
    return Figure(figure, len(fell) / len(rows) if rows else math.nan, len(rows), ", ".join(fell))


def _worst(figure: str, rows: list[dict[str, Any]], key: str) -> Figure:
    if not rows:
        return Figure(figure, math.nan, 0)
    worst = max(rows, key=lambda row: row[key])
    return Figure(figure, worst[key], len(rows), _name(worst))
