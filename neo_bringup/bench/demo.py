"""``neo demo`` over seeds: does the whole robot do its prompt?"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.bench.harness import Request
from neo_description.errors import NeoError

SEEDS = (10, 2)  # full, quick
LIMIT = 900.0  # s of wall time for one demo


def parts(request: Request) -> list[str]:
    return [str(seed) for seed in request.seeds]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    """One demo in a process of its own, scored by its summary.json."""
    folder = request.folder / f"seed-{part}"
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier run
    words = [sys.executable, "-m", "neo_bringup.cli", "demo", "--seed", part, "--scene", request.scene]
    words += ["--objects", request.objects, "--directory", str(folder), "--no-view", "--no-video"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"success": False, "why": f"no end within {LIMIT:g} s"}
    summary = folder / "summary.json"
    if not summary.exists():
        raise NeoError(f"seed {part}: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    sample = json.loads(summary.read_text())
    progress(f"seed {part}: {done.stdout.strip().splitlines()[-1]}")
    return sample


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    successes = [bool(s["success"]) for s in samples.values()]
    failed = "; ".join(f"seed {part}: {s['why']}" for part, s in samples.items() if not s["success"])
    numbers = {
        "demo.lifted_p50": "lifted_m",
        "demo.peak_force_p50": "peak_force_n",
        "demo.wall_p50": "wall_s",
        "demo.rtf_p50": "rtf",
    }
    made = [Figure("demo.success_rate", sum(successes) / len(successes), len(successes), failed)]
    for figure, field in numbers.items():
        values = [s[field] for s in samples.values() if field in s]
        made.append(Figure(figure, quantile(values, 0.5), len(values)))
    return made
