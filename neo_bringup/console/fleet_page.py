"""A fleet's rounds as a web page on loopback: read from its folder, live while the fleet runs."""

from __future__ import annotations

import threading

from neo_bringup.console import drawings, fleet_drawings, server
from neo_bringup.console.gate import Gate
from neo_bringup.console.texts import Texts
from neo_bringup.fleet import rows
from neo_bringup.fleet.settings import Place
from neo_description.errors import NeoError

PERIOD = 1.0  # s between two looks into the folder
WIDTH = 760  # px


class FleetPage:
    """The page of the fleet in ``place``, on ``port`` (0: any free one); :meth:`close` ends it.

    NeoError when there is no fleet, or the port is taken.
    """

    def __init__(self, place: Place, port: int):
        self._place = place
        self._settings = place.settings()
        self._gate = Gate()
        self._server = server.start(port, "NEO fleet", self._gate)
        self._closing = threading.Event()
        self._texts = Texts()
        gui = self._server.gui
        gui.main_panel.set_width(WIDTH)
        gui.add_html(drawings.STYLE + fleet_drawings.STYLE + drawings.LOST)
        for name in fleet_drawings.PARTS:
            self._texts.add(name, gui)
        self.draw()

    @property
    def address(self) -> str:
        """What to type into a browser."""
        return self._gate.address(self._server.get_port())

    def run(self) -> None:
        """Draws until the process is interrupted or the page closed."""
        while not self._closing.wait(PERIOD):
            self.draw()

    def draw(self) -> None:
        """What the folder says now; a file that is being exchanged is read the next time."""
        try:
            every, said = rows.read(self._place), rows.read_progress(self._place)
        except NeoError as error:
            every, said = [], str(error)
        drawn = fleet_drawings.parts(str(self._place.root), self._settings, every, said)
        for name, text in drawn.items():
            self._texts.put(name, text)

    def close(self) -> None:
        """Close the page's connections and the port."""
        self._closing.set()
        server.stop(self._server)
