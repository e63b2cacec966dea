"""One demonstration from start to summary: stack, stand, prompt, score, bag, film."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neo_msgs.msg import SafetyState

from neo_bringup import preflight
from neo_bringup.client import TaskGoal
from neo_bringup.demo import film
from neo_bringup.demo.launched import LaunchedRobot
from neo_bringup.demo.score import LiftResult, PrivilegedLiftScore
from neo_bringup.instance import claim_free_domain
from neo_bringup.stack import Stack
from neo_description.errors import NeoError
from neo_description.objects import registry
from neo_description.scenes import make as make_scene
from neo_flywheel.recorder import run_folder
from neo_ros import graph
from neo_task.prompt import parse
from neo_task.scripted import default_vocabulary

START_TIMEOUT = 120.0  # s of wall time
STAND_TIMEOUT = 60.0
TASK_TIMEOUT = 600.0
SILENCE = 30.0  # s of wall time without a plant sample: the stack hangs


@dataclass
class DemoOptions:
    """What ``neo demo`` was asked for. ``launch``: further launch arguments, ``name:=value``."""

    prompt: str = "pick up the red bottle"
    scene: str = "kitchen_table"
    objects_file: str = ""
    seed: int = 0
    planner: str = "world_model"
    directory: str = ""
    view: bool = True
    video: bool = True
    gif: bool = False
    launch: list[str] = field(default_factory=list)


@dataclass
class DemoOutcome:
    """``why`` is empty on success."""

    result: LiftResult
    rtf: float
    wall_s: float
    why: str
    folder: Path
    outcome: str = ""

    def line(self) -> str:
        """The summary line of the contract."""
        r = self.result
        return (
            f"demo: success={'true' if r.success else 'false'} lifted_m={r.lifted_m:.3f} "
            f"held_s={r.held_s:.2f} peak_force_n={r.peak_force_n:.1f} "
            f"rtf={self.rtf:.2f} wall_s={self.wall_s:.1f}"
        )

    def summary(self, options: DemoOptions) -> dict[str, Any]:
        """What ``summary.json`` holds: how it went, and what was asked for."""
        return {
            **self.result.numbers(),
            "rtf": self.rtf,
            "wall_s": self.wall_s,
            "why": self.why,
            "outcome": self.outcome,
            "prompt": options.prompt,
            "scene": options.scene,
            "seed": options.seed,
            "objects_file": options.objects_file,
            "planner": options.planner,
        }


def target_of(prompt: str, scene: str, seed: int, objects_file: str = "") -> str:
    """The name of the scene's object that ``prompt`` is about; NeoError when there is none or several."""
    task = parse(prompt, default_vocabulary(objects_file or None))
    things = registry(objects_file or None)
    names = [thing.name for thing in make_scene(scene, seed, objects_file=objects_file or None).objects]
    fitting = [name for name in names if task.target.matches(things[name].color, things[name].class_name)]
    if len(fitting) != 1:
        raise NeoError(
            f"{prompt!r} fits {', '.join(fitting) or 'nothing'} among {', '.join(names)}; name one"
        )
    return fitting[0]


class _Watch:
    """Listens to the simulator's truth for the score, and to the safety state."""

    def __init__(self, stack: Stack, target: str):
        self.score = PrivilegedLiftScore()
        self.plant_time = 0.0
        self.real_time_factor = 0.0
        self.heard_at = time.monotonic()
        self._target = target
        graph.subscription(stack.node, "sim/privileged_state", self._on_privileged_state)

    def _on_privileged_state(self, message: Any) -> None:
        stamp = message.header.stamp
        self.plant_time = stamp.sec + 1e-9 * stamp.nanosec
        self.real_time_factor = message.real_time_factor
        self.heard_at = time.monotonic()
        z = message.object_pose[message.object_name.index(self._target)].position.z
        self.score.add(self.plant_time, z, max(message.grip_force), message.qpos[2])


def free_port(first: int = 8080) -> int:
    """``first`` when it is free, else any free port."""
    try:
        preflight.check_port(first)
        return first
    except NeoError:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]


