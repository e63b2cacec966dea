"""The world model: what it foretells, what it does when asked, how fast it plans and trains.

Seeds begin at ``FIRST``: those below may be trained on. The model is the one in ``NEO_MODEL``, or the one
that ships. Trials of one kind run side by side on the cores of the machine.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from neo_bringup import processes
from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.bench.harness import Request
from neo_world_model import shipped

SEEDS = (10, 1)  # full, quick; a seed is ten trials of each kind
FIRST, TRIALS = 200_000, 10
WHAT = (
    "held_out",
    "latency",
    "throughput",
    "permanence",
    "ranking",
    "seen",
    "unseen",
    "shuffled",
    "scripted",
)
FORETOLD = ("error_ratio_1", "error_ratio_8", "auc_falls", "auc_slips", "auc_slips_next", "auc_hidden",
            "landing_ratio", "where_cm", "gripper_cm", "hands_cm", "hands_ahead_cm", "hands_stay_cm",
            "hands_follow")  # fmt: skip
COVERED = ("sim", "teleop", "on_policy")
ALSO = {"teleop": 1, "helped": 2}  # episodes a seed of these kinds besides, for the coverage of their sources
SEEING = ("model", "untrained", "pixels")
PLANS = 30
RANKED = 2  # of a seed's trials, each by every policy
BATCHES = 32  # of 64 held-out windows


def model() -> str:
    """The folder of the model that is measured."""
    return shipped.model(os.environ.get("NEO_MODEL", ""))


def subject() -> str:
    """The first digits of the weights' hash."""
    from neo_world_model import checkpoint

    weights = Path(model()) / checkpoint.WEIGHTS
    return hashlib.sha256(weights.read_bytes()).hexdigest()[:16] if weights.exists() else ""


def parts(request: Request) -> list[str]:
    return [f"{what}/{seed}" for seed in request.seeds for what in WHAT]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    what, seed = part.split("/")
    seeds = [FIRST + TRIALS * int(seed) + i for i in range(TRIALS)]
    if what == "latency":
        return latency(model())
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workers = len(os.sched_getaffinity(0))
    with processes.pool(workers) as pool:
        store = request.folder / "held-out"
        if what == "held_out":
            return held_out(pool, seeds, store)
        if what == "throughput":
            return _throughput(pool, seeds, store)
        if what == "permanence":
            return {"pairs": _pairs(pool, seeds, request.folder / "untrained")}
        if what == "ranking":
            return _ranking(pool, seeds[:RANKED])
        jobs = [(s, "scripted" if what == "scripted" else "world_model", model(), what) for s in seeds]
        rows = list(pool.map(_trial, jobs))
    progress(f"{what}: {sum(row['success'] for row in rows)} of {len(rows)}")
    return {"rows": rows}


def _trial(job: tuple[int, str, str, str]) -> dict[str, Any]:
    from neo_bringup.world_model_bench.do_task import trial

    seed, planner, folder, what = job
    return trial(seed, planner, folder, unseen=what == "unseen", shuffled=what == "shuffled")


def held_out(pool: Executor, seeds: list[int], folder: Path) -> dict[str, Any]:
    """The model's figures on all episodes collected so far, those of ``seeds`` too; none was trained on.

    Coverage is that of the bounds that ship with the model, source by source.
    """
    from neo_bringup.collect.collect import drawn_kind
    from neo_world_model import checkpoint
    from neo_world_model.evaluate import evaluate
    from neo_world_model.mixture import Mixture
    from neo_world_model.store import Store

    others = folder.with_name(folder.name + "-others")
    _collected(pool, [(drawn_kind(seed), seed) for seed in seeds], folder)
    kinds = [kind for kind, count in ALSO.items() for _ in range(count)]
    _collected(pool, list(zip(kinds, seeds, strict=False)), others)
    loaded, card = checkpoint.load(model())
    k, bounds = loaded.settings.context, card["figures"]["bounds"]

    def figures(source: str, stores: list[Store]) -> dict[str, Any]:
        held = Mixture(stores, {source: 1.0}, k + loaded.settings.horizon, 1, 1, held=True, context=k)
        return evaluate(loaded, held, batches=BATCHES, bounds=bounds)

    out = figures("sim", [Store(folder)])
    for source in COVERED[1:]:
        name = f"coverage_{source}"
        out[name] = figures(source, [Store(folder), Store(others)]).get(name)
    return {name: value for name, value in out.items() if isinstance(value, float)}


def _throughput(pool: Executor, seeds: list[int], folder: Path) -> dict[str, Any]:
    from neo_bringup.collect.collect import drawn_kind
    from neo_bringup.world_model_bench.throughput import throughput

    _collected(pool, [(drawn_kind(seed), seed) for seed in seeds], folder)
    return throughput(folder)


def _pairs(pool: Executor, seeds: list[int], blank: Path) -> list[dict[str, Any]]:
    from neo_bringup.world_model_bench.permanence import untrained

    untrained(model(), blank)
    return list(pool.map(_pair, [(seed, model(), str(blank)) for seed in seeds]))


def _pair(job: tuple[int, str, str]) -> dict[str, Any]:
    from neo_bringup.world_model_bench.permanence import pair
    from neo_world_model.runtime import Runtime

    seed, trained, blank = job
    return pair(seed, {"model": Runtime(trained, 1), "untrained": Runtime(blank, 1)})


def _ranking(pool: Executor, seeds: list[int]) -> dict[str, Any]:
    """Policy → trials: how far it came and how far it was imagined to come."""
    from neo_bringup.world_model_bench.ranking import POLICIES

    jobs = [(seed, model(), policy) for policy in POLICIES for seed in seeds]
    rows = list(pool.map(_ranked, jobs))
    return {"rows": [{"policy": policy, **row} for (_, _, policy), row in zip(jobs, rows, strict=True)]}


