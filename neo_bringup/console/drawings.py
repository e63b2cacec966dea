"""Small drawings for the page as HTML and SVG text: pads, tensions, nodes, task, pictures.

Text that came over the wire is escaped; a picture is embedded as data, so nothing is ever fetched.
"""

from __future__ import annotations

import base64
import html

import numpy as np

from neo_bringup.console.snapshot import HandView, Health, NodeState, Snapshot, TaskView
from neo_description.signals import DriveMode, GraspPhase, Safety
from neo_description.tables import BODY, HAND, TAXELS

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
.neo-eyes span {position: absolute; left: 5px; bottom: 4px; color: #fff; font-size: 11px; background: #0007;
  padding: 0 5px; border-radius: 4px}
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
HEALTH_COLOUR = {
    Health.OK: "#2f9e58",
    Health.WARN: "#e0a100",
    Health.ERROR: "#d0342c",
    Health.SILENT: "#d0342c",
    Health.GONE: "#d0342c",
    Health.ABSENT: "#b4bcc4",
}
HEAT = np.array([[233, 237, 240], [247, 216, 140], [236, 122, 60], [176, 28, 46]], float)


def heat(share: float) -> str:
    """Colour of ``share`` in 0..1, from pale over yellow and orange to dark red; grey when not finite."""
    if not np.isfinite(share):
        return "#9aa3ab"
    at = min(max(share, 0.0), 1.0) * (len(HEAT) - 1)
    low = min(int(at), len(HEAT) - 2)
    r, g, b = (HEAT[low] + (at - low) * (HEAT[low + 1] - HEAT[low])).round().astype(int)
    return f"#{r:02x}{g:02x}{b:02x}"


def safety(snapshot: Snapshot, silent_after: float) -> str:
    """The chip at the top: what the body may do, what the drives do, and why."""
    if snapshot.safety is None:
        return _chip("#6b7783", "NO ROBOT", "nothing heard on safety/state")
    if snapshot.state_age is None or snapshot.state_age > silent_after:
        age = "" if snapshot.state_age is None else f" for {snapshot.state_age:.0f} s"
        return _chip("#b3302a", "NO CONTACT", f"the drives have said nothing{age}")
    drives = "" if snapshot.drive_mode is None else f"drives: {DriveMode(snapshot.drive_mode).name.lower()}"
    if snapshot.runstop:
        return _chip("#b3302a", "RUNSTOP", f"latched; {drives}. Reset, then Stand")
    name = "STOPPED" if snapshot.safety == Safety.STOP else Safety(snapshot.safety).name.replace("_", " ")
    detail = "; ".join(part for part in (drives, snapshot.safety_reason) if part)
    return _chip(SAFETY_COLOUR[snapshot.safety], name, detail)


def _chip(colour: str, name: str, detail: str) -> str:
    return (
        f'<div class="neo"><div class="neo-chip" style="background:{colour}">'
        f"<b>{name}</b><span>{html.escape(detail)}</span></div></div>"
    )


def task(view: TaskView) -> str:
    """What the robot is at, how far, and the outcome of the last prompt."""
    rows = []
    if view.prompt:
        state = "working" if view.running else ("done" if view.success else "not done")
        rows.append(f"<b>{html.escape(view.prompt)}</b> <small>{state}</small>")
        colour = "#3a7ca5" if view.running else ("#2f9e58" if view.success else "#d0342c")
        share = 100.0 * min(max(view.progress, 0.0), 1.0)
        rows.append(f'<div class="neo-bar"><div style="width:{share:.0f}%;background:{colour}"></div></div>')
        if view.running:
            phase = f"<b>{html.escape(view.phase or 'waiting')}</b> {share:.0f} %"
            rows.append(f"{phase} <small>{html.escape(view.detail)}</small>")
        else:
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


# Pads of the right hand seen from the palm, thumb to the right: centre x, y and size in drawing units.
_PADS: dict[str, tuple[float, float, float, float]] = {
    "thumb_metacarpal": (118, 116, 17, 22),
    "thumb_proximal": (134, 92, 16, 21),
    "thumb_distal": (146, 68, 16, 21),
    "palm_distal_radial": (85, 88, 34, 24),
    "palm_distal_ulnar": (48, 88, 34, 24),
    "palm_proximal_radial": (85, 116, 34, 26),
    "palm_proximal_ulnar": (48, 116, 34, 26),
}
for _column, (_finger, _base) in enumerate((("little", 66), ("ring", 60), ("middle", 57), ("index", 60))):
    for _row, _segment in enumerate(("proximal", "middle", "distal")):
        _PADS[f"{_finger}_{_segment}"] = (37 + 20 * _column, _base - 22 * _row, 16, 20)
_WIDTH, _HEIGHT = 164, 152


