"""What the hands can do: every figure of the hand, trial by trial, each with a fresh seed.

A part is ``what/seed``; its trials run side by side on the cores of the machine. Seeds begin at ``FIRST``:
those below were for tuning. Things come from ``benchmarks/hand/*.yaml``; ``unseen.yaml`` was not tuned on.
"""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from neo_bringup import processes
from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.bench.harness import Request
from neo_description.errors import NeoError

SEEDS = (24, 2)  # full, quick
FIRST = 1000
TASKS = (
    "press", "turn_cap", "roll", "rotate", "drawer", "pour", "hang", "jar", "pass_over", "tray",
)  # fmt: skip
FIXED = (5.0, 15.0, 40.0)  # N: without touch
EVERY = 8  # of the tuned trials, one is also searched for its smallest grip
Job = tuple[str, str, tuple[Any, ...]]  # module, function, arguments


def _names(register: str) -> list[str]:
    from neo_bringup.hand_bench import trials

    return list(trials.things(register))


def _jobs(what: str, seed: int) -> list[Job]:
    """The trials of a part; a trial's own seed is unique among all parts of its kind."""
    trials = "neo_bringup.hand_bench.trials"
    tuned = _names("tuned")

    def own(i: int) -> int:
        return FIRST + 20 * seed + i

    def some(count: int) -> list[tuple[str, int]]:
        return [(tuned[(seed * count + i) % len(tuned)], own(i)) for i in range(count)]

    if what in ("tuned", "unseen"):
        return [(trials, "hold", (what, name, own(i))) for i, name in enumerate(_names(what))]
    if what == "least":
        return [(trials, "least", ("tuned", name, s)) for name, s in some(2)]
    if what == "fragile":
        return [(trials, "fragile", (name, own(i))) for i, name in enumerate(_names("fragile"))]
    if what == "dead":
        return [(trials, "dead_pads", (name, s, dead)) for name, s in some(2) for dead in (False, True)]
    if what == "touch":
        return [(trials, "touch", (name, s, fixed)) for name, s in some(2) for fixed in (0.0, *FIXED)]
    if what == "poured":
        return [(trials, "poured_in", (_stands(name, tuned), s)) for name, s in some(2)]
    if what == "slip":
        return [(trials, "slip_answer", (_stands(name, tuned), s)) for name, s in some(2)]
    if what == "grasps":
        from neo_bringup.hand_bench import grasps

        return [
            ("neo_bringup.hand_bench.grasps", "measure", (name, own(0))) for name in grasps.demonstrations()
        ]
    if what == "fingertips":
        return [("neo_bringup.bench.hand", "fingertips", (own(0),))]
    if what == "tasks":
        return [(f"neo_bringup.hand_bench.tasks.{task}", "measure", (own(0),)) for task in TASKS]
    raise NeoError(f"no kind of trial {what!r}; one of {', '.join(WHAT)}")


WHAT = (
    "tuned", "unseen", "least", "fragile", "slip", "poured", "dead", "touch", "fingertips", "grasps", "tasks",
)  # fmt: skip


def _stands(name: str, tuned: list[str]) -> str:
    """A thing that something can be poured into: the next one that is no ball or fruit."""
    from neo_bringup.hand_bench import trials

    upright = [n for n in tuned if trials.things("tuned")[n].class_name not in ("ball", "fruit")]
    return upright[tuned.index(name) % len(upright)]


def fingertips(seed: int) -> dict[str, Any]:
    """Errors of all fingertips of one run, in a few quantiles (m)."""
    from neo_bringup.hand_bench import fingertips as tips

    run = tips.measure(seed)
    errors = np.concatenate([np.asarray(e).ravel() for e in dict(run["error"]).values()])  # type: ignore[call-overload]
    return {"p50": float(np.quantile(errors, 0.5)), "p95": float(np.quantile(errors, 0.95)),
            "max": float(errors.max())}  # fmt: skip


def parts(request: Request) -> list[str]:
    """Seed by seed, so that what an interrupted run has kept covers every kind."""
    return [f"{what}/{seed}" for seed in request.seeds for what in WHAT]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    what, seed = part.split("/")
    jobs = _jobs(what, int(seed))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workers = min(len(jobs), len(os.sched_getaffinity(0)))
    with processes.pool(workers) as pool:
        rows = list(pool.map(_run, jobs))
    return {"rows": rows}


