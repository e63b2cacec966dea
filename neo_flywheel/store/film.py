"""MP4 files with many episodes each, through PyAV (h264)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

KEY_EVERY = 10  # pictures: who looks for a moment decodes at most so many
QUALITY = "18"  # x264's constant rate factor


class Film:
    """Films of camera ``key`` under ``folder``, ``rate`` pictures a second; a new file after ``size`` MB."""

    def __init__(self, folder: Path, pattern: str, key: str, rate: int, size: float):
        self._folder, self._pattern, self._key, self._rate, self._size = folder, pattern, key, rate, size
        self._file = -1
        self._container: Any = None
        self._stream: Any = None
        self._shown = self._written = 0

    def add(self, pictures: np.ndarray) -> tuple[int, float, float]:
        """Appends (T, H, W, 3) uint8 RGB; the file's number, begin and end in it (s)."""
        if self._container is None or self._written > self._size * 1e6:
            self.close()
            self._open(pictures.shape[2], pictures.shape[1])
        begin = self._shown
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = self._shown, Fraction(1, self._rate)
            self._mux(frame)
            self._shown += 1
        return self._file, begin / self._rate, self._shown / self._rate

    def close(self) -> None:
        """Finishes the file that is open."""
        if self._container is not None:
            self._mux(None)
            self._container.close()
            self._container = None

    def _mux(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            self._written += packet.size
            self._container.mux(packet)

    def _open(self, width: int, height: int) -> None:
        self._file, self._shown = self._file + 1, 0
        self._written = 0
        chunk, file = divmod(self._file, 1000)
        name = self._pattern.format(video_key=self._key, chunk_index=chunk, file_index=file)
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(str(path), "w")
        options = {"crf": QUALITY, "preset": "fast", "g": str(KEY_EVERY), "bf": "0"}
        self._stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.time_base = Fraction(1, self._rate)
