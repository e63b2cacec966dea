"""What the world model expects, as HTML text: pictures to come, how surprised it is, what may follow."""

from __future__ import annotations

import base64
import html
import math

import cv2

from neo_bringup.console.drawings import HEALTH_COLOUR
from neo_bringup.console.snapshot import Health, Snapshot
from neo_description.signals import Consequence

WILL = {"falls": "will fall", "slips": "will slip", "collides": "will collide", "hidden": "will be hidden"}
LIKELY, UNLIKELY = 0.5, 0.2  # chances from which on a bar is red, or amber


def imagined(snapshot: Snapshot, silent_after: float) -> str:
    """What both eyes are to see soon, and how surprised the world model is; a hint without one."""
    if snapshot.surprise is None or (snapshot.surprise_age or 0.0) > silent_after:
        return '<div class="neo"><small>no world model heard (neo up world_model:=true)</small></div>'
    cells = []
    for side, picture in snapshot.imagined.items():
        data = base64.b64encode(cv2.imencode(".png", picture[..., ::-1])[1].tobytes()).decode()
        cells.append(
            f'<div data-imagined="{side}"><img decoding="sync" alt="{side} eye, imagined" '
            f'src="data:image/png;base64,{data}"><span>{side}, imagined</span></div>'
        )
    by = max(snapshot.surprised_by, key=lambda name: snapshot.surprised_by[name], default="")
    share = 100 * min(max(snapshot.surprise, 0.0), 1.0)
    colour = HEALTH_COLOUR[Health.OK if share < 95 else Health.WARN if share < 99 else Health.ERROR]
    most = f", most by {html.escape(by)}" if by else ""
    bar = (
        f'<div data-surprise="{share:.0f}">surprise {share:.0f} %<small>{most}</small></div>'
        f'<div class="neo-bar"><div style="width:{share:.0f}%;background:{colour}"></div></div>'
    )
    return f'<div class="neo"><div class="neo-eyes">{"".join(cells)}</div>{bar}</div>'


def consequences(snapshot: Snapshot, silent_after: float) -> str:
    """A bar for each event that the world model foretells; nothing where none is, or it fell silent."""
    follows = snapshot.consequences
    if follows is None or not follows.events or (snapshot.consequences_age or 0.0) > silent_after:
        return ""
    rows = "".join(_row(event) for event in follows.events)
    return f'<div class="neo"><div class="neo-events">{rows}</div></div>'


def _row(event: Consequence) -> str:
    known = math.isfinite(event.chance)
    share = 100 * min(max(event.chance, 0.0), 1.0) if known else 0.0
    health = Health.OK if event.chance < UNLIKELY else Health.WARN if event.chance < LIKELY else Health.ERROR
    when = f"likely in {event.likely_after:.1f} s" if math.isfinite(event.likely_after) else ""
    raw = "" if event.calibrated else "not calibrated"
    told = ", ".join(part for part in (f"{share:.0f} %" if known else "?", when, raw) if part)
    name = html.escape(WILL.get(event.name, event.name))
    return (
        f'<span>{name}</span><div class="neo-bar" data-event="{html.escape(event.name)}">'
        f'<div style="width:{share:.0f}%;background:{HEALTH_COLOUR[health]}"></div></div>'
        f"<small>{told}</small>"
    )
