"""A verdict for people and programs: ``report.json``, and ``report.html`` with a plot of what differs."""

from __future__ import annotations

import base64
import html
import json
import math
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from neo_description.errors import NeoError
from neo_flywheel.replay.compare import VALUE, Difference
from neo_flywheel.replay.reference import About
from neo_flywheel.replay.verdict import Verdict, words

DRAWN = 12  # fields, those that differ first
SERIES = ("stamps", "sizes", "curves")
STYLE = "body{font:15px sans-serif;max-width:62em;margin:2em auto} td,th{padding:.2em .8em;text-align:left}"


def write(folder: Path, verdict: Verdict, about: About, bag: Path) -> Path:
    """The page, in ``folder``; NeoError when it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(json.dumps(facts(verdict, about), indent=1) + "\n")
        page = folder / "report.html"
        page.write_text(_page(verdict, about, bag.name))
    except OSError as error:
        raise NeoError(f"cannot write a report into {folder}: {error.strerror}") from None
    return page


def facts(verdict: Verdict, about: About) -> dict[str, Any]:
    """What ``report.json`` holds; numbers that JSON has no word for are ``inf`` and ``nan`` in words."""
    rows = [
        {name: _json(value) for name, value in vars(d).items() if name not in SERIES}
        for d in verdict.differences
    ]
    return {
        "node": verdict.node, "same": verdict.same, "reasons": verdict.reasons, "differences": rows,
        "cost": verdict.cost, "budget": verdict.within, "messages": verdict.counts,
        "reference": asdict(about),
    }  # fmt: skip


def _json(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _page(verdict: Verdict, about: About, bag: str) -> str:
    esc = html.escape
    head = f"{verdict.node} on {bag}: {'the same' if verdict.same else 'differs'}"
    parts = [
        f"<!doctype html><meta charset=utf-8><title>{esc(head)}</title><style>{STYLE}</style>",
        f"<h1>{esc(head)}</h1>",
        f"<p>Reference of {esc(about.time)}, commit {esc(about.commit or '–')}: {esc(about.reason)}</p>",
        _table(["topic", "messages", "in the reference"],
               [[t, n, about.messages.get(t, 0)] for t, n in verdict.counts.items()]),
        _table(["cost", "now", "at most", "reference"],
               [[n, f"{v:.1f}", verdict.within.get(n, "–"), about.cost.get(n, "–")]
                for n, v in verdict.cost.items()]),
    ]  # fmt: skip
    if verdict.reasons:
        rows = "".join(f"<li>{esc(reason)}</li>" for reason in verdict.reasons)
        parts.append(f"<h2>Why, in order of time</h2><ol>{rows}</ol>")
    drawn = [d for d in verdict.differences if d.kind == VALUE]
    for found in drawn[:DRAWN]:
        parts.append(
            f"<h3>{esc(found.topic)}: {esc(found.field)}</h3><p>{esc(words(found))}</p>{_plot(found)}"
        )
    if len(drawn) > DRAWN:
        parts.append(f"<p>{len(drawn) - DRAWN} more fields in report.json.</p>")
    return "\n".join(parts) + "\n"


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = ["".join(f"<th>{html.escape(word)}</th>" for word in head)]
    lines += ["".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _plot(found: Difference) -> str:
    """An ``img`` with both values above, and the size of the difference below, over plant time."""
    time = 1e-9 * np.array(found.stamps)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    name = "" if found.index is None else f"[{found.index}]"
    above.plot(time, found.curves[0], linewidth=1.6, color="0.6", label="reference")
    above.plot(time, found.curves[1], linewidth=0.9, color="tab:red", label="now")
    above.set_ylabel(f"{found.field.rpartition('.')[2]}{name}", fontsize=8)
    above.legend(fontsize=7)
    sizes = np.array(found.sizes)
    below.plot(time, np.where(np.isfinite(sizes), sizes, np.nan), linewidth=0.9)
    whole = time[~np.isfinite(sizes)]
    below.plot(whole, np.zeros(len(whole)), "x", color="tab:red", markersize=4)
    below.axvline(1e-9 * found.first, color="0.7", linewidth=0.8)
    below.set(xlabel="plant time, s")
    below.set_ylabel("largest difference", fontsize=8)
    picture = BytesIO()
    figure.savefig(picture, dpi=90, format="png")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}">'
