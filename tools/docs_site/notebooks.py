"""Notebooks: Python scripts in cells (``# %%``), run for the site and turned into a page and a Jupyter file.

The script is the source: read in a diff, checked by ruff, run by plain Python, and opened as a notebook by
editors that know ``# %%``. Its page and ``.ipynb`` hold what it printed and drew when the site was built. No
kernel, no second process: a cell that fails fails the build.
"""

from __future__ import annotations

import base64
import io
import json
import re
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

MARK = re.compile(r"^# %%( \[markdown\])?$", re.MULTILINE)


@dataclass
class Cell:
    """``words``: Markdown, else code that begins at ``line``; what it printed, and drew as PNG."""

    words: bool
    source: str
    line: int
    printed: str = ""
    drawn: list[bytes] = field(default_factory=list)


@dataclass
class Made:
    """A notebook that ran: its page, its Jupyter file, its pictures by name."""

    page: str
    ipynb: str
    pictures: dict[str, bytes]


def cells(text: str) -> list[Cell]:
    """Cells of a script; what stands before the first mark (imports of none) is left out."""
    marks = list(MARK.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    found = []
    for mark, end in zip(marks, ends, strict=True):
        body = text[mark.end() : end]
        line = text[: mark.end()].count("\n") + 1
        if mark[1]:
            body = "\n".join(row.removeprefix("#").removeprefix(" ") for row in body.splitlines())
        found.append(Cell(bool(mark[1]), body.strip("\n"), line + len(body) - len(body.lstrip("\n"))))
    return found


def run(script: Path, folder: Path) -> Made:
    """Runs every cell in order, in one namespace and in ``folder``; its own exception when one fails."""
    found, names = cells(script.read_text()), {"__name__": "__main__", "__file__": str(script)}
    for cell in found:
        if not cell.words:
            printed = io.StringIO()
            # empty lines in front: a stack trace then names the script's own line
            code = compile("\n" * (cell.line - 1) + cell.source, str(script), "exec")
            with redirect_stdout(printed), chdir(folder):
                exec(code, names)  # noqa: S102
            cell.printed = printed.getvalue()
            cell.drawn = list(drawn())
    return made(script.stem, found)


def drawn() -> list[bytes]:
    """The figures that are open, as PNG; closes them."""
    out = []
    for number in plt.get_fignums():
        file = io.BytesIO()
        plt.figure(number).savefig(file, dpi=90, format="png", metadata={"Software": None})
        out.append(file.getvalue())
    plt.close("all")
    return out


def made(name: str, found: list[Cell]) -> Made:
    """Page and Jupyter file of cells that ran."""
    parts, rows, pictures = [], [], {}
    for cell in found:
        if cell.words:
            parts.append(cell.source)
            rows.append({"cell_type": "markdown", "metadata": {}, "source": cell.source})
            continue
        parts.append(f"```python\n{cell.source}\n```")
        outputs: list[dict[str, Any]] = []
        if cell.printed:
            parts.append(f"```\n{cell.printed.rstrip()}\n```")
            outputs.append({"output_type": "stream", "name": "stdout", "text": cell.printed})
        for picture in cell.drawn:
            file = f"{name}-{len(pictures) + 1}.png"
            pictures[file] = picture
            parts.append(f"![drawn by the cell above]({file})")
            data = {"image/png": base64.b64encode(picture).decode()}
            outputs.append({"output_type": "display_data", "metadata": {}, "data": data})
        rows.append({"cell_type": "code", "execution_count": None, "metadata": {}, "source": cell.source,
                     "outputs": outputs})  # fmt: skip
    parts.append(
        f"As a notebook for Jupyter: [{name}.ipynb]({name}.ipynb); its source: `docs/notebooks/{name}.py`."
    )
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"kernelspec": kernel}, "cells": rows}
    return Made("\n\n".join(parts) + "\n", json.dumps(document, indent=1) + "\n", pictures)
