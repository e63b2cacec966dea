"""Measurements of the flywheel, each a module with ``PARTS``, ``measure`` and ``figures``."""
