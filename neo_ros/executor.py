"""The one executor of this project: rclpy's EventsExecutor.

The other executors cost two to three times the CPU or starve at 500 Hz. In the ROS 2 wheels
``EventsExecutor.spin()`` without a time-out runs nothing, so :func:`spin` waits on a future. It is
single-threaded: long work belongs in a thread of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.task import Future

_TURN = 3600.0  # s: a wait is renewed when it ends


def make(*nodes: Node) -> Any:
    """An EventsExecutor that runs ``nodes``; for :func:`wait_for`, or several waits in a row."""
    executor = EventsExecutor()
    for node in nodes:
        executor.add_node(node)
    return executor


def spin(*nodes: Node, until: Future | None = None) -> None:
    """Runs callbacks until ``until`` is done or rclpy shuts down; what they raise comes through."""
    until = until or Future()
    executor = make(*nodes)
    try:
        while rclpy.ok() and not until.done():
            executor.spin_until_future_complete(until, timeout_sec=_TURN)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        for node in nodes:
            executor.remove_node(node)
        executor.shutdown()


def beside(node: Node, pool: Executor, function: Callable[..., Any], *given: Any) -> Future:
    """``function``'s result, worked out in ``pool``; to be awaited in a callback of ``node``."""
    done: Future = Future()

    def settle(worked: Any) -> None:
        error = worked.exception()
        if error is None:
            done.set_result(worked.result())
        else:
            done.set_exception(error)

    def hand_over(worked: Any) -> None:
        if not worked.cancelled() and node.executor is not None:
            node.executor.create_task(settle, worked)  # futures are no thread's but the executor's

    pool.submit(function, *given).add_done_callback(hand_over)
    return done


def wait_for(executor: Any, future: Future, timeout: float) -> Any:
    """Spins until ``future`` is done and gives its result; TimeoutError after ``timeout`` s of wall time."""
    executor.spin_until_future_complete(future, timeout_sec=timeout)
    if not future.done():
        raise TimeoutError(f"no answer within {timeout:g} s")
    return future.result()
