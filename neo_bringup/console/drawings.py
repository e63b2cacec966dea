"""What the page says in words and pictures, as HTML text: safety, task, nodes, cameras.

Text that came over the wire is escaped; a picture is embedded as data, so nothing is ever fetched.
"""

from __future__ import annotations

import base64
import html
import math

from neo_bringup.console.snapshot import Health, NodeState, Snapshot, TaskView
from neo_bringup.supervision import Supervision
from neo_description.signals import DriveMode, Safety

STYLE = """<style>
.neo {font: 13px/1.35 system-ui, "Liberation Sans", "DejaVu Sans", sans-serif; color: #28323c;
  margin: 0 10px 8px}
.neo b {font-weight: 600} .neo small {color: #6b7783; font-size: 11.5px}
.neo-chip {display: flex; align-items: baseline; gap: 8px; padding: 7px 10px; border-radius: 8px; color: #fff}
.neo-chip b {font-size: 15px; letter-spacing: .03em} .neo-chip span {opacity: .92; font-size: 12px}
.neo-nodes {display: grid; grid-template-columns: auto 1fr; gap: 2px 8px; align-items: baseline}
.neo-nodes i {width: 9px; height: 9px; border-radius: 50%; display: inline-block}
.neo-eyes {display: grid; grid-template-columns: 1fr 1fr; gap: 6px}
.neo-eyes div {aspect-ratio: 4/3; background: #e4e8ec; border-radius: 6px; overflow: hidden;
  position: relative}
.neo-eyes img {width: 100%; height: 100%; object-fit: cover; display: block}
.neo-eyes [data-imagined] img {image-rendering: pixelated}
.neo-eyes span {position: absolute; left: 5px; bottom: 4px; color: #fff; font-size: 11px; background: #0007;
  padding: 0 5px; border-radius: 4px}
.neo-depth {position: relative; border-radius: 6px; overflow: hidden; background: #e4e8ec}
.neo-depth img {width: 100%; display: block}
.neo-depth span {position: absolute; left: 5px; bottom: 4px; color: #fff; font-size: 11px; background: #0007;
  padding: 0 5px; border-radius: 4px}
.neo-events {display: grid; grid-template-columns: auto 1fr auto; gap: 0 8px; align-items: center}
.neo-rows {display: grid; grid-template-columns: auto 1fr; gap: 3px 10px; align-items: baseline}
.neo-legend {display: flex; flex-wrap: wrap; gap: 2px 12px; font-size: 11.5px}
.neo-legend i {width: 9px; height: 9px; border-radius: 2px; display: inline-block; margin-right: 4px}
.neo a {color: #2c6690; overflow-wrap: anywhere}
.neo-bar {height: 8px; border-radius: 4px; background: #e2e6ea; overflow: hidden; margin: 5px 0}
.neo-bar div {height: 100%; background: #3a7ca5}
.neo svg {display: block; width: 100%; height: auto}
.neo svg text {font: 10px system-ui, "Liberation Sans", "DejaVu Sans", sans-serif; fill: #56626d}
div:has(> .neo-stop-follows) + div button {height: 60px !important}
div:has(> .neo-stop-follows) + div button span {font-size: 24px; font-weight: 700 !important;
  letter-spacing: .1em}
.neo-lost {display: none; padding: 8px 10px; border-radius: 8px; background: #1f262c; color: #fff;
  font-weight: 600}
[style*="pointer-events: none"] .neo-lost {display: block}
@media (max-width: 1000px) {#webgl-software-rendering {display: none}}
@media (max-width: 576px) {
  [style*="position: fixed"]:has(.neo) {width: 100% !important; max-height: 52% !important}
  [style*="position: fixed"]:has(.neo-stop-follows) {bottom: 76px !important}
  [style*="width: 20em"] {width: 100% !important}
  [style*="cursor: pointer"][style*="height: 3.5em"] {pointer-events: none; height: 2.4em !important}
  div:has(> .neo-stop-follows) + div {position: fixed; left: 0; right: 0; bottom: 0; padding: 8px 0;
    background: #fff; z-index: 20}
}
.neo h4 {font-size: 12px; font-weight: 600; color: #56626d; margin: 10px 0 4px}
</style>"""

