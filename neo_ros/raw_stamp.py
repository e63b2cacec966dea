"""When a serialised message was stamped, without unpacking the rest of it."""

from __future__ import annotations

import struct

from neo_description.tables import CONTROL_RATE

STAMP = struct.Struct("<iI")  # sec, nanosec: what a message that begins with a header begins with
ENCAPSULATION = 4  # bytes before it; the middleware here writes little-endian CDR


def raw_tick(raw: bytes) -> int:
    """The control tick at which a serialised message that begins with a header was stamped."""
    sec, nanosec = STAMP.unpack_from(raw, ENCAPSULATION)
    return round((sec + 1e-9 * nanosec) * CONTROL_RATE)
