"""Ports and the ROS domain: who else is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from neo_bringup import exposure, preflight
from neo_bringup.doctor.row import Row, missing, ok, warn
from neo_description.errors import NeoError
from neo_ros.environment import discovery_range, ros_environment

CONSOLE_PORT = 8080
# a participant of its own that looks round; on a busy machine discovery takes up to two seconds
LOOK = """
import json, time
import rclpy
rclpy.init(args=[])
node = rclpy.create_node("neo_doctor")
end = time.monotonic() + 5.0
names = set()
while time.monotonic() < end:
    seen = {f"{space.rstrip('/')}/{name}" for name, space in node.get_node_names_and_namespaces()}
    seen = {name for name in seen if not name.endswith("/neo_doctor")}
    if seen and not names:
        end = time.monotonic() + 1.0
    names |= seen
    time.sleep(0.1)
print(json.dumps(sorted(names)))
node.destroy_node()
rclpy.shutdown()
"""


def console_port(port: int = CONSOLE_PORT) -> Row:
    what = f"console port {port}"
    try:
        preflight.check_port(port)
    except NeoError as error:
        return warn(what, str(error), "neo up console_port:=N")
    return ok(what, "free")


def domain() -> Row:
    """Nodes already in our ROS_DOMAIN_ID; also proves that a ROS node can start at all."""
    number = os.environ.get("ROS_DOMAIN_ID") or "0"
    what = f"ROS_DOMAIN_ID {number}"
    environment = {**os.environ, **ros_environment()}
    try:
        done = subprocess.run(
            [sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, timeout=30
        )
    except subprocess.TimeoutExpired:
        return missing(what, "a node did not start within 30 s", "see the logs in ~/.ros/log")
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return missing(
            what, f"a node cannot start: {last}", "make setup; is ROS_DOMAIN_ID a number from 0 to 101?"
        )
    names = json.loads(done.stdout)
    if not names:
        return ok(what, f"nobody else ({discovery_range(environment).lower()})")
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return warn(what, f"in use by {shown}", "export ROS_DOMAIN_ID=N (0 to 101), or give namespace:=NAME")


def who_reaches_it() -> Row:
    """This machine alone, those with keys, or everybody on the network."""
    what, environment = "who reaches the robot", {**os.environ, **ros_environment()}
    try:
        warning = exposure.check(environment)
    except NeoError as error:
        return missing(what, str(error), f"see {exposure.HOW}")
    if warning:
        return warn(what, warning.removeprefix("warning: "), f"see {exposure.HOW}")
    secured = environment.get("ROS_SECURITY_ENABLE") == "true"
    return ok(what, "holders of keys" if secured else "programs on this machine")
