"""Figures of the flywheel: a module a room, each with ``PARTS``, ``measure`` and ``figures``."""
