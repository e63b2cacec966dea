"""``neo learn``: a round of learning on what robots recorded."""

from __future__ import annotations

import argparse
from pathlib import Path

from neo_bringup import output
from neo_bringup.data import common
from neo_bringup.learning import asked
from neo_bringup.learning.round import FIRST_SEED, TRIALS

HELP = "a round of learning: neo learn runs/library --from models/neo --out rounds/1 --store runs/data/sim"
REFUSED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("library", type=Path, help="folder of the library (`neo data add`)")
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="MODEL", help="the model that runs; default: from scratch"
    )
    parser.add_argument("--recipe", default="", help="of a model from scratch, as of `neo train`")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the round, which it is named by; gone on with"
    )
    common.add_filters(parser)
    parser.add_argument("--limit", type=int, default=100_000, help="at most so many episodes, the newest")
    parser.add_argument("--every", type=int, default=5, help="one of so many is held out; default 5")
    parser.add_argument("--by", default="policy", help="who chose the actions where a recording does not say")
    parser.add_argument(
        "--store", type=Path, action="append", default=[], help="more to train on; may be repeated"
    )
    parser.add_argument(
        "--replay", type=Path, action="append", default=[], metavar="STORE",
        help="more episodes for the gate, that nobody trains on; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE",
        help="a setting of neo_world_model/training.yaml",
    )  # fmt: skip
    parser.add_argument(
        "--trials", type=int, default=TRIALS, help=f"held-out tasks; 0: none; default {TRIALS}"
    )
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, help="of the held-out tasks")
    asked.add_engine(parser)
    output.add_json(parser, "model and verdict")


def run(args: argparse.Namespace) -> int:
    """0: a model that may be released; 1: refused, with reasons. NeoError (2): could not be done."""
    from neo_bringup import engine
    from neo_bringup.commands.train import given
    from neo_bringup.learning.round import Settings, learn
    from neo_flywheel.learning.dataset import Choice

    asked.check_trials(args.trials)
    settings = Settings(
        Choice(common.filters(args), args.limit, args.every), tuple(args.store), tuple(args.replay),
        args.recipe, given(args.set), args.first_seed, args.trials, by=args.by,
    )  # fmt: skip
    with common.opened(args) as library, engine.make(args.engine, args.workers) as jobs:
        made = learn(library, args.start, args.out, settings, jobs, output.progress)
    if output.put_json(args.json, {"model": str(made.model), **made.verdict}):
        return 0 if made.passed else REFUSED
    asked.show(made.verdict)
    print(f"{made.model}: `neo release publish {made.model}`" if made.passed else f"{made.model} stays here")
    return 0 if made.passed else REFUSED
