"""Signed releases of models, and the agent that installs them on a robot."""
