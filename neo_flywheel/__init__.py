"""Recording: every topic as it was sent, into bags that every ROS 2 tool reads."""
