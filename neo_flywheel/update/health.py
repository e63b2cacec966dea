"""Is a model fit to act? Asked in a process of its own, so that a graph that crashes or hangs is an answer.

``python -m neo_flywheel.update.health FOLDER ACT_MS TIMEOUT REPLAY`` prints one JSON list of what was found;
``REPLAY`` is 1 where answers are stored with the model, 0 where none is released yet.
"""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neo_description.errors import NeoError

BUSY = "time"  # a check that says nothing of the model: the machine had no time for it
WARM, RUNS = 3, 15  # of the act graph, before and while it is timed


@dataclass(frozen=True)
class Limits:
    """``act_ms``: the act graph's median, ms; ``timeout``: of the whole check, s."""

    act_ms: float = 50.0
    timeout: float = 15.0


@dataclass(frozen=True)
class Finding:
    """Of one check; ``words``: what was found."""

    check: str
    ok: bool
    words: str


def check(folder: Path, limits: Limits, released: bool = True) -> list[Finding]:
    """Every check of the model in ``folder``, in a process of its own; ends by ``limits.timeout``.

    ``released``: it must answer as stored when it was; else finite numbers to the same inputs do.
    """
    words = [sys.executable, "-m", "neo_flywheel.update.health", str(folder.resolve()), str(limits.act_ms)]
    words += [str(math.ceil(limits.timeout) + 1), str(int(released))]
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    before = _cpu_of_children()
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=limits.timeout,
            env={**os.environ, "PYTHONPATH": path},
        )
    except subprocess.TimeoutExpired:
        used = _cpu_of_children() - before
        words_ = f"not done after {limits.timeout:g} s, {used:.1f} s of them on the processor"
        return [Finding("ends" if used > limits.timeout / 2 else BUSY, False, words_)]
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return [Finding("ends", False, f"the check died with {done.returncode}: {last[:200]}")]
    return [Finding(**row) for row in json.loads(done.stdout.splitlines()[-1])]


def _cpu_of_children() -> float:
    """s that all children that have ended used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def reason(findings: list[Finding]) -> str:
    """Those that are not well, in words; empty when all are."""
    return "; ".join(f"{f.check}: {f.words}" for f in findings if not f.ok)


def examine(folder: Path, act_ms: float, released: bool = True) -> Iterator[Finding]:
    """The checks, in this process; ends at the first that fails. ``released``: see :func:`check`."""
    from neo_flywheel.update import replay
    from neo_world_model.runtime import Runtime

    opened: dict[str, Any] = {}

    def loads() -> str:
        opened["runtime"] = Runtime(folder, threads=1)
        return "all graphs load"

    checks: dict[str, Callable[[], str]] = {
        "loads": loads,
        "contract": lambda: contract(opened["runtime"]),
        "replay": lambda: as_before(replay.differences(folder)) if released else finite(folder),
        "latency": lambda: latency(opened["runtime"], act_ms),
    }
    for name, run in checks.items():
        try:
            yield Finding(name, True, run())
        except _BusyError as error:
            yield Finding(BUSY, False, str(error))
        except Exception as error:  # ONNX Runtime's own have no common root
            yield Finding(name, False, str(error)[:300])
            return


def contract(runtime: Any) -> str:
    """Senses as the robot's modalities have them, actions as it takes them; NeoError names what differs."""
    from neo_world_model.modalities import shapes, size

    known = shapes()
    for name, shape, kind in runtime.wanted:
        if name.startswith("has_") or name == "source":
            continue
        if name not in known or known[name] != (shape, kind):
            raise NeoError(
                f"encode wants {name} {shape} {kind}; the robot has {known.get(name, 'no such sense')}"
            )
    action, progress, _, towards = runtime.act(*act_inputs(runtime))
    horizon, n = runtime.settings.horizon, size("action")
    for name, found, wanted in (
        ("action", action.shape, (1, horizon, n)),
        ("progress", progress.shape, (1, horizon)),
        ("towards", towards.shape, (1, n)),
    ):
        if found != wanted:
            raise NeoError(f"act gives {name} {found}; the robot takes {wanted}")
    return f"{len(runtime.wanted)} inputs, {n} numbers an action, {horizon} steps"


def act_inputs(runtime: Any) -> tuple[np.ndarray, ...]:
    """Of the act graph, one row: a robot at rest that is asked for something."""
    from neo_world_model import text
    from neo_world_model.modalities import size

    proprio = np.zeros((1, size("proprio")), np.float32)
    z = runtime.state({"proprio": proprio[0]}, "sim")[None]
    places, known = np.zeros((1, 2, 3), np.float32), np.zeros((1, 2), bool)
    return z, text.encode(["pick up the red bottle"]), places, known, proprio


class _BusyError(Exception):
    """The machine had no time to tell."""


def latency(runtime: Any, act_ms: float) -> str:
    """Of the act graph, median; NeoError when it works for more than ``act_ms``."""
    given, took = act_inputs(runtime), []
    for i in range(WARM + RUNS):
        began = time.perf_counter(), time.process_time()
        runtime.act(*given)
        if i >= WARM:
            took.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    wall, worked = (1e3 * float(part) for part in np.median(took, axis=0))
    if worked > act_ms:
        raise NeoError(f"{worked:.1f} ms to act; allowed are {act_ms:g}")
    if wall > act_ms:
        raise _BusyError(f"{wall:.1f} ms to act, of which it worked {worked:.1f}; allowed are {act_ms:g}")
    return f"{wall:.1f} ms to act"


def as_before(differences: list[str]) -> str:
    """NeoError when there are ``differences``."""
    if differences:
        raise NeoError("; ".join(differences[:3]))
    return "answers as when it was released"


def finite(folder: Path) -> str:
    """NeoError when a graph answers a plain input with what is no finite number."""
    from neo_flywheel.update import replay

    with tempfile.TemporaryDirectory() as scratch:
        replay.record(folder, Path(scratch) / replay.REPLAY)
    return "answers are finite"


def main() -> int:
    """0 also for a model that is not fit: the answer is on stdout."""
    folder, act_ms, released = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[4] == "1"
    signal.alarm(int(sys.argv[3]))  # a graph without an end ends also when nobody waits any more
    print(json.dumps([vars(finding) for finding in examine(folder, act_ms, released)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
