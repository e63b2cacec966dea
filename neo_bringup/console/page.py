"""The page: panels beside the 3D picture, buttons, and the thread that keeps both up to date.

The page never waits for a browser: viser keeps only the newest value of each element for a slow one. And
nothing waits for the page: it asks its source for the latest values when it has time, and asks for nothing
while nobody watches.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Protocol

import mujoco
import viser

from neo_bringup.console import charts, drawings, pad_map, server
from neo_bringup.console.gate import Gate
from neo_bringup.console.scene import SceneView
from neo_bringup.console.snapshot import Snapshot, TaskView
from neo_description.tables import SIDES

GRIP_SECONDS = 20.0
EXAMPLE = "pick up the red bottle"


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


class Buttons(Protocol):
    """What the page can ask of the robot; calls return at once, from any thread."""

    task: TaskView

    def do(self, prompt: str) -> None: ...
    def cancel(self) -> None: ...
    def stop(self) -> None: ...
    def reset(self) -> None: ...
    def stand(self) -> None: ...


class Page:
    """The console's page behind ``gate``, by default for this machine alone; :meth:`close` ends it."""

    def __init__(
        self,
        params: SimpleNamespace,
        source: Source,
        buttons: Buttons,
        robot: mujoco.MjModel,
        furniture: mujoco.MjModel | None = None,
        complain: Callable[[str], None] = print,
        gate: Gate | None = None,
    ) -> None:
        self._params = params
        self._source = source
        self._buttons = buttons
        self._complain = complain
        self._snapshot = Snapshot()
        self._shown: dict[str, str] = {}
        self._told: set[str] = set()
        self._grip: deque[tuple[float, float, float]] = deque(maxlen=200)
        self._gate = gate or Gate()
        self._server = server.start(params.port, "NEO", self._gate)
        self._html: dict[str, viser.GuiHtmlHandle] = {}
        self._build_controls()
        self._build_senses()
        self._scene = SceneView(self._server, robot, furniture)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._thread.start()

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

    def _build_controls(self) -> None:
        gui = self._server.gui
        gui.main_panel.dock_left()
        gui.main_panel.set_width(280)
        gui.add_html(drawings.STYLE + drawings.LOST)
        self._html["safety"] = gui.add_html("")
        gui.add_html('<div class="neo-stop-follows"></div>')
        stop = gui.add_button("STOP", color=(214, 40, 40), hint="The drives hold at once (runstop)")
        stop.on_click(lambda _: self._buttons.stop())
        row = gui.add_button_group(
            "", ("Stand", "Reset"), hint="Reset releases STOP; Stand lets the robot stand up"
        )
        row.on_click(lambda _: self._buttons.stand() if row.value == "Stand" else self._buttons.reset())
        gui.add_divider()
        with gui.add_form(None) as form:
            prompt = gui.add_text("Prompt", EXAMPLE, hint="verb, colour, object: " + EXAMPLE)
        self._do = gui.add_button("Do it", icon=viser.Icon.PLAYER_PLAY)
        self._cancel = gui.add_button("Cancel task", color="gray", visible=False)
        form.on_submit(lambda _: self._buttons.do(prompt.value))
        self._do.on_click(lambda _: self._buttons.do(prompt.value))
        self._cancel.on_click(lambda _: self._buttons.cancel())
        self._html["task"] = gui.add_html("")
        gui.add_divider()
        self._html["nodes"] = gui.add_html("")

    def _build_senses(self) -> None:
        gui = self._server.gui
        panel = gui.add_panel()
        with panel.add_tab("Senses", viser.Icon.EYE):
            for name, title in (
                ("eyes", "Head cameras"),
                ("imagined", "Expected in 0.8 s, if nothing else is asked for"),
                ("hands", "Pad forces, seen from the palm"),
                ("grip", f"Grip of both hands, last {GRIP_SECONDS:.0f} s (N)"),
                ("tensions", "Tendon tensions, by share of the limit"),
            ):
                gui.add_html(f'<div class="neo"><h4>{title}</h4></div>')
                self._html[name] = gui.add_html("")
        panel.dock_right()
        panel.set_width(370)

    def _show(self, name: str, text: str) -> None:
        if self._shown.get(name) != text:
            self._shown[name] = text
            self._html[name].content = text

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
        self._source.motion(self._snapshot)
        self._scene.put(self._snapshot)

    def _draw_health(self) -> None:
        self._source.health(self._snapshot)
        self._show(
            "nodes", drawings.nodes(self._snapshot.nodes) + drawings.supervision(self._snapshot.supervision)
        )

    def _draw_panels(self) -> None:
        snapshot, silent, task = self._snapshot, self._params.silent_after, self._buttons.task
        self._source.panels(snapshot)
        self._show("safety", drawings.safety(snapshot, silent))
        self._show("task", drawings.task(task))
        self._show("eyes", drawings.eyes(snapshot, silent))
        self._show("imagined", drawings.imagined(snapshot, silent))
        self._show("hands", pad_map.hands(snapshot, self._params.pad_full_scale))
        left, right = (charts.grip(snapshot.hands.get(side)) for side in SIDES)
        self._grip.append((time.monotonic(), left, right))
        self._show("grip", charts.grip_chart(self._grip, GRIP_SECONDS))
        self._show("tensions", charts.tensions(snapshot))
        if self._cancel.visible != task.running:
            self._cancel.visible, self._do.visible = task.running, not task.running
