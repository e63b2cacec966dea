"""Node ``teleop`` with its page: ``neo teleop`` runs it beside a robot.

One line with the page's address comes first; a port that is taken ends the process with one line.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from neo_bringup.console import access
from neo_bringup.console.gate import Gate
from neo_bringup.teleop_page.senses import Senses
from neo_bringup.teleop_page.server import PageServer
from neo_description.errors import NeoError
from neo_ros.main import run
from neo_teleop.desk import Desk
from neo_teleop.node import TeleopNode

PARAMETERS = Path(__file__).with_name("parameters.yaml")
END = 5.0  # s of wall time for the recorder to finish its bag
PICTURE_EVERY = 2  # statuses


class PageTeleop(TeleopNode):
    """Serves the page while it is configured."""

    def __init__(self, desk: Desk | None = None) -> None:
        super().__init__(desk, PARAMETERS)

    def configure(self) -> None:
        super().configure()
        self._recorder: subprocess.Popen[bytes] | None = None
        self._count = 0
        p = self._params
        given = access.load(Path(p.access).expanduser()) if p.access else None
        gate = Gate(p.host, given)
        self._senses = Senses(self)
        try:
            self.page = PageServer(gate, p.port, self.desk, p.late)
        except NeoError:
            self._senses.close()
            raise
        self.told = self._tell
        print(f"teleop: {self.page.address}", flush=True)  # for people, and for who started this

    def _tell(self) -> None:
        self.page.push()
        self._count += 1
        if self._count % PICTURE_EVERY == 0 and (picture := self._senses.picture()) is not None:
            self.page.push_picture(picture)

    def pads(self) -> dict[str, dict[str, float]]:
        return self._senses.pads()

    def start_recorder(self) -> None:
        """A recorder in a process of its own; it ends with this node."""
        if self._recorder is None or self._recorder.poll() is not None:
            words = ["--ros-args", "-r", f"__ns:={self.get_namespace()}", "-r", "__node:=recorder"]
            code = "from neo_flywheel.recorder_node import main; main()"
            self._recorder = subprocess.Popen([sys.executable, "-c", code, *words])

    def cleanup(self) -> None:
        """Close the page, finish the recording, leave the graph."""
        super().cleanup()
        self.told = lambda: None
        self.page.close()
        self._senses.close()
        if self._recorder is not None:
            self._recorder.terminate()
            try:
                self._recorder.wait(END)
            except subprocess.TimeoutExpired:
                self._recorder.kill()


def main() -> None:
    """Entry point of ``teleop_node``."""
    run(PageTeleop, pictures=True)


if __name__ == "__main__":
    main()
