"""The package ``neo_humanoid``: built by colcon on a ROS 2 machine, by pip anywhere."""

import os
from pathlib import Path

from setuptools import find_packages, setup

NAME = "neo_humanoid"
ROOT = Path(__file__).resolve().parent
NODES = {
    "sim_node": "neo_sim.node:main",
    "camera_node": "neo_sensors.camera_node:main",
    "proprioception_node": "neo_sensors.proprioception_node:main",
    "tactile_node": "neo_sensors.tactile_node:main",
    "perception_node": "neo_perception.node:main",
    "body_control_node": "neo_body_control.node:main",
    "hand_control_node": "neo_hand_control.node:main",
    "task_node": "neo_task.node:main",
    "world_model_node": "neo_world_model.node:main",
    "recorder_node": "neo_flywheel.recorder_node:main",
    "teleop_node": "neo_bringup.teleop_page.node:main",
    "console_node": "neo_bringup.console.node:main",
    "composed_node": "neo_bringup.composed_node:main",
}
SHARED = ("launch", "config", "rviz", "meshes", "models", "benchmarks")


def shared_files() -> list[tuple[str, list[str]]]:
    """What other ROS tools look for under ``share/neo_humanoid``, and the ament marker."""
    rows = [
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ]
    for top in SHARED:
        for folder, _, files in os.walk(top):
            if files:
                rows.append((f"share/{NAME}/{folder}", sorted(f"{folder}/{file}" for file in files)))
    return rows


def requirements(name: str) -> list[str]:
    """The pinned packages of ``requirements/<name>``."""
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


setup(
    name=NAME,
    version="0.1.0",
    description="An open stack for a tendon-driven home humanoid",
    license="Apache-2.0",
    maintainer="NEO Humanoid maintainers",
    maintainer_email="neo-humanoid@example.org",
    python_requires=">=3.11",
    packages=find_packages(include=["neo_*"], exclude=["neo_msgs", "neo_msgs.*"]),
    package_data={
        "": ["*.yaml", "*.xml", "fastdds_*/*.xml", "*.html", "*.json", "site/*", "*.js", "recipes/*.yaml"]
    },
    data_files=shared_files(),
    install_requires=["setuptools"],
    extras_require={
        "test": ["pytest"],
        "runtime": requirements("runtime.txt"),
        "ros": requirements("ros.txt"),
        "ray": requirements("ray.txt"),
    },
    entry_points={
        "console_scripts": ["neo = neo_bringup.cli:main"]
        + [f"{name} = {target}" for name, target in NODES.items()]
    },
    zip_safe=False,
)
