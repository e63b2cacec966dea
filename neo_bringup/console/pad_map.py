"""Both hands from the palm side, their pads coloured by force: what touches, how hard, which way it pulls.

A patch's colour is its normal force, its arrow the shear, hatched grey a pad whose validity is down. Below
each hand stand its phase, the grip it feels and the one it regulates to, and how near it is to sliding.

Drawing units; the right hand as the robot itself sees its palm: fingers up, thumb to the right. The left one
is its mirror image. A pad's axes y and z point to the fingertip and, seen so, to the left on both hands.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np

from neo_bringup.console.charts import SIDE_COLOUR, heat
from neo_bringup.console.series import grip
from neo_bringup.console.snapshot import HandView, Snapshot
from neo_description.tables import SIDES, TAXELS

WIDTH, HEIGHT, LEGEND = 176.0, 224.0, 16.0
SKIN, DEAD_INK, INK = "#eef1f3", "#8b959e", "#1c2a36"
ARROW = 16.0  # length of the longest arrow, for a shear of a quarter of the full scale
LEAST_SHEAR = 0.1  # N; less is not drawn
BAR = 70.0  # length of the bars

# finger: knuckle x, y; lean from upright (degrees, to the thumb's side); lengths of the phalanges; breadth
_FINGERS: dict[str, tuple[float, float, float, tuple[float, float, float], float]] = {
    "thumb": (112, 128, 47, (25, 24, 20), 20),
    "index": (98, 84, 7, (28, 21, 18), 17),
    "middle": (76, 79, 1, (30, 23, 19), 17),
    "ring": (54, 84, -5, (28, 21, 18), 17),
    "little": (31, 89, -13, (23, 17, 16), 16),
}
_SEGMENTS = {"thumb": ("metacarpal", "proximal", "distal")}
_PALM = {"palm_distal_radial": (87, 103), "palm_distal_ulnar": (48, 103),
         "palm_proximal_radial": (87, 135), "palm_proximal_ulnar": (48, 135)}  # fmt: skip
_PALM_SIZE = (36.0, 29.0)

DEFINITIONS = f"""<defs>
<pattern id="neo-dead" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="5" height="5" fill="#d3d9de"/><path d="M0 0V5" stroke="{DEAD_INK}" stroke-width="2.2"/></pattern>
<marker id="neo-arrow" viewBox="0 0 6 6" refX="4" refY="3" markerWidth="3.2" markerHeight="3.2" orient="auto">
<path d="M0 0L6 3L0 6z" fill="{INK}"/></marker>
<linearGradient id="neo-heat">{{stops}}</linearGradient></defs>"""


@dataclass(frozen=True)
class Patch:
    """Where a pad of the right hand is drawn: centre, size, and lean (degrees, clockwise)."""

    x: float
    y: float
    w: float
    h: float
    lean: float = 0.0


def _patches() -> dict[str, Patch]:
    patches = {name: Patch(x, y, *_PALM_SIZE) for name, (x, y) in _PALM.items()}
    for finger, (x, y, lean, lengths, breadth) in _FINGERS.items():
        along = np.array([np.sin(np.deg2rad(lean)), -np.cos(np.deg2rad(lean))])
        at = np.array([x, y])
        names = _SEGMENTS.get(finger, ("proximal", "middle", "distal"))
        for name, length in zip(names, lengths, strict=True):
            middle = at + along * length / 2
            patches[f"{finger}_{name}"] = Patch(
                float(middle[0]), float(middle[1]), breadth - 2, length - 2, lean
            )
            at = at + along * length
    return {name: patches[name] for name in TAXELS}


PATCHES = _patches()


def _outline(mirror: bool) -> str:
    """The hand itself, under its pads."""
    shapes = [f'<rect x="26" y="82" width="83" height="76" rx="17" fill="{SKIN}" stroke="#ccd4da"/>']
    for x, y, lean, lengths, breadth in _FINGERS.values():
        reach = sum(lengths) - breadth / 2 + 2
        tip = x + np.sin(np.deg2rad(lean)) * reach, y - np.cos(np.deg2rad(lean)) * reach
        line = f'd="M{x:g} {y:g}L{tip[0]:.1f} {tip[1]:.1f}" stroke-linecap="round"'
        shapes.append(f'<path {line} stroke="#ccd4da" stroke-width="{breadth + 7:g}"/>')
        shapes.append(f'<path {line} stroke="{SKIN}" stroke-width="{breadth + 5:g}"/>')
    shapes.append(f'<rect x="27" y="83" width="81" height="74" rx="16" fill="{SKIN}"/>')
    flip = f' transform="translate({WIDTH:g} 0) scale(-1 1)"' if mirror else ""
    return f"<g{flip}>{''.join(shapes)}</g>"


def _pad(side: str, name: str, force: np.ndarray, valid: bool, full_scale: float) -> str:
    """One patch; ``force`` (3,) N."""
    at = PATCHES[name]
    x, lean = (at.x, at.lean) if side == "r" else (WIDTH - at.x, -at.lean)
    normal, along, across = (float(value) for value in force)
    known = valid and bool(np.isfinite(force).all())
    fill = heat(normal / full_scale) if known else "url(#neo-dead)"
    told = f"{normal:.2f} N, shear {np.hypot(along, across):.2f} N" if known else "dead"
    shapes = [
        f'<rect x="{-at.w / 2:g}" y="{-at.h / 2:g}" width="{at.w:g}" height="{at.h:g}" rx="6" fill="{fill}" '
        f'stroke="#aab5be" stroke-width=".7"><title>{side}_{name}: {told}</title></rect>'
    ]
    if known and np.hypot(along, across) > LEAST_SHEAR:
        tip = np.array([-across, -along]) * 4.0 * ARROW / full_scale
        tip *= min(ARROW / float(np.linalg.norm(tip)), 1.0)
        shapes.append(
            f'<path class="shear" d="M0 0L{tip[0]:.1f} {tip[1]:.1f}" stroke="{INK}" stroke-width="1.4" '
            'marker-end="url(#neo-arrow)"/>'
        )
    return f'<g transform="translate({x:.1f} {at.y:.1f}) rotate({lean:g})">{"".join(shapes)}</g>'


def _bar(y: float, label: str, share: float, colour: str, text: str, mark: float | None = None) -> str:
    """A labelled bar; ``share`` and ``mark`` in 0..1."""
    left, length = 34.0, BAR * min(max(share, 0.0), 1.0)
    tick = ""
    if mark is not None:
        at = left + BAR * min(max(mark, 0.0), 1.0)
        tick = f'<path d="M{at:.1f} {y - 9:g}V{y + 1:g}" stroke="{INK}" stroke-width="1.6"/>'
    return (
        f'<text x="{left - 5:g}" y="{y:g}" text-anchor="end">{label}</text>'
        f'<rect x="{left:g}" y="{y - 8:g}" width="{BAR:g}" height="8" rx="3" fill="#e2e6ea"/>'
        f'<rect x="{left:g}" y="{y - 8:g}" width="{length:.1f}" height="8" rx="3" fill="{colour}"/>{tick}'
        f'<text x="{left + BAR + 5:g}" y="{y:g}">{text}</text>'
    )


def hand(side: str, view: HandView | None, full_scale: float) -> str:
    """One hand, :data:`WIDTH` by :data:`HEIGHT`; ``full_scale`` N has the strongest colour."""
    name = {"l": "left hand", "r": "right hand"}[side]
    middle, outline = WIDTH / 2, _outline(mirror=side == "l")
    if view is None:
        return f'{outline}<text x="{middle:g}" y="176" text-anchor="middle">{name}: not heard</text>'
    pads = [
        _pad(side, taxel, force, bool(valid), full_scale)
        for taxel, force, valid in zip(TAXELS, view.taxel_force, view.taxel_valid, strict=True)
    ]
    status, felt = view.status, grip(view)
    dead = int((~np.asarray(view.taxel_valid, bool)).sum())
    top = max(felt, status.grip_target, full_scale) * 1.1
    slip = f"{status.slip:.2f}" + (f", {dead} dead" if dead else "")
    target = f" / {status.grip_target:.1f}" if status.grip_target > 0.0 else ""
    return "".join(
        (
            outline,
            *pads,
            f'<text x="{middle:g}" y="176" text-anchor="middle" '
            f'style="fill:{SIDE_COLOUR[side]};font-weight:600">{name}: {status.phase.name.lower()}</text>',
            f'<text x="{middle:g}" y="188" text-anchor="middle">{html.escape(status.grasp)}</text>',
            _bar(203, "grip", felt / top, SIDE_COLOUR[side], f"{felt:.1f}{target} N",
                 status.grip_target / top if target else None),
            _bar(217, "slip", status.slip, heat(status.slip), slip),
        )
    )  # fmt: skip


def hands(snapshot: Snapshot, full_scale: float) -> str:
    """Both hands as the robot itself would see its palms, the left one on the left, and a legend."""
    drawn = [
        f'<g transform="translate({i * WIDTH:g} 0)">{hand(side, snapshot.hands.get(side), full_scale)}</g>'
        for i, side in enumerate(SIDES)
    ]
    return (
        f'<div class="neo"><svg viewBox="0 0 {2 * WIDTH:g} {HEIGHT + LEGEND:g}" role="img" '
        f'aria-label="pad forces">{DEFINITIONS.format(stops=_stops())}{"".join(drawn)}'
        f"{_legend(full_scale)}</svg></div>"
    )


def _stops() -> str:
    shares = np.linspace(0.0, 1.0, 4)
    return "".join(f'<stop offset="{share:.2f}" stop-color="{heat(float(share))}"/>' for share in shares)


def _legend(full_scale: float) -> str:
    y = HEIGHT + 3
    return (
        f'<text x="92" y="{y + 8:g}" text-anchor="end">0</text>'
        f'<rect x="97" y="{y:g}" width="80" height="9" rx="2" fill="url(#neo-heat)"/>'
        f'<text x="182" y="{y + 8:g}">{full_scale:g} N</text>'
        f'<path d="M216 {y + 8:g}V{y + 1:g}" stroke="{INK}" stroke-width="1.4" '
        f'marker-end="url(#neo-arrow)"/><text x="222" y="{y + 8:g}">shear</text>'
        f'<rect x="258" y="{y:g}" width="12" height="9" rx="2" fill="url(#neo-dead)"/>'
        f'<text x="274" y="{y + 8:g}">dead</text>'
    )
