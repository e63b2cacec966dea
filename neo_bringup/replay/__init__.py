"""Nodes replayed for real: one process, a ROS domain of its own, stepped by a bag; and short bags."""