def _ranked(job: tuple[int, str, str]) -> dict[str, float]:
    from neo_bringup.world_model_bench.ranking import trial

    return trial(*job)


def _collected(pool: Executor, wanted: list[tuple[str, int]], folder: Path) -> None:
    """Episodes of so many kinds and seeds are in the store ``folder``."""
    from neo_world_model.store import Store

    store = Store.create(folder)
    there = {about["seed"] for about in store.episodes}
    for episode in pool.map(_collect, [(kind, s, model()) for kind, s in wanted if s not in there]):
        store.add(episode)


def _collect(job: tuple[str, int, str]) -> Any:
    from neo_bringup.collect.collect import collect

    kind, seed, acts = job
    return collect(kind, seed, model=acts)


def latency(folder: str) -> dict[str, Any]:
    """Wall time (ms) with two threads of a plan, of one without a search, and of the graph that holds the
    policy and the inverse dynamics."""
    from neo_world_model.modalities import size, state_size
    from neo_world_model.plan import Known, Search, plan
    from neo_world_model.runtime import Runtime, settings
    from neo_world_model.text import encode

    about, runtime, rng = settings(folder), Runtime(folder, 2), np.random.default_rng(0)
    given = Known(
        past=rng.standard_normal((about.context, state_size(about))).astype(np.float32),
        led=rng.standard_normal((about.context - 1, size("action"))).astype(np.float32),
        text=encode(["pick up the red bottle"])[0],
        places=np.array([[0.45, 0.1, 0.0], [0.0, 0.0, 0.0]]),
        known=np.array([True, False]),
        proprio=rng.standard_normal(size("proprio")).astype(np.float32),
    )
    plans = [_timed(lambda: plan(runtime, given, Search(deadline=1e9), rng)) for _ in range(PLANS)]
    unsearched = [_timed(lambda: plan(runtime, given, Search(iterations=0), rng)) for _ in range(PLANS)]
    asked = [x[None] for x in (given.past[-1], given.text, given.places.astype(np.float32))]
    asked += [given.known[None], given.proprio[None]]
    inverse = [_timed(lambda: runtime.act(*asked)) for _ in range(PLANS)]
    return {"plan": plans[3:], "unsearched": unsearched[3:], "inverse": inverse[3:]}


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - began)


def surprised(pairs: list[tuple[float, float]]) -> float:
    """Chance that what cannot be surprises more than what can: AUC of pairs (can, cannot)."""
    can, cannot = np.array(pairs).T
    return float(np.mean((cannot[:, None] > can) + 0.5 * (cannot[:, None] == can)))


def spearman(rows: list[dict[str, Any]]) -> float:
    """Rank correlation over policies of the means of what was done and imagined."""
    policies = sorted({row["policy"] for row in rows})
    if not policies:
        return float("nan")
    means = [[np.mean([row[what] for row in rows if row["policy"] == policy]) for policy in policies]
             for what in ("done", "imagined")]  # fmt: skip
    return float(spearmanr(*means).statistic)


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    of = {what: [s for part, s in samples.items() if part.split("/")[0] == what] for what in WHAT}
    out = []
    last = of["held_out"][-1] if of["held_out"] else {}  # of all episodes
    for name in FORETOLD:
        out.append(Figure(f"world_model.{name}", last.get(name, np.nan), len(of["held_out"]) * TRIALS))
    episodes = len(of["held_out"])
    for source, count in zip(COVERED, (TRIALS, *ALSO.values()), strict=True):
        value = last.get(f"coverage_{source}", np.nan)
        out.append(Figure(f"world_model.coverage_{source}", value, episodes * count))
    off = [abs(last.get(f"coverage_{source}", np.nan) - 0.9) for source in COVERED]
    out.append(Figure("world_model.coverage_off", float(np.max(off)), episodes))
    pairs = [pair for s in of["permanence"] for pair in s["pairs"]]
    for name in SEEING:
        value = surprised([pair[name] for pair in pairs]) if pairs else np.nan
        out.append(Figure(f"world_model.permanence_{name}", value, len(pairs)))
    rows = [row for s in of["ranking"] for row in s["rows"]]
    out.append(Figure("world_model.ranking", spearman(rows), len(rows)))
    for name in ("frames_per_s", "share"):
        values = [s[name] for s in of["throughput"]]
        out.append(Figure(f"world_model.training_{name}", quantile(values, 0.5), len(values)))
    for what in ("seen", "unseen", "shuffled", "scripted"):
        rows = [row for s in of[what] for row in s["rows"]]
        done = sum(bool(row["success"]) for row in rows)
        out.append(Figure(f"world_model.{what}", done / len(rows) if rows else np.nan, len(rows)))
    shares = {figure.id: figure.value for figure in out}
    times = shares["world_model.seen"] / max(shares["world_model.shuffled"], 1e-9)
    out.append(Figure("world_model.over_shuffled", min(times, 99.0), len(of["shuffled"]) * TRIALS))
    plans, unsearched, inverse = (
        [t for s in of["latency"] for t in s[name]] for name in ("plan", "unsearched", "inverse")
    )
    out.append(Figure("world_model.plan_ms_p50", quantile(plans, 0.5), len(plans)))
    out.append(Figure("world_model.plan_ms_p99", quantile(plans, 0.99), len(plans)))
    out.append(Figure("world_model.unsearched_ms_p50", quantile(unsearched, 0.5), len(unsearched)))
    out.append(Figure("world_model.inverse_ms_p50", quantile(inverse, 0.5), len(inverse)))
    return out
