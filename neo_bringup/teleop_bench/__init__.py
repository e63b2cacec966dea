"""A person at the teleoperation page, scripted: what `neo bench teleop` measures."""
