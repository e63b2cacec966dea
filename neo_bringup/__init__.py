"""The ``neo`` command, the launch runner and supervisor, the demo, the benchmarks and the console."""
