"""The node that is replayed, as its own process: started as a launch starts it, watched, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from neo_bringup.launch_parameters import write_file
from neo_bringup.launch_xml import NodeProcess
from neo_bringup.processes import Child
from neo_description.errors import NeoError
from neo_flywheel.replay.table import Row
from neo_ros.environment import ros_environment

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # as launch/control.launch.xml says
STOP_WITHIN = 5.0  # s of wall time for SIGINT
DEPTH = 1000  # messages that wait in the node's ends


class ReplayedNode:
    """Runs ``row``'s module in ROS domain ``domain`` while entered; ``parameters`` go before the row's.

    All its ends are reliable and deep: a replay must lose nothing, on busy cores either.
    """

    def __init__(self, row: Row, domain: int, parameters: Mapping[str, Any]):
        self._row, self._domain = row, domain
        ends = [(topic, "subscription") for topic in (row.drive, *row.inputs)]
        ends += [(topic, "publisher") for topic in row.outputs]
        reliable = {
            f"qos_overrides./{topic.lstrip('/')}.{end}.{policy}": value
            for topic, end in ends
            for policy, value in (("reliability", "reliable"), ("depth", DEPTH))
        }
        self._parameters = {**reliable, **row.parameters, **parameters}

    def __enter__(self) -> ReplayedNode:
        row = self._row
        self._folder = tempfile.TemporaryDirectory(prefix="neo-replay-")
        where = f"replay of {row.node}"
        process = NodeProcess("", row.module, row.name, "/", [], [], [], {}, True, where)
        words = [sys.executable, "-m", row.module, "--ros-args", "-r", f"__node:={row.name}", "-r", "__ns:=/"]
        file = Path(self._folder.name) / "parameters.yaml"
        write_file(file, process.full_name, self._parameters)
        words += ["--params-file", str(file)]
        environment = {**os.environ, **ros_environment(), **ONE_THREAD, "ROS_DOMAIN_ID": str(self._domain)}
        self._child = Child(process, words, environment)
        self._usage = psutil.Process(self._child.popen.pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._child.popen.wait(STOP_WITHIN)
        self._child.close()
        self._child.popen.wait()
        self._folder.cleanup()

    @property
    def cpu(self) -> float:
        """s of CPU time that the process and its threads have used."""
        used = self._usage.cpu_times()
        return used.user + used.system

    def check(self, when: str) -> None:
        """Reads what it printed; NeoError when it has ended."""
        alive = self._child.alive
        self._child.lines(to_end=not alive)
        if not alive:
            raise NeoError(f"{self._row.node} ended {when}: {self._child.how_it_ended()}")