def hand(side: str, view: HandView | None, full_scale: float) -> str:
    """One hand's pads from the palm side: colour is normal force, the stroke is shear (N).

    The pad's axes y and z point to the fingertip and, seen so, to the left on both hands.
    """
    name = {"l": "left hand", "r": "right hand"}[side]
    if view is None:
        return f'<text x="{_WIDTH / 2}" y="80" text-anchor="middle">{name}: not heard</text>'
    shapes = []
    for taxel, force, valid in zip(TAXELS, view.taxel_force, view.taxel_valid, strict=True):
        x, y, w, h = _PADS[taxel]
        if side == "l":
            x = _WIDTH - x
        normal = float(force[0]) if valid else float("nan")
        shapes.append(
            f'<rect x="{x - w / 2:g}" y="{y - h / 2:g}" width="{w}" height="{h}" rx="6" '
            f'fill="{heat(normal / full_scale)}" stroke="#b9c2ca" stroke-width=".7">'
            f"<title>{side}_{taxel}: {normal:.2f} N</title></rect>"
        )
        along, across = float(force[1]), float(force[2])
        if valid and np.hypot(along, across) > 0.1:
            tip = np.clip(np.array([-across, -along]) * 10.0 / full_scale, -12.0, 12.0)
            shapes.append(
                f'<path d="M{x:g} {y:g}l{tip[0]:.1f} {tip[1]:.1f}" stroke="#1c2a36" stroke-width="1.4"/>'
            )
    total = float(view.taxel_force[np.asarray(view.taxel_valid, bool), 0].sum())
    phase = GraspPhase(view.phase).name.lower()
    label = f"{name}: {phase}, {total:.1f} N"
    shapes.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{label}</text>')
    return "".join(shapes)


def hands(snapshot: Snapshot, full_scale: float) -> str:
    """Both hands as the robot itself would see its palms: left one on the left."""
    left = hand("l", snapshot.hands.get("l"), full_scale)
    right = hand("r", snapshot.hands.get("r"), full_scale)
    return (
        f'<div class="neo"><svg viewBox="0 0 {2 * _WIDTH} {_HEIGHT}" role="img" aria-label="pad forces">'
        f'{left}<g transform="translate({_WIDTH} 0)">{right}</g></svg></div>'
    )


def _body_rows() -> list[tuple[str, list[int]]]:
    """Rows of the tension picture: a label and the joints' places in the body table."""
    rows: dict[str, list[int]] = {}
    for place, joint in enumerate(BODY.joints):
        side, part = joint[:2], joint.split("_")[1]
        if side in ("l_", "r_"):
            limb = "leg" if part in ("hip", "knee", "ankle") else "arm"
            label = f"{'left' if side == 'l_' else 'right'} {limb}"
        else:
            label = "spine, neck"
        rows.setdefault(label, []).append(place)
    return list(rows.items())


def tensions(snapshot: Snapshot) -> str:
    """Every tendon as a cell, coloured by its share of the limit; a joint's pair stands upright."""
    width, label_width, cell = 340.0, 64.0, 9.0
    shapes: list[str] = []
    y = 2.0
    rows: list[tuple[str, np.ndarray | None, np.ndarray, tuple[str, ...]]] = []
    for label, joints in _body_rows():
        tendons = np.array([[2 * joint, 2 * joint + 1] for joint in joints]).reshape(-1)
        values = None if snapshot.body_tension is None else snapshot.body_tension[tendons]
        names = tuple(BODY.tendons[tendon] for tendon in tendons)
        rows.append((label, values, BODY.tension_max[tendons], names))
    for side, label in (("l", "left hand"), ("r", "right hand")):
        view = snapshot.hands.get(side)
        names = tuple(f"{side}_{tendon}" for tendon in HAND.tendons)
        rows.append((label, None if view is None else view.tension, HAND.tension_max, names))
    for label, values, limits, names in rows:
        shapes.append(f'<text x="0" y="{y + 13}">{label}</text>')
        count = len(names) // 2
        step = (width - label_width) / max(count, 7)
        for joint in range(count):
            for end in range(2):
                tendon = 2 * joint + end
                value = float("nan") if values is None else float(values[tendon])
                left = label_width + joint * step
                shapes.append(
                    f'<rect x="{left:.1f}" y="{y + end * cell:.1f}" width="{step - 1.5:.1f}" '
                    f'height="{cell - 1}" rx="1.5" fill="{heat(np.sqrt(max(value, 0.0) / limits[tendon]))}">'
                    f"<title>{names[tendon]}: {value:.0f} of {limits[tendon]:.0f} N</title></rect>"
                )
        y += 2 * cell + 5
    return (
        f'<div class="neo"><svg viewBox="0 0 {width:g} {y:g}" role="img" aria-label="tendon tensions">'
        f"{''.join(shapes)}</svg><small>colour: root of the share of each tendon's limit</small></div>"
    )
