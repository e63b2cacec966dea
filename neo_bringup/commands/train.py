"""``neo train``: trains a world model from stores of episodes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from neo_bringup import output
from neo_description.errors import NeoError
from neo_world_model import config

HELP = "train a world model: neo train laptop --store runs/data/sim --out runs/train/first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recipe", nargs="?", default="", help=f"{', '.join(config.recipes())}, or a YAML file"
    )
    parser.add_argument(
        "--store", type=Path, action="append", default=[], help="folder of episodes; may be repeated"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/train/latest"),
        help="folder of the run; resumed if it is there",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of neo_world_model/training.yaml",
    )
    output.add_json(parser, "steps, seconds and held-out figures")


def run(args: argparse.Namespace) -> int:
    """0: trained. NeoError (2): could not."""
    from neo_world_model.train import train

    overrides = given(args.set)
    if args.store:
        overrides["stores"] = [str(store.resolve()) for store in args.store]
    settings = config.load(args.recipe, **overrides)
    if not settings.stores:
        raise NeoError("nothing to train on: --store FOLDER (neo collect makes one)")
    first = os.environ.get("RANK", "0") == "0"
    card = train(settings, args.out, output.progress if first else _quiet)
    about = {"folder": str(args.out), **{name: card.get(name) for name in ("step", "seconds", "figures")}}
    if first and not output.put_json(args.json, about):
        print(f"{args.out}/model.safetensors: " + ", ".join(
            f"{k} {v:.3f}" for k, v in card["figures"].items() if isinstance(v, float)))  # fmt: skip
    return 0


def given(rows: Sequence[str], read: Callable[[str], Any] = yaml.safe_load) -> dict[str, Any]:
    """Settings out of ``NAME=VALUE``; ``read``: of a value, a ValueError says why not."""
    found = {}
    for row in rows:
        name, sign, value = row.partition("=")
        if not sign:
            raise NeoError(f"--set {row!r}; write it as NAME=VALUE")
        try:
            found[name] = read(value)
        except ValueError as error:
            raise NeoError(f"--set {row}: {error}") from None
    return found


def _quiet(line: str) -> None:
    pass
