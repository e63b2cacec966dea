"""Measurements of the flywheel, each a module with ``PARTS``, ``measure`` and ``figures``."""
"""Measures of the flywheel, a module a room; ``neo_bringup/bench`` registers them."""
