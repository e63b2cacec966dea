"""``neo bench``: the one way to measure. A benchmark is a module here with ``HELP`` and ``measure(request)``.

``measure`` yields one :class:`~neo_bringup.bench.harness.Sample` a seed, or a part of one; figures are made
of all of them by ``figures(samples)``. Targets stand in ``benchmarks/targets.yaml``.
"""
