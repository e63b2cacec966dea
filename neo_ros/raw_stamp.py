"""Serialised messages: when one was stamped, without unpacking the rest; and the whole, or why it is none.

What a subscription takes undecoded has been checked by nobody.
"""

from __future__ import annotations

import struct
from typing import Any

from rclpy._rclpy_pybind11 import RMWError
from rclpy.serialization import deserialize_message

from neo_description.errors import RefusedError
from neo_description.tables import CONTROL_RATE

STAMP = struct.Struct("<iI")  # sec, nanosec: what a message that begins with a header begins with
ENCAPSULATION = 4  # bytes before it; the middleware here writes little-endian CDR


def raw_tick(raw: bytes) -> int:
    """The control tick at which a serialised message that begins with a header was stamped."""
    if len(raw) < ENCAPSULATION + STAMP.size:
        raise RefusedError(f"{len(raw)} bytes are no stamped message")
    sec, nanosec = STAMP.unpack_from(raw, ENCAPSULATION)
    return round((sec + 1e-9 * nanosec) * CONTROL_RATE)


def decoded(raw: bytes, kind: type) -> Any:
    """The message of class ``kind``; RefusedError when the bytes are none."""
    try:
        return deserialize_message(raw, kind)
    except RMWError as error:
        raise RefusedError(f"{len(raw)} bytes are no {kind.__name__}: {str(error)[:200]}") from None
