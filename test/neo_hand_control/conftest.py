"""ROS in this process, in a domain of its own."""

import pytest
import rclpy

from neo_ros import environment


@pytest.fixture
def ros(ros_domain, monkeypatch):
    """rclpy, initialised."""
    for name, value in environment.ros_environment().items():
        monkeypatch.setenv(name, value)
    rclpy.init(args=[])
    yield rclpy
    rclpy.shutdown()
