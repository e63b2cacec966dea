"""What a node said against what it is to say: field by field, each message with the one of the same stamp."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neo_flywheel.replay import codec
from neo_flywheel.replay.codec import Codec
from neo_flywheel.replay.table import Output, Tolerance, type_of

Key = tuple[int, int]  # stamp in ns, and which message with it
MISSING, SURPLUS, VALUE = "missing", "surplus", "value"


@dataclass
class Difference:
    """One field that differs. ``kind``: ``value``; or messages are ``missing`` or ``surplus``, without field.

    ``count`` of ``of`` messages, the first stamped ``first`` (ns). ``most``: the largest difference, in the
    field's unit (infinite between words, lists of other lengths, and NaN and a number), at ``index`` of an
    array, at ``most_at`` (ns); ``mean``: over all. ``reference`` and ``fresh``: the values there.
    """

    topic: str
    kind: str
    field: str = ""
    count: int = 0
    of: int = 0
    first: int = 0
    most: float = 0.0
    most_at: int = 0
    index: int | None = None
    mean: float = 0.0
    reference: Any = None
    fresh: Any = None
    stamps: list[int] = dataclasses.field(default_factory=list)  # of all messages that both have
    sizes: list[float] = dataclasses.field(default_factory=list)  # the largest difference in each
    curves: tuple[list[float], list[float]] = dataclasses.field(
        default_factory=lambda: ([], [])
    )  # at index: both values


def keyed(messages: Iterable[bytes], topic: str, output: Output, reader: Codec) -> dict[Key, bytes]:
    """Messages by stamp; several with one stamp by their order."""
    seen: dict[int, int] = {}
    found: dict[Key, bytes] = {}
    for data in messages:
        stamp = codec.nanoseconds(reader.decode(data, type_of(topic)), output.stamp)
        found[stamp, seen.get(stamp, 0)] = data
        seen[stamp] = seen.get(stamp, 0) + 1
    return found


def alike(topic: str, output: Output, some: list[bytes], others: list[bytes], reader: Codec) -> int:
    """How many of ``some`` have the same values as the one of ``others`` with their stamp."""
    kind = type_of(topic)
    theirs = keyed(others, topic, output, reader)
    return sum(
        key in theirs and _values(data, kind, reader) == _values(theirs[key], kind, reader)
        for key, data in keyed(some, topic, output, reader).items()
    )


def _values(data: bytes, kind: str, reader: Codec) -> bytes:
    """``data`` without what lies between fields."""
    return reader.encode(reader.decode(data, kind), kind)


def topic_differences(
    topic: str,
    output: Output,
    reference: list[bytes],
    fresh: list[bytes],
    old: Codec,
    new: Codec,
    rounding: float = 0.0,
) -> list[Difference]:
    """What differs on one topic, first differences first. ``old``, ``new``: how each side is read.

    ``rounding``: how far numbers may be apart that have no tolerance of their own.
    """
    was, now = keyed(reference, topic, output, old), keyed(fresh, topic, output, new)
    found = [
        Difference(topic, kind, count=len(keys), of=len(whole), first=min(keys)[0], most=math.inf)
        for kind, keys, whole in (
            (MISSING, was.keys() - now.keys(), was),
            (SURPLUS, now.keys() - was.keys(), was),
        )
        if keys
    ]
    common = sorted(was.keys() & now.keys())
    unlike = [key for key in common if was[key] != now[key]]
    if unlike:
        kind = type_of(topic)
        pairs = {
            key: (codec.flat(old.decode(was[key], kind)), codec.flat(new.decode(now[key], kind)))
            for key in common
        }
        names = dict.fromkeys(name for key in unlike for name in (*pairs[key][0], *pairs[key][1]))
        found += _fields(topic, output, common, pairs, list(names), rounding)
    return sorted(found, key=lambda d: d.first)


def _fields(
    topic: str,
    output: Output,
    keys: list[Key],
    pairs: dict[Key, tuple[dict, dict]],
    names: list[str],
    rounding: float,
) -> list[Difference]:
    found = []
    for name in names:
        values = [(pairs[key][0].get(name), pairs[key][1].get(name)) for key in keys]
        parts = [apart(a, b) for a, b in values]
        sizes = [size for size, _ in parts]
        allowed = output.allowed(name, rounding)
        if not _beyond(sizes, allowed):
            continue
        over = [i for i, size in enumerate(sizes) if size > allowed.most] or [int(np.argmax(sizes))]
        worst = max(over, key=lambda i: sizes[i])
        index = parts[worst][1]
        found.append(
            Difference(
                topic, VALUE, name, len(over), len(keys), keys[over[0]][0], sizes[worst], keys[worst][0],
                index, float(np.mean(sizes)),
                _plain(values[worst][0], index), _plain(values[worst][1], index),
                [key[0] for key in keys], sizes,
                ([_number(a, index) for a, _ in values], [_number(b, index) for _, b in values]),
            )
        )  # fmt: skip
    return found


def _beyond(sizes: list[float], allowed: Tolerance) -> bool:
    if max(sizes) > allowed.most:
        return True
    return allowed.mean is not None and float(np.mean(sizes)) > allowed.mean


def apart(a: Any, b: Any) -> tuple[float, int | None]:
    """How far two values of a field differ, and where in an array; NaN is NaN, and far from any number."""
    if isinstance(a, (bool, int, float)) and isinstance(b, (bool, int, float)):
        return _distance(np.array([float(a)]), np.array([float(b)]))[0], None
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.shape != b.shape:
            return math.inf, None
        return _distance(a.astype(float), b.astype(float)) if a.size else (0.0, None)
    return (0.0 if a == b else math.inf), None


def _distance(a: np.ndarray, b: np.ndarray) -> tuple[float, int]:
    equal = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        size = np.where(equal, 0.0, np.abs(a - b)).ravel()
    size[np.isnan(size)] = math.inf
    index = int(np.argmax(size))
    return float(size[index]), index


def _plain(value: Any, index: int | None) -> Any:
    """For people and JSON: the value, one of an array, or how long it is."""
    if isinstance(value, np.ndarray):
        return float(value.ravel()[index]) if index is not None else f"{value.size} values"
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _number(value: Any, index: int | None) -> float:
    """For a curve; NaN where there is no number."""
    if isinstance(value, np.ndarray):
        return float(value.ravel()[index]) if index is not None and index < value.size else math.nan
    return float(value) if isinstance(value, (bool, int, float)) else math.nan