# viser freezes its elements with this style when the connection to the console is lost.
LOST = """<div class="neo"><div class="neo-lost">NO CONNECTION to the console. This page shows the past,
and its STOP does not work: use <code>neo stop</code> or the robot's own switch.</div></div>"""

SAFETY_COLOUR = {
    Safety.STOP: "#4a5763",
    Safety.STANDING_UP: "#b9770e",
    Safety.ACTIVE: "#2b7a46",
    Safety.FALLING: "#b3302a",
}
MARK_COLOUR = {"prompt": "#3a7ca5", "outcome": "#d0342c", "done": "#2f9e58", "trigger": "#e0a100"}
HEALTH_COLOUR = {
    Health.OK: "#2f9e58",
    Health.WARN: "#e0a100",
    Health.ERROR: "#d0342c",
    Health.SILENT: "#d0342c",
    Health.GONE: "#d0342c",
    Health.ABSENT: "#b4bcc4",
}


def safety(snapshot: Snapshot, silent_after: float) -> str:
    """The chips at the top: what the body may do, what the drives do, and why; whether a person drives."""
    return _body(snapshot, silent_after) + operator(snapshot)


def _body(snapshot: Snapshot, silent_after: float) -> str:
    if snapshot.safety is None:
        return _chip("#6b7783", "NO ROBOT", "nothing heard on safety/state")
    if snapshot.state_age is None or snapshot.state_age > silent_after:
        age = "" if snapshot.state_age is None else f" for {snapshot.state_age:.0f} s"
        return _chip("#b3302a", "NO CONTACT", f"the drives have said nothing{age}")
    drives = "" if snapshot.drive_mode is None else f"drives: {DriveMode(snapshot.drive_mode).name.lower()}"
    if snapshot.runstop:
        return _chip("#b3302a", "RUNSTOP", f"latched; {drives}. Reset, then Stand")
    name = "STOPPED" if snapshot.safety == Safety.STOP else Safety(snapshot.safety).name.replace("_", " ")
    posture = _posture(snapshot.posture_age, silent_after)
    detail = "; ".join(part for part in (drives, snapshot.safety_reason, posture) if part)
    return _chip(SAFETY_COLOUR[snapshot.safety], name, detail)


def operator(snapshot: Snapshot) -> str:
    """The chip that says that a person drives, and whether that may be recorded; nothing where none does."""
    if not snapshot.operator.get("teleop/engaged"):
        return ""
    agreed = snapshot.operator.get("teleop/consent")
    return _chip("#b9770e", "A PERSON DRIVES", "agreed to be recorded" if agreed else "nothing is recorded")


def _posture(age: float | None, silent_after: float) -> str:
    """What to say when the drawn robot does not show the real one."""
    if age is None:
        return "posture not heard"
    return "" if age <= silent_after else f"drawn posture is {age:.0f} s old"


def _chip(colour: str, name: str, detail: str) -> str:
    return (
        f'<div class="neo"><div class="neo-chip" style="background:{colour}">'
        f"<b>{name}</b><span>{html.escape(detail)}</span></div></div>"
    )


def replay(name: str) -> str:
    """The head of a page that shows the past."""
    return (
        '<div class="neo"><div class="neo-chip" style="background:#5b3f8c" data-replay><b>REPLAY</b>'
        f"<span>{html.escape(name)}</span></div><small>What was recorded, not the robot. "
        "Nothing on this page commands anything.</small></div>"
    )


def marks(rows: list[tuple[float, str, str]], duration: float, position: float) -> str:
    """Prompts, outcomes and triggers (s, kind, words) along a recording of ``duration`` s."""
    width, length = 260.0, max(duration, 1e-3)
    shapes = [f'<path d="M0 8H{width:g}" stroke="#c9d1d8" stroke-width="3"/>']
    for at, kind, words in rows:
        colour = MARK_COLOUR["done" if kind == "outcome" and words.startswith("done") else kind]
        shapes.append(
            f'<circle cx="{at / length * width:.1f}" cy="8" r="4" fill="{colour}">'
            f"<title>{at:.1f} s, {html.escape(kind)}: {html.escape(words)}</title></circle>"
        )
    here = position / length * width
    shapes.append(f'<path d="M{here:.1f} 1V15" stroke="#28323c" stroke-width="2"/>')
    return (
        f'<div class="neo"><svg viewBox="0 0 {width:g} 16" role="img" aria-label="what happened when">'
        f'{"".join(shapes)}</svg><small data-at="{position:.1f}">{position:.1f} of {duration:.1f} s'
        "</small></div>"
    )


