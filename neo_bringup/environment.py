"""The ROS environment of ``neo`` and of the processes it starts; it lives with the nodes' helpers."""

from neo_ros.environment import ros_environment, without_bootstrap

__all__ = ["ros_environment", "without_bootstrap"]
