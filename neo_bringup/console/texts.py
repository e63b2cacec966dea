"""Elements of HTML text on a page, sent only when their text changes."""

from __future__ import annotations

import html
from typing import Any

import viser


class Texts:
    """By name."""

    def __init__(self) -> None:
        self._handles: dict[str, viser.GuiHtmlHandle] = {}
        self._shown: dict[str, str] = {}

    def add(self, name: str, gui: Any, title: str = "") -> None:
        """A place for ``name`` where ``gui`` is now, below ``title``."""
        if title:
            gui.add_html(f'<div class="neo"><h4>{html.escape(title)}</h4></div>')
        self._handles[name], self._shown[name] = gui.add_html(""), ""

    def put(self, name: str, text: str) -> None:
        """Show ``text``."""
        if self._shown[name] != text:
            self._shown[name] = text
            self._handles[name].content = text
