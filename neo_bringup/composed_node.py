"""Executable ``composed_node``: light nodes in one process, on one executor.

    composed_node proprioception tactile --ros-args …

Each stays the node it is alone: its own name, parameters and topics. The command path (body and hands) and
the plant are not offered: a fault in one of them must not take another along.
"""

from __future__ import annotations

import importlib
import sys

from neo_ros.main import REFUSED, run

LIGHT = {
    "proprioception": "neo_sensors.proprioception_node:ProprioceptionNode",
    "tactile": "neo_sensors.tactile_node:TactileNode",
    "task": "neo_task.node:TaskNode",
    "recorder": "neo_flywheel.recorder_node:RecorderNode",
}


def main() -> None:
    """Entry point: the words before ``--ros-args`` name the nodes."""
    end = sys.argv.index("--ros-args") if "--ros-args" in sys.argv else len(sys.argv)
    names = sys.argv[1:end]
    unknown = [name for name in names if name not in LIGHT]
    if unknown or not names:
        listed = ", ".join(LIGHT)
        print(
            f"composed_node: cannot host {', '.join(unknown) or 'nothing'}; some of {listed}", file=sys.stderr
        )
        sys.exit(REFUSED)
    makers = []
    for name in names:
        module, _, cls = LIGHT[name].partition(":")
        makers.append(getattr(importlib.import_module(module), cls))
    run(*makers, pictures="recorder" in names)
