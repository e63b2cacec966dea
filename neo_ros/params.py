"""Declares a room's ``parameters.yaml`` on a node: type, bounds, unit and description from the one file.

    self._params = params.declare(self, PARAMETERS)   # SimpleNamespace, kept up to date

A bad or unknown value is refused by a :class:`~neo_description.errors.NeoError` that names what is allowed;
``neo_ros.main.run`` turns that into one line and exit code 2.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    ParameterType,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from neo_description import parameters
from neo_description.errors import NeoError

TYPES = {
    "bool": ParameterType.PARAMETER_BOOL,
    "int": ParameterType.PARAMETER_INTEGER,
    "double": ParameterType.PARAMETER_DOUBLE,
    "string": ParameterType.PARAMETER_STRING,
    "double_array": ParameterType.PARAMETER_DOUBLE_ARRAY,
    "string_array": ParameterType.PARAMETER_STRING_ARRAY,
}
FOREIGN = ("use_sim_time", "start_type_description_service")  # every node has these


def descriptor(parameter: parameters.Parameter) -> ParameterDescriptor:
    """What ``ros2 param describe`` shows."""
    unit = f" [{parameter.unit}]" if parameter.unit else ""
    result = ParameterDescriptor(
        name=parameter.name,
        type=TYPES[parameter.type],
        description=parameter.description + unit,
        read_only=parameter.read_only,
        # an integer is welcome where a double is meant: Parameter.check tells them apart
        dynamic_typing=True,
    )
    if parameter.one_of:
        result.additional_constraints = f"one of {', '.join(map(str, parameter.one_of))}"
    if parameter.bounds is not None:
        low, high = parameter.bounds
        if parameter.type == "int":
            result.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
        elif parameter.type == "double":
            result.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    return result


def declare(node: Node, *files: Path) -> SimpleNamespace:
    """Declares every parameter of ``files`` on ``node``; their values, which follow later changes.

    Values come from the launch file or command line, else the declared default. NeoError when a value is
    refused or a given name is declared nowhere.
    """
    known: dict[str, parameters.Parameter] = {}
    for file in files:
        known.update(parameters.declared(file))
    given = node._parameter_overrides
    _refuse_unknown(given, known)
    values = SimpleNamespace()
    for name, parameter in known.items():
        value = plain(given[name].value) if name in given else parameter.default
        setattr(values, name, parameter.check(value))
        typed = float(value) if parameter.type == "double" else value
        node.declare_parameter(name, typed, descriptor(parameter), ignore_override=True)

    def on_set(changes: list[RosParameter]) -> SetParametersResult:
        try:
            checked = {p.name: known[p.name].check(plain(p.value)) for p in changes if p.name in known}
        except NeoError as error:
            return SetParametersResult(successful=False, reason=str(error))
        for name, value in checked.items():
            setattr(values, name, value)
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(on_set)
    return values


def plain(value: Any) -> Any:
    """A ROS parameter value with arrays as lists."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else list(value)


def _refuse_unknown(given: dict[str, Any], known: dict[str, Any]) -> None:
    unknown = [
        name for name in given if name not in known and name not in FOREIGN and not name.startswith("qos_")
    ]
    if unknown:
        raise NeoError(f"no parameter {', '.join(unknown)}; one of {', '.join(known)}")
