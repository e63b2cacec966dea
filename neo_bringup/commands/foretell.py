"""``neo foretell "prompt"``: what would follow, without acting."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from typing import Any

from rich.table import Table

from neo_bringup import output
from neo_bringup.client import add_namespace, connect
from neo_description.errors import NeoError
from neo_description.signals import Foretold

HELP = 'what a task would lead to, without doing it: neo foretell "pick up the green cup"'
START = "neo up world_model:=true model:=DIR (none: the one that ships)"
WAIT = 5.0  # s


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", nargs="?", default="", help="none: what is asked for now goes on")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_namespace(parser)


def run(args: argparse.Namespace) -> int:
    """0: nothing forbids it; 1: it would be vetoed; NeoError (2): nobody can tell."""
    from neo_msgs.srv import Foretell

    from neo_ros import convert, graph

    with connect(args) as stack:
        client = graph.service_client(stack.node, "world_model/foretell")
        if not client.wait_for_service(timeout_sec=WAIT):
            raise NeoError(f"nobody serves {client.service_name}: no world model watches; start one: {START}")
        answer = stack.call(client, Foretell.Request(prompt=args.prompt), WAIT)
    if not answer.success:
        raise NeoError(f"nothing can be foretold: {answer.message}")
    foretold = convert.foretold(answer)
    if args.json:
        print(json.dumps(plain(foretold)))
    else:
        show(foretold, args.prompt)
    return 1 if foretold.vetoed else 0


def plain(foretold: Foretold) -> dict[str, Any]:
    """``foretold`` as JSON has it; NaN is null."""
    follows = foretold.consequences
    events = [dataclasses.asdict(event) for event in follows.events]
    for event in events:
        event["likely_after"] = None if math.isnan(event["likely_after"]) else event["likely_after"]
    things = [{**dataclasses.asdict(one), "position": one.position.tolist()} for one in foretold.beliefs]
    return {
        "time": follows.time, "horizon": follows.horizon, "events": events, "vetoed": foretold.vetoed,
        "would": foretold.would, "beliefs": things,
    }  # fmt: skip


def show(foretold: Foretold, prompt: str) -> None:
    """Tables for people."""
    follows, console = foretold.consequences, output.console()
    asked = f'"{prompt}"' if prompt else "what is asked for now"
    table = Table(title=f"{asked}, the next {follows.horizon:g} s")
    for column in ("something", "chance", "likelier than not"):
        table.add_column(column)
    for event in follows.events:
        chance = f"{event.chance:.0%}" + ("" if event.calibrated else " (not calibrated)")
        never = math.isnan(event.likely_after)
        table.add_row(event.name, chance, "–" if never else f"after {event.likely_after:.1f} s")
    console.print(table)
    if foretold.beliefs:
        table = Table(title="where things are, m in odom")
        for column in ("of the prompt", "x", "y", "z", "give or take", "seen", "still there"):
            table.add_column(column)
        for one in foretold.beliefs:
            place = (f"{value:.2f}" for value in one.position)
            seen = "in view" if one.in_view else "remembered"
            table.add_row(one.role, *place, f"{one.std:.2f}", seen, f"{one.still_there:.0%}")
        console.print(table)
    if foretold.vetoed:
        print(f"it would not be done: {foretold.would}")
