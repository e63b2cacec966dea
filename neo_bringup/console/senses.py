"""The panel on the right: what the robot senses, how its body is, what its model expects and which it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import viser

from neo_bringup.console import charts, depth, drawings, expectations, models, pad_map, series
from neo_bringup.console.snapshot import Snapshot
from neo_bringup.console.texts import Texts


class Senses:
    """On ``gui``; ``params`` of the console."""

    def __init__(self, gui: Any, texts: Texts, params: SimpleNamespace) -> None:
        self._texts, self._params = texts, params
        self._history = series.History()
        self._updates = models.Updates(params.updates)
        self._fleet = models.fleet_address(params.fleet)
        panel = gui.add_panel()
        with panel.add_tab("Senses", viser.Icon.EYE):
            texts.add("eyes", gui, "Head cameras")
            texts.add("imagined", gui, "Expected in 0.8 s, if nothing else is asked for")
            texts.add("consequences", gui)
            texts.add("hands", gui, "Pad forces, seen from the palm")
            if params.depth:
                texts.add("depth", gui, "Depth, left eye")
        with panel.add_tab("Body", viser.Icon.CHART_LINE):
            self._choice = gui.add_dropdown("Plot", tuple(series.GROUPS))
            texts.add("plot", gui)
            texts.add("tensions", gui, "Tendon tensions, by share of the limit")
        with panel.add_tab("Model", viser.Icon.BRAIN):
            texts.add("model", gui, "Model and updates")
        panel.dock_right()
        panel.set_width(370)

    def draw(self, snapshot: Snapshot, balance: np.ndarray | None) -> None:
        """What changes fast."""
        silent = self._params.silent_after
        self._texts.put("eyes", drawings.eyes(snapshot, silent))
        self._texts.put("imagined", expectations.imagined(snapshot, silent))
        self._texts.put("consequences", expectations.consequences(snapshot, silent))
        self._texts.put("hands", pad_map.hands(snapshot, self._params.pad_full_scale))
        self._history.add(snapshot.time, series.values(snapshot, balance))

    def draw_slow(self, snapshot: Snapshot) -> None:
        """What need not."""
        if self._params.depth:
            self._texts.put("depth", depth.drawn(snapshot.depth))
        self._texts.put("tensions", charts.tensions(snapshot))
        self._updates.look()
        self._texts.put("model", models.drawn(snapshot.model, self._updates, self._fleet))
        group = series.GROUPS[self._choice.value]
        self._texts.put("plot", charts.curves(*self._history.table(tuple(group.lines)), group))
