"""The little of CDR that the recorder itself reads and writes: stamps, strings, numbers and bytes.

Little-endian, as the middleware here writes (XCDR1: each number at a multiple of its own size, counted from
behind the four bytes of encapsulation). Everything else stays serialised as it came.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from neo_description.errors import NeoError

LITTLE = b"\x00\x01\x00\x00"


class Reader:
    """Reads the fields of a message one after the other; NeoError when it ends too soon."""

    def __init__(self, cdr: bytes):
        if cdr[:2] != LITTLE[:2]:
            raise NeoError(f"a message in encapsulation {cdr[:2].hex()}; little-endian CDR is 0001")
        self._data, self._at = cdr, len(LITTLE)

    def number(self, form: str) -> int:
        """One number in the notation of :mod:`struct`: ``I``, ``i``, ``B`` …"""
        size = struct.calcsize(form)
        self._at += -(self._at - len(LITTLE)) % size
        try:
            (value,) = struct.unpack_from("<" + form, self._data, self._at)
        except struct.error:
            raise NeoError(f"a message of {len(self._data)} bytes ends within a number") from None
        self._at += size
        return value

    def octets(self) -> bytes:
        """A ``uint8[]``."""
        size = self.number("I")
        value = self._data[self._at : self._at + size]
        if len(value) < size:
            raise NeoError(f"a message of {len(self._data)} bytes ends within an array of {size}")
        self._at += size
        return value

    def string(self) -> str:
        """A ``string``."""
        return self.octets()[:-1].decode(errors="replace")


class Writer:
    """Writes the fields of a message one after the other."""

    def __init__(self) -> None:
        self._data = bytearray(LITTLE)

    def number(self, form: str, value: int) -> Writer:
        """One number in the notation of :mod:`struct`."""
        self._data += bytes(-(len(self._data) - len(LITTLE)) % struct.calcsize(form))
        self._data += struct.pack("<" + form, value)
        return self

    def octets(self, value: bytes) -> Writer:
        """A ``uint8[]``."""
        self.number("I", len(value))
        self._data += value
        return self

    def string(self, value: str) -> Writer:
        """A ``string``."""
        return self.octets(value.encode() + b"\0")

    def end(self) -> bytes:
        """The message."""
        return bytes(self._data)


@dataclass(frozen=True)
class Picture:
    """A message that holds one picture: ``data`` as ``encoding`` says, rows of ``step`` bytes when raw."""

    sec: int
    nanosec: int
    frame_id: str
    encoding: str
    data: bytes
    width: int = 0
    height: int = 0
    step: int = 0


def image(cdr: bytes) -> Picture:
    """A ``sensor_msgs/msg/Image``."""
    r = Reader(cdr)
    sec, nanosec, frame_id = r.number("i"), r.number("I"), r.string()
    height, width, encoding, _, step = r.number("I"), r.number("I"), r.string(), r.number("B"), r.number("I")
    return Picture(sec, nanosec, frame_id, encoding, r.octets(), width, height, step)


def compressed_image(cdr: bytes) -> Picture:
    """A ``sensor_msgs/msg/CompressedImage``."""
    r = Reader(cdr)
    sec, nanosec, frame_id, encoding = r.number("i"), r.number("I"), r.string(), r.string()
    return Picture(sec, nanosec, frame_id, encoding, r.octets())


def compressed_image_cdr(picture: Picture) -> bytes:
    """``picture`` as a ``sensor_msgs/msg/CompressedImage``."""
    w = Writer().number("i", picture.sec).number("I", picture.nanosec).string(picture.frame_id)
    return w.string(picture.encoding).octets(picture.data).end()


def compressed_video(cdr: bytes) -> Picture:
    """A ``foxglove_msgs/msg/CompressedVideo``."""
    r = Reader(cdr)
    sec, nanosec, frame_id, data = r.number("i"), r.number("I"), r.string(), r.octets()
    return Picture(sec, nanosec, frame_id, r.string(), data)


def compressed_video_cdr(picture: Picture) -> bytes:
    """``picture`` as a ``foxglove_msgs/msg/CompressedVideo``."""
    w = Writer().number("i", picture.sec).number("I", picture.nanosec).string(picture.frame_id)
    return w.octets(picture.data).string(picture.encoding).end()


def key_value(cdr: bytes) -> tuple[str, str]:
    """A ``diagnostic_msgs/msg/KeyValue``."""
    r = Reader(cdr)
    return r.string(), r.string()


def key_value_cdr(key: str, value: str) -> bytes:
    """A ``diagnostic_msgs/msg/KeyValue``."""
    return Writer().string(key).string(value).end()
