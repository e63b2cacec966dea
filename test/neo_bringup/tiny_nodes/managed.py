"""A managed node whose executor hangs for as long as the file of argv[1] exists."""

import os
import sys
import time
from pathlib import Path

from rclpy.clock import Clock
from rclpy.clock_type import ClockType

from neo_ros.main import run
from neo_ros.managed import ManagedNode

HANG = Path(sys.argv[1])


class Tiny(ManagedNode):
    def __init__(self):
        super().__init__("tiny")

    def configure(self):
        self.create_timer(0.02, self.tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
        print(f"pid {os.getpid()}", flush=True)

    def tick(self):
        while HANG.exists():
            time.sleep(0.01)


run(Tiny)
