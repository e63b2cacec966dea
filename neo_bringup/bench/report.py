"""The table of a benchmark, and ``docs/benchmarks.md`` out of ``benchmarks/results/*.json``."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from neo_bringup.bench.figures import Figure, Target, targets
from neo_description.errors import NeoError

HEADER = ("figure", "target", "measured", "n", "ok")
MARKS = {True: "yes", False: "NO", None: "–"}


def cells(figure: Figure, target: Target, ok: bool | None) -> tuple[str, ...]:
    """One row of the table as text."""
    value = f"{figure.value:.4g}" if math.isfinite(figure.value) else "–"
    note = f" ({figure.note})" if figure.note else ""
    return (
        f"{figure.id}",
        f"{target.text()} {target.unit}".strip(),
        f"{value} {target.unit}".strip() + note,
        str(figure.n),
        MARKS[ok],
    )


def show(table: list[tuple[Figure, Target, bool | None]]) -> None:
    """Prints the table: coloured on a terminal, plain in a pipe."""
    lines = [cells(*row) for row in table]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        drawn = Table(*HEADER)
        for (_, _, ok), line in zip(table, lines, strict=True):
            drawn.add_row(*line, style="red" if ok is False else None)
        Console().print(drawn)
        return
    widths = [max(len(line[i]) for line in [HEADER, *lines]) for i in range(len(HEADER))]
    for line in [HEADER, *lines]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def document(results: Path, targets_file: Path) -> str:
    """The text of ``docs/benchmarks.md``."""
    titles = targets(targets_file)
    parts = [
        "# Benchmarks\n\nMade by `neo bench docs` from `benchmarks/results/*.json`; the targets stand in "
        "`benchmarks/targets.yaml`. `neo bench NAME` measures again.\n"
    ]
    files = sorted(results.glob("*.json"))
    for file in files:
        try:
            run: dict[str, Any] = json.loads(file.read_text())
        except json.JSONDecodeError as error:
            raise NeoError(f"{file} is no JSON: {error}") from None
        parts.append(_section(file.stem, run, titles))
    if not files:
        parts.append("No results yet.\n")
    return "\n".join(parts)


def _section(name: str, run: dict[str, Any], titles: dict[str, Target]) -> str:
    scale = "quick run" if run.get("quick") else "full run"
    lines = [
        f"## {name}\n",
        f"{scale}, {len(run.get('seeds', []))} seeds, {run.get('date', '')[:10]}, commit `{run['commit']}`, "
        f"{run['machine']}, load average {run.get('load_average', '?')}.\n",
        "| figure | what | target | measured | n | ok |",
        "|---|---|---|---|---|---|",
    ]
    for figure, row in run["figures"].items():
        title = titles[figure].title if figure in titles else ""
        value = "–" if row["value"] is None else f"{row['value']:.4g} {row['unit']}".strip()
        note = f" ({row['note']})" if row.get("note") else ""
        target = "–"
        if row["target"] is not None:
            target = f"{row.get('compare', '')} {row['target']:g} {row['unit']}".strip()
        cells = (f"`{figure}`", title, target, value + note, str(row["n"]), MARKS[row["ok"]])
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
