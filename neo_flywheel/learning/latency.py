"""How long graphs take on the runtime of a robot: time on the processor, for a machine may be busy.

Models take turns, run by run: what slows the machine down for a second slows all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from neo_flywheel.update.health import act_inputs
from neo_world_model.modalities import size
from neo_world_model.runtime import Runtime

BLOCKS, RUNS, WARM = 12, 5, 3


def paired(runtimes: Sequence[Runtime]) -> list[dict[str, np.ndarray]]:
    """Of each model: ``act_ms`` and ``encode_ms``, (BLOCKS,) medians of blocks of runs that took turns."""
    asked = [_asked(runtime) for runtime in runtimes]
    took: list[dict[str, list[float]]] = [{name: [] for name in work} for work in asked]
    for name in asked[0]:
        for i in range(WARM + BLOCKS * RUNS):
            for work, times in zip(asked, took, strict=True):
                began = time.process_time_ns()
                work[name]()
                if i >= WARM:
                    times[name].append(1e-6 * (time.process_time_ns() - began))
    return [
        {name: np.median(np.reshape(times, (BLOCKS, RUNS)), axis=1) for name, times in row.items()}
        for row in took
    ]


def _asked(runtime: Runtime) -> dict[str, Callable[[], Any]]:
    given, proprio = act_inputs(runtime), np.zeros(size("proprio"), np.float32)
    return {
        "act_ms": lambda: runtime.act(*given),
        "encode_ms": lambda: runtime.state({"proprio": proprio}, "sim"),
    }
