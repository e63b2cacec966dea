"""The panel on the left: safety, STOP, prompt, task, nodes. In a replay nothing of it commands anything."""

from __future__ import annotations

from typing import Any, Protocol

import viser

from neo_bringup.console import drawings
from neo_bringup.console.snapshot import Snapshot, TaskView
from neo_bringup.console.texts import Texts

EXAMPLE = "pick up the red bottle"


class Buttons(Protocol):
    """What the page can ask of the robot; calls return at once, from any thread."""

    task: TaskView

    def do(self, prompt: str) -> None: ...
    def cancel(self) -> None: ...
    def stop(self) -> None: ...
    def reset(self) -> None: ...
    def stand(self) -> None: ...


class Controls:
    """On ``gui``, for the robot behind ``buttons``."""

    def __init__(self, gui: Any, texts: Texts, buttons: Buttons) -> None:
        self._texts, self._buttons = texts, buttons
        texts.add("safety", gui)
        gui.add_html('<div class="neo-stop-follows"></div>')
        stop = gui.add_button("STOP", color=(214, 40, 40), hint="The drives hold at once (runstop)")
        stop.on_click(lambda _: buttons.stop())
        row = gui.add_button_group(
            "", ("Stand", "Reset"), hint="Reset releases STOP; Stand lets the robot stand up"
        )
        row.on_click(lambda _: buttons.stand() if row.value == "Stand" else buttons.reset())
        gui.add_divider()
        with gui.add_form(None) as form:
            prompt = gui.add_text("Prompt", EXAMPLE, hint="verb, colour, object: " + EXAMPLE)
        self._do = gui.add_button("Do it", icon=viser.Icon.PLAYER_PLAY)
        self._cancel = gui.add_button("Cancel task", color="gray", visible=False)
        form.on_submit(lambda _: buttons.do(prompt.value))
        self._do.on_click(lambda _: buttons.do(prompt.value))
        self._cancel.on_click(lambda _: buttons.cancel())
        texts.add("task", gui)
        gui.add_divider()
        texts.add("nodes", gui)

    def draw(self, snapshot: Snapshot, silent_after: float) -> None:
        """Show safety and task."""
        task = self._buttons.task
        self._texts.put("safety", drawings.safety(snapshot, silent_after))
        self._texts.put("task", drawings.task(task))
        if self._cancel.visible != task.running:
            self._cancel.visible, self._do.visible = task.running, not task.running


class ReplayBar:
    """Instead of :class:`Controls`, for a recording: play, pause, seek, speed; no way to the robot."""

    def __init__(self, gui: Any, texts: Texts, recording: Any) -> None:
        self._texts, self._recording = texts, recording
        head = recording.playhead
        gui.add_html(drawings.replay(recording.name))
        texts.add("safety", gui)
        texts.add("marks", gui)
        texts.add("unread", gui)
        self._at = gui.add_slider("At (s)", 0.0, max(round(head.duration, 1), 0.1), 0.1, 0.0)
        self._play = gui.add_button("Play", icon=viser.Icon.PLAYER_PLAY)
        self._pause = gui.add_button("Pause", icon=viser.Icon.PLAYER_PAUSE, visible=False)
        speed = gui.add_dropdown("Speed", tuple(f"{s:g} x" for s in head.SPEEDS), initial_value="1 x")
        self._at.on_update(lambda event: head.seek(self._at.value) if event.client is not None else None)
        self._play.on_click(lambda _: head.play())
        self._pause.on_click(lambda _: head.pause())
        speed.on_update(lambda _: head.set_speed(float(speed.value.split()[0])))
        gui.add_divider()
        texts.add("task", gui)
        gui.add_divider()
        texts.add("nodes", gui)

    def draw(self, snapshot: Snapshot, silent_after: float) -> None:
        """Show where the recording is, and what it says there."""
        head = self._recording.playhead
        at = round(head.position, 1)
        if self._at.value != at and head.playing:
            self._at.value = at
        if self._pause.visible != head.playing:
            self._pause.visible, self._play.visible = head.playing, not head.playing
        heard = snapshot.safety is not None  # else it may come further on
        self._texts.put("safety", drawings.safety(snapshot, silent_after) if heard else "")
        self._texts.put("marks", drawings.marks(self._recording.marks, head.duration, head.position))
        self._texts.put("unread", drawings.unread(self._recording.unread))
        self._texts.put("task", drawings.task(self._recording.task))
