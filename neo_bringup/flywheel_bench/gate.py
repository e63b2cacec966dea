"""The gate: models that are worse on purpose must be refused, as good ones must pass.

Every one is made from the model that runs (``NEO_MODEL``, else the one that ships). No task is tried:
measured is what the gate finds before that.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from neo_bringup import engine
from neo_bringup.bench.figures import Figure
from neo_bringup.collect.collect import collect, drawn_kind
from neo_bringup.learning import tasks
from neo_flywheel.learning import gate, stage
from neo_world_model import checkpoint, config, shipped
from neo_world_model.episode import Episode
from neo_world_model.export import export
from neo_world_model.runtime import ACT, card
from neo_world_model.store import Store
from neo_world_model.train import Trainer

PARTS = ("worse", "good")
FIRST, EPISODES = 400_000, 24  # a third of them or more are of tasks that a policy can be judged by
MISLED_STEPS, EARLY_STEPS = 30, 5
COUNTED = 30_000
Weights = dict[str, Tensor]
Sample = dict[str, Any]
Progress = Callable[[str], None]


def running() -> Path:
    """The model that runs."""
    return Path(shipped.model(os.environ.get("NEO_MODEL", "")))


def _noisy(weights: Weights, share: float, seed: int = 1) -> None:
    generator = torch.Generator().manual_seed(seed)
    for value in weights.values():
        value += share * value.std(correction=0) * torch.randn(value.shape, generator=generator)


def noisy(weights: Weights) -> None:
    """Every weight off by a fifth of its tensor's spread."""
    _noisy(weights, 0.2)


def forgets_actions(weights: Weights) -> None:
    """Imagines the same whatever is asked for."""
    weights["predictor.action.weight"].zero_()


def does_nothing(weights: Weights) -> None:
    """The policy's last layer is zero."""
    weights["policy.out.4.weight"].zero_()
    weights["policy.out.4.bias"].zero_()


def mixes_actions_up(weights: Weights) -> None:
    """The policy's numbers come out in another order."""
    order = torch.randperm(len(weights["policy.out.4.bias"]), generator=torch.Generator().manual_seed(2))
    for name in ("policy.out.4.weight", "policy.out.4.bias"):
        weights[name].copy_(weights[name][order])


def blind(weights: Weights) -> None:
    """Neither pair of eyes tells anything."""
    for name in ("encoder.makers.vision.out.weight", "where.convs.4.weight"):
        weights[name].zero_()


def deaf(weights: Weights) -> None:
    """All words mean the same."""
    weights["text.code.weight"].zero_()


def wrong_scale(weights: Weights) -> None:
    """Proprioception is taken for thrice what it is."""
    weights["encoder.makers.proprio.0.weight"].mul_(3.0)


def early(weights: Weights, store: Path, scratch: Path) -> None:
    """From scratch, after its first steps."""
    _trained(weights, store, scratch, EARLY_STEPS, start="")


def misled(weights: Weights, store: Path, scratch: Path) -> None:
    """Trained on, with actions of other windows."""

    def swap(batch: dict[str, Any]) -> dict[str, Any]:
        return batch | {name: batch[name][::-1].copy() for name in ("action", "lesson")}

    _trained(weights, store, scratch, MISLED_STEPS, swap, start=str(running().resolve()))


def _trained(
    weights: Weights, store: Path, scratch: Path, steps: int,
    change: Callable[[Any], Any] = lambda batch: batch, **overrides: Any,
) -> None:  # fmt: skip
    """Gives ``weights`` those that so many steps on ``store`` lead to."""
    settings = card(running())["settings"] | {
        "stores": [str(store)], "steps": steps, "minutes": 0.0, "batch": 16, "held_out": EPISODES,
        "trained": [], "evaluate_batches": 1, "device": "cpu", **overrides,
    }  # fmt: skip
    trainer = Trainer(config.load(**settings), scratch, lambda line: None)
    draw = trainer.drawn.batch
    trainer.drawn.batch = lambda count, number: change(draw(count, number))  # type: ignore[method-assign]
    while not trainer.done:
        trainer.step()
    for name, value in trainer.model.state_dict().items():
        weights[name].copy_(value)


