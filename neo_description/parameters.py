"""Parameters, declared once: ``parameters.yaml`` of a room holds type, default, unit, bounds, description.

    lift_speed: {type: double, default: 0.1, unit: m/s, bounds: [0.01, 0.5], description: "…"}

:func:`load` gives a core its parameters without ROS; ``neo_ros.params`` declares the same file on a node.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from neo_description.errors import NeoError

TYPES: dict[str, tuple[Any, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "double": (float, int),
    "string": (str,),
    "double_array": (list, tuple),
    "string_array": (list, tuple),
}


@dataclass(frozen=True)
class Parameter:
    """One declaration. ``bounds`` are inclusive, ``one_of`` lists the allowed values."""

    name: str
    type: str
    default: Any
    description: str
    unit: str = ""
    bounds: tuple[float, float] | None = None
    one_of: tuple[Any, ...] = ()
    read_only: bool = False

    def check(self, value: Any) -> Any:
        """``value`` as the declared type; NeoError says what was given and what is allowed."""
        wrong_bool = isinstance(value, bool) and self.type != "bool"
        if wrong_bool or not isinstance(value, TYPES[self.type]):
            raise NeoError(f"parameter {self.name}: {value!r} is no {self.type}")
        if self.one_of and value not in self.one_of:
            allowed = ", ".join(map(str, self.one_of))
            raise NeoError(f"parameter {self.name}: {value!r} is none of {allowed}")
        if self.bounds is not None:
            low, high = self.bounds
            for item in value if isinstance(value, (list, tuple)) else (value,):
                if not low <= item <= high:
                    raise NeoError(
                        f"parameter {self.name}: {item} is outside [{low}, {high}] {self.unit}".rstrip()
                    )
        return float(value) if self.type == "double" else value


def declared(file: Path) -> dict[str, Parameter]:
    """The declarations of one ``parameters.yaml``; defaults are checked against their own bounds."""
    return dict(_read(file))


@cache
def _read(file: Path) -> dict[str, Parameter]:
    try:
        rows = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise NeoError(f"cannot read parameters from {file}: {error}") from None
    parameters = {}
    for name, row in rows.items():
        row = dict(row)
        if "bounds" in row:
            row["bounds"] = tuple(row["bounds"])
        if "one_of" in row:
            row["one_of"] = tuple(row["one_of"])
        parameters[name] = Parameter(name=name, **row)
        parameters[name].check(parameters[name].default)
    return parameters


def load(file: Path, **overrides: Any) -> SimpleNamespace:
    """Parameters of ``file`` with ``overrides``, checked; an unknown name is refused with the known ones."""
    parameters = declared(file)
    unknown = set(overrides) - set(parameters)
    if unknown:
        raise NeoError(
            f"no parameter {', '.join(sorted(unknown))} in {file.name}; one of {', '.join(parameters)}"
        )
    return SimpleNamespace(
        **{
            name: parameter.check(overrides.get(name, parameter.default))
            for name, parameter in parameters.items()
        }
    )
