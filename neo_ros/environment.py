"""The process environment that ROS 2 from wheels needs; on a sourced ROS 2 installation little is added.

Call :func:`prepare` before ``rclpy.init``: the middleware reads these variables when it loads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

FASTDDS_PROFILE = Path(__file__).with_name("fastdds_profile.xml")


def ros_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables to set for this process and its children; what the user set in ``base`` stays.

    ``AMENT_PREFIX_PATH`` gains this virtual environment, discovery stays on this machine, and Fast DDS
    gets shared memory large enough for images (its defaults lose most frames above 424x240).
    """
    base = os.environ if base is None else base
    prefixes = [prefix for prefix in base.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    if (Path(sys.prefix) / "share" / "ament_index").is_dir() and sys.prefix not in prefixes:
        prefixes.append(sys.prefix)
    variables = {"ROS_AUTOMATIC_DISCOVERY_RANGE": base.get("ROS_AUTOMATIC_DISCOVERY_RANGE") or "LOCALHOST"}
    if prefixes:
        variables["AMENT_PREFIX_PATH"] = os.pathsep.join(prefixes)
    own_profile = "FASTRTPS_DEFAULT_PROFILES_FILE" in base or "FASTDDS_DEFAULT_PROFILES_FILE" in base
    if not own_profile:
        variables["FASTDDS_DEFAULT_PROFILES_FILE"] = str(FASTDDS_PROFILE)
    return variables


def prepare() -> None:
    """Puts :func:`ros_environment` into this process."""
    os.environ.update(ros_environment())


def without_bootstrap(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """``base`` for starting *another* virtual environment's Python: without this one's library paths.

    The ROS wheels re-execute Python once to set ``LD_LIBRARY_PATH`` and mark that in a variable that children
    inherit; a different environment would take the mark for its own and not find its libraries.
    """
    variables = dict(os.environ if base is None else base)
    variables.pop("_ROS_WHEELS_BOOTSTRAP_COMPLETE", None)
    paths = variables.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    foreign = [path for path in paths if path and not Path(path).is_relative_to(sys.prefix)]
    variables.pop("LD_LIBRARY_PATH", None)
    if foreign:
        variables["LD_LIBRARY_PATH"] = os.pathsep.join(foreign)
    return variables
