"""What is installed: our interfaces, the pinned packages."""

from __future__ import annotations

import importlib
import re
from importlib import metadata
from pathlib import Path

from neo_bringup.doctor.row import Row, missing, ok, warn

JAZZY = "7."  # of its rclpy
OWN = ("pusht.txt", "mediapipe.txt", "audit.txt")  # of environments of their own
PIN = re.compile(r"([A-Za-z0-9._-]+)==(\S+)")


def interfaces() -> list[Row]:
    """neo_msgs and tf2_msgs, and that their libraries load."""
    rows = []
    for package, type_name in (("neo_msgs", "BodyState"), ("tf2_msgs", "TFMessage")):
        try:
            module = importlib.import_module(f"{package}.msg")
            kind = getattr(module, type_name)
            kind.__class__.__import_type_support__()
            if kind.__class__._TYPE_SUPPORT is None:
                raise ImportError("its type support does not load")
            rows.append(ok(package, str(Path(str(module.__file__)).parents[1])))
        except (ImportError, AttributeError) as error:
            rows.append(missing(package, str(error), "make setup builds it (ROS 2 machine: colcon build)"))
    return rows


def rclpy() -> Row:
    try:
        importlib.import_module("rclpy")
        path = importlib.import_module("rclpy.impl.implementation_singleton").__file__
    except ImportError as error:
        return missing("rclpy", str(error), "make setup; on a ROS 2 machine: source /opt/ros/…/setup.bash")
    return ok("rclpy", str(Path(str(path)).parents[1]))


def pins(folder: Path) -> Row:
    """Installed versions against ``requirements/*.txt`` of a checkout."""
    what = "pinned packages"
    files = sorted(folder.glob("*.txt"))
    if not files:
        return warn(what, f"no requirements in {folder}", "run from a checkout to compare")
    wrong, count = [], 0
    elsewhere = "ros.txt" if _version("ros-rclpy").startswith(JAZZY) else "ros-jazzy.txt"
    for file in files:
        if file.name.startswith("constraints") or file.name in (*OWN, elsewhere):
            continue
        for name, wanted in PIN.findall(file.read_text()):
            count += 1
            installed = _version(name)
            if installed.split("+")[0] != wanted:
                wrong.append(f"{name} {wanted}: {installed or 'not installed'}")
    if wrong:
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        return warn(what, "; ".join(wrong[:4]) + more, "make setup")
    return ok(what, f"{count} as pinned")


def _version(name: str) -> str:
    """Of an installed package; "" when it is not."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
