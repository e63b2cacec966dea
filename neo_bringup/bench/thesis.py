"""Is physical intelligence learned from robot data from step zero? Five ways of training on the same data.

Registered before any figure was seen:

    A   robot data and video mixed from step zero
    B   video first, robot data at the end
    B'  as B, the learning rate warmed up again for the robot data
    C   robot data only, as many robot windows as the others: less compute. C+: as much compute
    D   an encoder trained on video and then frozen, the rest trained on robot data
    E   A without force and touch

All but C see the same number of windows; all but C+ the same number of robot windows. What counts, on robot
episodes that nobody trained on: the error of states foretold over that of copying, 0.8 s on; how well slips
are ranked, 0.1 to 0.8 s ahead and 0.1 s ahead; how far off the policy's grippers are; how well a linear
reader of a state foretells how hard a hand presses, 0.1 s ahead. Pairs of arms are compared seed by seed,
with a bootstrap over seeds.

The video is rendered: other episodes of the simulated robot without anything but its pictures, for no real
video of use was to be had. So the figures say what order and touch do, not what the world's video is worth.
The model is the recipe's with a smaller eye.
``NEO_DATA`` names the robot's store, ``NEO_VIDEO`` the one whose pictures are the video.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure
from neo_bringup.bench.harness import Request
from neo_description.errors import NeoError

SEEDS = (5, 2)  # full, quick
RECIPE = "laptop"
SMALLER = {
    "channels": 12,
    "pixel_weight": 0.0,
    "where_weight": 0.0,
}  # what costs most, and nothing here reads
BATCHES = 16  # of 64 held-out windows
STEPS = {True: 60, False: 600}  # windows of 64, by quick
ROBOT = 0.5  # share of the windows
ARMS = ("A", "B", "B'", "C", "C+", "D", "E")
MEASURED = ("error_ratio_8", "auc_slips", "auc_slips_next", "gripper_cm", "grip_rmse_n")
BETTER = {name: 1.0 if name.startswith("auc") else -1.0 for name in MEASURED}
ALL, SEEN = ["vision", "proprio", "force", "touch"], ["vision", "proprio"]
Phase = dict[str, Any]  # settings over the recipe `laptop`; `share`: of the steps


def phases(arm: str) -> list[Phase]:
    """What an arm does, one after the other."""
    both = [f"sim={ROBOT}", f"web_video={1 - ROBOT}"]
    video = {"share": 1 - ROBOT, "mix": ["web_video=1"], "schedule": [0.0, 1 - ROBOT]}
    robot = {"share": ROBOT, "mix": ["sim=1"], "schedule": [1 - ROBOT, 1.0]}
    whole = {"schedule": [0.0, 1.0]}
    arms = {
        "A": [{"share": 1.0, "mix": both}],
        "B": [video, robot],
        "B'": [video, robot | whole],
        "C": [{"share": ROBOT, "mix": ["sim=1"]}],
        "C+": [{"share": 1.0, "mix": ["sim=1"]}],
        "D": [video | whole, robot | whole | {"frozen": ["encoder"]}],
        "E": [{"share": 1.0, "mix": both, "senses": SEEN}],
    }
    return arms[arm]


def parts(request: Request) -> list[str]:
    return [f"{arm}/{seed}" for seed in request.seeds for arm in ARMS]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    from neo_world_model import checkpoint, config
    from neo_world_model.train import train

    arm, seed = part.split("/")
    robot, video = (os.environ.get(name, "") for name in ("NEO_DATA", "NEO_VIDEO"))
    if not robot or not video:
        raise NeoError(
            "NEO_DATA and NEO_VIDEO name the stores of `neo collect`; the second's pictures are video"
        )
    films = _pictures_only(Path(video), request.folder / "video")
    folder, start = request.folder / part.replace("/", "-"), ""
    shutil.rmtree(folder, ignore_errors=True)
    for number, phase in enumerate(phases(arm)):
        given = {name: value for name, value in phase.items() if name != "share"}
        settings = config.load(
            RECIPE, minutes=0.0, seed=int(seed), stores=[robot, str(films)], start=start, **SMALLER,
            steps=max(round(phase["share"] * STEPS[request.quick]), 1), evaluate_every=10**6, **given,
        )  # fmt: skip
        train(settings, folder / str(number), lambda line: None)
        start = str(folder / str(number))
    model, _ = checkpoint.load(start)
    sample = score(model, robot)
    progress(f"{part}: " + ", ".join(f"{name} {value:.3f}" for name, value in sample.items()))
    return sample


def score(model: Any, robot: str) -> dict[str, float]:
    """What counts, on the held-out episodes of the robot's store."""
    from neo_world_model.evaluate import evaluate
    from neo_world_model.mixture import Mixture
    from neo_world_model.probe import grip_rmse
    from neo_world_model.store import Store

    s = model.settings
    drawn, held = (
        Mixture([Store(robot)], {"sim": 1.0}, s.context + s.horizon, 1, s.held_out, kept, s.context)
        for kept in (False, True)
    )
    figures = evaluate(model, held, batches=BATCHES)
    figures["grip_rmse_n"] = grip_rmse(model, drawn, held, BATCHES)
    return {name: figures[name] for name in MEASURED if name in figures}


def _pictures_only(store: Path, folder: Path) -> Path:
    """The store's episodes with nothing but pictures, as web video; made once."""
    from neo_world_model.episode import Episode
    from neo_world_model.store import Store

    films, whole = Store.create(folder), Store(store)
    for number in range(len(films.episodes), len(whole.episodes)):
        about = whole.episodes[number]
        seen = {"vision": whole.window(number, 0, about["steps"])["vision"]}
        films.add(Episode("web_video", seen, np.zeros(about["steps"], np.int8)))
    return folder


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    seeds = sorted({part.split("/")[1] for part in samples})
    out = []
    for arm in ARMS:
        for name in MEASURED:
            values = [samples[f"{arm}/{seed}"].get(name, np.nan) for seed in seeds]
            out.append(
                Figure(f"thesis.{arm}.{name}", float(np.nanmean(values)), len(values), _spread(values))
            )
    for arm in ARMS[1:]:
        for name in MEASURED:
            pairs = [
                BETTER[name]
                * (samples[f"A/{seed}"].get(name, np.nan) - samples[f"{arm}/{seed}"].get(name, np.nan))
                for seed in seeds
            ]
            low, high = bootstrap(np.array(pairs))
            note = f"A better by, 95 % from {low:.3f} to {high:.3f}"
            out.append(Figure(f"thesis.A_over_{arm}.{name}", float(np.nanmean(pairs)), len(pairs), note))
    touch, sight = (
        float(np.nanmean([samples[f"{arm}/{seed}"].get("grip_rmse_n", np.nan) for seed in seeds]))
        for arm in ("A", "E")
    )
    return [*out, Figure("thesis.touch_gain", 1.0 - touch / sight, len(seeds), "A against E")]


def _spread(values: list[float]) -> str:
    return f"{np.nanmin(values):.3f} to {np.nanmax(values):.3f}"


def bootstrap(pairs: np.ndarray, draws: int = 10_000) -> tuple[float, float]:
    """The 95 % interval of the mean of ``pairs`` (n,), drawn again with replacement."""
    rng = np.random.default_rng(0)
    means = np.nanmean(pairs[rng.integers(0, len(pairs), (draws, len(pairs)))], axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
