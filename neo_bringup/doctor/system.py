"""The machine: Python, compilers, OpenGL, shared memory, disk, cores, browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

from neo_bringup import preflight, shared_memory
from neo_bringup.doctor.row import Row, missing, ok, warn
from neo_description.errors import NeoError

GIB = 2**30
SEGMENT = 16 * 2**20  # bytes of shared memory a node asks for (neo_ros/fastdds_3/*.xml)
NODES = 16  # nodes, console and tools of one robot
RENDER = """
import mujoco
model = mujoco.MjModel.from_xml_string(
    "<mujoco><worldbody><light pos='0 0 3'/><geom size='1' rgba='1 0 0 1'/></worldbody></mujoco>")
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 32, 32) as renderer:
    renderer.update_scene(data)
    assert renderer.render().max() > 0
"""


def python() -> Row:
    """An older Python does not get this far: pip and make setup refuse it."""
    found = f"{sys.version.split()[0]} in {sys.prefix}"
    if sys.prefix == sys.base_prefix and "ROS_DISTRO" not in os.environ:
        return warn("python", f"{found}: no virtual environment", "use .venv/bin/neo, made by make setup")
    return ok("python", found)


def compiler() -> Row:
    """Only needed to build neo_msgs."""
    for name in (os.environ.get("CXX", "g++"), "c++", "clang++"):
        if path := shutil.which(name):
            return ok("C++ compiler", path)
    return warn("C++ compiler", "none: neo_msgs cannot be built again", "apt install g++")


def cmake() -> Row:
    beside = Path(sys.prefix) / "bin" / "cmake"
    path = str(beside) if beside.is_file() else shutil.which("cmake")
    if path is None:
        return warn("cmake", "none: neo_msgs cannot be built again", "make setup (or apt install cmake)")
    return ok("cmake", path)


def opengl() -> Row:
    """Draws a ball in another process: a driver that fails may take its process along."""
    backend = os.environ.get("MUJOCO_GL", "egl")
    environment = {**os.environ, "MUJOCO_GL": backend}
    cure = "apt install libegl1 libgl1-mesa-dri; without it: neo up cameras:=false"
    try:
        preflight.check_gl()
        done = subprocess.run(
            [sys.executable, "-c", RENDER], env=environment, capture_output=True, text=True, timeout=60
        )
    except NeoError as error:
        return missing("OpenGL", str(error), cure)
    except subprocess.TimeoutExpired:
        return missing("OpenGL", f"MUJOCO_GL={backend}: no picture within 60 s", cure)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return missing("OpenGL", f"MUJOCO_GL={backend}: {last}", cure)
    return ok("OpenGL", f"MUJOCO_GL={backend} draws")


def shared_memory_space(folder: Path = shared_memory.SHM) -> Row:
    what = "shared memory"
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return missing(what, f"{folder} is not there or not writable", f"mount a tmpfs on {folder}")
    free = shutil.disk_usage(folder).free
    found = f"{free / 2**20:.0f} MiB free in {folder}"
    if free < SEGMENT * NODES:
        return missing(
            what,
            f"{found}; a robot takes {SEGMENT * NODES / 2**20:.0f} MiB",
            f"mount -o remount,size=1G {folder} (docker run --shm-size=1g)",
        )
    return ok(what, found)


def stale_segments(folder: Path = shared_memory.SHM) -> Row:
    """What killed nodes left behind; looks only, ``neo up`` cleans when it starts and ends."""
    what = "stale segments"
    stale = shared_memory.ownerless(folder) if folder.is_dir() else []
    if not stale:
        return ok(what, "none")
    return warn(
        what, f"{len(stale)} left by killed nodes in {folder}", "harmless; the next neo up removes them"
    )


def disk(folder: Path) -> Row:
    what = "disk"
    free = shutil.disk_usage(folder).free
    found = f"{free / GIB:.1f} GiB free in {folder}"
    if free < GIB:
        return warn(what, found, "recordings go to runs/: free some space, or give record_path:=FOLDER")
    return ok(what, found)


def cores() -> Row:
    what = "cores and memory"
    count, memory = len(os.sched_getaffinity(0)), psutil.virtual_memory()
    found = f"{count} cores, {memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB free"
    if count < 2 or memory.available < 2 * GIB:
        return warn(what, found, "2 cores and 2 GiB are what the simulated robot needs")
    return ok(what, found)


def chromium() -> Row:
    """Only the console's tests need one here; people use any browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return ok("chromium (tests)", path)
    return warn("chromium (tests)", "none: the console's browser tests cannot run", "apt install chromium")
