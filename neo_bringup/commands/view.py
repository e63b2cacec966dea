"""``neo view``: the console for a robot that runs already."""

from __future__ import annotations

import argparse

from neo_bringup.client import add_namespace

HELP = "show the robot in a web page, on this machine by default, with a prompt box and STOP"


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
    add_namespace(parser)


def run(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C, its address printed first; a taken port ends it with one line, code 2."""
    # imported here: the page's libraries take a second, and `neo --help` does not need them
    from neo_bringup.console.node import ConsoleNode
    from neo_ros.main import run as run_nodes

    arguments = ["--ros-args", "-p", f"port:={args.port}", "-p", f"furniture:='{args.furniture}'"]
    arguments += ["-p", f"host:='{args.host}'", "-p", f"access:='{args.access}'"]
    arguments += ["-p", f"open_watching:={str(args.open_watching).lower()}"]
    if args.namespace:
        arguments += ["-r", f"__ns:=/{args.namespace.strip('/')}"]
    run_nodes(ConsoleNode, args=arguments)
    return 0
