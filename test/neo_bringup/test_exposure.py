"""What `neo up` says of who can reach the robot, and what it refuses."""

import sys

import pytest

from neo_bringup import cli, exposure
from neo_description.errors import NeoError
from neo_ros.environment import ros_environment


def secured(keystore, **more):
    given = {"ROS_SECURITY_ENABLE": "true", "ROS_SECURITY_KEYSTORE": str(keystore)}
    return {**ros_environment({}), **given, **more}


@pytest.fixture
def installation(tmp_path):
    """A stand-in of a ROS 2 installation whose Fast DDS has the plug-ins, and a keystore."""
    (tmp_path / "ros" / "lib").mkdir(parents=True)
    (tmp_path / "ros" / "lib" / "libfastdds.so").write_bytes(b"...DDS:Auth:PKI-DH...")
    (tmp_path / "keys" / "enclaves").mkdir(parents=True)
    return tmp_path


def test_on_this_machine_alone_there_is_nothing_to_say():
    assert exposure.check(ros_environment({})) == ""


@pytest.mark.parametrize(
    "given", [{"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, {"ROS_STATIC_PEERS": "10.0.0.7"}]
)
def test_a_robot_that_is_open_to_the_network_says_so(given):
    assert "everybody on the network can move this robot" in exposure.check(
        {**given, **ros_environment(given)}
    )


@pytest.mark.skipif("ROS_DISTRO" in __import__("os").environ, reason="a ROS 2 installation has DDS security")
def test_the_wheels_cannot_enforce_and_neo_up_says_so_before_anything_starts(tmp_path, monkeypatch, capsys):
    assert exposure.has_security(ros_environment({})) is False
    for name, value in secured(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert cli.main(["up", "console:=false", "cameras:=false"]) == 2
    assert "built without DDS security" in capsys.readouterr().err


def test_where_the_middleware_can_a_keystore_is_wanted(installation):
    environment = secured(installation / "nowhere", AMENT_PREFIX_PATH=f"{installation / 'ros'}:{sys.prefix}")
    with pytest.raises(NeoError, match="nowhere' is no keystore"):
        exposure.check(environment)


def test_security_that_is_not_enforced_is_told(installation):
    environment = secured(installation / "keys", AMENT_PREFIX_PATH=str(installation / "ros"))
    assert "without ROS_SECURITY_STRATEGY=Enforce" in exposure.check(environment)
    assert exposure.check({**environment, "ROS_SECURITY_STRATEGY": "Enforce"}) == ""
