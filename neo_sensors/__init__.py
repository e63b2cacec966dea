"""Sensor drivers: stereo head camera, proprioception and tactile pads, simulated or real."""
