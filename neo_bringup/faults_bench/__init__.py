"""What the robot makes of what breaks: measures of `neo bench faults`, one module a kind of fault."""
