"""Random messages of any type: well-typed ones, and serialised ones that are spoilt."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from rclpy.serialization import serialize_message

from neo_ros import graph

EXTREME = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, -1e308, 5e-324, 1e9, -1.0)
WORDS = ("", "odom", "base_link", "medium_wrap", "red bottle", "moon", "ü€漢字", "x" * 300, "a b\n\t\0")
WILD = (0.0, 0.05, 1.0)  # share of a message's fields that are extreme; one is drawn for each message
LONGEST = 70  # elements of a sequence
_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}
_SHAPE = re.compile(r"^(?P<of>.+?)(\[(?P<n>\d+)\]|(?P<any>\[\]))$")
_SEQUENCE = re.compile(r"^sequence<(?P<of>.+?)(, (?P<most>\d+))?>$")


def well_typed(kind: type, rng: np.random.Generator, wild: float | None = None) -> Any:
    """A message of class ``kind``; ``wild``: share of extreme fields, drawn when it is not given."""
    wild = float(rng.choice(WILD)) if wild is None else wild
    message = kind()
    for name, type_name in kind.get_fields_and_field_types().items():  # type: ignore[attr-defined]
        setattr(message, name, _value(type_name, rng, wild))
    return message


def _value(type_name: str, rng: np.random.Generator, wild: float) -> Any:
    sequence = _SEQUENCE.match(type_name)
    if sequence:
        most = min(int(sequence["most"] or LONGEST), LONGEST)
        return _values(sequence["of"], int(rng.integers(0, most + 1)), rng, wild)
    shape = _SHAPE.match(type_name)
    if shape:
        return _values(shape["of"], int(shape["n"] or rng.integers(0, LONGEST)), rng, wild)
    if "/" in type_name:
        package, name = type_name.split("/")
        return well_typed(graph.interface(f"{package}/msg/{name}"), rng, wild)
    return _leaf(type_name, rng, rng.random() < wild)


def _values(of: str, n: int, rng: np.random.Generator, wild: float) -> list[Any]:
    return [_value(of, rng, wild) for _ in range(n)]


def _leaf(type_name: str, rng: np.random.Generator, extreme: bool) -> Any:
    if type_name.startswith("string"):
        return str(rng.choice(WORDS))
    if type_name == "boolean":
        return bool(rng.integers(2))
    if type_name in ("float", "double"):
        value = float(rng.choice(EXTREME)) if extreme else float(rng.normal())
        return value if type_name == "double" or abs(value) < 1e38 or not math.isfinite(value) else 3e38
    if type_name in ("octet", "byte"):
        return bytes([int(rng.integers(256))])
    signed = not type_name.startswith("u") and type_name != "char"
    bits = 8 if type_name == "char" else _BITS[type_name.removeprefix("u")]
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if extreme:
        return [low, high, 0, 1][int(rng.integers(4))]
    return int(rng.integers(0, min(high, 100)))


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
