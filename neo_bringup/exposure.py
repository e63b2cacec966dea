"""Who reaches the robot's topics: this machine, whoever holds a key, or everybody on the network.

The ROS 2 wheels are built without DDS security, a ROS 2 installation has it. A node that is told to enforce
what its middleware cannot do ends with a long error; here that is refused before anything starts.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from neo_description.errors import NeoError
from neo_ros.environment import PEERS, RANGE, reaches_out

HOW = "docs/how-to/secure.md"
PLUGIN = b"PKI-DH"  # of the DDS-Security plug-in that tells participants apart, in a Fast DDS that has it
LIBRARIES = ("libfastdds.so", "libfastrtps.so")


def has_security(environment: Mapping[str, str]) -> bool | None:
    """Whether the Fast DDS that nodes will load can do DDS security; None where none is found."""
    prefixes = [*environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    for prefix in filter(None, prefixes):
        for folder in (Path(prefix) / "lib", *Path(prefix).glob("lib/*-linux-gnu")):
            for name in LIBRARIES:
                if (library := folder / name).is_file():
                    with (
                        library.open("rb") as stream,
                        mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as text,
                    ):
                        return text.find(PLUGIN) >= 0
    return None


def check(environment: Mapping[str, str]) -> str:
    """A warning for people, or nothing; NeoError when security is asked for and cannot be had."""
    if environment.get("ROS_SECURITY_ENABLE") == "true":
        return _secured(environment)
    if reaches_out(environment):
        given = ", ".join(f"{name}={environment[name]}" for name in (RANGE, PEERS) if environment.get(name))
        return f"warning: everybody on the network can move this robot ({given}, no DDS security): {HOW}"
    return ""


def _secured(environment: Mapping[str, str]) -> str:
    if has_security(environment) is False:
        raise NeoError(
            "ROS_SECURITY_ENABLE=true, but this ROS 2 is built without DDS security, as the wheels are; "
            f"use a ROS 2 installation, or leave it out and stay on this machine: {HOW}"
        )
    store = environment.get("ROS_SECURITY_KEYSTORE", "")
    if not (Path(store) / "enclaves").is_dir():
        raise NeoError(
            f"ROS_SECURITY_KEYSTORE={store!r} is no keystore; `ros2 security create_keystore` makes one"
        )
    if environment.get("ROS_SECURITY_STRATEGY") != "Enforce":
        return f"warning: without ROS_SECURITY_STRATEGY=Enforce nodes without a key are let in: {HOW}"
    return ""
