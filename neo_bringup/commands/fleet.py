"""``neo fleet``: simulated robots act, send and update; a server learns from them, judges and releases."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.table import Table

from neo_bringup import output
from neo_bringup.fleet.settings import CHOICES, Place, Settings
from neo_description.errors import NeoError

HELP = "simulated robots that learn from what they do: neo fleet --robots 4 --rounds 2 --out runs/fleet"
OPTIONS = (
    "robots", "rounds", "prompts", "model", "stores", "replays", "minutes", "trials", "choose", "share",
    "seed", "engine", "workers",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    known = Settings()
    parser.add_argument("--robots", type=int, help=f"each a process; default {known.robots}")
    parser.add_argument("--rounds", type=int, help=f"up to this one; default {known.rounds}")
    parser.add_argument("--out", type=Path, help="folder of the fleet; default runs/fleet-TIME")
    parser.add_argument("--prompts", type=int, help=f"of a robot in a round; default {known.prompts}")
    parser.add_argument("--model", help="folder of the first model; default: the one that ships")
    parser.add_argument(
        "--store", dest="stores", action="append", metavar="STORE",
        help="episodes to train on besides, so that nothing is forgotten; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--replay", dest="replays", action="append", metavar="STORE",
        help="more episodes for the gate, that nobody trains on; may be repeated",
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, help=f"of a training; default {known.minutes:g}")
    parser.add_argument("--trials", type=int, help=f"held-out, of each version; default {known.trials}")
    parser.add_argument("--choose", help=f"what leaves a robot: {', '.join(CHOICES)}; default {known.choose}")
    parser.add_argument(
        "--share", type=float, help=f"of the recorded steps, where it is chosen; default {known.share:g}"
    )
    parser.add_argument("--seed", type=int, help="of all worlds and draws; default 0")
    parser.add_argument("--engine", help="local, or ray; default local")
    parser.add_argument("--workers", type=int, help="processes side by side; default: one a core")
    parser.add_argument("--resume", action="store_true", help="go on with the fleet in --out")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    for name, text in (("status", "prints its rounds"), ("show", "its rounds as a web page, live")):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("folder", type=Path, help="of a fleet")
        if name == "status":
            output.add_json(action, "its rounds")
        else:
            action.add_argument("--port", type=int, default=8080, help="on 127.0.0.1; 0: any free one")


def run(args: argparse.Namespace) -> int:
    """0: all rounds are done. NeoError (2): could not; what was done stays."""
    if args.action == "status":
        return _status(Place(args.folder), args.json)
    if args.action == "show":
        return _show(args)
    from neo_bringup import engine
    from neo_bringup.fleet.learning import learn
    from neo_bringup.fleet.rounds import Rounds

    place = Place((args.out or Path("runs") / time.strftime("fleet-%Y%m%d-%H%M%S")).resolve())
    settings = _settings(args, place)
    with engine.make(settings.engine, settings.workers) as jobs:
        place.save(settings)
        output.progress(f"{place.root}: {settings.robots} robots, {settings.rounds} rounds")
        Rounds(place, settings, learn, jobs, output.progress).run(settings.rounds)
    return _status(place)


def _settings(args: argparse.Namespace, place: Place) -> Settings:
    """Of a new fleet, or of the one that goes on."""
    given = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    if "model" in given:
        given["model"] = str(Path(given["model"]).resolve())
    for name in {"stores", "replays"} & set(given):
        given[name] = tuple(str(Path(store).resolve()) for store in given[name])
    there = (place.root / "settings.json").exists()
    if there and not args.resume:
        raise NeoError(f"{place.root} holds a fleet; --resume goes on with it, another --out begins one")
    if args.resume and not there:
        raise NeoError(
            f"--resume: no fleet in {place.root}" + ("" if args.out else "; --out names its folder")
        )
    if there:
        settings = place.settings().changed(given)
    else:
        from neo_world_model import shipped

        settings = Settings(**{"model": str(Path(shipped.model()).resolve()), **given})
        if not (Path(settings.model) / "model.json").is_file():
            raise NeoError(f"--model {settings.model} holds no model; `neo export RUN --out DIR` writes one")
    return settings


def _status(place: Place, json: Path | None = None) -> int:
    from neo_bringup.fleet import rows

    settings, every = place.settings(), rows.read(place)
    if output.put_json(json, {"robots": settings.robots, "prompts": settings.prompts, "rounds": every}):
        return 0
    table = Table(
        title=f"{place.root}: {settings.robots} robots, {settings.prompts} prompts a round", box=None
    )
    for column in rows.COLUMNS:
        table.add_column(column)
    for row in every:
        table.add_row(*rows.cells(row).values())
    output.console().print(table)
    for row in every:
        for line in rows.remarks(row):
            print(f"round {row['round']}: {line}")
    if not every:
        print("no round has begun")
    return 0


def _show(args: argparse.Namespace) -> int:
    from neo_bringup.console.fleet_page import FleetPage

    page = FleetPage(Place(args.folder), args.port)
    print(f"fleet: {page.address}", flush=True)
    try:
        page.run()
    finally:
        page.close()
    return 0
