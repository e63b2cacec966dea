"""PushT of ``stable-worldmodel``: our way of modelling a world beside torch-world's LeWM.

Both learn from the same pictures of WeakPolicy's random pushes, for the same CPU-minutes of one thread, and
plan with the same search; beside them random actions and those that were taken. Then ours sees the same pairs
in changed looks, one at a time. docs/pusht.md tells what is equal and what is not.

PushT wants packages of its own, so all of it runs in a virtual environment under ``runs/bench/pusht``, made
of ``requirements/pusht.txt`` once and kept. ``NEO_PUSHT_MINUTES``: CPU-minutes of training, 90 if not given.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.bench import shadow
from neo_bringup.bench.figures import Figure
from neo_bringup.bench.harness import ROOT, Request
from neo_bringup.bench.thesis import bootstrap
from neo_description.errors import NeoError
from neo_description.here import commit

SEEDS = (3, 1)  # full, quick
REQUIREMENTS = ROOT / "requirements" / "pusht.txt"
ALONE = "stable-worldmodel==0.1.1"  # installed without what it asks for: PushT needs little of it
LOOKS = ("clean", "disc_colour", "block_colour", "background_colour", "disc_size")
MODELS = ("ours", "peer")
FULL: dict[str, Any] = {"minutes": 90.0, "episodes": 10_000, "held_out": 300, "pairs": 100, "search": {}}
QUICK: dict[str, Any] = {"minutes": 0.75, "episodes": 200, "held_out": 30, "pairs": 20,
         "search": {"samples": 64, "elite": 8, "iterations": 4}}  # fmt: skip
TAIL = 5  # lines of a failed command that are shown
Progress = Callable[[str], None]


def scale(quick: bool) -> dict[str, Any]:
    """How much of everything; NeoError when ``NEO_PUSHT_MINUTES`` is no number above 0."""
    out = dict(QUICK if quick else FULL)
    given = os.environ.get("NEO_PUSHT_MINUTES", "")
    if given:
        try:
            out["minutes"] = float(given)
        except ValueError:
            out["minutes"] = 0.0
        if not 0.0 < out["minutes"] < float("inf"):
            raise NeoError(f"NEO_PUSHT_MINUTES {given!r}; a number above 0")
    return out


def parts(request: Request) -> list[str]:
    return ["collect", *(f"{what}/{seed}" for seed in request.seeds for what in ("train", "score"))]


def measure(part: str, request: Request, progress: Progress) -> dict[str, Any]:
    """``collect``: frames; ``train/SEED``: model → what it took; ``score/SEED``: who → done or not."""
    python, size = environment(request.folder / "venv", progress), scale(request.quick)
    what, _, seed = part.partition("/")
    folders = {kind: request.folder / f"{kind}-{size[name]}" for kind, name in
               (("train", "episodes"), ("held_out", "held_out"))}  # fmt: skip
    weights = {
        name: request.folder / f"{name}-{seed}{'-quick' * request.quick}.safetensors" for name in MODELS
    }
    jobs: dict[str, dict[str, Any]] = {}
    if what == "collect":
        for kind, folder in folders.items():
            count = size["episodes"] if kind == "train" else size["held_out"]
            jobs[kind] = {"do": what, "folder": str(folder), "kind": kind, "episodes": count}
    elif what == "train":
        for name in MODELS:
            jobs[name] = {"do": what, "model": name, "weights": str(weights[name]), "seed": int(seed),
                          "minutes": size["minutes"], "episodes": str(folders["train"])}  # fmt: skip
    else:
        given = {"do": what, "episodes": str(folders["held_out"]), "pairs": size["pairs"], "seed": int(seed),
                 "search": size["search"]}  # fmt: skip
        for who in ("peer", "random", "replay"):
            jobs[who] = given | {"who": who, "weights": str(weights.get(who, "")), "look": "clean"}
        for look in LOOKS:
            jobs[look] = given | {"who": "ours", "weights": str(weights["ours"]), "look": look}
    return side_by_side(python, jobs, request.folder, part, progress)


def side_by_side(
    python: Path, jobs: dict[str, dict[str, Any]], folder: Path, part: str, progress: Progress
) -> dict[str, Any]:
    """The results of ``jobs``, as many at a time as there are cores.

    Where some were done when the others were cut off, they are not done again at the same commit.
    """
    logs = {name: folder / f"{part.replace('/', '-')}-{name}.log" for name in jobs}

    def one(name: str) -> dict[str, Any]:
        done, now = logs[name].with_suffix(".done"), [jobs[name], commit()]
        if done.exists() and (kept := json.loads(done.read_text()))["of"] == now:
            return dict(kept["result"])
        result = run(python, jobs[name], logs[name], lambda line: progress(f"{name}: {line}"))
        done.with_suffix(".new").write_text(json.dumps({"of": now, "result": result}))
        done.with_suffix(".new").replace(done)
        return result

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = dict(zip(jobs, pool.map(one, jobs), strict=True))
    for log in logs.values():
        log.with_suffix(".done").unlink()
    return results


def environment(folder: Path, progress: Progress) -> Path:
    """The interpreter that has PushT and LeWM; made once."""
    python = shadow.environment(folder, progress, REQUIREMENTS)
    name, _, version = ALONE.partition("==")
    if not list(folder.glob(f"lib/python*/site-packages/{name.replace('-', '_')}-{version}.dist-info")):
        words = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run([*words, ALONE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise NeoError(f"could not install {ALONE}; is the package index reachable? {_tail(done.stdout)}")
    return python


def run(python: Path, job: dict[str, Any], log: Path, progress: Progress) -> dict[str, Any]:
    """The result of one job of :mod:`neo_bringup.pusht.run`; NeoError with its log's end when it fails."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    alone = {"PYTHONNOUSERSITE": "1", "OMP_NUM_THREADS": "1", "SDL_VIDEODRIVER": "dummy"}
    words, result = [str(python), "-m", "neo_bringup.pusht.run", json.dumps(job)], None
    with log.open("w") as errors:
        process = subprocess.Popen(
            words, cwd=ROOT, env=kept | alone, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                said = json.loads(line)
                if "say" in said:
                    progress(said["say"])
                result = said.get("result", result)
            code = process.wait()
        finally:
            process.kill()
            process.wait()
    if code != 0 or result is None:
        raise NeoError(f"{job['do']} of PushT ended with {code}: {_tail(log.read_text())}; see {log}")
    return result


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    scored = [sample for part, sample in samples.items() if part.startswith("score/")]
    trained = [sample for part, sample in samples.items() if part.startswith("train/")]
    done = {
        who: [bool(d) for s in scored for d in s[who]["done"]] for who in (*LOOKS, "peer", "random", "replay")
    }
    share = {who: float(np.mean(rows)) if rows else np.nan for who, rows in done.items()}
    by_seed = " ".join(f"{np.mean(s['clean']['done']):.2f}" for s in scored)
    minutes = [s[name]["cpu_minutes"] for s in trained for name in MODELS]
    out = [Figure("pusht.success", share["clean"], len(done["clean"]), f"by seed {by_seed}")]
    out += [Figure(f"pusht.{who}", share[who], len(done[who])) for who in ("peer", "random", "replay")]
    more = np.subtract(done["clean"], done["peer"], dtype=float)
    low, high = bootstrap(more) if len(more) else (np.nan, np.nan)
    out.append(Figure("pusht.over_peer", share["clean"] - share["peer"], len(more),
                      f"95 % from {low:.3f} to {high:.3f}"))  # fmt: skip
    for look in LOOKS[1:]:
        kept = share[look] / share["clean"] if share["clean"] else np.nan
        out.append(Figure(f"pusht.kept_{look}", kept, len(done[look]), f"{share[look]:.2f} done"))
    out.append(Figure("pusht.cpu_minutes", float(np.mean(minutes)) if minutes else np.nan, len(minutes)))
    return out


def _tail(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-TAIL:]) or "it said nothing"
