"""A stack in lock-step or real time for a benchmark: in a domain of its own, without cameras and console."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neo_msgs.msg import SafetyState

from neo_bringup.demo.launched import LaunchedRobot
from neo_bringup.instance import claim_free_domain
from neo_bringup.stack import Stack
from neo_description.errors import NeoError

LINGER_WALL = 30.0  # s: plant time decides


@contextmanager
def robot(
    arguments: list[str], log: Path, timeout: float = 120.0, options: list[str] | None = None
) -> Iterator[tuple[LaunchedRobot, Stack]]:
    """A robot that is up, and our end of its graph; ``options`` of ``neo up`` beside its ``arguments``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    before = os.environ.get("ROS_DOMAIN_ID")
    domain, claim = claim_free_domain()
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    try:
        with LaunchedRobot(["console:=false", *arguments], log, LINGER_WALL, options) as launched:
            launched.wait_up(timeout)
            with Stack("/", f"neo_bench_{os.getpid()}") as stack:
                yield launched, stack
    finally:
        claim.close()
        if before is None:
            os.environ.pop("ROS_DOMAIN_ID", None)
        else:
            os.environ["ROS_DOMAIN_ID"] = before


def stand(launched: LaunchedRobot, stack: Stack, timeout: float = 60.0) -> int:
    """Makes the robot stand; the first tick answered so. NeoError when it does not get ACTIVE."""
    tick = int(stack.set_mode("stand", timeout).tick)
    active = stack.wait(
        lambda: stack.safety is not None and stack.safety.state == SafetyState.ACTIVE, timeout, 0.02
    )
    if not active:
        raise NeoError(
            f"the robot did not stand: {stack.safety.reason if stack.safety else launched.last_word()}"
        )
    return tick
