"""Runs a launch as a robot: waits until it is up, holds it when a node dies, stops it in order."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from neo_bringup import shared_memory
from neo_bringup.launch_xml import Launch, NodeProcess
from neo_bringup.output import Output
from neo_bringup.processes import Child
from neo_bringup.runner import Death, Runner
from neo_bringup.stack import PlantClock, Stack, TickWatch
from neo_description.errors import NeoError

PLANT = "sim"  # the node that ticks; without one in the launch nobody waits for ticks
COMPOSED = "composed_node"  # its arguments name the nodes inside
ANSWER_WITHIN = 0.1  # s to wait for the drives' answer to the stop button before stopping nodes
DEATH_POLL = 0.003  # s between two looks at main threads that have ended


@dataclass
class Supervisor:
    """``linger``: plant seconds to stay up, held, after a death; ``linger_wall``: at most, wall s."""

    launch: Launch
    namespace: str
    environment: dict[str, str]
    output: Output
    stand: bool = False
    restart: bool = False
    linger: float = 2.5
    linger_wall: float = 2.8
    start_timeout: float = 90.0
    notes: list[str] = field(default_factory=list)
    _stack: Stack | None = None
    _reported: int = 0

    def run(self) -> int:
        """0: stopped on request; 1: a node died or it did not come up; 130: stopped before it was up."""
        shared_memory.clean()
        runner = Runner(
            self.launch.processes, self.environment, self.output.node, self._on_death, self.restart
        )
        try:
            with runner:
                runner.start()
                self._stack = Stack(self.namespace, f"neo_up_{os.getpid()}")
                return self._supervise(runner, self._stack)
        finally:
            if self._stack is not None:
                self._stack.close()
            time.sleep(shared_memory.YOUNG if runner.deaths else 0.0)
            shared_memory.clean(besides=os.getpid())

    def _supervise(self, runner: Runner, stack: Stack) -> int:
        up = self._wait_up(runner, stack)
        if up:
            self._announce(stack)
        while up and not runner.signalled and runner.died is None:
            self._report(runner)
            runner.pump(DEATH_POLL)
            runner.notice_dying()
        self._report(runner)
        if runner.died is not None:
            return self._after_death(runner, stack, runner.died)
        self._press_and_wait(runner, stack)
        if runner.signalled:
            self.output.say("stopping: the robot is held, the nodes end in order")
            return 0 if up else 130
        return 1

    def expected(self) -> set[str]:
        """Full names of the nodes that must appear in the graph."""
        return {name for process in self.launch.processes for name in _names(process)}

    def _wait_up(self, runner: Runner, stack: Stack) -> bool:
        expected, missing = self.expected(), self.expected()
        ticks = TickWatch(stack) if any(p.name == PLANT for p in self.launch.processes) else None
        deadline, told = time.monotonic() + self.start_timeout, time.monotonic()
        try:
            while not runner.signalled and runner.died is None:
                self._report(runner)
                missing = expected - stack.names()
                waiting = sorted(name.rpartition("/")[2] for name in missing)
                if ticks is not None and ticks.count < 3:
                    waiting.append("the plant's first ticks")
                if not waiting:
                    return True
                if time.monotonic() > deadline:
                    self.output.say(f"not up after {self.start_timeout:g} s: {', '.join(waiting)} missing")
                    return False
                if time.monotonic() - told > 2.0:
                    told = time.monotonic()
                    done = len(expected) - len(missing)
                    self.output.say(f"{done} of {len(expected)} nodes up, waiting for {', '.join(waiting)}")
                runner.pump(0.05)
            return False
        finally:
            if ticks is not None:
                ticks.close()

    def _announce(self, stack: Stack) -> None:
        self.output.say(f"up: {len(self.expected())} nodes in namespace {self.namespace}")
        for note in self.notes:
            self.output.say(note)
        if self.stand:
            try:
                self.output.say(f"mode stand: {stack.set_mode('stand') or 'done'}")
            except NeoError as error:
                self.output.say(str(error))
        elif any(p.name == PLANT for p in self.launch.processes):
            self.output.say("the robot is in STOP: `neo mode stand` makes it stand")

    def _on_death(self, child: Child) -> None:
        """Called the moment a process ends: one send, no wait."""
        if self._stack is not None and child.process.stops_all and not self.restart:
            self._stack.press_runstop(True)

    def _report(self, runner: Runner) -> None:
        for death in runner.deaths[self._reported :]:
            then = "; it starts again" if death.restarted else ""
            self.output.say(f"{death.label} died: {death.how}{then}")
        self._reported = len(runner.deaths)

    def _press_and_wait(self, runner: Runner, stack: Stack) -> None:
        answer = stack.press_runstop(True)
        if answer is not None:
            runner.pump_until(answer.done, ANSWER_WITHIN, poll=0.002)

    def _after_death(self, runner: Runner, stack: Stack, death: Death) -> int:
        self._press_and_wait(runner, stack)
        plant_lives = any(child.process.name == PLANT for child in runner.children)
        if plant_lives and self.linger > 0:
            self.output.say(f"stop button pressed because {death.label} died; the robot is held")
            clock = PlantClock(stack)
            runner.signalled = 0
            started: list[float] = []

            def over() -> bool:
                if clock.now is not None and not started:
                    started.append(clock.now)
                long_enough = (
                    bool(started) and clock.now is not None and clock.now - started[0] >= self.linger
                )
                return long_enough or bool(runner.signalled) or not runner.children

            runner.pump_until(over, self.linger_wall)
        self.output.say(f"stopped everything because {death.label} died: {death.how}")
        return 1


def _names(process: NodeProcess) -> list[str]:
    base = process.namespace.rstrip("/")
    if process.executable == COMPOSED:
        return [f"{base}/{name}" for name in process.arguments]
    return [f"{base}/{process.name}"] if process.name else []
