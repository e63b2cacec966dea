"""The process environment that ROS 2 from wheels needs; on a sourced ROS 2 installation little is added.

Call :func:`prepare` before ``rclpy.init``: the middleware reads these variables when it loads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
PROFILES = sorted(HERE.glob("fastdds_*/*.xml"))
FAST_DDS_3, FAST_DDS_2 = "FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"  # 2: in Jazzy
RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
PEERS = "ROS_STATIC_PEERS"
STAYS_HERE = ("LOCALHOST", "OFF")  # ranges in which nobody outside this machine is looked for
PROFILE_DECIDES = "SYSTEM_DEFAULT"  # the range to which the ROS middleware adds nothing


def ros_environment(base: Mapping[str, str] | None = None, pictures: bool = True) -> dict[str, str]:
    """Variables to set for this process and its children; what the user set in ``base`` stays.

    ``AMENT_PREFIX_PATH`` gains this virtual environment, discovery stays on this machine, and Fast DDS gets
    ports on loopback alone unless another machine is to be spoken to, and looks soon for what was lost. With
    ``pictures`` it gets shared memory large enough for images (by default most above 424x240 are lost);
    without, none: whoever is killed there can hold the others up, and what moves a robot must not wait.
    What range ``LOCALHOST`` means our profile says alone: the middleware would add shared memory to it.
    """
    base = os.environ if base is None else base
    prefixes = [prefix for prefix in base.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    if (Path(sys.prefix) / "share" / "ament_index").is_dir() and sys.prefix not in prefixes:
        prefixes.append(sys.prefix)
    variables = {RANGE: discovery_range(base)}
    if prefixes:
        variables["AMENT_PREFIX_PATH"] = os.pathsep.join(prefixes)
    ours = ("", *map(str, PROFILES))
    if all(base.get(name, "") in ours for name in (FAST_DDS_2, FAST_DDS_3)):
        old = any((Path(prefix) / "lib" / "libfastrtps.so").exists() for prefix in prefixes)
        version, name = (2, FAST_DDS_2) if old else (3, FAST_DDS_3)  # 3 warns of the other name
        variables[name] = str(profile(version, reaches_out(base), pictures))
        fast_dds = (base.get("RMW_IMPLEMENTATION") or "rmw_fastrtps").startswith("rmw_fastrtps")
        if variables[RANGE] == "LOCALHOST" and fast_dds and not reaches_out(base):
            variables[RANGE] = PROFILE_DECIDES
    return variables


def profile(version: int, outside: bool, pictures: bool) -> Path:
    """The profile for Fast DDS ``version`` (2, 3), which spell it differently; ``outside``: ports on every
    network, not on loopback alone; ``pictures``: with shared memory."""
    name = ("network" if outside else "loopback") + ("" if pictures else "_udp")
    return HERE / f"fastdds_{version}" / f"{name}.xml"


def discovery_range(base: Mapping[str, str]) -> str:
    """The range that a person chose, or the default; what :func:`ros_environment` made of it is known."""
    chosen = base.get(RANGE) or "LOCALHOST"
    loopback = {str(path) for path in PROFILES if path.name.startswith("loopback")}
    made_here = loopback & {base.get(FAST_DDS_2), base.get(FAST_DDS_3)}
    return "LOCALHOST" if chosen.upper() == PROFILE_DECIDES and made_here else chosen


def reaches_out(base: Mapping[str, str] | None = None) -> bool:
    """Whether nodes started with ``base`` speak to other machines, and other machines to them."""
    base = os.environ if base is None else base
    return discovery_range(base).upper() not in STAYS_HERE or bool(base.get(PEERS))


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