def slow(folder: Path) -> None:
    """The act graph counts before it answers."""
    model, whole = onnx.load(folder / ACT), TensorProto.INT64
    for node in model.graph.node:
        node.output[:] = ["quick_action" if name == "action" else name for name in node.output]
        node.input[:] = ["quick_action" if name == "action" else name for name in node.input]
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Add", ["count", "i"], ["more"]), helper.make_node("Identity", ["on"], ["still"])],
        "counting",
        [info("i", whole, []), info("on", TensorProto.BOOL, []), info("count", whole, [])],
        [info("still", TensorProto.BOOL, []), info("more", whole, [])],
    )
    given = {"count_to": COUNTED, "count_from": 0, "count_on": True, "nothing": np.float32(0.0)}
    rows = [numpy_helper.from_array(np.array(value), name) for name, value in given.items()]
    model.graph.initializer.extend(rows)
    model.graph.node.extend([
        helper.make_node("Loop", ["count_to", "count_on", "count_from"], ["counted"], body=body),
        helper.make_node("Cast", ["counted"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["number", "nothing"], ["added"]),
        helper.make_node("Add", ["quick_action", "added"], ["action"]),
    ])  # fmt: skip
    onnx.save(model, folder / ACT)


def same(weights: Weights) -> None:
    """Nothing is changed, only exported anew."""


def rounded(weights: Weights) -> None:
    """Every weight off by a millionth of its tensor's spread."""
    _noisy(weights, 1e-6)


CHANGED = (noisy, forgets_actions, does_nothing, mixes_actions_up, blind, deaf, wrong_scale)
TRAINED, GRAPHS, GOOD = (early, misled), (slow,), (same, rounded)
COPY = "copy"  # the running model's own files


def measure(part: str, seed: int, folder: Path, progress: Progress) -> Sample:
    """The verdict on every model of a part; ``folder`` keeps them, to go on from."""
    store = collected(seed, folder.parent / "replay", progress)
    rows = {}
    for name in names(part):
        rows[name] = stage.done(
            folder, name, {"model": tasks.digest(running()), "seed": seed},
            partial(judged, name, store, progress), progress,
        )  # fmt: skip
        progress(f"{name}: {'passed' if rows[name]['passed'] else rows[name]['reasons'][0]}")
    return {part: rows}


def names(part: str) -> list[str]:
    """Of the models of a part."""
    made = (*CHANGED, *TRAINED, *GRAPHS) if part == "worse" else GOOD
    return [change.__name__ for change in made] + [COPY] * (part == "good")


def judged(name: str, store: Path, progress: Progress, place: Path) -> dict[str, Any]:
    """What the gate says of the running model, changed as ``name`` says."""
    model = running() if name == COPY else made(name, store, place)
    return gate.judge(model, running(), [Store(store)], None, progress).row()


def made(name: str, store: Path, place: Path) -> Path:
    """The changed model, with the running one's card: only what it does is another."""
    folder = place / "model"
    model, _ = checkpoint.load(running())
    checkpoint.ship(running(), folder)
    with torch.no_grad():
        weights: Weights = {**dict(model.named_parameters())}
        for change in (*CHANGED, *GOOD):
            if change.__name__ == name:
                change(weights)
    for train in TRAINED:
        if train.__name__ == name:
            with torch.enable_grad():
                train(model.state_dict(), store, place / "run")
    export(model, folder)
    for alter in GRAPHS:
        if alter.__name__ == name:
            alter(folder)
    return folder


def collected(seed: int, folder: Path, progress: Progress) -> Path:
    """Episodes to replay, collected once."""
    store = Store.create(folder)
    there = {about["seed"] for about in store.episodes}
    seeds = [s for s in range(FIRST + 100 * seed, FIRST + 100 * seed + EPISODES) if s not in there]
    with engine.make("local") as jobs:
        for number, episode in jobs.map(_collect, seeds):
            store.add(episode)
            progress(f"episode {number}: {len(episode)} steps, {episode.prompt or '-'}")
    return folder


def _collect(seed: int) -> Episode:
    return collect(drawn_kind(seed), seed)


def figures(samples: dict[str, Sample]) -> list[Figure]:
    """Of the samples by part."""
    rows: dict[str, dict[str, Any]] = {"worse": {}, "good": {}}
    for sample in samples.values():
        for part, verdicts in sample.items():
            rows[part] |= verdicts
    through = [name for name, row in rows["worse"].items() if row["passed"]]
    stopped = [f"{name}: {row['reasons'][0]}" for name, row in rows["good"].items() if not row["passed"]]
    return [
        Figure(
            "flywheel.gate_refused", len(rows["worse"]) - len(through), len(rows["worse"]), ", ".join(through)
        ),
        Figure("flywheel.gate_false_alarms", len(stopped), len(rows["good"]), "; ".join(stopped)),
    ]
