"""Random messages of any type: well-typed ones, and serialised ones that are spoilt."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import numpy as np
from rclpy.serialization import serialize_message

from neo_ros import graph

EXTREME = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, -1e308, 5e-324, 1e9, -1.0)
WORDS = ("", "odom", "base_link", "medium_wrap", "red bottle", "moon", "ü€漢字", "x" * 300, "a b\n\t\0")
WILD = (0.0, 0.05, 1.0)  # share of a message's fields that are extreme; one is drawn for each message
LONGEST = 70  # elements of a sequence
FLOAT_MAX = 3e38
_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}
_ARRAY = re.compile(r"^(?P<of>.+?)(\[(?P<n>\d+)\]|(?P<any>\[\]))$")
_SEQUENCE = re.compile(r"^sequence<(?P<of>.+?)(, (?P<most>\d+))?>$")


def well_typed(kind: type, rng: np.random.Generator, wild: float | None = None) -> Any:
    """A message of class ``kind``; ``wild``: share of extreme fields, drawn when it is not given."""
    wild = float(rng.choice(WILD)) if wild is None else wild
    message = kind()
    for name, type_name in _fields(kind):
        setattr(message, name, _value(type_name, rng, wild))
    return message


@cache
def _fields(kind: type) -> list[tuple[str, str]]:
    return list(kind.get_fields_and_field_types().items())  # type: ignore[attr-defined]


@cache
def _shape(type_name: str) -> tuple[str, int | None, int]:
    """Of what a field is made, how many of it (None: one), and how many it may be when that varies."""
    if sequence := _SEQUENCE.match(type_name):
        return sequence["of"], 0, min(int(sequence["most"] or LONGEST), LONGEST)
    if array := _ARRAY.match(type_name):
        return array["of"], int(array["n"] or 0), 0 if array["n"] else LONGEST - 1
    return type_name, None, 0


def _value(type_name: str, rng: np.random.Generator, wild: float) -> Any:
    of, n, most = _shape(type_name)
    if n is None:
        return _values(of, 1, rng, wild)[0]
    return _values(of, int(rng.integers(0, most + 1)) if most else n, rng, wild)


def _values(of: str, n: int, rng: np.random.Generator, wild: float) -> list[Any]:
    if "/" in of:
        package, name = of.split("/")
        kind = graph.interface(f"{package}/msg/{name}")
        return [well_typed(kind, rng, wild) for _ in range(n)]
    if of.startswith("string"):
        return [WORDS[which] for which in rng.integers(0, len(WORDS), n).tolist()]
    if of == "boolean":
        return [bool(bit) for bit in rng.integers(0, 2, n)]
    if of in ("octet", "byte"):
        return [bytes([byte]) for byte in rng.integers(0, 256, n).tolist()]
    extreme = np.flatnonzero(rng.random(n) < wild) if wild else ()
    if of in ("float", "double"):
        numbers: list[float] = rng.standard_normal(n).tolist()
        for i in extreme:
            value = EXTREME[int(rng.integers(len(EXTREME)))]
            too_large = of == "float" and math.isfinite(value) and abs(value) > FLOAT_MAX
            numbers[i] = math.copysign(FLOAT_MAX, value) if too_large else value
        return numbers
    signed = not of.startswith("u") and of != "char"
    bits = 8 if of == "char" else _BITS[of.removeprefix("u")]
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    whole: list[int] = rng.integers(0, min(high, 100), n).tolist()
    for i in extreme:
        whole[i] = (low, high, 0, 1)[int(rng.integers(4))]
    return whole


def malformed(kind: type, rng: np.random.Generator) -> bytes:
    """A serialised message of class ``kind`` that is cut off, flipped, blown up, or no message at all."""
    raw = bytearray(serialize_message(well_typed(kind, rng, 0.0)))
    way = int(rng.integers(5))
    if way == 0:  # cut off
        return bytes(raw[: int(rng.integers(0, len(raw)))])
    if way == 1:  # some bits flipped
        for _ in range(int(rng.integers(1, 20))):
            raw[int(rng.integers(len(raw)))] ^= 1 << int(rng.integers(8))
    elif way == 2:  # four bytes that may be a length say that it is huge
        at = 4 * int(rng.integers(1, max(2, len(raw) // 4)))
        raw[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x01\x00"])
    elif way == 3:  # another encapsulation
        raw[0:2] = rng.bytes(2)
    else:  # noise
        raw = bytearray(rng.bytes(int(rng.integers(0, 400))))
    return bytes(raw)
