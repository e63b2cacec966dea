"""How fast the loop runs: CPU time a tick of each core, NeoEnv, the whole graph, real-time latency."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from neo_msgs.msg import SafetyState

from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.bench.harness import Request
from neo_bringup.bench.robot import robot, stand
from neo_bringup.stack import PlantClock
from neo_description.errors import NeoError
from neo_ros import graph

SEEDS = (1, 1)
TICKS = (5000, 1500)  # full, quick
WALL = (40.0, 20.0)  # s that the graph is watched


def parts(request: Request) -> list[str]:
    return ["cores", "lockstep", "realtime"]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    seed = request.seeds[0]
    if part == "cores":
        return cores(request.scene, seed, TICKS[request.quick], progress)
    wall = WALL[request.quick]
    log = request.folder / f"{part}.log"
    arguments = [f"scene:={request.scene}", f"seed:={seed}", f"sync:={part}", "speed:=0.0"]
    with robot(arguments, log) as (launched, stack):
        if part == "lockstep":
            stand(launched, stack)
            return lockstep_rtf(stack, wall)
        note = ""
        try:
            stand(launched, stack)
        except NeoError as error:  # a machine too busy for real time: the latency is of interest all the more
            note = str(error)
        measured = latency(stack, wall)
        if not note and stack.safety is not None and stack.safety.state != SafetyState.ACTIVE:
            note = f"it did not stay up: {stack.safety.reason}"
        return {**measured, "note": note}


class _Timed:
    """A callable that keeps the CPU time (µs) of each call of its thread."""

    def __init__(self, call: Callable[..., Any]):
        self._call = call
        self.times: list[float] = []

    def __call__(self, *args: Any) -> Any:
        start = time.thread_time_ns()
        answer = self._call(*args)
        self.times.append(1e-3 * (time.thread_time_ns() - start))
        return answer


def cores(scene: str, seed: int, ticks: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """NeoEnv without cameras, standing: CPU time a tick (µs) of its parts, and plant time over CPU time."""
    from neo_sim.env import NeoEnv

    env = NeoEnv(scene=scene, seed=seed, cameras=False)
    env.step(100)
    env.body.set_mode("stand")
    env.step(500)
    began, first = time.process_time(), env.plant.time
    env.step(ticks)
    rtf = (env.plant.time - first) / (time.process_time() - began)
    progress(f"NeoEnv: {rtf:.2f} × real time")
    timed = {"plant": _Timed(env.plant.step), "body": _Timed(env.body.update)}
    vars(env.plant)["step"], vars(env.body)["update"] = timed["plant"], timed["body"]
    for side, hand in env.hands.items():
        timed[f"{side}_hand"] = vars(hand)["update"] = _Timed(hand.update)
    env.step(ticks)
    return {"rtf": rtf, "ticks": ticks, **{name: quantile(t.times, 0.5) for name, t in timed.items()}}


def lockstep_rtf(stack: Any, wall: float) -> dict[str, Any]:
    """Plant seconds a wall second of the standing graph, all nodes running."""
    clock = PlantClock(stack)
    stack.wait(lambda: clock.now is not None, 10.0)
    began, first = time.monotonic(), clock.now or 0.0
    stack.wait(lambda: False, wall, poll=0.1)
    return {"rtf": ((clock.now or 0.0) - first) / (time.monotonic() - began), "wall": wall}


def latency(stack: Any, wall: float) -> dict[str, Any]:
    """ms from a state's arrival at an observer to the arrival of its answer: as the plant sees it, too."""
    seen: dict[int, float] = {}
    delays: list[float] = []

    def on_state(message: Any) -> None:
        seen[message.tick] = time.monotonic()
        seen.pop(message.tick - 500, None)

    def on_command(message: Any) -> None:
        if message.tick in seen:
            delays.append(1e3 * (time.monotonic() - seen.pop(message.tick)))

    graph.subscription(stack.node, "body/state", on_state)
    graph.subscription(stack.node, "body/tendon_command", on_command)
    stack.wait(lambda: False, wall, poll=0.1)
    return {"p50": quantile(delays, 0.5), "p99": quantile(delays, 0.99), "n": len(delays)}


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    core, lockstep, realtime = (samples[part] for part in ("cores", "lockstep", "realtime"))
    made = [
        Figure(f"loop.{name}_cpu_p50", core[name], core["ticks"])
        for name in ("body", "plant", "l_hand", "r_hand")
    ]
    made.append(Figure("loop.env_rtf", core["rtf"], core["ticks"]))
    made.append(Figure("loop.lockstep_rtf", lockstep["rtf"], 1))
    for q in ("p50", "p99"):
        made.append(Figure(f"loop.latency_{q}", realtime[q], realtime["n"], realtime["note"]))
    return made
