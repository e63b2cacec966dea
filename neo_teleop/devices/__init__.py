"""Devices that a person holds; each says what it says as frames (``neo_teleop/frames.py``)."""
