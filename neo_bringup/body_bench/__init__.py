"""Parts of ``neo bench body``: modules with ``PARTS``, ``measure(part, seed, folder, say)`` and ``figures``.

Each part runs on a robot that differs from the tables its controller believes (:mod:`lab`), with noisy
sensors, and is scored with the simulator's truth, which no controller sees.
"""
