"""``neo gate``: may a model take the place of the one that runs?"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from neo_bringup import output
from neo_bringup.learning import asked
from neo_bringup.learning.round import FIRST_SEED, TRIALS

HELP = "may a model take another's place: neo gate runs/new --against models/neo --replay runs/held-out"
REFUSED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("candidate", type=Path, help="folder of a model, as `neo export --out` writes it")
    parser.add_argument("--against", type=Path, help="the model that runs; default: none, absolute minimums")
    parser.add_argument(
        "--replay", type=Path, action="append", default=[], required=True, metavar="STORE",
        help="a store of episodes that nobody trained on; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--trials", type=int, default=TRIALS, help=f"held-out tasks; 0: none; default {TRIALS}"
    )
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, help="of the held-out tasks")
    parser.add_argument("--kept", type=Path, help="folder that keeps trials, to go on from; default: none")
    asked.add_engine(parser)
    output.add_json(parser, "the verdict")


def run(args: argparse.Namespace) -> int:
    """0: it may; 1: refused, with reasons. NeoError (2): could not tell."""
    from neo_bringup import engine
    from neo_bringup.learning.tasks import Tasks, do_task
    from neo_flywheel.learning import gate
    from neo_world_model.store import Store

    asked.check_trials(args.trials)
    stores = [Store(folder) for folder in args.replay]
    seeds = range(args.first_seed, args.first_seed + args.trials)
    with tempfile.TemporaryDirectory() as scratch, engine.make(args.engine, args.workers) as jobs:
        kept = args.kept or Path(scratch)
        tasks = Tasks(jobs, do_task, seeds, kept, output.progress) if args.trials else None
        verdict = gate.judge(args.candidate, args.against, stores, tasks, output.progress)
    if not output.put_json(args.json, verdict.row()):
        asked.show(verdict.row())
    return 0 if verdict.passed else REFUSED
