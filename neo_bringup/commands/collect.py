"""``neo collect``: episodes of the simulated robot for the world model."""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from pathlib import Path

from neo_bringup import output, processes
from neo_bringup.collect import collect as collecting
from neo_description.errors import NeoError
from neo_teleop.track import Track
from neo_world_model import sources
from neo_world_model.episode import Episode
from neo_world_model.modalities import PROVENANCE, SOURCES
from neo_world_model.sources import FORMATS
from neo_world_model.store import Store

Job = tuple[str, int, str, Path | None, None, str]  # as `collect` takes them
HELP = "collect episodes for training, simulated or from bags: neo collect runs/data/sim --episodes 100"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("store", type=Path, help="folder; one that is there is added to")
    parser.add_argument("--episodes", type=int, default=20, help="how many; default 20")
    parser.add_argument("--first-seed", type=int, help="default: after those in the store")
    parser.add_argument("--kind", default="", help=f"one of {', '.join(collecting.kinds())}; default: mixed")
    parser.add_argument("--scene", default="kitchen_table")
    parser.add_argument(
        "--bag", type=Path, action="append", default=[], help="folder of a recording; may be repeated"
    )
    parser.add_argument(
        "--read", nargs=2, action="append", default=[], metavar=("FORMAT", "PATH"),
        help=f"somebody's data: {', '.join(FORMATS)}; give its --source; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--replay-teleop", type=Path, action="append", default=[], metavar="TRACK",
        help="an operator's track, played to the simulated robot; may be repeated",
    )  # fmt: skip
    parser.add_argument("--tracks", type=Path, help="folder that keeps the tracks of simulated operators")
    parser.add_argument(
        "--model", default="", help="that acts in episodes of kind helped; default: the one that ships"
    )
    parser.add_argument("--source", default="on_policy", help=f"of bags and data: {', '.join(SOURCES)}")
    parser.add_argument(
        "--by",
        default="policy",
        help=f"who chose the actions of bags that do not say: {', '.join(PROVENANCE)}",
    )
    parser.add_argument("--prompt", default="", help="what was asked for in the bags")
    parser.add_argument("--workers", type=int, default=0, help="processes; default: one a core")
    output.add_json(parser, "what was added")


def run(args: argparse.Namespace) -> int:
    """0: all collected. NeoError (2): could not run."""
    if args.replay_teleop:
        return _replayed(args)
    return _recorded(args) if args.bag or args.read else _simulated(args)


def _replayed(args: argparse.Namespace) -> int:
    tracks = [Track.load(file) for file in args.replay_teleop]  # all, before the first is played
    store, steps = Store.create(args.store), 0
    for file, track in zip(args.replay_teleop, tracks, strict=True):
        episode = collecting.replay(track)
        store.add(episode)
        steps += len(episode)
        output.progress(f"{file}: {len(episode)} steps, {episode.prompt}")
    _tell(args, f"{len(tracks)} tracks played and added", len(tracks), steps)
    return 0


def _recorded(args: argparse.Namespace) -> int:
    from neo_bringup.collect import bag

    for name, allowed in ((args.source, SOURCES), (args.by, PROVENANCE)):
        if name not in allowed:
            raise NeoError(f"{name!r} is none of {', '.join(allowed)}")
    store, steps, count = Store.create(args.store), 0, 0
    bags = (e for folder in args.bag for e in bag.read(folder, args.source, args.by, args.prompt))
    others = (e for form, path in args.read for e in sources.read(form, path, args.source))
    for episode in itertools.chain(bags, others):
        store.add(episode)
        steps, count = steps + len(episode), count + 1
        output.progress(f"{count}: {len(episode)} steps, {episode.prompt or '-'}")
    _tell(args, f"{count} episodes of {steps} steps added", count, steps)
    return 0


def _tell(args: argparse.Namespace, text: str, episodes: int, steps: int, **more: object) -> None:
    about = {"store": str(args.store), "episodes_added": episodes, "steps_added": steps, **more}
    if not output.put_json(args.json, about):
        print(f"{args.store}: {text}")


def _simulated(args: argparse.Namespace) -> int:
    if args.episodes < 1:
        raise NeoError(f"--episodes {args.episodes}; at least 1")
    if args.kind and args.kind not in collecting.kinds():
        raise NeoError(f"--kind {args.kind}; one of {', '.join(collecting.kinds())}")
    store = Store.create(args.store)
    first = args.first_seed
    if first is None:
        first = max((e["seed"] + 1 for e in store.episodes), default=0)
    jobs = [
        (args.kind or collecting.drawn_kind(seed), seed, args.scene, args.tracks, None, args.model)
        for seed in range(first, first + args.episodes)
    ]
    workers = min(args.workers or len(os.sched_getaffinity(0)), len(jobs))
    began, kinds, steps = time.monotonic(), Counter[str](), 0
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with processes.pool(workers) as pool:
        for i, episode in enumerate(_in_order(pool, jobs, 2 * workers)):
            store.add(episode)
            kinds[episode.kind] += 1
            steps += len(episode)
            output.progress(
                f"{i + 1} of {len(jobs)}: {episode.kind}, {len(episode)} steps, {episode.prompt or '-'}"
            )
    seconds = sum(e["steps"] for e in store.episodes) / 10.0
    text = (
        f"{len(store.episodes)} episodes, {seconds:.0f} s of plant time; now added "
        f"{', '.join(f'{n} {kind}' for kind, n in kinds.items())} in {time.monotonic() - began:.0f} s"
    )
    _tell(args, text, len(jobs), steps, kinds=dict(kinds))
    return 0


def _in_order(pool: Executor, jobs: list[Job], ahead: int) -> Iterator[Episode]:
    """Episodes in the order of ``jobs``; no more than ``ahead`` are begun, for who is killed stops soon."""
    begun: deque[Future[Episode]] = deque()
    for job in jobs:
        begun.append(pool.submit(_collect, job))
        if len(begun) >= ahead:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def _collect(job: Job) -> Episode:
    return collecting.collect(*job)
