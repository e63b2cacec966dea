"""Our hand core on a hand that is not ours: pinch and lift with the Shadow hand of ``gymnasium-robotics``.

That hand wants a MuJoCo of its own, so the trials run in a virtual environment under ``runs/bench/shadow``,
made of ``benchmarks/shadow/requirements.txt`` once and kept. What runs there is
``benchmarks/shadow/worker.py``; docs/explanation/shadow-hand.md tells what carries over.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.bench.harness import ROOT, Request
from neo_description.errors import NeoError

SEEDS = (24, 4)  # full, quick
FIRST_SEED = 1000  # seeds below are for tuning
WAYS = ("touch", "flat", "normals", "fixed_4", "fixed_12")
LEAST = (8, 2)  # trials of which the smallest force is looked for
REQUIREMENTS = ROOT / "benchmarks" / "shadow" / "requirements.txt"
TAIL = 5  # lines of a failed command that are shown


def parts(request: Request) -> list[str]:
    return [*WAYS, "least"]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    """All trials of one way: ``{"trials": [...]}``, each as the worker prints it."""
    python = environment(request.folder / "venv", progress)
    seeds = [FIRST_SEED + seed for seed in request.seeds]
    if part == "least":
        seeds = seeds[: LEAST[request.quick]]
    trials = []
    for trial in run(python, [part, *map(str, seeds)], request.folder / f"{part}.log"):
        trials.append(trial)
        outcome = "held" if trial["held"] else "lost"
        progress(f"{part}: seed {trial['seed']} {outcome}, {len(trials)} of {len(seeds)}")
    return {"trials": trials}


def environment(folder: Path, progress: Callable[[str], None], requirements: Path = REQUIREMENTS) -> Path:
    """The interpreter of the virtual environment in ``folder``, made anew when its requirements changed."""
    python, made_of = folder / "bin" / "python", folder / "made_of.txt"
    wanted = requirements.read_text()
    if python.exists() and made_of.exists() and made_of.read_text() == wanted:
        return python
    progress(f"making {folder} of {requirements.name}: about 200 MB, once")
    folder.parent.mkdir(parents=True, exist_ok=True)
    _call([sys.executable, "-m", "venv", "--clear", str(folder)], "make a virtual environment")
    pip = [
        str(python),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--quiet",
        "-r",
        str(requirements),
    ]
    _call(pip, f"install {requirements.name}; is the package index reachable?")
    made_of.write_text(wanted)
    return python


def run(python: Path, arguments: list[str], log: Path) -> Iterator[dict[str, Any]]:
    """The JSON lines that the worker prints; NeoError with the end of its log when it fails."""
    words = [str(python), "-m", "benchmarks.shadow.worker", *arguments]
    with log.open("w") as errors:
        process = subprocess.Popen(
            words, cwd=ROOT, env=_clean(), stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                yield json.loads(line)
            code = process.wait()
        finally:
            process.kill()
            process.wait()
    if code != 0:
        raise NeoError(f"the Shadow hand's worker ended with {code}: {_tail(log.read_text())}; see {log}")


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    trials = {part: sample["trials"] for part, sample in samples.items()}
    rows = [Figure(f"shadow.success_{way}", _share(trials[way]), len(trials[way])) for way in WAYS]
    held = {way: [t for t in trials[way] if t["held"]] for way in WAYS}
    for way in WAYS:
        peaks = [t["peak"] for t in held[way]]
        rows.append(Figure(f"shadow.peak_{way}_p50", quantile(peaks, 0.5), len(peaks)))
    moved = [1e3 * t["moved"] for t in held["touch"]]
    felt = [t["friction_felt"] / t["block"]["friction"] for t in held["touch"]]
    known = [t for t in trials["least"] if t["held"] and t["least"]]
    over = [t["peak"] / t["least"] for t in known]
    return [
        *rows,
        Figure("shadow.moved_p50_mm", quantile(moved, 0.5), len(moved)),
        Figure("shadow.moved_p95_mm", quantile(moved, 0.95), len(moved)),
        Figure("shadow.friction_felt_p50", quantile(felt, 0.5), len(felt)),
        Figure("shadow.peak_over_least_p50", quantile(over, 0.5), len(over)),
        Figure("shadow.peak_over_least_p95", quantile(over, 0.95), len(over)),
    ]


def _share(trials: list[dict[str, Any]]) -> float:
    return sum(bool(t["held"]) for t in trials) / len(trials)


def _call(words: list[str], what: str) -> None:
    done = subprocess.run(words, env=_clean(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise NeoError(f"could not {what}: {_tail(done.stdout)}")


def _clean() -> dict[str, str]:
    """Our environment without what would show the worker our own packages."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return kept | {"PYTHONNOUSERSITE": "1", "OMP_NUM_THREADS": "1", "MUJOCO_GL": "disabled"}


def _tail(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-TAIL:]) or "it said nothing"
