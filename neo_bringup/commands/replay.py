"""``neo replay``: a real node answers a bag again; is it what it is to say?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neo_bringup import output

HELP = "give a bag to a node again, and compare what it says with its reference"
SAME, DIFFERS = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bag", type=Path, help="folder of a bag, or one .mcap or .db3 file")
    parser.add_argument("--node", required=True, help="which one: neo_flywheel/replay/nodes.yaml")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="compare with the reference beside the bag")
    what.add_argument("--accept", action="store_true", help="what it says now becomes the reference")
    what.add_argument("--make", metavar="SHORT", help="write a short bag first: standing, push, reach, …")
    parser.add_argument("--seed", type=int, default=0, help="of --make")
    parser.add_argument("--lean", action="store_true", help="of --make: only this node's topics")
    parser.add_argument("--reason", default="", help="of --accept: why what it says now is right")
    parser.add_argument("--dirty", action="store_true", help="accept where files differ from the commit, too")
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="parameter of the node"
    )
    parser.add_argument("--no-budget", action="store_true", help="what it costs does not count")
    parser.add_argument("--report", type=Path, metavar="DIR", help="of --check (default BAG.NODE.report)")
    output.add_json(parser, "of --check: the verdict")


def run(args: argparse.Namespace) -> int:
    """0: done, or the same. 1: differs. NeoError (2): could not."""
    from neo_bringup.commands.train import given
    from neo_bringup.launch_parameters import typed
    from neo_bringup.replay import shorts
    from neo_bringup.replay.lockstep import replay
    from neo_description.errors import NeoError
    from neo_flywheel.message_types import installed
    from neo_flywheel.replay import compare, reference, source, table, verdict
    from neo_flywheel.replay.codec import Codec

    parameters = given(args.set, read=lambda text: typed(text, None))
    if args.json and not args.check:
        raise NeoError("--json is of --check: only a verdict is worth a program's while")
    if args.accept and parameters:
        raise NeoError("a reference is of a node as it ships: --accept takes no --set")
    row, book = table.row(args.node), installed()
    if args.make:
        shorts.write(args.make, args.bag, args.seed, (*row.wanted, row.answer) if args.lean else ())
    known: Callable[[str], str] = lambda name: book.find(name).definition  # noqa: E731
    bag = source.read(args.bag, row, known)
    verdict.worth_sending(bag, row)
    if bag.migrated:
        print(f"older definitions, migrated: {', '.join(bag.migrated)}", file=sys.stderr)
    was = reference.read(bag, row) if args.check else None
    ran = replay(bag, row, parameters, say=output.progress)
    notes = [f"refused: {line}" for line in ran.refused]
    if ran.unanswered:
        notes.append(f"{ran.unanswered} of {ran.driven} messages of {row.drive} got no answer")
    for line in notes if args.json != output.STDOUT else ():
        print(line)
    if args.accept:
        print(f"accepted: {reference.write(bag, row, ran, args.reason, book, args.dirty)}")
        return SAME
    now = Codec(known)
    verdict.worth_comparing(ran.outputs, row, now)
    if was is None:
        for topic, said in ran.outputs.items():
            print(f"{len(said):8} {topic}")
        for name, value in ran.cost().items():
            print(f"{value:8.1f} {name}")
        if bag.answers:
            wanted, said = row.outputs[row.answer], ran.outputs[row.answer]
            same = compare.alike(row.answer, wanted, bag.answers, said, now)
            print(f"{same} of {len(bag.answers)} answers are those that the bag holds")
        return SAME
    about = was.about
    found = verdict.judge(row, was.outputs, ran, was.codec, now, budgets=not args.no_budget, here=about.here)
    if not about.here:
        notes.append(f"the reference is of {about.processor}: numbers may be {row.rounding:g} off here")
        if args.json != output.STDOUT:
            print(notes[-1])
    return _tell(args, found, about, notes)


def _tell(args: argparse.Namespace, found: Any, about: Any, notes: list[str]) -> int:
    from neo_flywheel.replay import reference, report

    place = args.report or reference.place(args.bag, args.node).with_suffix(".report")
    page = report.write(place, found, about, args.bag)
    if output.put_json(args.json, {**report.facts(found, about), "notes": notes, "report": str(page)}):
        return SAME if found.same else DIFFERS
    costs = ", ".join(f"{name} {value:.0f}" for name, value in found.cost.items())
    said = f"{sum(found.counts.values())} messages on {len(found.counts)} topics"
    if found.same:
        print(f"{found.node}: the same as {about.commit or 'the reference'} said, {said}; {costs}")
        return SAME
    print(f"{found.node}: not what {about.commit or 'the reference'} said ({about.reason}), {said}; {costs}")
    for line in found.reasons:
        print(f"  {line}")
    print(f"plots: {page}")
    return DIFFERS
