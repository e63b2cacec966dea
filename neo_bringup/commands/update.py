"""``neo update``: the robot's side of releases."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from neo_bringup import output

if TYPE_CHECKING:
    from neo_flywheel.update.agent import Agent

HELP = "get, check, install and roll back models on a robot: neo update install --home HOME"
ROOT_BYTES = 512_000
LISTEN = 10.0  # s at most for a robot to say in what state it is


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=text, description=text)
        sub.add_argument("--home", type=Path, required=True, help="folder of the robot's agent")
        return sub

    enrol = action("enrol", "this robot believes a fleet from now on")
    enrol.add_argument("--robot", required=True, help="its name in the fleet")
    enrol.add_argument("--source", required=True, help="folder or http(s) address of the fleet")
    enrol.add_argument("--director", help="of the director, when it is served elsewhere")
    enrol.add_argument("--image-root", type=Path, help="first root, brought by hand; default: the source's")
    enrol.add_argument("--director-root", type=Path)
    enrol.add_argument("--canary", action="store_true", help="it takes releases that are signed for canaries")
    enrol.add_argument("--act-ms", type=float, default=50.0, help="of the act graph at most; default 50")
    enrol.add_argument("--timeout", type=float, default=15.0, help="s of an examination; default 15")
    action("check", "what there is for this robot")
    action("download", "fetches it, going on where an earlier try ended")
    install = action("install", "fetches, installs and starts it; rolls back by itself when it is not fit")
    rollback = action("rollback", "back to the other slot")
    rollback.add_argument("reason")
    for sub in (install, rollback):
        sub.add_argument(
            "--idle", action="store_true", help="no robot runs, or it is idle and safe: ask none"
        )
        sub.add_argument("--namespace", default="", help="ROS namespace of the robot")
    start = action("start", "checks the installed model and prints its folder, for `neo up model:=DIR`")
    start.add_argument(
        "--hold", action="store_true", help="a first start is marked good later, by `neo update good`"
    )
    action("good", "the model that runs did what it should")
    status = action("status", "what is installed, refused and why")
    status.add_argument("--json", action="store_true")
    report = action("report", "what the fleet should know, as JSON, for `neo release step --report`")
    report.add_argument("--tasks", type=int, default=0, help="done with the installed release")
    report.add_argument("--errors", type=int, default=0, help="in them")


def run(args: argparse.Namespace) -> int:
    """0: done, or nothing to do. NeoError (2): refused or not reached; what ran still does."""
    if args.action == "enrol":
        return _enrol(args)
    from neo_flywheel.update.agent import Agent

    may_switch = (lambda: "") if getattr(args, "idle", True) else (lambda: at_rest(args))
    agent = Agent(args.home.resolve(), may_switch, _progress)
    actions = {"check": _check, "download": _download, "install": _install, "rollback": _rollback,
               "start": _start, "good": _good, "status": _status, "report": _report}  # fmt: skip
    print(actions[args.action](agent, args), flush=True)
    return 0


def _enrol(args: argparse.Namespace) -> int:
    from neo_flywheel.update import clock, trust
    from neo_flywheel.update.agreement import Settings, enrol
    from neo_flywheel.update.report import own_key

    image = f"{_place(args.source)}/image"
    director = _place(args.director) if args.director else f"{_place(args.source)}/director"
    given = ((image, args.image_root), (director, args.director_root))
    roots = [
        file.read_bytes() if file else trust.fetch(where, "metadata/1.root.json", ROOT_BYTES)
        for where, file in given
    ]
    enrol(args.home, Settings(args.robot, image, director, args.canary, args.act_ms, args.timeout), *roots)
    key = own_key(args.home, clock.utc_now()).private.with_suffix(".json")
    print(f"its reports are signed; to be believed: `neo release robot {args.robot} --key {key}`")
    for (where, file), root in zip(given, roots, strict=True):
        ids = ", ".join(keyid[:8] for keyid in trust.root_keys(root))
        print(f"{args.robot} believes the root keys {ids} of {file or where}")
        if not file:
            print("  these came over the source itself: compare them with `neo keys list`")
    return 0


def _place(where: str) -> str:
    """An address as it is; a folder from wherever the agent is started later."""
    from neo_flywheel.update.source import is_web

    return where.rstrip("/") if is_web(where) else str(Path(where).resolve())


def _check(agent: Agent, args: argparse.Namespace) -> str:
    release = agent.check()
    if release is None:
        return "nothing new"
    megabytes = sum(content.length for content in release.files.values()) / 1e6
    return f"{release.channel}/{release.id}: {len(release.files)} files, {megabytes:.1f} MB"


def _download(agent: Agent, args: argparse.Namespace) -> str:
    release = agent.check()
    if release is None:
        return "nothing new"
    agent.download(release)
    return f"{release.id} is here; `neo update install` installs it"


def _install(agent: Agent, args: argparse.Namespace) -> str:
    if agent.status()["trial"]:  # an earlier call died after the switch
        agent.start()
    release = agent.check()
    if release is None:
        return "nothing new"
    agent.download(release)
    agent.install(release)
    return str(agent.start())


def _rollback(agent: Agent, args: argparse.Namespace) -> str:
    return str(agent.roll_back(args.reason))


def _start(agent: Agent, args: argparse.Namespace) -> str:
    return str(agent.start(confirm=not args.hold))


def _good(agent: Agent, args: argparse.Namespace) -> str:
    agent.mark_good()
    return _status(agent, args)


def _status(agent: Agent, args: argparse.Namespace) -> str:
    status = agent.status()
    if getattr(args, "json", False):
        return json.dumps(status, indent=2)
    lines = [f"robot {status['robot']}"]
    for name, slot in status["slots"].items():
        words = f"{slot['release']}, {'good' if slot['good'] else 'not yet good'}" if slot else "empty"
        lines.append(f"{'→' if name == status['active'] else ' '} slot {name}: {words}")
    lines += [f"  refused {release}: {why}" for release, why in status["refused"].items()]
    lines += [f"  {event['time']} {event['what']}" for event in status["events"][-5:]]
    return "\n".join(lines)


def _report(agent: Agent, args: argparse.Namespace) -> str:
    return json.dumps(agent.signed_report(args.tasks, args.errors), indent=2)


def at_rest(args: argparse.Namespace) -> str:
    """Why the robot must not get another model now; empty when it says that it is in STOP.

    Silence is no yes: on a busy machine a robot that moves may just not have been heard yet.
    """
    from neo_msgs.msg import SafetyState

    from neo_bringup.client import connect

    with connect(args) as stack:
        stack.wait(lambda: stack.safety is not None, LISTEN)
        if stack.safety is None:
            return f"no robot was heard within {LISTEN:g} s; if none runs, say so with --idle"
        return "" if stack.safety.state == SafetyState.STOP else "it has left STOP; `neo mode stop` first"


def _progress(line: str) -> None:
    """A line each; how far a file is takes one line for all."""
    output.progress(line, passing=line.startswith("get "))