def _run(job: Job) -> dict[str, Any]:
    module, function, arguments = job
    row = getattr(importlib.import_module(module), function)(*arguments)
    return {"of": _label(job), **{key: _plain(value) for key, value in row.items()}}


def _label(job: Job) -> str:
    """What the row is of: the grasp or the task; else empty."""
    module, _, arguments = job
    last = module.rpartition(".")[2]
    return str(arguments[0]) if last == "grasps" else last if ".tasks." in module else ""


def _plain(value: Any) -> Any:
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value.item()
    return value if isinstance(value, bool | int | float | str) else None


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    rows: dict[str, list[dict[str, Any]]] = {what: [] for what in WHAT}
    for part, sample in samples.items():
        rows[part.split("/")[0]] += sample["rows"]
    out: list[Figure] = []

    def share(name: str, given: list[dict[str, Any]], key: str, note: str = "") -> None:
        value = sum(bool(row[key]) for row in given) / len(given) if given else math.nan
        out.append(Figure(f"hand.{name}", value, len(given), note))

    def quantiles(name: str, values: list[float], scale: float = 1.0) -> None:
        for label, q in (("p50", 0.5), ("p95", 0.95)):
            out.append(Figure(f"hand.{name}_{label}", scale * quantile(values, q), len(values)))

    share("held_tuned", rows["tuned"], "held")
    share("held_unseen", rows["unseen"], "held")
    held = [row for what in ("tuned", "unseen") for row in rows[what] if row["held"]]
    out.append(Figure("hand.trials", len(rows["tuned"]) + len(rows["unseen"]), 1))
    ratios = [row["ratio"] for row in rows["least"] if row["ratio"] is not None]
    quantiles("grip_over_least", ratios)
    quantiles("slip_mm", [max(row["slip"], row["slip_shake"]) for row in held], 1e3)
    quantiles("slip_lift_mm", [row["slip"] for row in held], 1e3)
    out.append(Figure("hand.crushed", sum(row["crushed"] for row in rows["fragile"]), len(rows["fragile"])))
    share("fragile_held", rows["fragile"], "held")
    slid = [row for row in rows["slip"] if row["slid"]]
    for name, key in (("slip_detected_ms", "detected"), ("slip_answered_ms", "answered")):
        times = [row[key] for row in slid if row[key] is not None]
        quantiles(name, times, 1e3)
        share(name.replace("_ms", "_share"), [{"did": row[key] is not None} for row in slid], "did")
    share("poured_in", rows["poured"], "held")
    alive = [row for row in rows["dead"] if not row["dead"]]
    dead = [row for row in rows["dead"] if row["dead"]]
    healthy = sum(row["held"] for row in alive)
    out.append(Figure("hand.dead_pads", sum(row["held"] for row in dead) / max(healthy, 1), len(dead)))
    quantiles("fingertip_mm", [row["p95"] for row in rows["fingertips"]], 1e3)
    for kind in ("grasps", "tasks"):
        of = {row["of"]: [r for r in rows[kind] if r["of"] == row["of"]] for row in rows[kind]}
        shares = {name: sum(bool(r["success"]) for r in given) / len(given) for name, given in of.items()}
        for name, given in of.items():
            share(f"{kind.removesuffix('s')}.{name}", given, "success")
        worst = min(shares, key=lambda n: shares[n]) if shares else ""
        out.append(Figure(f"hand.{kind}_worst", shares.get(worst, math.nan), len(rows[kind]), worst))
        out.append(Figure(f"hand.{kind}", len(shares), 1))
    for fixed in (0.0, *FIXED):
        given = [row for row in rows["touch"] if row["fixed"] == fixed]
        name = f"fixed_{fixed:g}N" if fixed else "with_touch"
        share(f"{name}.held", given, "held")
        out.append(Figure(f"hand.{name}.grip", quantile([row["mean"] for row in given], 0.5), len(given)))
        slips = [1e3 * max(row["slip"], row["slip_shake"]) for row in given if row["held"]]
        out.append(Figure(f"hand.{name}.slip_mm", quantile(slips, 0.5), len(slips)))
    out.append(
        Figure("hand.cpu_ms", 1e3 * quantile([row["cpu"] for row in rows["tuned"]], 0.5), len(rows["tuned"]))
    )
    return out
