"""``neo up``: starts the robot from a launch file and watches over it."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from neo_bringup import exposure, preflight
from neo_bringup.console import access
from neo_bringup.console.gate import HOST, Gate
from neo_bringup.instance import InstanceLock
from neo_bringup.launch_xml import declared_arguments, load
from neo_bringup.output import Output
from neo_bringup.policy import ON_DEATH
from neo_bringup.supervisor import Supervisor
from neo_description.errors import NeoError
from neo_ros.environment import ros_environment

HELP = "start the robot (in simulation), watch over it, stop it on Ctrl-C"

OWN = {
    "stand": ("false", "ask the body to stand as soon as everything is up", ("true", "false")),
    "on_death": (
        "policy",
        "when a node dies: as neo_bringup/supervision.yaml says, or of whichever: stop "
        "everything, restart it",
        ON_DEATH,
    ),
}


def launch_file() -> Path:
    """``neo.launch.xml`` of this checkout, or of the installed package."""
    beside = Path(__file__).parents[2] / "launch" / "neo.launch.xml"
    installed = Path(sys.prefix) / "share" / "neo_humanoid" / "launch" / "neo.launch.xml"
    for file in (beside, installed):
        if file.is_file():
            return file
    raise NeoError(f"no launch file: neither {beside} nor {installed} is there")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "arguments", nargs="*", metavar="name:=value", help="launch arguments, see --show-args"
    )
    parser.add_argument("--file", type=Path, help="another launch file")
    parser.add_argument("--show-args", action="store_true", help="list the launch arguments and end")
    parser.add_argument("--quiet", action="store_true", help="drop what the nodes print")
    parser.add_argument("--runner", choices=("auto", "own"), default="auto",
                        help="auto hands over to `ros2 launch` where launch_ros is installed")  # fmt: skip
    parser.add_argument("--linger", type=float, default=2.8, metavar="S",
                        help="most wall time to stay up, held, after a node died")  # fmt: skip


def split(words: list[str], declared: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Launch arguments and our own from ``name:=value`` words; NeoError lists the valid names."""
    given = {}
    for word in words:
        name, separator, value = word.partition(":=")
        if not separator or not name:
            raise NeoError(f"{word!r} is no launch argument; write name:=value")
        if name not in declared and name not in OWN:
            raise NeoError(f"no launch argument {name!r}; there are: {', '.join([*declared, *OWN])}")
        given[name] = value
    own = {name: given.pop(name, default) for name, (default, _, _) in OWN.items() if name not in declared}
    for name, value in own.items():
        if value not in OWN[name][2]:
            raise NeoError(f"{name}:={value}: one of {', '.join(OWN[name][2])}")
    return given, own


def run(args: argparse.Namespace) -> int:
    """0: Ctrl-C ended it; 1: a node died, or did not come up; 130: Ctrl-C before it was up. NeoError (2)."""
    file = (args.file or launch_file()).resolve()
    declared = declared_arguments(file)
    if args.show_args:
        for argument in declared.values():
            print(f"{argument.name}:={argument.default or ''}  {argument.description}")
        for name, (default, text, _) in OWN.items():
            print(f"{name}:={default}  {text}")
        return 0
    given, own = split(args.arguments, list(declared))
    environment = {**os.environ, **ros_environment()}
    os.environ.update(environment)
    launch = load(file, given, environment)
    values = launch.values
    if warning := exposure.check(environment):
        print(f"[neo] {warning}", file=sys.stderr, flush=True)
    domain = _domain(environment)
    lock = InstanceLock(domain, values.get("namespace", ""))
    _preflight(values)
    if args.runner == "auto" and importlib.util.find_spec("launch_ros") and shutil.which("ros2"):
        _hand_over(file, given, own, lock)
    supervisor = Supervisor(
        launch,
        namespace="/" + values.get("namespace", "").strip("/"),
        environment=environment,
        output=Output(quiet=args.quiet),
        stand=own.get("stand") == "true",
        on_death=own.get("on_death", OWN["on_death"][0]),
        linger_wall=args.linger,
        notes=_notes(values),
    )
    try:
        return supervisor.run()
    finally:
        lock.close()


def _domain(environment: dict[str, str]) -> int:
    text = environment.get("ROS_DOMAIN_ID") or "0"
    if not text.isdigit() or int(text) > 232:
        raise NeoError(f"ROS_DOMAIN_ID={text!r} is no domain; 0 to 101 is safe on Linux")
    return int(text)


def _preflight(values: dict[str, str]) -> None:
    if values.get("console") == "true":
        text = values.get("console_port", "0")
        if not text.isdigit():
            raise NeoError(f"console_port:={text} is no port; 0 to 65535")
        preflight.check_port(int(text), _gate(values).host)
    if values.get("cameras") == "true":
        preflight.check_gl()
    if values.get("record") == "true" and values.get("record_path"):
        preflight.make_folder(Path(values["record_path"]))


def _gate(values: dict[str, str]) -> Gate:
    folder = values.get("console_access", "")
    given = access.load(Path(folder).expanduser()) if folder else None
    return Gate(values.get("console_host") or HOST, given)


def _notes(values: dict[str, str]) -> list[str]:
    notes = []
    if values.get("console") == "true":
        notes.append(f"console: {_gate(values).address(int(values['console_port']))}")
    return notes


def _hand_over(file: Path, given: dict[str, str], own: dict[str, str], lock: InstanceLock) -> None:
    """Becomes ``ros2 launch``: a launch with launch_ros installed is its to run."""
    for name, value in own.items():
        if value != OWN[name][0]:
            raise NeoError(f"{name}:={value} needs our own runner: add --runner own")
    lock.keep_through_exec()
    ros2 = shutil.which("ros2") or "ros2"
    words = [ros2, "launch", str(file), *(f"{name}:={value}" for name, value in given.items())]
    print(f"[neo] launch_ros is installed: {' '.join(words[1:])}", flush=True)
    os.execv(ros2, words)
