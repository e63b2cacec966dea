"""How every node process starts and ends: :func:`run`.

Exit codes: 0 stopped by a signal, 2 refused to start or out of memory (one line says why), 1 a fault in the
code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import rclpy
from rclpy._rclpy_pybind11 import RCLError, UnknownROSArgsError
from rclpy.exceptions import InvalidNamespaceException, InvalidNodeNameException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from neo_description.errors import NeoError
from neo_ros import environment, executor
from neo_ros.stop_signal import StopSignal

REFUSED = 2


def run(*make_nodes: Callable[[], Node], args: list[str] | None = None, pictures: bool = False) -> None:
    """Makes the nodes and runs them until SIGINT or SIGTERM; several share one executor.

    ``pictures``: one of them handles images, which need shared memory (:func:`environment.ros_environment`).
    ``args`` default to the command line. A NeoError while starting or running ends the process with one line
    and exit code 2. A node with a ``close()`` method gets it called at the end, before it is destroyed.
    """
    environment.prepare(pictures)
    with StopSignal() as stop:
        _run(make_nodes, args, stop.future)


def _run(make_nodes: Sequence[Callable[[], Node]], args: list[str] | None, stop: Future) -> None:
    nodes: list[Node] = []
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        for make in make_nodes:
            nodes.append(make())
        executor.spin(*nodes, until=stop)
    except (NeoError, InvalidNodeNameException, InvalidNamespaceException) as error:
        _refuse(make_nodes, str(error))
    except UnknownROSArgsError as error:
        _refuse(make_nodes, f"unknown ROS arguments: {error}")
    except RCLError as error:
        _refuse(make_nodes, str(error).split(", at /")[0])
    except MemoryError:
        _refuse(make_nodes, "out of memory")
    finally:
        _end(nodes)


def _refuse(make_nodes: Sequence[Callable[[], Node]], why: str) -> None:
    name = getattr(make_nodes[0], "__name__", "node") if len(make_nodes) == 1 else "nodes"
    print(f"{name}: {' '.join(why.split())}", file=sys.stderr)
    sys.exit(REFUSED)


def _end(nodes: Sequence[Node]) -> None:
    """Closes in reverse order, while the nodes can still publish."""
    for node in reversed(nodes):
        close = getattr(node, "close", None)
        if close is not None:
            close()
        node.destroy_node()
    rclpy.try_shutdown()
