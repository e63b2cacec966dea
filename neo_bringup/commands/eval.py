"""``neo eval``: held-out figures of a world model."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.table import Table

from neo_bringup import output
from neo_description.errors import NeoError

HELP = "held-out figures of a world model: neo eval runs/train/first --store runs/data/sim"
MEANING = {
    "error_ratio": "squared error of imagined states over that of copying the last, so many steps ahead",
    "spread": "mean standard deviation of a state's numbers (1: as a Gaussian's)",
    "rank": "directions that states use",
    "auc": "the event ranked over steps without it (chance 0.5)",
    "where_cm": "named things off where they are seen, median",
    "gripper_cm": "the policy's gripper targets off the teacher's, median",
    "sides_cm": "hands sent farther to the other side of a thing when a prompt says the other one, mean",
    "hands_cm": "hands that move off where the state of the same step tells they are, mean",
    "hands_ahead_cm": "the same of imagined states 0.8 s on",
    "hands_stay_cm": "the same, had they stayed",
    "hands_follow": "share of a shift of their targets that imagined hands go with, 0.8 s on",
    "landing_cm": "things that fall off where they are foretold to be at the horizon, mean",
    "landing_ratio": "the same over that of going on as fast as before",
    "coverage": "share of errors within the 90 % bound",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="folder of a run, or of a model that ships")
    parser.add_argument("--store", type=Path, action="append", default=[], help="default: those of the run")
    parser.add_argument("--batches", type=int, default=32, help="of 64 windows; default 32")
    output.add_json(parser, "the figures")


def meaning(name: str) -> str:
    """What a figure is, in words; empty where nobody said."""
    return next((text for begin, text in MEANING.items() if name.startswith(begin)), "")


def run(args: argparse.Namespace) -> int:
    """0: measured. NeoError (2): could not."""
    from neo_world_model import checkpoint
    from neo_world_model.config import weights
    from neo_world_model.evaluate import evaluate
    from neo_world_model.mixture import Mixture
    from neo_world_model.store import Store

    if args.batches < 1:
        raise NeoError(f"--batches {args.batches}; at least 1")
    model, card = checkpoint.load(args.model)
    s = model.settings
    stores = [Store(folder) for folder in args.store or checkpoint.stores(args.model)]
    held = Mixture(
        stores, weights(s), s.context + s.horizon, s.seed, s.held_out, held=True, context=s.context
    )
    figures = evaluate(model, held, args.batches)
    numbers = {name: value for name, value in figures.items() if isinstance(value, float)}
    table = Table(title=f"{args.model}, step {card['step']}, {held.windows} held-out windows")
    for column in ("figure", "measured", "what it is"):
        table.add_column(column)
    for name, value in numbers.items():
        table.add_row(name, f"{value:.3f}", meaning(name))
    if not output.put_json(args.json, numbers):
        output.console().print(table)
    return 0
