"""Node ``console``: the robot in a web page, on loopback by default. Its buttons call services.

One line with the page's address comes first; a port that is taken ends the process with one line.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import mujoco

from neo_bringup.console import access
from neo_bringup.console.calls import RobotCalls
from neo_bringup.console.gate import Gate
from neo_bringup.console.page import Page
from neo_bringup.console.samples import GraphSource
from neo_description import scenes
from neo_description.builder import build_robot
from neo_description.errors import NeoError
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode

PARAMETERS = Path(__file__).with_name("parameters.yaml")


class ConsoleNode(ManagedNode):
    """Joins page, graph and buttons."""

    def __init__(self) -> None:
        super().__init__("console", PARAMETERS)

    def configure(self) -> None:
        self._diagnostics = Diagnostics(self)
        self.calls = RobotCalls(self, self._params)
        self._source = GraphSource(self, self._params)
        try:
            self.page = Page(
                self._params,
                self._source,
                self.calls,
                robot=build_robot(tendons=False).compile(),
                furniture=furniture(self._params),
                complain=self._diagnostics.error,
                gate=gate(self._params),
            )
        except NeoError:
            self._source.close()
            raise
        print(f"console: {self.page.address}", flush=True)  # for people, and for who started this

    def cleanup(self) -> None:
        """Close the page and leave the graph."""
        self.page.close()
        self._source.close()


def gate(parameters: SimpleNamespace) -> Gate:
    """Who is let in; NeoError: beyond this machine without an access."""
    given = access.load(Path(parameters.access).expanduser()) if parameters.access else None
    return Gate(parameters.host, given, parameters.open_watching)


def furniture(parameters: SimpleNamespace) -> mujoco.MjModel | None:
    """The scene whose fixed parts are drawn, or ``None``."""
    if not parameters.furniture:
        return None
    return scenes.make(parameters.furniture, objects=(), scene_file=parameters.furniture_file or None).model


def main() -> None:
    """Entry point ``console_node``."""
    run(ConsoleNode, pictures=True)


if __name__ == "__main__":
    main()
