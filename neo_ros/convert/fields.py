"""Times, sequences and enumerations of messages."""

from __future__ import annotations

from array import array
from enum import IntEnum
from typing import Any, TypeVar

import numpy as np
from builtin_interfaces.msg import Duration, Time

from neo_description.errors import RefusedError

_Number = TypeVar("_Number", bound=IntEnum)


def seconds(time: Time | Duration) -> float:
    """s; the float nearest to the decimal value, so ``tick / 500`` survives the journey."""
    return (time.sec * 1_000_000_000 + time.nanosec) / 1e9


def stamp(message: Any) -> float:
    """Plant time of a stamped message, s."""
    return seconds(message.header.stamp)


def _split(value: float) -> tuple[int, int]:
    if not np.isfinite(value):
        raise RefusedError(f"{value} s is no time")
    return divmod(round(value * 1e9), 1_000_000_000)


def to_time(value: float) -> Time:
    """``value`` s as a stamp, rounded to ns."""
    sec, nanosec = _split(value)
    return Time(sec=sec, nanosec=nanosec)


def to_duration(value: float) -> Duration:
    """``value`` s as a duration, rounded to ns."""
    sec, nanosec = _split(value)
    return Duration(sec=sec, nanosec=nanosec)


def start_stamp(start: float, time: Time | float | None) -> Time | float:
    """The stamp of a command: its own start, else ``time``, else 0 (on arrival)."""
    return start if start or time is None else time


def sequence(values: np.ndarray) -> array:
    """A float64 sequence field: the fast way in."""
    return array("d", np.ascontiguousarray(values, float).tobytes())


def number(kind: type[_Number], value: int, field: str) -> _Number:
    """``value`` as ``kind``; RefusedError names the numbers there are."""
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(f"{item.name} ({item.value})" for item in kind)
        raise RefusedError(f"{field} {value}; one of {allowed}") from None


def stamped(message: Any, time: Time | float) -> Any:
    """``message`` with its header's stamp set."""
    message.header.stamp = time if isinstance(time, Time) else to_time(time)
    return message
