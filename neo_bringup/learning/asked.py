"""What `neo gate` and `neo learn` share: words on the command line, and the table of a verdict."""

from __future__ import annotations

import argparse
from typing import Any

from rich.table import Table

from neo_bringup import output
from neo_bringup.engine import ENGINES
from neo_description.errors import NeoError


def add_engine(parser: argparse.ArgumentParser) -> None:
    """``--engine`` and ``--workers``."""
    parser.add_argument(
        "--engine", choices=sorted(ENGINES), default="local",
        help="where tasks run: processes here, or a Ray cluster (RAY_ADDRESS, else its own)",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, default=0, help="tasks at a time; default: one a core")


def check_trials(trials: int) -> None:
    """NeoError when it is no number of trials."""
    if trials < 0:
        raise NeoError(f"--trials {trials}; 0 or more")


def show(verdict: dict[str, Any]) -> None:
    """The table, and why it is refused."""
    table = Table(title="passed" if verdict["passed"] else "refused")
    for column in ("figure", "n", "running", "candidate", "difference", "95 %", ""):
        table.add_column(column)
    for line in verdict["lines"]:
        cells = [_number(line[name]) for name in ("running", "candidate", "difference")]
        span = f"{_number(line['low'])} to {_number(line['high'])}"
        table.add_row(line["figure"], str(line["n"]), *cells, span, _word(line))
    if verdict["lines"]:
        output.console().print(table)
    for word, rows in (("refused", verdict["reasons"]), ("note", verdict["notes"])):
        for row in rows:
            print(f"{word}: {row}")
    if verdict["passed"]:
        print("passed")


def _word(line: dict[str, Any]) -> str:
    return "NO" if line["reason"] else "not sure" if line["doubt"] else "yes"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
