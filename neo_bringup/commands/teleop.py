"""``neo teleop``: drive a running robot, from a page in a browser, this terminal's keys, or a gamepad."""

from __future__ import annotations

import argparse
import signal
import webbrowser

from neo_bringup.client import add_namespace

HELP = (
    "drive a running robot by hand: a page in a browser (mouse, keys, gamepad, headset), keys, or a gamepad"
)
DEVICES = ("page", "keyboard", "gamepad")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", choices=DEVICES, default="page",
        help="page (default); keyboard: this terminal's keys; gamepad: one at this machine. The page is "
        "served in every case, and shows the robot",
    )  # fmt: skip
    parser.add_argument("--port", type=int, default=8090, help="TCP port of the page; 0: any free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at; others need --access")
    parser.add_argument(
        "--access", default="", metavar="DIR", help="certificate and token of `neo access create`"
    )
    parser.add_argument("--open", action="store_true", help="open the page in this machine's browser")
    add_namespace(parser)


def run(args: argparse.Namespace) -> int:
    """0: served until Ctrl-C, the page's address printed first. NeoError (2): a port that is taken."""
    # imported here: `neo --help` does not need ROS and the web server
    from neo_bringup.teleop_page.local import Local
    from neo_bringup.teleop_page.node import PageTeleop
    from neo_ros.main import run as run_nodes
    from neo_teleop.desk import Desk

    words = ["--ros-args", "-p", f"port:={args.port}", "-p", f"host:='{args.host}'"]
    words += ["-p", f"access:='{args.access}'"]
    if args.namespace:
        words += ["-r", f"__ns:=/{args.namespace.strip('/')}"]
    desk = Desk()
    local = None
    if args.device != "page":
        local = Local(desk, args.device, lambda: signal.raise_signal(signal.SIGINT))

    def make() -> PageTeleop:
        node = PageTeleop(desk)
        if args.open:
            webbrowser.open(node.page.address)
        return node

    run_nodes(make, args=words)
    if local is not None:
        local.close()
    return 0
