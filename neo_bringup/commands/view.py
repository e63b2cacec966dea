"""``neo view``: the console for a robot that runs already."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import Any

from neo_bringup.client import add_namespace

HELP = "show the robot, or a recording, in a web page, on this machine by default, with a prompt box and STOP"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8080, help="TCP port; 0: any free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at; others need --access")
    parser.add_argument(
        "--access", default="", metavar="DIR", help="certificate and token of `neo access create`"
    )
    parser.add_argument("--open-watching", action="store_true", help="who has no token may watch")
    parser.add_argument(
        "--furniture", default="kitchen_table", help="scene whose fixed furniture is drawn; empty: none"
    )
    parser.add_argument(
        "--furniture-file", default="", metavar="FILE", help="further scenes, as scene_file of `neo up`"
    )
    parser.add_argument(
        "--bag", type=Path, help="replay this recording (MCAP) with a scrubber; no robot is needed"
    )
    parser.add_argument("--fleet", default="", metavar="URL", help="address of the fleet's page, linked")
    parser.add_argument(
        "--updates", default="", metavar="HOME", help="the robot's `neo update --home`: show its state"
    )
    add_namespace(parser)


def run(args: argparse.Namespace) -> int:
    """0: served until Ctrl-C, its address printed first. NeoError (2): a taken port, a bad certificate."""
    if args.bag is not None:
        return _replay(args)
    # imported here: the page's libraries take a second, and `neo --help` does not need them
    from neo_bringup.console.node import ConsoleNode
    from neo_ros.main import run as run_nodes

    arguments = ["--ros-args", "-p", f"port:={args.port}", "-p", f"furniture:='{args.furniture}'"]
    arguments += ["-p", f"furniture_file:='{args.furniture_file}'"]
    arguments += ["-p", f"host:='{args.host}'", "-p", f"access:='{args.access}'"]
    arguments += ["-p", f"fleet:='{args.fleet}'", "-p", f"updates:='{args.updates}'"]
    arguments += ["-p", f"open_watching:={str(args.open_watching).lower()}"]
    if args.namespace:
        arguments += ["-r", f"__ns:=/{args.namespace.strip('/')}"]
    run_nodes(ConsoleNode, args=arguments)
    return 0


def _replay(args: argparse.Namespace) -> int:
    """Serve the recording until Ctrl-C; NeoError when it cannot be read."""
    from neo_bringup.console.node import PARAMETERS, furniture, gate
    from neo_bringup.console.page import Page
    from neo_bringup.console.recording import Recording
    from neo_description import parameters
    from neo_description.builder import build_robot

    given: dict[str, Any] = {
        name: getattr(args, name)
        for name in (
            "port",
            "host",
            "access",
            "open_watching",
            "furniture",
            "furniture_file",
            "fleet",
            "updates",
        )
    }
    params = parameters.load(PARAMETERS, **given, depth=False)  # no recorder keeps depth
    recording = Recording(args.bag, params.silent_after)
    page = None
    try:
        page = Page(
            params, recording, recording,
            robot=build_robot(tendons=False).compile(), furniture=furniture(params), gate=gate(params),
        )  # fmt: skip
        print(f"replay of {args.bag}: {page.address}", flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        if page is not None:
            page.close()
        recording.close()
    return 0
