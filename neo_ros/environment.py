"""The process environment that ROS 2 from wheels needs; on a sourced ROS 2 installation little is added.

Call :func:`prepare` before ``rclpy.init``: the middleware reads these variables when it loads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

LOOPBACK_PROFILE = Path(__file__).with_name("fastdds_loopback.xml")
LOOPBACK_UDP_PROFILE = LOOPBACK_PROFILE.with_stem("fastdds_loopback_udp")
NETWORK_PROFILE = Path(__file__).with_name("fastdds_network.xml")
NETWORK_UDP_PROFILE = NETWORK_PROFILE.with_stem("fastdds_network_udp")
PROFILES = LOOPBACK_PROFILE, LOOPBACK_UDP_PROFILE, NETWORK_PROFILE, NETWORK_UDP_PROFILE
FAST_DDS_3, FAST_DDS_2 = "FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"  # 2: in Jazzy
RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
PEERS = "ROS_STATIC_PEERS"
STAYS_HERE = ("LOCALHOST", "OFF")  # ranges in which nobody outside this machine is looked for


def ros_environment(base: Mapping[str, str] | None = None, pictures: bool = True) -> dict[str, str]:
    """Variables to set for this process and its children; what the user set in ``base`` stays.

    ``AMENT_PREFIX_PATH`` gains this virtual environment, discovery stays on this machine, and Fast DDS gets
    ports on loopback alone unless another machine is to be spoken to. With ``pictures`` it gets shared memory
    large enough for images (its defaults lose most frames above 424x240); without, none: whoever is killed
    there can hold the others up, and what moves a robot must not wait.
    """
    base = os.environ if base is None else base
    prefixes = [prefix for prefix in base.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    if (Path(sys.prefix) / "share" / "ament_index").is_dir() and sys.prefix not in prefixes:
        prefixes.append(sys.prefix)
    variables = {RANGE: base.get(RANGE) or "LOCALHOST"}
    if prefixes:
        variables["AMENT_PREFIX_PATH"] = os.pathsep.join(prefixes)
    ours = ("", *map(str, PROFILES))
    if all(base.get(name, "") in ours for name in (FAST_DDS_2, FAST_DDS_3)):
        old = any((Path(prefix) / "lib" / "libfastrtps.so").exists() for prefix in prefixes)
        if reaches_out(base):
            profile = NETWORK_PROFILE if pictures else NETWORK_UDP_PROFILE
        else:
            profile = LOOPBACK_PROFILE if pictures else LOOPBACK_UDP_PROFILE
        variables[FAST_DDS_2 if old else FAST_DDS_3] = str(profile)  # 3 warns of the other name
    return variables


def reaches_out(base: Mapping[str, str] | None = None) -> bool:
    """Whether nodes started with ``base`` speak to other machines, and other machines to them."""
    base = os.environ if base is None else base
    return (base.get(RANGE) or "LOCALHOST").upper() not in STAYS_HERE or bool(base.get(PEERS))


def prepare(pictures: bool = True) -> None:
    """Puts :func:`ros_environment` into this process."""
    os.environ.update(ros_environment(pictures=pictures))


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
