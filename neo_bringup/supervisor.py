"""Runs a launch as a robot: waits until it is up, watches every node, stops it in order.

What the loss of a node means is in ``supervision.yaml``; see docs/explanation/supervision.md.
"""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from neo_msgs.msg import SupervisorState

from neo_bringup import policy, shared_memory
from neo_bringup.launch_xml import Launch, NodeProcess
from neo_bringup.output import Output
from neo_bringup.processes import Child
from neo_bringup.reporting import Reporter
from neo_bringup.runner import Death, Runner
from neo_bringup.stack import PlantClock, Stack, TickWatch
from neo_bringup.stop_button import SETTLE_WITHIN, StopButton
from neo_bringup.watchdog import Life, Watchdog
from neo_description.errors import NeoError

PLANT = "sim"  # the node that ticks; without one in the launch nobody waits for ticks
COMPOSED = "composed_node"  # its arguments name the nodes inside
HEARD_WITHIN = 5.0  # s that a node that is there may take until its heartbeat is heard
ANSWER_WITHIN = 0.1  # s to wait for the drives' answer to the stop button before stopping nodes
WATCH_EVERY = 0.02  # s between two looks at who is silent
DEATH_POLL = 0.003  # s between two looks at main threads that have ended


@dataclass
class Supervisor:
    """``linger``: plant seconds to stay up, held, after a death; ``linger_wall``: at most, wall s.

    ``on_death``: one of :data:`neo_bringup.policy.ON_DEATH`.
    """

    launch: Launch
    namespace: str
    environment: dict[str, str]
    output: Output
    stand: bool = False
    on_death: str = "policy"
    linger: float = 2.5
    linger_wall: float = 2.8
    start_timeout: float = 90.0
    notes: list[str] = field(default_factory=list)
    _stack: Stack | None = None
    _reporter: Reporter | None = None
    _reported: int = 0
    _state: int = SupervisorState.STARTING
    _button: StopButton | None = None
    _modes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._table = policy.load()
        own = self.namespace.rstrip("/") + "/"
        names = sorted(name.removeprefix(own) for name in self.expected())
        self._children: list[Child] = []
        self._watchdog = Watchdog(names, self._table, self._waited)
        self._watch_due = 0.0

    def run(self) -> int:
        """0: stopped on request; 1: a node died or it did not come up; 130: stopped before it was up."""
        shared_memory.clean()
        runner = Runner(
            self.launch.processes, self.environment, self.output.node, self._on_death, self._judge
        )
        try:
            with runner:
                runner.start()
                self._children = runner.children
                self._stack = Stack(self.namespace, f"neo_up_{os.getpid()}")
                self._button = StopButton(self._stack)
                self._reporter = Reporter(self._stack, self.namespace, self._watchdog)
                code = self._supervise(runner, self._stack)
                reporter, self._reporter = self._reporter, None
                reporter.close()
                return code
        finally:
            if self._stack is not None:
                self._stack.close()
            if runner.deaths or shared_memory.ownerless(young=0.0, besides=os.getpid()):
                time.sleep(shared_memory.YOUNG)  # until what senders made anew for dead listeners counts
            shared_memory.clean(besides=os.getpid())

    def _supervise(self, runner: Runner, stack: Stack) -> int:
        up = self._wait_up(runner, stack)
        if up:
            self._state = SupervisorState.UP
            self._watchdog.arm()
            self._announce(runner, stack)
        while up and not runner.signalled and runner.died is None:
            self._turn(runner)
        self._report(runner)
        self._state, self._watch_due = SupervisorState.STOPPING, 0.0
        self._watch(runner)
        if runner.died is not None:
            return self._after_death(runner, stack, runner.died)
        if runner.signalled:
            self._settle(runner)
        self._press_and_wait(runner)
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
        there = 0.0  # s: since when nothing but heartbeats is missing
        try:
            while not runner.signalled and runner.died is None:
                self._report(runner)
                missing = expected - stack.names()
                waiting = sorted(name.rpartition("/")[2] for name in missing)
                if ticks is not None and ticks.count < 3:
                    waiting.append("the plant's first ticks")
                if not waiting:
                    there = there or time.monotonic()
                    waiting = [f"the heartbeat of {name}" for name in self._watchdog.unheard]
                    patient = time.monotonic() <= there + HEARD_WITHIN
                    if waiting and not patient:
                        self.output.say(f"{', '.join(waiting)} does not come: nobody sees it hang")
                    if not (waiting and patient):
                        return True
                if time.monotonic() > deadline:
                    self.output.say(f"not up after {self.start_timeout:g} s: {', '.join(waiting)} missing")
                    return False
                if time.monotonic() - told > 2.0:
                    told = time.monotonic()
                    done = len(expected) - len(missing)
                    self.output.say(f"{done} of {len(expected)} nodes up, waiting for {', '.join(waiting)}")
                runner.pump(0.05)
                self._watch(runner)
            return False
        finally:
            if ticks is not None:
                ticks.close()

    def _announce(self, runner: Runner, stack: Stack) -> None:
        self.output.say(f"up: {len(self.expected())} nodes in namespace {self.namespace}")
        for note in self.notes:
            self.output.say(note)
        if self.stand:
            with ThreadPoolExecutor(1) as pool:
                asked = pool.submit(stack.set_mode, "stand")
                while not asked.done():
                    self._turn(runner)
            try:
                self.output.say(f"mode stand: {asked.result() or 'done'}")
            except NeoError as error:
                self.output.say(str(error))
        elif any(p.name == PLANT for p in self.launch.processes):
            self.output.say("the robot is in STOP: `neo mode stand` makes it stand")

    # Watching

    def _turn(self, runner: Runner) -> None:
        """One look at everything: output, deaths, silences."""
        self._report(runner)
        runner.pump(DEATH_POLL)
        runner.notice_dying()
        self._watch(runner)

    def _watch(self, runner: Runner) -> None:
        """Tells that it lives, acts on who does not, publishes the state."""
        now = time.monotonic()
        if self._reporter is None or self._stack is None or now < self._watch_due:
            return
        self._watch_due = now + WATCH_EVERY
        self._reporter.beat()
        news = self._watchdog.look(now)
        for life in news.silent:
            self._on_silence(life)
        for life in news.kill:
            self._kill(life, runner)
        for life in news.back:
            self.output.say(f"{life.name} is back")
        modes = self._watchdog.modes()
        for mode in modes.keys() - self._modes.keys():
            self.output.say(f"degraded: {mode} ({modes[mode]}): {self._table.modes.get(mode, '')}")
        for mode in self._modes.keys() - modes.keys():
            self.output.say(f"no longer degraded: {mode}")
        self._modes = modes
        assert self._button is not None
        self._button.look(now)
        safety, why = self._stack.safety, self._button.why
        held = self._state == SupervisorState.UP and bool(why) and safety is not None and safety.runstop
        self._reporter.tell(SupervisorState.HELD if held else self._state, why if held else "", modes)

    def _on_silence(self, life: Life) -> None:
        then = ""
        if life.policy.stops:
            self._hold(life.policy, f"{life.name} is silent")
            then = "; both feet down first" if life.policy.settles else ""
            then += "; the stop button is pressed"
        self.output.say(f"{life.name} has been silent for {life.age:.1f} s{then}")

    def _hold(self, row: policy.Policy, why: str) -> None:
        if self._button is None:
            return
        if row.settles:
            self._button.settle(why, time.monotonic())
        else:
            self._button.press(why)

    def _kill(self, life: Life, runner: Runner) -> None:
        silent = life.coming if life.age is None else life.age
        for child in runner.children:
            if life.name in _short_names(child.process):
                self.output.say(f"{life.name} has been silent for {silent:.1f} s; its process is killed")
                child.signal(signal.SIGKILL)

    def _waited(self, name: str) -> float:
        return sum(child.waited() for child in self._children if name in _short_names(child.process))

    def _judge(self, child: Child) -> policy.Verdict:
        row = self._table.strictest(_short_names(child.process))
        starting = (
            self._state == SupervisorState.STARTING
        )  # a robot that cannot come up whole does not come up
        on_death = "stop" if starting and self.on_death == "policy" else self.on_death
        return policy.judge(row, child.restarts, on_death, child.process.stops_all)

    def _on_death(self, child: Child) -> None:
        """Called the moment a process ends: one send, no wait."""
        if self._judge(child).press:
            self._hold(self._table.strictest(_short_names(child.process)), f"{child.label} died")

    def _report(self, runner: Runner) -> None:
        for death in runner.deaths[self._reported :]:
            then = "" if death.again is None else "; it starts again"
            self.output.say(f"{death.label} died: {death.how}{then}")
            for name in _short_names(death.process):
                self._watchdog.died(name, death.how, death.again is not None)
        self._reported = len(runner.deaths)

    def _settle(self, runner: Runner) -> None:
        """A robot under way sets its feet down; whoever asks for the end again does not want to wait."""
        button, signalled = self._button, runner.signalled
        assert button is not None
        button.settle("everything ends", time.monotonic())
        runner.signalled = 0

        def over() -> bool:
            button.look(time.monotonic())
            return not button.waits or bool(runner.signalled) or runner.died is not None

        runner.pump_until(over, SETTLE_WITHIN)
        runner.signalled = signalled

    def _press_and_wait(self, runner: Runner) -> None:
        assert self._button is not None
        answer = self._button.press(self._button.why)
        if answer is not None:
            runner.pump_until(answer.done, ANSWER_WITHIN, poll=0.002)

    def _after_death(self, runner: Runner, stack: Stack, death: Death) -> int:
        self._press_and_wait(runner)
        plant_lives = any(child.process.name == PLANT for child in runner.children)
        if plant_lives and self.linger > 0:
            self.output.say(f"stop button pressed because {death.label} died; the robot is held")
            clock = PlantClock(stack)
            runner.signalled = 0
            started: list[float] = []

            def over() -> bool:
                self._watch(runner)
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


def _short_names(process: NodeProcess) -> list[str]:
    return [name.rpartition("/")[2] for name in _names(process)]
