"""Parameters of a running node, declared from a room's parameters.yaml."""

import pytest
from rcl_interfaces.msg import ParameterType
from rclpy.node import Node
from rclpy.parameter import Parameter

from neo_description.errors import NeoError
from neo_ros import params

TEXT = """
speed: {type: double, default: 1, unit: m/s, bounds: [0.5, 2.0], description: "how fast"}
count: {type: int, default: 3, bounds: [1, 5], description: "how many"}
side: {type: string, default: l, one_of: [l, r], read_only: true, description: "which hand"}
gains: {type: double_array, default: [1.0, 2.0], bounds: [0.0, 9.0], description: "three gains"}
names: {type: string_array, default: [], description: "names"}
enabled: {type: bool, default: false, description: "switch"}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def node(ros):
    made = Node("tuned", parameter_overrides=[Parameter("count", value=4)])
    yield made
    made.destroy_node()


def test_values_are_defaults_and_overrides_as_plain_python(node, file):
    values = params.declare(node, file)
    assert vars(values) == {
        "speed": 1.0, "count": 4, "side": "l", "gains": [1.0, 2.0], "names": [], "enabled": False,
    }  # fmt: skip
    assert isinstance(values.speed, float)


def test_the_descriptor_carries_unit_bounds_and_read_only(node, file):
    params.declare(node, file)
    speed, side = node.describe_parameter("speed"), node.describe_parameter("side")
    assert speed.type == ParameterType.PARAMETER_DOUBLE
    assert speed.description == "how fast [m/s]"
    assert (speed.floating_point_range[0].from_value, speed.floating_point_range[0].to_value) == (0.5, 2.0)
    assert side.read_only
    assert side.additional_constraints == "one of l, r"


def test_a_change_is_seen_and_a_bad_one_leaves_the_value(node, file):
    values = params.declare(node, file)
    assert node.set_parameters([Parameter("speed", value=1.5)])[0].successful
    assert values.speed == 1.5
    assert node.set_parameters([Parameter("speed", value=2)])[0].successful  # an integer is welcome
    assert values.speed == 2.0
    refused = node.set_parameters([Parameter("gains", value=[1.0, 10.0])])[0]
    assert not refused.successful
    assert refused.reason == "parameter gains: 10.0 is outside [0.0, 9.0]"
    assert values.gains == [1.0, 2.0]


def test_read_only_stays(node, file):
    values = params.declare(node, file)
    assert not node.set_parameters([Parameter("side", value="r")])[0].successful
    assert values.side == "l"


def test_a_given_name_that_nobody_declares_is_refused(ros, file):
    node = Node("mistyped", parameter_overrides=[Parameter("sped", value=1.0)])
    with pytest.raises(NeoError, match="no parameter sped; one of speed, count"):
        params.declare(node, file)
    node.destroy_node()
