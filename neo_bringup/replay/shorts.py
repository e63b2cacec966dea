"""Short bags to replay, out of NeoEnv: the same seed, the same bag. What they show is in their functions.

    write("standing", Path("bags/standing"))

A bag holds what a recorder would: states, commands, ``safety/state``, which says when modes were set, and the
answers of the controllers, to which the nodes' must be equal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.serialization import serialize_message

from neo_bringup.replay import drivers
from neo_description.errors import NeoError
from neo_description.signals import HandAction, HandCommand, Safety, TendonCommand, WholeBodyCommand
from neo_description.tables import CONTROL_RATE, SIDES, TAXELS, prefixed
from neo_flywheel.bag import BagWriter
from neo_flywheel.message_types import installed
from neo_flywheel.recorder import QOS
from neo_ros import convert, graph
from neo_sim.env import NeoEnv

START = 1_700_000_000 * 10**9  # ns: log time of tick 0
TICK = 10**9 // CONTROL_RATE  # ns
BEFORE = 0.1  # s in STOP
TASK_WITHIN = 30.0  # s of plant time
TABLE = ("prompt_task", "slip", "drop", "look")  # where there is something to pick up
SEEING = ("look",)  # with cameras
TOPICS = (
    "body/state", *(f"{side}_hand/state" for side in SIDES),
    "whole_body/command", *(f"{side}_hand/command" for side in SIDES), "safety/state",
    "body/tendon_command", *(f"{side}_hand/tendon_command" for side in SIDES),
)  # fmt: skip


class SpokenEnv(NeoEnv):
    """Commands, a planner's too, are to the bit what their messages say; ``spoken``: target and message."""

    def __init__(self, scene: str, seed: int = 0, cameras: bool = False):
        self.spoken: list[tuple[str, Any]] = []
        super().__init__(scene, seed, cameras)

    def command(self, target: str, command: Any) -> str | None:
        message = None
        if target == "body":
            message = convert.whole_body_command_message(command)
            command = convert.whole_body_command(message)
        elif target.endswith("_hand"):
            message = convert.hand_command_message(command)
            command = convert.hand_command(message)
        self.spoken.append((target, message))
        return super().command(target, command)


