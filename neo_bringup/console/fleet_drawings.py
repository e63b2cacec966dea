"""A fleet's rounds as HTML text and SVG: success by round, what robots met, data, versions, the gate."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

from neo_bringup.fleet import rows
from neo_bringup.fleet.settings import Settings

STYLE = """<style>
.neo-fleet table {border-collapse: collapse; width: 100%; font-size: 12px}
.neo-fleet th {text-align: left; font-weight: 600; color: #56626d; padding: 2px 8px 2px 0}
.neo-fleet td {padding: 2px 8px 2px 0; border-top: 1px solid #e2e6ea; vertical-align: top}
.neo-fleet .yes {color: #2b7a46; font-weight: 600} .neo-fleet .no {color: #b3302a; font-weight: 600}
</style>"""
PARTS = ("now", "success", "field", "table", "verdicts")
COLUMNS = {
    "round": "round", "step": "at", "before": "success before", "after": "after", "difference": "difference",
    "recorded": "recorded", "uploaded": "uploaded", "released": "released", "versions": "robots run",
}  # fmt: skip
BLUE, ORANGE, GREEN = "#3a7ca5", "#c2571a", "#2f9e58"
Point = tuple[float, float, float]  # value, low, high; 0 to 1


def parts(root: str, settings: Settings, every: list[dict[str, Any]], said: str) -> dict[str, str]:
    """The text of each of ``PARTS``; ``every``: rows of ``fleet.json``; ``said``: the fleet's last line."""
    return {
        "now": _now(root, settings, said),
        "success": _titled("Held-out success of the version, with its 95 % interval", _success(every)),
        "field": _titled("In the field: done alone, steps that the policy chose, surprise", _field(every)),
        "table": _titled("Rounds", _table(every)),
        "verdicts": _titled("What the gate, the roll-out and robots said", _verdicts(every)),
    }


def _titled(title: str, inner: str) -> str:
    return f'<div class="neo neo-fleet"><h4>{title}</h4>{inner}</div>'


def _now(root: str, settings: Settings, said: str) -> str:
    chosen = (
        settings.choose
        if settings.choose == "all"
        else f"{settings.choose}, {settings.share:.0%} of the steps"
    )
    about = f"{settings.robots} robots, {settings.prompts} prompts a round, data that leave: {chosen}"
    return (
        f'<div class="neo"><div class="neo-chip" style="background:#3a6080"><b>FLEET</b>'
        f"<span data-said>{html.escape(said or 'not begun')}</span></div>"
        f"<small>{html.escape(root)}: {html.escape(about)}</small></div>"
    )


def _success(every: list[dict[str, Any]]) -> str:
    """Before and after each round."""
    series: list[tuple[str, Point | None]] = []
    for row in every:
        if not series:
            series.append((f"version {row['before']['version']}", _point(row["before"])))
        series.append((f"round {row['round']}", _point(row["after"])))
    return _chart([label for label, _ in series], [("success", BLUE, [point for _, point in series])])


def _point(rate: dict[str, Any]) -> Point | None:
    return None if rate["value"] is None else (rate["value"], rate["low"], rate["high"])


def _field(every: list[dict[str, Any]]) -> str:
    lines: list[tuple[str, str, Sequence[Point | None]]] = []
    for name, title, colour in (
        ("alone", "alone", BLUE),
        ("autonomy", "autonomy", GREEN),
        ("surprise", "surprise", ORANGE),
    ):
        values = [row.get("field", {}).get(name) for row in every]
        lines.append((title, colour, [None if value is None else (value, value, value) for value in values]))
    return _chart([f"round {row['round']}" for row in every], lines)


def _chart(labels: list[str], lines: Sequence[tuple[str, str, Sequence[Point | None]]]) -> str:
    """Shares (0 to 1) over ``labels``: a line with bars from low to high for each of ``lines``."""
    width, height, left, bottom = 700.0, 150.0, 44.0, 24.0
    across: Callable[[int], float] = lambda i: left + (i + 0.5) * (width - left) / max(len(labels), 1)  # noqa: E731
    up: Callable[[float], float] = lambda share: height - bottom - share * (height - bottom - 14.0)  # noqa: E731
    shapes = []
    for share in (0.0, 0.5, 1.0):
        shapes.append(f'<path d="M{left} {up(share):.1f}H{width}" stroke="#dde2e6" stroke-width=".8"/>')
        shapes.append(f'<text x="{left - 6}" y="{up(share) + 3.5:.1f}" text-anchor="end">{share:.0%}</text>')
    for i, label in enumerate(labels):
        shapes.append(
            f'<text x="{across(i):.1f}" y="{height - 8}" text-anchor="middle">{html.escape(label)}</text>'
        )
    for k, (title, colour, points) in enumerate(lines):
        there = [(across(i), point) for i, point in enumerate(points) if point is not None]
        path = " ".join(f"{x:.1f},{up(point[0]):.1f}" for x, point in there)
        shapes.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        for x, (value, low, high) in there:
            shapes.append(
                f'<path d="M{x:.1f} {up(low):.1f}V{up(high):.1f}" stroke="{colour}" stroke-width="1"/>'
                f'<circle cx="{x:.1f}" cy="{up(value):.1f}" r="3" fill="{colour}">'
                f"<title>{title} {value:.0%} [{low:.0%}, {high:.0%}]</title></circle>"
            )
        if len(lines) > 1:
            shapes.append(f'<text x="{left + 6 + 80 * k}" y="10" style="fill:{colour}">{title}</text>')
    names = " and ".join(title for title, _, _ in lines)
    about = f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{names} by round"'
    return f"<svg {about}>{''.join(shapes)}</svg>"


def _table(every: list[dict[str, Any]]) -> str:
    head = "".join(f"<th>{title}</th>" for title in COLUMNS.values())
    lines = []
    for row in every:
        said = rows.cells(row)
        cells = "".join(f"<td>{html.escape(said[name])}</td>" for name in COLUMNS)
        lines.append(f'<tr data-round="{row["round"]}">{cells}</tr>')
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def _verdicts(every: list[dict[str, Any]]) -> str:
    lines = []
    for row in every:
        gate = row.get("gate")
        mark = "" if gate is None else f'<span class="{"yes" if gate["passed"] else "no"}">●</span> '
        for i, line in enumerate(rows.remarks(row)):
            first, sign = (str(row["round"]), mark) if i == 0 else ("", "")
            lines.append(f"<tr><td>{first}</td><td>{sign}{html.escape(line)}</td></tr>")
    return f"<table>{''.join(lines)}</table>"
