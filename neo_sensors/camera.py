"""The stereo head camera: one interface, two backends, chosen by one argument.

:func:`open_camera` gives the ``v4l2`` backend (a device or a video file: it delivers frames by itself) or the
``sim`` one (it renders a plant state that it is given). Both make
:class:`neo_description.signals.StereoFrame`.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from neo_description import parameters
from neo_description.errors import NeoError
from neo_description.signals import CameraModel, StereoFrame

PARAMETERS = Path(__file__).with_name("parameters.yaml")
BACKENDS = ("sim", "v4l2")

__all__ = ["BACKENDS", "CameraModel", "StereoCamera", "StereoFrame", "make", "open_camera", "pinhole_pair"]


class StereoCamera(Protocol):
    """A source of stereo pairs. ``None`` from :meth:`read`: no more frames (a file's end)."""

    left_camera: CameraModel
    right_camera: CameraModel

    def read(self, time: float, tick: int) -> StereoFrame | None:
        """The next pair, stamped ``time``, ``tick``."""

    def close(self) -> None:
        """Release the device."""


def open_camera(backend: str | None = None, model: Any = None, **overrides: Any) -> Any:
    """The camera of ``backend`` with the parameters of ``parameters.yaml`` and ``overrides``.

    ``model``: the compiled scene, for ``sim`` only (default: the parameters' scene and seed).
    NeoError names an unknown backend and the known ones.
    """
    if backend is not None and backend not in BACKENDS:
        raise NeoError(f"no camera backend {backend!r}; one of {', '.join(BACKENDS)}")
    if backend is not None:
        overrides["backend"] = backend
    return make(parameters.load(PARAMETERS, **overrides), model)


def make(params: SimpleNamespace, model: Any = None) -> Any:
    """The camera that ``params`` ask for."""
    if params.backend == "v4l2":
        from neo_sensors.v4l2_camera import V4l2Camera

        return V4l2Camera(params)
    from neo_sensors.sim_camera import SimCamera

    return SimCamera(params, model)


def pinhole_pair(width: int, height: int, fov_y: float, baseline: float) -> tuple[CameraModel, CameraModel]:
    """Left and right camera of an ideal pair: vertical field of view ``fov_y`` rad, ``baseline`` m.

    Pixel centres lie on whole coordinates, so the principal point is ``((width - 1) / 2, (height - 1) / 2)``.
    """
    f = 0.5 * height / np.tan(0.5 * fov_y)
    K = np.array([[f, 0.0, 0.5 * (width - 1)], [0.0, f, 0.5 * (height - 1)], [0.0, 0.0, 1.0]])
    P_left = np.hstack([K, np.zeros((3, 1))])
    P_right = P_left.copy()
    P_right[0, 3] = -f * baseline
    left, right = (CameraModel(width, height, K, np.zeros(5), np.eye(3), P) for P in (P_left, P_right))
    return left, right
