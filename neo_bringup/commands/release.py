"""``neo release``: publishes models to a fleet, signed, canaries first."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from neo_bringup import output

if TYPE_CHECKING:
    from neo_flywheel.update.fleet import Fleet

HELP = "sign a model and roll it out: neo release publish models/neo --version 1.0 --fleet FLEET --keys KEYS"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=text, description=text)
        sub.add_argument("--fleet", type=Path, required=True, help="folder of the fleet")
        sub.add_argument("--keys", type=Path, action="append", default=[], help="folder; may be repeated")
        return sub

    action("init", "a new fleet: an image repository and a director, empty and signed")
    robot = action("robot", "a robot joins the fleet")
    robot.add_argument("name")
    robot.add_argument("--canary", action="store_true", help="it gets releases first")
    robot.add_argument("--key", type=Path, help="the public half of its own, as `neo update enrol` names it")
    publish = action("publish", "signs a model folder and begins to roll it out")
    publish.add_argument("model", type=Path)
    publish.add_argument("--version", required=True)
    publish.add_argument("--to", choices=("canary", "all"), default="canary", help="default canary")
    gates = {"soak": "h in a stage at least", "tasks": "done in a stage at least",
             "reported": "share of a stage's robots that must run it", "failed": "share that may refuse it",
             "errors": "errors a task, at most"}  # fmt: skip
    for name, text in gates.items():
        publish.add_argument(f"--{name}", type=int if name == "tasks" else float, help=text)
    for name, text in (
        ("promote", "signs a canary as stable"),
        ("withdraw", "no robot installs it any more"),
    ):
        action(name, text).add_argument("version")
    step = action("step", "lets the roll-out decide by the robots' reports")
    step.add_argument("--report", type=Path, action="append", default=[], help="a robot's, to take in first")
    action("stop", "emergency stop: all robots are assigned what they had before").add_argument("reason")
    action("refresh", "signs again what would expire; once a day")
    output.add_json(action("list", "releases, robots and the roll-out"), "all of it")


def run(args: argparse.Namespace) -> int:
    """0: done. NeoError (2): refused, nothing changed."""
    from neo_flywheel.update.fleet import Fleet

    fleet = Fleet(args.fleet, args.keys)
    actions = {
        "init": _init, "robot": _robot, "publish": _publish, "promote": _promote, "withdraw": _withdraw,
        "step": _step, "stop": _stop, "refresh": _refresh, "list": _list,
    }  # fmt: skip
    print(actions[args.action](fleet, args), flush=True)
    return 0


def _init(fleet: Fleet, args: argparse.Namespace) -> str:
    fleet.create()
    return f"{args.fleet}: serve image and director to robots; `neo release refresh` once a day"


def _robot(fleet: Fleet, args: argparse.Namespace) -> str:
    # who only tells a key does not mean that the robot is no canary any more
    canary = args.canary or (args.key is not None and fleet.robots().get(args.name, False))
    fleet.add_robot(args.name, canary, args.key)
    words = f"{args.name} is in the fleet{', a canary' if canary else ''}"
    return words if fleet.believes(args.name) else f"{words}; without --key its reports are not believed"


def _publish(fleet: Fleet, args: argparse.Namespace) -> str:
    from neo_description.here import commit
    from neo_flywheel.update import clock, release
    from neo_flywheel.update.rollout import Gate, Stage

    fleet.check_free()
    given = {name: getattr(args, name) for name in ("soak", "tasks", "reported", "failed", "errors")}
    gate = Gate(**{name: value for name, value in given.items() if value is not None})
    channel, stage = ("canary", Stage.CANARY) if args.to == "canary" else ("stable", Stage.ALL)
    made = {"time": clock.utc_now().isoformat(timespec="seconds"), "commit": commit()}
    output.progress(f"checking and signing {args.model}")
    names = release.publish(fleet.repository("image"), args.model, args.version, channel, made)
    rollout = fleet.begin(args.version, channel, gate, stage)
    return f"{rollout.release}: {len(names)} files signed, roll-out at {rollout.stage}"


def _promote(fleet: Fleet, args: argparse.Namespace) -> str:
    from neo_flywheel.update import release

    release.promote(fleet.repository("image"), args.version)
    fleet.apply()
    return f"stable/{args.version} is signed"


def _withdraw(fleet: Fleet, args: argparse.Namespace) -> str:
    from neo_description.errors import NeoError
    from neo_flywheel.update import release

    rollout = fleet.rollout()
    if rollout and rollout.stage != "stopped" and rollout.release.endswith(f"/{args.version}"):
        raise NeoError(f"{args.version} is what robots are assigned; `neo release stop` first")
    image = fleet.repository("image")
    for channel, versions in release.releases(image).items():
        if args.version in versions:
            release.withdraw(image, channel, args.version)
            args.done = True
    if not getattr(args, "done", False):
        release.find(image, args.version)  # says which there are
    return f"{args.version} is listed no more"


def _step(fleet: Fleet, args: argparse.Namespace) -> str:
    from neo_flywheel import files

    for file in args.report:
        fleet.take_report(files.read_json(file, "report"))
    return fleet.step()


def _stop(fleet: Fleet, args: argparse.Namespace) -> str:
    return fleet.stop(args.reason)


def _refresh(fleet: Fleet, args: argparse.Namespace) -> str:
    return "\n".join([*fleet.refresh(), "signed again"])


def _list(fleet: Fleet, args: argparse.Namespace) -> str:
    from neo_flywheel.update import director, release

    assigned = director.assignments(fleet.repository("director"))
    robots = {
        name: {"canary": canary, "assigned": assigned.get(name, {}).get("release", "")}
        for name, canary in fleet.robots().items()
    }
    releases, rollout = release.releases(fleet.repository("image")), fleet.rollout()
    facts = {"robots": robots, "releases": releases, "rollout": rollout.row() if rollout else None}
    if args.json == output.STDOUT:
        return json.dumps(facts, indent=2)
    output.put_json(args.json, facts)
    table = Table(box=None)
    for column in ("robot", "canary", "assigned"):
        table.add_column(column)
    for name, robot in robots.items():
        table.add_row(name, "yes" if robot["canary"] else "", robot["assigned"] or "nothing")
    output.console().print(table)
    for channel, versions in releases.items():
        print(f"{channel}: {', '.join(versions) or 'none'}")
    return json.dumps(rollout.row(), indent=2) if rollout else "nothing is rolled out"
