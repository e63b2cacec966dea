"""Which model runs, what the robot's update agent did last, and where the fleet's page is."""

from __future__ import annotations

import html
from pathlib import Path
from urllib.parse import urlsplit

from neo_description.errors import NeoError
from neo_flywheel.update.slots import Home, State


class Updates:
    """The state of the agent in ``folder``, read again when its file changed; empty: no agent."""

    def __init__(self, folder: str):
        self._home = Home(Path(folder).expanduser()) if folder else None
        self._stamp: float | None = None
        self.state: State | None = None
        self.fault = ""

    def look(self) -> None:
        """Read what changed."""
        if self._home is None:
            return
        file = self._home.root / "state.json"
        try:
            stamp = file.stat().st_mtime
        except OSError:
            self.state = self._stamp = None
            self.fault = f"nothing was installed in {self._home.root} yet"
            return
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.state, self.fault = self._home.load(), ""
        except NeoError as error:
            self.state, self.fault = None, str(error)


def fleet_address(address: str) -> str:
    """``address``; NeoError unless it is empty or one of http or https."""
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise NeoError(f"fleet {address!r} is no address of a page; http://HOST:PORT or https://…")
    return address


def drawn(model: str, updates: Updates, fleet: str) -> str:
    """HTML text. ``model``: what the node says; ``fleet``: address of a page."""
    rows = [_row("world model", model or "none runs")]
    state = updates.state
    if state is not None:
        rows += [_slot(name, state) for name in state.slots]
        rows += [_row("refused", f"{release}: {why}") for release, why in state.refused.items()]
        rows += [_row(_when(event), event.get("what", "")) for event in state.events[-3:]]
    elif updates.fault:
        rows.append(_row("updates", updates.fault))
    link = ""
    if fleet:
        safe = html.escape(fleet, quote=True)
        link = f'<a href="{safe}" target="_blank" rel="noopener noreferrer">Fleet: {safe}</a>'
    return f'<div class="neo" data-model><div class="neo-rows">{"".join(rows)}</div>{link}</div>'


def _row(name: str, text: str) -> str:
    return f"<small>{html.escape(name)}</small><span>{html.escape(text)}</span>"


def _slot(name: str, state: State) -> str:
    held = state.slots[name]
    if held is None:
        return _row(f"slot {name}", "empty")
    words = "good" if held.good else "not yet good"
    if name == state.active:
        words = f"in use, {'on trial' if state.trial else words}"
    return _row(f"slot {name}", f"{held.release.id}, {words}")


def _when(event: dict[str, str]) -> str:
    return event.get("time", "").replace("T", " ")[:16]