class Short:
    """A run of ``env`` on its way into a bag: give commands here, and :meth:`go` on. ``only``: topics."""

    def __init__(self, env: SpokenEnv, bag: BagWriter, only: Collection[str] = ()):
        self.env, self._bag = env, bag
        self._topics = {
            name: bag.add_topic(f"/{name}", row["type"], QOS[row["qos"]])
            for name, row in ((name, graph.entry("topics", name)) for name in (*TOPICS, *drivers.topics(env)))
            if not only or name in only
        }
        self._said: tuple[Any, ...] = ()
        self._measure()

    def go(self, seconds: float, until: Callable[[], bool] = lambda: False) -> Short:
        """Lets plant time pass, no longer than ``until`` comes true."""
        for _ in range(round(seconds * CONTROL_RATE)):
            self.env.step()
            self._measure()
            if until():
                break
        return self

    def stand(self) -> Short:
        """A moment in STOP, then up until it is ACTIVE."""
        self.go(BEFORE)
        self.command("mode", "stand")
        return self.go(self.env.body.params.ramp_time + BEFORE)

    def command(self, target: str, command: Any) -> None:
        """As ``NeoEnv.command``; NeoError when it is refused."""
        reason = self.env.command(target, command)
        if reason is not None:
            raise NeoError(f"{target}: {reason}")
        self._write_spoken()

    def _measure(self) -> None:
        plant = self.env.plant
        self._write("body/state", convert.body_state_message(plant.body_state()), 0)
        self._answer("body", self.env.body.update(plant.body_state()))
        for i, side in enumerate(SIDES):
            state = plant.hand_state(side)
            self._write(f"{side}_hand/state", convert.hand_state_message(state, side), 1000 * (i + 1))
            self._answer(f"{side}_hand", self.env.hands[side].update(state))
        for topic, message in drivers.say(self.env):
            self._write(topic, message, TICK // 3)
        self._say_safety()
        self._write_spoken()

    def _answer(self, group: str, answer: TendonCommand) -> None:
        """What was answered to the present tick: the same again, as it was asked before."""
        message = convert.tendon_command_message(answer, self.env.plant.time)
        self._write(f"{group}/tendon_command", message, TICK // 8)

    def _say_safety(self) -> None:
        safety, state = self.env.body.safety, self.env.plant.body_state()
        said = (safety.state, safety.reason)
        if said != self._said or self.env.plant.tick % (CONTROL_RATE // 10) == 0:
            self._said = said
            message = convert.safety_state_message(*said, state.drive_mode, state.runstop, state.time)
            self._write("safety/state", message, TICK // 4)

    def _write_spoken(self) -> None:
        for target, message in self.env.spoken:
            if message is not None:
                self._write(f"{'whole_body' if target == 'body' else target}/command", message, TICK // 2)
            elif target == "mode":
                self._say_safety()
        self.env.spoken.clear()

    def _write(self, topic: str, message: Any, after: int) -> None:
        """``after``: ns behind the tick."""
        if topic not in self._topics:
            return
        time_ns = START + self.env.plant.tick * TICK + after
        self._bag.write(self._topics[topic], time_ns, serialize_message(message))


def standing(short: Short) -> None:
    """Two seconds: up from STOP, stand, and back to STOP."""
    short.stand().go(1.1)
    short.command("mode", "stop")
    short.go(0.1)


def push(short: Short) -> None:
    """While it stands, 60 N for 0.1 s from behind."""
    short.stand().go(0.2)
    short.env.plant.push("torso", np.array([60.0, 0.0, 0.0]), 0.1)
    short.go(1.5)


def reach(short: Short) -> None:
    """The right gripper 10 cm ahead and 5 cm up, and looked at."""
    short.stand()
    T = short.env.body.estimate.T_odom_r_gripper.copy()
    T[:3, 3] += [0.10, 0.0, 0.05]
    short.command("body", WholeBodyCommand(valid_for=2.0, T_r_hand=T, gaze=T[:3, 3].copy()))
    short.go(1.5)


def grasp(short: Short) -> None:
    """Both hands pre-shape, close on nothing, and open."""
    short.stand()
    for action, seconds in ((HandAction.PRESHAPE, 0.5), (HandAction.CLOSE, 0.8), (HandAction.OPEN, 0.4)):
        for side in SIDES:
            short.command(f"{side}_hand", HandCommand(action, grasp="medium_wrap", width=0.06))
        short.go(seconds)


def sensor_loss(short: Short) -> None:
    """While hands close all pads of the right one die."""
    short.stand()
    for side in SIDES:
        short.command(f"{side}_hand", HandCommand(HandAction.CLOSE, grasp="medium_wrap", width=0.06))
    short.go(0.2)
    short.env.plant.pads("r").kill(prefixed("r", TAXELS))
    short.go(0.8)


def prompt_task(short: Short) -> None:
    """``pick up the red bottle`` with the teacher that knows where it is."""
    short.stand()
    short.env.begin("pick up the red bottle", "privileged_scripted")
    short.go(TASK_WITHIN, until=lambda: short.env.outcome is not None)
    short.env.planner = None
    if short.env.outcome is None or not short.env.outcome.success:
        raise NeoError(f"the bottle was not picked up: {short.env.outcome}; another seed?")


def slip(short: Short) -> None:
    """What was picked up is pulled downwards with 6 N for 0.3 s."""
    prompt_task(short)
    short.env.plant.push("red_bottle", np.array([0.0, 0.0, -6.0]), 0.3)
    short.go(0.6)


def drop(short: Short) -> None:
    """What was picked up is let go in the air."""
    prompt_task(short)
    for side in SIDES:
        short.command(f"{side}_hand", HandCommand(HandAction.OPEN))
    short.go(0.6)


def look(short: Short) -> None:
    """With open eyes: the table, and the right gripper that moves over it."""
    short.stand()
    T = short.env.body.estimate.T_odom_r_gripper.copy()
    T[:3, 3] += [0.10, 0.0, 0.05]
    short.command("body", WholeBodyCommand(valid_for=2.0, T_r_hand=T, gaze=np.array([0.45, 0.0, 0.75])))
    short.go(1.0)


SHORTS: dict[str, Callable[[Short], None]] = {
    "standing": standing, "push": push, "reach": reach, "grasp": grasp, "sensor_loss": sensor_loss,
    "prompt_task": prompt_task, "slip": slip, "drop": drop, "look": look,
}  # fmt: skip


def write(name: str, folder: Path, seed: int = 0, only: Collection[str] = ()) -> Path:
    """The short bag ``name`` into ``folder``, which must be new; NeoError names those there are.

    ``only``: topics, where not all shall be in it.
    """
    if name not in SHORTS:
        raise NeoError(f"no short bag {name!r}; one of {', '.join(SHORTS)}")
    env = SpokenEnv("kitchen_table" if name in TABLE else "empty", seed, cameras=name in SEEING)
    with BagWriter(folder, installed(), {"short": name, "seed": str(seed)}) as bag:
        short = Short(env, bag, only)
        SHORTS[name](short)
    env.close()
    if bag.error:
        raise NeoError(bag.error)
    if name != "standing" and env.body.safety.state != Safety.ACTIVE:
        raise NeoError(f"{name} with seed {seed}: the body ended {env.body.safety.state.name}")
    return folder
