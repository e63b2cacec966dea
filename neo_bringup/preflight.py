"""What can be refused before anything starts: a taken port, no OpenGL, a folder nobody may write."""

from __future__ import annotations

import ctypes
import os
import socket
from pathlib import Path

from neo_description.errors import NeoError

GL_LIBRARIES = {"egl": "libEGL.so.1", "osmesa": "libOSMesa.so.8", "glfw": "libGL.so.1"}


def check_port(port: int, host: str = "127.0.0.1") -> None:
    """NeoError when nobody can listen on ``port``."""
    if not 0 <= port <= 65535:
        raise NeoError(f"console_port:={port} is no port; 0 to 65535")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NeoError(
                f"port {port} on {host} is taken ({error.strerror}): give console_port:=N or console:=false"
            ) from None


def check_gl() -> None:
    """NeoError when the OpenGL library that the simulated cameras render with is not there."""
    backend = os.environ.get("MUJOCO_GL", "egl").lower()
    if backend not in GL_LIBRARIES:
        raise NeoError(f"MUJOCO_GL={backend}: one of {', '.join(GL_LIBRARIES)}")
    try:
        ctypes.CDLL(GL_LIBRARIES[backend])
    except OSError:
        raise NeoError(
            f"no OpenGL for the simulated cameras (MUJOCO_GL={backend}, {GL_LIBRARIES[backend]} is missing): "
            "apt install libegl1 libgl1-mesa-dri, or give cameras:=false"
        ) from None


def make_folder(folder: Path) -> Path:
    """Makes ``folder`` and sees that it can be written; NeoError when not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise NeoError(f"cannot write to the folder {folder}: {error.strerror}; give another") from None
    return folder
