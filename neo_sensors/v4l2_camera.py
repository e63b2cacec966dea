"""A real stereo camera through OpenCV: one device with both images side by side, two devices, or files."""

from __future__ import annotations

from glob import glob
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

from neo_description.errors import NeoError
from neo_description.signals import StereoFrame
from neo_sensors import calibration


class V4l2Camera:
    """Stereo pairs of ``params.device`` (and ``right_device``); a :class:`StereoCamera`.

    The images stay as the sensor gave them; the calibration travels with each frame, and perception
    rectifies. NeoError when a device is missing, delivers nothing, or does not fit the calibration.
    """

    def __init__(self, params: SimpleNamespace) -> None:
        if not params.calibration:
            raise NeoError(
                "camera backend v4l2 needs `calibration`, a YAML file; see docs/how-to/real-camera.md"
            )
        self.left_camera, self.right_camera = calibration.load(Path(params.calibration))
        self._devices = [d for d in (params.device, params.right_device) if d]
        self._side_by_side = len(self._devices) == 1
        size = (self.left_camera.width * (2 if self._side_by_side else 1), self.left_camera.height)
        self._captures: list[cv2.VideoCapture] = []
        try:
            for device in self._devices:
                self._captures.append(_capture(device, size, params.rate))
        except NeoError:
            self.close()
            raise

    def read(self, time: float, tick: int) -> StereoFrame | None:
        """The next pair, stamped ``time``; ``None`` when a device gives no image (file's end, unplugged)."""
        # Grab both before decoding either: the two exposures then lie as close as the devices allow.
        if not all([capture.grab() for capture in self._captures]):
            return None
        images = [capture.retrieve()[1] for capture in self._captures]
        if any(image is None for image in images):
            return None
        if self._side_by_side:
            half = images[0].shape[1] // 2
            images = [images[0][:, :half], images[0][:, half:]]
        left, right = (np.ascontiguousarray(image[..., ::-1]) for image in images)
        return StereoFrame(time, tick, left, right, self.left_camera, self.right_camera)

    def close(self) -> None:
        """Release the devices."""
        for capture in self._captures:
            capture.release()
        self._captures = []


def _capture(device: str, size: tuple[int, int], rate: float) -> cv2.VideoCapture:
    is_device = device.isdigit() or device.startswith("/dev/")
    path = f"/dev/video{device}" if device.isdigit() else device
    if not Path(path).exists():
        found = ", ".join(sorted(glob("/dev/video*"))) or "none"
        raise NeoError(f"no camera or video file {device!r}; camera devices present: {found}")
    capture = cv2.VideoCapture(path, cv2.CAP_V4L2 if is_device else cv2.CAP_ANY)
    if is_device:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        capture.set(cv2.CAP_PROP_FPS, rate)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if not capture.isOpened():
        raise NeoError(f"{device!r} cannot be opened as a camera or video (no permission, or no video in it)")
    given = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    if given != size:
        capture.release()
        raise NeoError(
            f"{device!r} gives {given[0]}x{given[1]} px, the calibration needs {size[0]}x{size[1]} "
            f"({'both images side by side' if size[0] > size[1] * 2 else 'each image'})"
        )
    return capture
