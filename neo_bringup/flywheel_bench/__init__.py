"""Measurements of the flywheel, each a module with ``PARTS``, ``measure`` and ``figures``."""
"""Measures of the flywheel, a module a room; ``neo_bringup/bench`` registers them."""
"""Figures of the flywheel: one module a room of it, each with ``PARTS``, ``measure`` and ``figures``."""
