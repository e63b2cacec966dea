"""A recording as one picture: what moved, what pressed, what surprised and what happened, over time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from neo_description.errors import NeoError
from neo_description.tables import BODY, HAND, TAXELS
from neo_flywheel.store.series import Line, Series

MOST = 8  # curves in a panel: those that move most
NAMES = {"joints": (BODY.joints, HAND.joints), "tension": (BODY.tendons, HAND.tendons)}


def draw(series: Series, file: Path, title: str) -> None:
    """Writes a PNG; NeoError when there is nothing to draw or no place for it."""
    panels = [
        ("joint position, rad", _curves("joints", series.joints)),
        ("tendon tension, N", _curves("tension", series.tension)),
        ("pad force, N", _curves("touch", series.touch)),
    ]
    if (line := series.surprise) is not None:
        panels.append(("surprise", [("", line.time, line.values[:, 0])]))
    panels = [(label, curves) for label, curves in panels if curves]
    if not panels and not series.events:
        raise NeoError(f"{title}: no joint, force, surprise or event was recorded; there is nothing to draw")
    figure = Figure(figsize=(10, 2.2 * len(panels) + 1.6), layout="constrained")
    axes = figure.subplots(len(panels) + 1, 1, sharex=True, squeeze=False)[:, 0]
    for axis, (label, curves) in zip(axes, panels, strict=False):
        for name, time, values in curves:
            axis.plot(time, values, linewidth=0.9, label=name or None)
        axis.set_ylabel(label)
        if any(name for name, _, _ in curves):
            axis.legend(fontsize=6, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _draw_events(axes[-1], axes[:-1], series)
    axes[0].set_title(title, fontsize=10)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=110, format="png")
    except OSError as error:
        raise NeoError(f"cannot write {file}: {error.strerror}") from None


def _draw_events(own: object, others: object, series: Series) -> None:
    own.set(xlim=(0.0, max(series.duration, 1e-3)), ylim=(0.0, 1.0), yticks=[], xlabel="s")  # type: ignore[attr-defined]
    own.set_ylabel("events")  # type: ignore[attr-defined]
    for number, (at, what) in enumerate(series.events):
        for axis in (own, *others):  # type: ignore[misc]
            axis.axvline(at, color="0.6", linewidth=0.6)
        own.text(at, 0.85 - 0.2 * (number % 4), what[:60], fontsize=6)  # type: ignore[attr-defined]


def _curves(what: str, groups: dict[str, Line]) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """The ``MOST`` columns that range widest."""
    rows = []
    for group, line in groups.items():
        for i, spread in enumerate(np.ptp(line.values, axis=0)):
            rows.append(
                (float(spread), f"{'' if group == 'body' else group[:2]}{_name(what, group, i)}", line, i)
            )
    rows.sort(key=lambda row: -row[0])
    return [(name, line.time, line.values[:, i]) for _, name, line, i in rows[:MOST]]


def _name(what: str, group: str, i: int) -> str:
    names = TAXELS if what == "touch" else NAMES[what][group != "body"]
    return str(names[i])
