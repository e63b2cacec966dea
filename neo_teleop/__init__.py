"""Teleoperation: what a person's hands ask of the robot, from any device."""
