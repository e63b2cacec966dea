"""Messages out of CDR and back by their text definitions; those of an older definition as today's."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from neo_description.errors import NeoError

Definition = Callable[[str], str]  # of a type's name: its text, with all types inside
NUMBER = {"bool": False, "string": "", "wstring": "", "float32": 0.0, "float64": 0.0}


class Codec:
    """Types are looked up with ``definition`` as they come; NeoError says which bytes are no message."""

    def __init__(self, definition: Definition):
        self._definition = definition
        self.store = get_typestore(Stores.EMPTY)

    def fields(self, type_name: str) -> list[tuple[str, Any]]:
        """Name and kind of each field, as ``rosbags`` tells them."""
        if type_name not in self.store.fielddefs:
            self.store.register(get_types_from_msg(self._definition(type_name), type_name))
        return self.store.fielddefs[type_name][1]

    def decode(self, data: bytes, type_name: str) -> Any:
        """The message in ``data``."""
        self.fields(type_name)
        try:
            return self.store.deserialize_cdr(data, type_name)
        except Exception as error:  # whatever rosbags says of bytes that are something else
            raise NeoError(f"{len(data)} bytes are no {type_name}: {error}") from None

    def encode(self, message: Any, type_name: str) -> bytes:
        """``message`` in CDR."""
        return bytes(self.store.serialize_cdr(message, type_name))


def same(old: Codec, new: Codec, type_name: str) -> bool:
    """Whether both know the type with the same fields, those of its fields' types included."""
    if old.fields(type_name) != new.fields(type_name):
        return False
    inner = [_inner(kind) for _, kind in new.fields(type_name)]
    return all(same(old, new, name) for name in inner if name)


def migrated(data: bytes, type_name: str, old: Codec, new: Codec) -> bytes:
    """A message of the old definition in the new one: fields by name, new ones empty, dropped ones left out.

    NeoError when a field of the same name has another kind: that needs a person.
    """
    return new.encode(_message(old.decode(data, type_name), type_name, old, new), type_name)


def _message(was: Any, type_name: str, old: Codec, new: Codec) -> Any:
    before = dict(old.fields(type_name))
    values = {}
    for name, kind in new.fields(type_name):
        if name not in before:
            values[name] = _empty(kind, new)
        elif not _alike(before[name], kind):
            raise NeoError(f"{type_name}: {name} was {_words(before[name])}, and is {_words(kind)} now")
        else:
            values[name] = _value(getattr(was, name), kind, old, new)
    return new.store.types[type_name](**values)


def _value(was: Any, kind: Any, old: Codec, new: Codec) -> Any:
    inner = _inner(kind)
    if inner is None:
        return was
    if kind[0] == Nodetype.NAME:
        return _message(was, inner, old, new)
    return [_message(one, inner, old, new) for one in was]


def _empty(kind: Any, new: Codec) -> Any:
    node, about = kind
    if node == Nodetype.NAME:
        return new.store.types[about](**{name: _empty(k, new) for name, k in new.fields(about)})
    if node == Nodetype.BASE:
        return NUMBER.get(about[0], 0)
    inner, size = about
    count = size if node == Nodetype.ARRAY else 0
    if inner[0] == Nodetype.NAME or inner[1][0] in ("string", "wstring"):
        return [_empty(inner, new) for _ in range(count)]
    return np.zeros(count, {"byte": "uint8", "char": "uint8"}.get(inner[1][0], inner[1][0]))


def _inner(kind: Any) -> str | None:
    """The message type in a field, alone or in a list."""
    node, about = kind
    if node in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        node, about = about[0]
    return about if node == Nodetype.NAME else None


def _alike(old: Any, new: Any) -> bool:
    """Whether values of one kind go into the other: bounds of sequences and strings may differ."""
    if old[0] == new[0] == Nodetype.SEQUENCE:
        return _alike(old[1][0], new[1][0])
    if old[0] == new[0] == Nodetype.BASE:
        return old[1][0] == new[1][0]
    return old == new


def _words(kind: Any) -> str:
    node, about = kind
    if node == Nodetype.BASE:
        return str(about[0])
    return str(about) if node == Nodetype.NAME else f"{_words(about[0])}[{about[1] or ''}]"


def flat(message: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted field name → number, string or array, of every field: ``markers.0.pose.position.x``."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(message):
        name, value = f"{prefix}{field.name}", getattr(message, field.name)
        if dataclasses.is_dataclass(value):
            found |= flat(value, f"{name}.")
        elif isinstance(value, list) and value and dataclasses.is_dataclass(value[0]):
            found[f"{name}.length"] = len(value)
            for i, one in enumerate(value):
                found |= flat(one, f"{name}.{i}.")
        else:
            found[name] = value
    return found


def at(message: Any, name: str) -> Any:
    """The value of a dotted field name; NeoError when there is none."""
    value = message
    for word in name.split("."):
        try:
            value = value[int(word)] if word.isdigit() else getattr(value, word)
        except (AttributeError, IndexError, TypeError):
            raise NeoError(f"{type(message).__name__} has no {name}") from None
    return value


def nanoseconds(message: Any, name: str) -> int:
    """The stamp of a message in ns; ``name``: of a ``builtin_interfaces/msg/Time``."""
    stamp = at(message, name)
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