def unread(faults: dict[str, str]) -> str:
    """Topic → why what was recorded of it is not shown."""
    rows = [f"<b>{html.escape(topic)} cannot be read</b> {html.escape(why)}" for topic, why in faults.items()]
    return f'<div class="neo"><small>{"<br>".join(rows)}</small></div>' if rows else ""


def task(view: TaskView) -> str:
    """What the robot is at, how far, and the outcome of the last prompt."""
    rows = []
    if view.prompt:
        state = "working" if view.running else ("done" if view.success else "not done")
        rows.append(f"<b>{html.escape(view.prompt)}</b> <small>{state}</small>")
        colour = "#3a7ca5" if view.running else ("#2f9e58" if view.success else "#d0342c")
        known = math.isfinite(view.progress)
        share = 100.0 * min(max(view.progress, 0.0), 1.0) if known else 0.0
        if known:
            bar = f'<div style="width:{share:.0f}%;background:{colour}"></div>'
            rows.append(f'<div class="neo-bar">{bar}</div>')
        if view.running and known:
            phase = f"<b>{html.escape(view.phase or 'waiting')}</b> {share:.0f} %"
            rows.append(f"{phase} <small>{html.escape(view.detail)}</small>")
        elif not view.running:
            rows.append(f"<small>{html.escape(view.outcome)}</small>")
    if view.note:
        rows.append(f"<div><small>{html.escape(view.note)}</small></div>")
    return f'<div class="neo">{"".join(rows)}</div>'


def nodes(states: list[NodeState]) -> str:
    """One line a node: a dot, its name, and what it says when it is not well."""
    rows = "".join(
        f'<i style="background:{HEALTH_COLOUR[node.health]}" title="{node.health.value}"></i>'
        f"<span>{html.escape(node.name)} <small>{html.escape(_say(node))}</small></span>"
        for node in states
    )
    return f'<div class="neo"><div class="neo-nodes">{rows}</div></div>'


def supervision(view: Supervision | None) -> str:
    """What the supervisor says beyond that: who holds the robot and why, degraded modes, restarts."""
    if view is None:
        return '<div class="neo"><small>no supervisor heard</small></div>'
    rows = []
    if view.state != "up":
        rows.append(f"<b>{view.state}</b> <small>{html.escape(view.reason)}</small>")
    for mode, why in view.modes.items():
        name = html.escape(mode.replace("_", " "))
        rows.append(f'<b data-mode="{html.escape(mode)}">{name}</b> <small>{html.escape(why)}</small>')
    again = [f"{node.name} {node.restarts}x" for node in view.nodes if node.restarts]
    if again:
        rows.append(f"<small>started again: {html.escape(', '.join(again))}</small>")
    return f'<div class="neo">{"<br>".join(rows)}</div>' if rows else ""


def _say(node: NodeState) -> str:
    if node.health is Health.OK:
        return node.detail
    return f"{node.health.value}{': ' if node.detail else ''}{node.detail}"


def eyes(snapshot: Snapshot, silent_after: float) -> str:
    """Both camera pictures side by side."""
    cells = []
    for side in ("left", "right"):
        picture = snapshot.images.get(side)
        if picture is None:
            cells.append(f'<div data-eye="{side}"><span>{side}: no picture</span></div>')
            continue
        age = snapshot.image_age.get(side, 0.0)
        text = side if age <= silent_after else f"{side}, {age:.0f} s old"
        data = base64.b64encode(picture).decode()
        source = f"data:image/jpeg;base64,{data}"
        cells.append(
            f'<div data-eye="{side}"><img decoding="sync" alt="{side} eye" src="{source}">'
            f"<span>{text}</span></div>"
        )
    return f'<div class="neo"><div class="neo-eyes">{"".join(cells)}</div></div>'
