"""Retargeting: a person's hands and upper body, as landmarks, onto the robot's joints."""
