"""Forces as small SVG drawings: the grip of both hands over time, tensions of all tendons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neo_bringup.console.snapshot import HandView, Snapshot
from neo_description.tables import BODY, HAND

SIDE_COLOUR = {"l": "#3a7ca5", "r": "#c2571a"}
GRIP_SCALE = 10.0  # N: the grip chart shows at least this much


HEAT = np.array([[233, 237, 240], [247, 216, 140], [236, 122, 60], [176, 28, 46]], float)


def heat(share: float) -> str:
    """Colour of ``share`` in 0..1, from pale over yellow and orange to dark red; grey when not finite."""
    if not np.isfinite(share):
        return "#9aa3ab"
    at = min(max(share, 0.0), 1.0) * (len(HEAT) - 1)
    low = min(int(at), len(HEAT) - 2)
    r, g, b = (HEAT[low] + (at - low) * (HEAT[low + 1] - HEAT[low])).round().astype(int)
    return f"#{r:02x}{g:02x}{b:02x}"


def grip(view: HandView | None) -> float:
    """Sum of the normal forces of a hand's living pads (N); NaN when the hand was never heard."""
    if view is None:
        return float("nan")
    return float(view.taxel_force[np.asarray(view.taxel_valid, bool), 0].sum())


def grip_chart(history: Sequence[tuple[float, float, float]], seconds: float) -> str:
    """``history``: rows of time (s), left and right grip (N), oldest first; shows the last ``seconds``."""
    width, height = 340.0, 62.0
    rows = np.array(history, float).reshape(-1, 3)
    top = max(GRIP_SCALE, float(np.nan_to_num(rows[:, 1:]).max(initial=0.0)))
    newest = rows[-1, 0] if len(rows) else 0.0
    shapes = []
    for share in (0.0, 0.5, 1.0):
        line = height - 6 - share * (height - 14)
        shapes.append(f'<path d="M26 {line:.1f}H{width}" stroke="#dde2e6" stroke-width=".8"/>')
        shapes.append(f'<text x="20" y="{line + 3.5:.1f}" text-anchor="end">{share * top:.0f}</text>')
    for column, side in ((1, "l"), (2, "r")):
        known = rows[np.isfinite(rows[:, column]) & (newest - rows[:, 0] <= seconds)]
        x = width - (newest - known[:, 0]) / seconds * (width - 26)
        y = height - 6 - known[:, column] / top * (height - 14)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        shapes.append(
            f'<polyline points="{points}" fill="none" stroke="{SIDE_COLOUR[side]}" stroke-width="1.6"/>'
        )
    return (
        f'<div class="neo"><svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="grip forces">'
        f"{''.join(shapes)}</svg></div>"
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
        f"{''.join(shapes)}</svg></div>"
    )
