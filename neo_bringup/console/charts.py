"""Curves of the last seconds and tensions of all tendons as small SVG drawings."""

from __future__ import annotations

import numpy as np

from neo_bringup.console.series import SECONDS, Group
from neo_bringup.console.snapshot import Snapshot
from neo_description.tables import BODY, HAND

SIDE_COLOUR = {"l": "#3a7ca5", "r": "#c2571a"}
LINE_COLOURS = ("#3a7ca5", "#c2571a", "#2f9e58", "#8a5fb0", "#b3302a")
HEAT = np.array([[233, 237, 240], [247, 216, 140], [236, 122, 60], [176, 28, 46]], float)


def heat(share: float) -> str:
    """Colour of ``share`` in 0..1, from pale over yellow and orange to dark red; grey when not finite."""
    if not np.isfinite(share):
        return "#9aa3ab"
    at = min(max(share, 0.0), 1.0) * (len(HEAT) - 1)
    low = min(int(at), len(HEAT) - 2)
    r, g, b = (HEAT[low] + (at - low) * (HEAT[low + 1] - HEAT[low])).round().astype(int)
    return f"#{r:02x}{g:02x}{b:02x}"


def curves(ago: np.ndarray, values: np.ndarray, group: Group) -> str:
    """Lines ``values`` (n, k), NaN where unknown, over ``ago`` (n,) s before now, with their last values."""
    width, height, left, low = 340.0, 132.0, 34.0, 118.0
    known = values[np.isfinite(values)]
    top, bottom = max(group.least, float(known.max(initial=0.0))), min(0.0, float(known.min(initial=0.0)))
    across = width + ago / SECONDS * (width - left)
    up = low - (values - bottom) / (top - bottom) * (low - 8.0)
    shapes = []
    for share in (0.0, 0.5, 1.0):
        y, value = low - share * (low - 8.0), bottom + share * (top - bottom)
        shapes.append(f'<path d="M{left} {y:.1f}H{width}" stroke="#dde2e6" stroke-width=".8"/>')
        shapes.append(f'<text x="{left - 5}" y="{y + 3.5:.1f}" text-anchor="end">{value:.3g}</text>')
    shapes.append(f'<text x="{left}" y="{height - 2}">{SECONDS:.0f} s ago</text>')
    shapes.append(f'<text x="{width}" y="{height - 2}" text-anchor="end">now</text>')
    legend = []
    for line, (title, colour) in enumerate(zip(group.lines.values(), LINE_COLOURS, strict=False)):
        there = np.isfinite(values[:, line])
        points = " ".join(f"{x:.0f},{y:.1f}" for x, y in zip(across[there], up[there, line], strict=True))
        shapes.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        last = f"{values[-1, line]:.3g} {group.unit}" if len(values) and there[-1] else "not heard"
        legend.append(f'<span data-line="{title}"><i style="background:{colour}"></i>{title} {last}</span>')
    return (
        f'<div class="neo"><svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="curves">'
        f'{"".join(shapes)}</svg><div class="neo-legend">{"".join(legend)}</div></div>'
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
