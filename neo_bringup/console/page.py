"""The page: panels beside the 3D picture, and the thread that keeps both up to date.

The page never waits for a browser: viser keeps only the newest value of each element for a slow one. And
nothing waits for the page: it asks its source for the latest values when it has time, and asks for nothing
while nobody watches.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Protocol

import mujoco

from neo_bringup.console import drawings, server
from neo_bringup.console.controls import Buttons, Controls, ReplayBar
from neo_bringup.console.each import each
from neo_bringup.console.gate import Gate
from neo_bringup.console.recording import Recording
from neo_bringup.console.scene import SceneView
from neo_bringup.console.senses import Senses
from neo_bringup.console.snapshot import Snapshot
from neo_bringup.console.texts import Texts


class Source(Protocol):
    """Where the page gets its values; all calls come from the page's own thread."""

    def watch(self, watched: bool) -> None:
        """Somebody looks from now on, or nobody any more."""

    def motion(self, snapshot: Snapshot) -> None:
        """Renew joints, base pose and perceived objects."""

    def panels(self, snapshot: Snapshot) -> None:
        """Renew pictures, pads, tensions, safety."""

    def health(self, snapshot: Snapshot) -> None:
        """Renew the list of nodes."""


class Page:
    """The console's page behind ``gate``, by default for this machine alone; :meth:`close` ends it.

    ``buttons`` command a robot; a :class:`Recording` in their place makes the page a replay of it.
    """

    def __init__(
        self,
        params: SimpleNamespace,
        source: Source,
        buttons: Buttons | Recording,
        robot: mujoco.MjModel,
        furniture: mujoco.MjModel | None = None,
        complain: Callable[[str], None] = print,
        gate: Gate | None = None,
    ) -> None:
        self._params = params
        self._source = source
        self._complain = complain
        self._snapshot = Snapshot()
        self._told: set[str] = set()
        self._gate = gate or Gate()
        replays = isinstance(buttons, Recording)
        self._server = server.start(params.port, "NEO replay" if replays else "NEO", self._gate)
        try:
            self._build(buttons, robot, furniture)
        except Exception:
            server.stop(self._server)
            raise
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._thread.start()

    def _build(
        self, buttons: Buttons | Recording, robot: mujoco.MjModel, furniture: mujoco.MjModel | None
    ) -> None:
        gui, self._texts = self._server.gui, Texts()
        gui.main_panel.dock_left()
        gui.main_panel.set_width(280)
        gui.add_html(drawings.STYLE + drawings.LOST)
        self._controls: Controls | ReplayBar
        if isinstance(buttons, Recording):
            self._controls = ReplayBar(gui, self._texts, buttons)
        else:
            self._controls = Controls(gui, self._texts, buttons)
        self._senses = Senses(gui, self._texts, self._params)
        self._scene = SceneView(self._server, robot, furniture, self._params.tendons)

    @property
    def address(self) -> str:
        """What to type into a browser."""
        return self._gate.address(self._server.get_port())

    @property
    def watched(self) -> bool:
        """Is a browser connected?"""
        return bool(self._server.get_clients())

    def close(self) -> None:
        """Stop drawing, close the port."""
        self._closing.set()
        self._thread.join(timeout=5.0)
        server.stop(self._server)

    def _run(self) -> None:
        """Draw while somebody watches; a fault is told once and drawing goes on: STOP must stay."""
        period = 1.0 / self._params.scene_rate
        due: dict[str, float] = {}
        watched = False
        while not self._closing.wait(period if watched else 4.0 * period):
            if self.watched != watched:
                watched = not watched
                self._guarded(lambda: self._source.watch(watched))  # noqa: B023 - called at once
                due.clear()
            if not watched:
                continue
            self._guarded(self._draw_motion)
            for draw, rate in (
                (self._draw_panels, self._params.panel_rate),
                (self._draw_slow, self._params.slow_rate),
                (self._draw_health, self._params.health_rate),
            ):
                now = time.monotonic()
                if now >= due.get(draw.__name__, 0.0):
                    due[draw.__name__] = now + 1.0 / rate
                    self._guarded(draw)
        if watched:
            self._guarded(lambda: self._source.watch(False))

    def _guarded(self, draw: Callable[[], None]) -> None:
        try:
            draw()
        except Exception as error:  # whatever came over the wire, the page goes on
            fault = f"console: cannot draw: {type(error).__name__}: {error}"
            if fault not in self._told and len(self._told) < 100:
                self._told.add(fault)
                self._complain(fault)

    def _draw_motion(self) -> None:
        each(lambda: self._source.motion(self._snapshot), lambda: self._scene.put(self._snapshot))

    def _draw_health(self) -> None:
        each(lambda: self._source.health(self._snapshot), self._draw_nodes)

    def _draw_nodes(self) -> None:
        self._texts.put(
            "nodes", drawings.nodes(self._snapshot.nodes) + drawings.supervision(self._snapshot.supervision)
        )

    def _draw_panels(self) -> None:
        each(
            lambda: self._source.panels(self._snapshot),
            lambda: self._controls.draw(self._snapshot, self._params.silent_after),
            self._draw_senses,
        )

    def _draw_senses(self) -> None:
        standing = self._snapshot.joints and self._snapshot.T_odom_base is not None
        self._senses.draw(self._snapshot, self._scene.robot.balance() if standing else None)

    def _draw_slow(self) -> None:
        each(lambda: self._senses.draw_slow(self._snapshot), lambda: self._scene.put_tensions(self._snapshot))
