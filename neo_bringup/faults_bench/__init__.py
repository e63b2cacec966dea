"""Benchmarks of faults: what is broken on purpose, and whether the robot stays safe."""