def run(options: DemoOptions, say: Callable[[str], None], progress: Callable[[str], None]) -> DemoOutcome:
    """Runs the demo. ``say`` prints a line, ``progress`` replaces the last one. NeoError: could not run."""
    began = time.monotonic()
    target = target_of(options.prompt, options.scene, options.seed, options.objects_file)
    folder = preflight.make_folder(run_folder(options.directory).resolve())
    with ExitStack() as cleanup:
        if not os.environ.get("ROS_DOMAIN_ID"):
            domain, claim = claim_free_domain()
            cleanup.callback(claim.close)
            os.environ["ROS_DOMAIN_ID"] = str(domain)
            cleanup.callback(os.environ.pop, "ROS_DOMAIN_ID", None)
        arguments = [
            f"scene:={options.scene}",
            f"seed:={options.seed}",
            f"objects_file:={options.objects_file}",
            f"planner:={options.planner}",
            "sync:=lockstep",
            "speed:=0.0",
            "record:=true",
            f"record_path:={folder}",
            f"console:={'true' if options.view else 'false'}",
        ]
        port = free_port() if options.view else 0
        if options.view:
            arguments.append(f"console_port:={port}")
        say(f"starting the robot: scene {options.scene}, seed {options.seed}, log {folder}/log.txt")
        robot = cleanup.enter_context(LaunchedRobot([*arguments, *options.launch], folder / "log.txt"))
        robot.wait_up(START_TIMEOUT)
        if options.view:
            say(f"watch it: http://127.0.0.1:{port}")
        stack = cleanup.enter_context(Stack("/", f"neo_demo_{os.getpid()}"))
        watch = _Watch(stack, target)
        why, outcome, captions, rtf = _task(options, robot, stack, watch, progress)
        result = watch.score.result()
    if options.video:
        try:
            size = film.make(folder / "bag", captions, folder / "demo.mp4")
            say(f"film: {folder}/demo.mp4 ({size / 1e6:.1f} MB)")
            if options.gif:
                film.make_gif(folder / "bag", captions, folder / "demo.gif")
        except NeoError as error:
            say(f"no film: {error}")
    if result.success:
        why = ""
    done = DemoOutcome(result, rtf, time.monotonic() - began, why, folder, outcome)
    (done.folder / "summary.json").write_text(json.dumps(done.summary(options), indent=2) + "\n")
    return done


def _task(
    options: DemoOptions, robot: LaunchedRobot, stack: Stack, watch: _Watch, progress: Callable[[str], None]
) -> tuple[str, str, list[film.Caption], float]:
    """Stand, prompt, wait: why it failed (or what was amiss), the action's sentence, captions, RTF."""
    captions = [film.Caption(0.0, "standing up")]
    try:
        stack.set_mode("stand", STAND_TIMEOUT)
        active = stack.wait(
            lambda: stack.safety is not None and stack.safety.state == SafetyState.ACTIVE, STAND_TIMEOUT, 0.02
        )
        if not active:
            why = stack.safety.reason if stack.safety else "no safety/state heard"
            return f"the robot did not stand: {why}", "", captions, watch.real_time_factor
        goal = TaskGoal(stack, lambda feedback: _show(feedback, options, watch, captions, progress))
        plant_began, wall_began = watch.plant_time, time.monotonic()
        goal.send(options.prompt, "")  # by the planner it was launched with, or who stands in for that
        deadline = wall_began + TASK_TIMEOUT
        while not stack.wait(lambda: goal.done, 0.2):
            if not robot.alive:
                raise NeoError(f"the robot stopped: {robot.last_word()}")
            if time.monotonic() - watch.heard_at > SILENCE:
                raise NeoError(f"the plant fell silent for {SILENCE:g} s")
            if time.monotonic() > deadline:
                goal.cancel()
                raise NeoError(f"the task took more than {TASK_TIMEOUT:g} s")
        wall = time.monotonic() - wall_began
        rtf = (watch.plant_time - plant_began) / wall if wall > 0 else math.nan
        answer = goal.result
        goal.close()
        why = "" if answer.success else f"{answer.reason}: {answer.outcome}"
        if not why and not watch.score.result().success:
            why = "the task said done, the simulator's truth says otherwise"
        return why, answer.outcome, captions, rtf
    except NeoError as error:
        return str(error), "", captions, watch.real_time_factor


def _show(
    feedback: Any,
    options: DemoOptions,
    watch: _Watch,
    captions: list[film.Caption],
    progress: Callable[[str], None],
) -> None:
    text = f'"{options.prompt}": {feedback.phase}'
    if captions[-1].text != text:
        captions.append(film.Caption(watch.plant_time, text))
    bar = "#" * round(20 * feedback.progress)
    progress(
        f"[{bar:<20}] {100 * feedback.progress:3.0f} %  {feedback.phase:<10} "
        f"t={watch.plant_time:.1f} s  rtf={watch.real_time_factor:.2f}"
    )
